"""A policy file as text: its YAML with the line of every field kept, so that a problem can say where it is. Pure."""

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml

Step = str | int
# The C loader is ten times as fast and says the same; a build of the library without it has the other.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """Why a policy is refused: the line in its file, the rule's id (`policy` for what all rules share), and what."""

    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.rule + ': ' if self.rule else ''}{self.message}"


class PolicyRefused(ValueError):
    """The policy cannot be right; `problems` are all that was found, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("; ".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a policy file as plain data, and where in the file each part of it stands."""

    content: Any
    root: yaml.Node | None

    def line(self, path: tuple[Step, ...]) -> int:
        """The line of a field, or of the innermost part around it that is in the file."""
        node, line = self.root, 1
        for step in path:
            found = _below(node, step)
            if found is not None:
                line, node = found
        return line

    def rule(self, path: tuple[Step, ...]) -> str:
        """The id of the rule a path lies in; `policy` for the part that all share."""
        if len(path) < 2 or path[0] not in ("rules", "flags"):
            return "policy" if path[:1] == ("policy",) else ""
        entries, place = self.content.get(path[0]), path[1]
        entry = entries[place] if isinstance(entries, list) and isinstance(place, int) else None
        name = entry.get("id") if isinstance(entry, dict) else None
        return name if isinstance(name, str) else f"{path[0]}[{path[1]}]"


@dataclass(frozen=True)
class Place:
    """A place in a policy file, to refuse what stands there; `found` collects the problems of the whole file."""

    document: Document
    found: list[Problem]
    path: tuple[Step, ...] = ()

    def at(self, *steps: Step) -> "Place":
        """A place below this one."""
        return replace(self, path=self.path + steps)

    def refuse(self, message: str) -> None:
        """Notes that what stands here cannot be right."""
        inside = self.path[2:] if self.path[:1] in (("rules",), ("flags",)) else self.path[1:]
        name = re.sub(r"\.(?=\[)", "", ".".join(f"[{step}]" if isinstance(step, int) else step for step in inside))
        text = f"{name}: {message}" if name else message
        self.found.append(Problem(self.document.line(self.path), self.document.rule(self.path), text))


def read_document(text: str) -> Document:
    """The content of a policy file; raises PolicyRefused for what is no YAML, or says one thing twice."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        document = Document(None if root is None else _content(loader, root), root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PolicyRefused([Problem(mark.line + 1 if mark else 1, "", f"not YAML: {error.problem}")]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise PolicyRefused([Problem(line, "", "not YAML: a character that may not be there")]) from None
    except RecursionError:
        raise PolicyRefused([Problem(1, "", "not YAML: too deep, or a part of itself")]) from None
    problems = list(_doubles(document))
    if problems:
        raise PolicyRefused(problems)
    return document


def _content(loader: Any, root: yaml.Node) -> Any:
    # A scalar that looks like a date and is none raises a plain ValueError, which knows no line.
    problems = []
    for _, node in _nodes(root, (), set()):
        if isinstance(node, yaml.ScalarNode):
            try:
                loader.construct_object(node)
            except ValueError:
                problems.append(Problem(node.start_mark.line + 1, "", "a date or number that does not exist"))
    if problems:
        raise PolicyRefused(problems)
    return loader.construct_document(root)


def _doubles(document: Document) -> Iterator[Problem]:
    """YAML itself lets the last of two equal keys win, silently."""
    if document.root is None:
        return
    for path, node in _nodes(document.root, (), set()):
        if isinstance(node, yaml.MappingNode):
            seen: set[Hashable] = set()
            for key, _ in node.value:
                if key.value in seen:
                    yield Problem(key.start_mark.line + 1, document.rule(path), f"{key.value}: stands here twice")
                seen.add(key.value)


def _nodes(node: yaml.Node, path: tuple[Step, ...], seen: set[int]) -> Iterator[tuple[tuple[Step, ...], yaml.Node]]:
    if id(node) in seen:
        return
    seen.add(id(node))
    yield path, node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _nodes(key, path, seen)
            yield from _nodes(value, (*path, str(key.value)), seen)
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield from _nodes(item, (*path, place), seen)


def _below(node: yaml.Node | None, step: Step) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item.start_mark.line + 1, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key.start_mark.line + 1, value
    return None
