"""What the maps of all imports are made of, and how one is read from YAML with the line of every mistake. No I/O.

What a map of each kind may say is in `maps.py`.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Generic, Self, TypeVar

import yaml
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from qorgau.calendar import load_zone
from qorgau.front.posted import is_agency

ISO = "iso"
_SYSTEM = r"^[a-z0-9][a-z0-9-]{0,31}$"

Word = TypeVar("Word")
Text = Annotated[str, Field(min_length=1)]


class BadMap(ValueError):
    """The map cannot be used; `line` is where, counted from 1, and the message says what to write there."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def same(text: str) -> str:
    """A cell or a word of the map as they are compared: without outer blanks, without regard to case."""
    return text.strip().casefold()


@lru_cache(maxsize=4096)
def _pattern(words: str) -> re.Pattern[str]:
    any_text = re.escape(same(words)).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(any_text, re.DOTALL)


def matches(words: str, cell: str) -> bool:
    """Whether a whole cell is what `words` say, where `*` stands for any text and `?` for any character."""
    return _pattern(words).fullmatch(same(cell)) is not None


class Part(BaseModel):
    """A part of a map: the names that are known and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Choice(Part, Generic[Word]):
    """One value for all (`otherwise` alone), or what the words of a column or field mean; `otherwise` for the rest."""

    column: Text | None = Field(default=None, validation_alias=AliasChoices("column", "field"))
    words: Mapping[str, Word] = {}
    otherwise: Word | None = None

    @field_validator("words")
    @classmethod
    def _as_compared(cls, words: Mapping[str, Word]) -> Mapping[str, Word]:
        return {same(word): value for word, value in words.items()}

    @model_validator(mode="after")
    def _column_with_words(self) -> Self:
        if (self.column is None) != (not self.words) or (self.column is None and self.otherwise is None):
            raise ValueError("give one value, or a column with words (and, if you like, otherwise)")
        return self

    def of(self, cell: str) -> Word | None:
        """What a cell means, or None where the map does not say."""
        return self.words.get(same(cell), self.otherwise)


def _fixed(value: object) -> object:
    return {"otherwise": value} if isinstance(value, str) else value


# A map may write one value for all as it is.
Fixed = BeforeValidator(_fixed)


class System(Part):
    """What every map says. `system` names who exports: two systems may use the same numbers; `zone` is its clock's."""

    system: Annotated[str, Field(pattern=_SYSTEM)]
    zone: Text

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        load_zone(zone)
        return zone


class Sheet(System):
    """What every map of a CSV export says besides: how the file is written, and which words mean nothing."""

    encoding: Text = "utf-8-sig"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    time_formats: tuple[Text, ...] = Field(default=(ISO,), min_length=1)
    empty: frozenset[str] = frozenset({"null"})

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            "".encode(codecs.lookup(encoding).name)
        except LookupError:
            raise ValueError("not a text encoding; examples: utf-8-sig, windows-1251") from None
        return encoding

    @field_validator("empty")
    @classmethod
    def _empty_as_compared(cls, empty: frozenset[str]) -> frozenset[str]:
        return frozenset(map(same, empty)) | {""}


def agency_of(kind: str, source: str) -> str:
    """The source, if it is an agency of this kind; raises ValueError."""
    if not is_agency(source) or source.partition("/")[0] != kind:
        raise ValueError(f"these facts are posted by {kind} or {kind}/UNIT")
    return source


Map = TypeVar("Map", bound=System)


def read_map(text: str, kind: type[Map], context: object = None) -> Map:
    """A map of some kind from its YAML text; `context` is what its models need to know. Raises BadMap."""
    try:
        _refuse_aliases(text)
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        _refuse_repeated_names(root)
        # Every scalar stays the text it is: a priority 1, a region NO and a time 09:00 mean what they say.
        value = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BadMap(1 if mark is None else mark.line + 1, "this is not well-formed YAML") from None
    except RecursionError:
        raise BadMap(1, "this is nested too deep") from None
    try:
        return kind.model_validate(value, context=context)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise BadMap(_line(root, first["loc"]), f"{place}: {message}" if place else message) from None


def _line(node: yaml.Node | None, place: tuple[int | str, ...]) -> int:
    """The line of the deepest node on the way to a place; a name that is missing is on the line of what lacks it."""
    if node is None:
        return 1
    line: int = node.start_mark.line
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, below) for key, below in node.value if key.value == part), None)
            if found is not None:
                line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
    return line + 1


def _refuse_aliases(text: str) -> None:
    """A map says each thing where it stands; an alias could also make it contain itself."""
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            line = 0 if event.start_mark is None else event.start_mark.line
            raise BadMap(line + 1, "a map has no aliases; write it out")


def _refuse_repeated_names(root: yaml.Node | None) -> None:
    """A name given twice would silently lose what stands under the first."""
    for node in _mappings(root):
        names = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise BadMap(key.start_mark.line + 1, "a name is a plain text")
            if key.value in names:
                raise BadMap(key.start_mark.line + 1, f"{key.value} stands here twice")
            names.add(key.value)


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, below in node.value:
            yield from _mappings(below)
    elif isinstance(node, yaml.SequenceNode):
        for below in node.value:
            yield from _mappings(below)
