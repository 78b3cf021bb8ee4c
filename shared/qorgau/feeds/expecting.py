"""How long a feed may be silent: what was set for it, or what its own history says. Reads its file and checks it.

The file is `policies/feeds.yaml`; what it says and why is in docs/feeds.md.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from qorgau.front.posted import ANY_AGENCY, is_agency
from qorgau.instants import DAY, HOUR, MINUTE, parse_duration
from qorgau.policy_checks.document import Place, PolicyRefused, Problem, read_document
from qorgau.policy_checks.models import valid

HOURS_OF_A_DAY = 24
# Less than that is the beat of a machine, not of an agency; more was mistyped.
_SHORTEST, _LONGEST = MINUTE, 366 * DAY
_PARTS = frozenset({"feeds", "learned", "gone_after", "set"})
Basis = Literal["set", "learned"]


def _length(value: object) -> int:
    length = parse_duration(value)
    if not _SHORTEST <= length <= _LONGEST:
        raise ValueError("is at least a minute and at most a year")
    return length


Length = Annotated[int, BeforeValidator(_length)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Head(_Row):
    """Which file it is."""

    id: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]


class Learned(_Row):
    """How an expectation is learned; `floor` in microseconds, the counts in days."""

    days: Annotated[int, Field(ge=7, le=366)]
    at_least: Annotated[int, Field(ge=2)]
    quantile: Annotated[float, Field(gt=0, le=1)]
    factor: Annotated[float, Field(ge=1)]
    floor: Length

    def within(self, hours: Sequence[int]) -> int | None:
        """How long a feed that posted in these hours (since 1970, ascending, each once) is silent at most, in
        microseconds; None where they are of too few days.

        The longest gaps of days are block maxima (Coles 2001, chapter 3), so a night and a weekend count as what they
        are and the many short gaps of a busy hour do not hide them; the quantile is the nearest rank (Hyndman and Fan
        1996, definition 1). A gap is taken as the longest that its two hours allow.
        """
        longest: defaultdict[int, int] = defaultdict(int)
        for before, hour in pairwise(hours):
            day = hour // HOURS_OF_A_DAY
            longest[day] = max(longest[day], hour - before + 1)
        if len(longest) < self.at_least:
            return None
        ranked = sorted(longest.values())
        return max(self.floor, int(ranked[ceil(self.quantile * len(ranked)) - 1] * HOUR * self.factor))


@dataclass(frozen=True, slots=True)
class Expectations:
    """What is expected of feeds: `set` by agency or kind, else as learned; lengths in microseconds."""

    head: Head
    learned: Learned
    gone_after: int
    set: Mapping[str, int]

    def set_for(self, agency: str) -> int | None:
        """What was set for an agency, or else for its kind."""
        return self.set.get(agency, self.set.get(agency.partition("/")[0]))


def parse_expectations(text: str) -> Expectations:
    """What the text of a YAML file expects, checked. Raises PolicyRefused with every problem that was found."""
    document = read_document(text)
    found: list[Problem] = []
    top = Place(document, found)
    content = document.content if isinstance(document.content, dict) else {}
    for name in sorted(_PARTS - content.keys()):
        top.at(name).refuse(f"{name} is missing")
    for name in content.keys() - _PARTS:
        top.at(str(name)).refuse(f"{name}: there is no such part")
    if found:
        raise PolicyRefused(found)
    head = valid(Head, content["feeds"], top.at("feeds"))
    learned = valid(Learned, content["learned"], top.at("learned"))
    gone_after = _checked(content["gone_after"], top.at("gone_after"))
    lengths = _set(content["set"], top.at("set"))
    for name, length in lengths.items():
        if gone_after is not None and length >= gone_after:
            top.at("set", name).refuse("is not shorter than gone_after, so the silence would never be one")
    if learned is not None and learned.at_least > learned.days:
        top.at("learned", "at_least").refuse("is more than there are days to learn from")
    if found or gone_after is None:
        raise PolicyRefused(found)
    return Expectations(head, learned, gone_after, MappingProxyType(lengths))


def load_expectations(path: Path) -> Expectations:
    """The expectations in a file. Raises PolicyRefused, or OSError where it cannot be read."""
    try:
        return parse_expectations(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise PolicyRefused([Problem(1, "", "not a text in UTF-8")]) from None


def _set(rows: object, place: Place) -> dict[str, int]:
    if not isinstance(rows, dict):
        place.refuse("is no map of agencies or kinds")
        return {}
    # YAML reads 102 as a number.
    named = {str(name): value for name, value in rows.items()}
    for name in named:
        if not is_agency(name) or name.partition("/")[0] not in ANY_AGENCY:
            place.at(name).refuse(f"{name} is no agency, KIND or KIND/UNIT")
    lengths = {name: _checked(value, place.at(name)) for name, value in named.items()}
    return {name: length for name, length in lengths.items() if length is not None}


def _checked(value: object, place: Place) -> int | None:
    try:
        return _length(value)
    except ValueError as error:
        place.refuse(str(error))
        return None
