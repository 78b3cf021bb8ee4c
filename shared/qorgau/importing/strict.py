"""Messages read strictly: JSON in which nothing is guessed, XML without entities, both of bounded size and depth.

Both become the same kind of tree: objects by name, lists, texts and numbers. Pure: no file is read here.
"""

import codecs
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

# A message about one incident or hearing has some kilobytes; this is what a parser may be made to hold.
LARGEST = 1_048_576
DEEPEST = 64

_LONGEST_NUMBER = 40
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|NaN|-?Infinity|-?\d[\d.eE+-]*', re.DOTALL)
Reader = Callable[[bytes], Any]


class BadMessage(ValueError):
    """A message that is not read: why, and the line and column from 1 where that was noticed."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column


class _Refused(Exception):
    """A refusal whose place has still to be found."""


def read_json(content: bytes) -> Any:
    """The tree of a JSON text in UTF-8. Raises BadMessage, also for a name that stands twice and for NaN."""
    if len(content) > LARGEST:
        raise BadMessage("message_too_large")
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadMessage("message_unreadable", content.count(b"\n", 0, error.start) + 1) from None
    try:
        tree = json.loads(
            text, object_pairs_hook=_unrepeated, parse_constant=_refused, parse_int=_number, parse_float=_fraction
        )
        _shallow(tree)
    except json.JSONDecodeError as error:
        raise BadMessage("message_unreadable", error.lineno, error.colno) from None
    except (_Refused, RecursionError):
        raise _placed(text) from None
    return tree


def _unrepeated(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found = list(pairs)
    made = dict(found)
    if len(made) < len(found):
        raise _Refused
    return made


def _refused(_: str) -> Any:
    raise _Refused


def _number(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise _Refused
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits)
    if len(digits) > _LONGEST_NUMBER or math.isinf(value):
        raise _Refused
    return value


def _shallow(tree: Any) -> None:
    level = [tree]
    for _ in range(DEEPEST):
        level = [below for node in level for below in _below(node)]
        if not level:
            return
    raise _Refused


def _below(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def _placed(text: str) -> BadMessage:
    """Where a text that is well-formed breaks the rules of `read_json` first."""
    names: list[set[str] | None] = []
    expects_name = False
    for token in _TOKEN.finditer(text):
        word = token.group()
        reason = ""
        if word in ("{", "["):
            names.append(set() if word == "{" else None)
            reason = "message_too_deep" if len(names) >= DEEPEST else ""
        elif word in ("}", "]") and names:
            names.pop()
        elif word[0] == '"' and expects_name and names and names[-1] is not None:
            name = json.loads(word, strict=False)
            reason = "name_repeated" if name in names[-1] else ""
            names[-1].add(name)
        elif word[0] in "NI-0123456789" and (len(word) > _LONGEST_NUMBER or not math.isfinite(float(word))):
            reason = "number_refused"
        if reason:
            line = text.count("\n", 0, token.start()) + 1
            return BadMessage(reason, line, token.start() - text.rfind("\n", 0, token.start()))
        expects_name = word == "{" or (word == "," and bool(names) and names[-1] is not None)
    return BadMessage("message_unreadable")


class _Tree:
    """Builds the tree of a document as it is parsed: children by name in lists, attributes as `@name`, text as ""."""

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = prefixes
        self._open: list[dict[str, Any]] = [{}]
        self._texts: list[list[str]] = [[]]

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(self._open) > DEEPEST:
            raise BadMessage("message_too_deep")
        element: dict[str, Any] = {f"@{self._name(name)}": value for name, value in attributes.items()}
        self._open[-1].setdefault(self._name(tag), []).append(element)
        self._open.append(element)
        self._texts.append([])

    def end(self, _: str) -> None:
        text = "".join(self._texts.pop()).strip()
        element = self._open.pop()
        element.update({"": text} if text else {})

    def data(self, text: str) -> None:
        self._texts[-1].append(text)

    def close(self) -> Any:
        return self._open[0]

    def _name(self, tag: str) -> str:
        """The name with the prefix of the standard, whatever prefix the document has; else as the parser has it."""
        space, _, local = tag.removeprefix("{").rpartition("}")
        return f"{self._prefixes[space]}:{local}" if space in self._prefixes else tag


def read_xml(content: bytes, prefixes: Mapping[str, str]) -> Any:
    """The tree of an XML document; `prefixes` by namespace. Raises BadMessage, also for any document type."""
    if len(content) > LARGEST:
        raise BadMessage("message_too_large")
    parser = DefusedXMLParser(target=_Tree(prefixes), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(content)
        return parser.close()
    except ParseError as error:
        line, column = error.position
        raise BadMessage("message_unreadable", line, column + 1) from None
    except DefusedXmlException:
        raise BadMessage("entities_refused", *_place(parser)) from None
    except BadMessage as error:
        raise BadMessage(error.reason, *_place(parser)) from None
    except (ValueError, LookupError):
        # An encoding that is declared and that nobody knows.
        raise BadMessage("message_unreadable", *_place(parser)) from None


def _place(parser: Any) -> tuple[int, int]:
    return parser.parser.CurrentLineNumber, parser.parser.CurrentColumnNumber + 1
