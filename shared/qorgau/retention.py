"""A policy of retention: how long which class of data is kept, and why. Reads its file and checks it.

The file is `policies/retention.yaml`. The vault lets go of its classes by it (intake), each service of the lines of its
audit chain (`qorgau.audit.letting`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from qorgau.instants import DAY, parse_duration
from qorgau.policy_checks.document import Place, PolicyRefused, Problem, read_document
from qorgau.policy_checks.models import valid

AUDIT = "audit"
# Less than a day is no period anybody can keep to; more than a century was mistyped.
_SHORTEST, _LONGEST = DAY, 36_525 * DAY

Start = Literal["case_closed", "last_fact", "opened", "written"]


def _period(value: object) -> int:
    length = parse_duration(value)
    if not _SHORTEST <= length <= _LONGEST:
        raise ValueError("is at least a day and at most a century")
    return length


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Line(_Row):
    """One period in microseconds, and what it counts from."""

    after: Annotated[int, BeforeValidator(_period)]
    start: Start = Field(alias="from")


class Kept(_Row):
    """How long one class is kept, and why."""

    title: Annotated[str, Field(min_length=1)]
    basis: Literal["statutory", "statutory_unverified", "good_practice"]
    source: Annotated[str, Field(min_length=1)]
    lines: Annotated[tuple[Line, ...], Field(min_length=1, strict=False)]


class Head(_Row):
    """Which policy it is."""

    id: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


@dataclass(frozen=True, slots=True)
class Retention:
    """A policy of retention: its head, and each class with its lines."""

    head: Head
    classes: Mapping[str, Kept]


def parse_retention(text: str, expected: Collection[str] | None = None) -> Retention:
    """The policy in the text of a YAML file, checked; `expected`: the classes of the vault, for who knows them. Raises
    PolicyRefused with every problem that was found."""
    document = read_document(text)
    found: list[Problem] = []
    top = Place(document, found)
    content = document.content if isinstance(document.content, dict) else {}
    for name in ("retention", "classes"):
        if not isinstance(content.get(name), dict):
            top.at(name).refuse(f"{name} is missing or no map")
    for name in content.keys() - {"retention", "classes"}:
        top.at(str(name)).refuse(f"{name}: there is no such part")
    if found:
        raise PolicyRefused(found)
    head = valid(Head, content["retention"], top.at("retention"))
    classes = {name: valid(Kept, row, top.at("classes", str(name))) for name, row in content["classes"].items()}
    known = classes.keys() - {AUDIT} if expected is None else frozenset(expected)
    _check_names(classes, known, top.at("classes"))
    _check_periods(classes, top.at("classes"))
    if found or head is None:
        raise PolicyRefused(found)
    return Retention(head, MappingProxyType({name: row for name, row in classes.items() if row is not None}))


def load_retention(path: Path, expected: Collection[str] | None = None) -> Retention:
    """The policy in a file. Raises PolicyRefused, or OSError where it cannot be read."""
    try:
        return parse_retention(path.read_text(encoding="utf-8-sig"), expected)
    except UnicodeDecodeError:
        raise PolicyRefused([Problem(1, "", "not a text in UTF-8")]) from None


def _check_names(classes: Mapping[Any, Kept | None], known: Collection[str], place: Place) -> None:
    for name in sorted({*known, AUDIT} - classes.keys()):
        place.refuse(f"{name} is missing, so it would be kept for ever")
    for name in classes.keys() - {*known, AUDIT}:
        place.at(str(name)).refuse("the vault has no such class")


def _check_periods(classes: Mapping[Any, Kept | None], place: Place) -> None:
    longest = 0
    for name, row in classes.items():
        if row is None:
            continue
        starts = [line.start for line in row.lines]
        if len(set(starts)) < len(starts):
            place.at(name, "lines").refuse("counts twice from the same")
        if name != AUDIT and "written" in starts:
            place.at(name, "lines").refuse("written is for the audit alone")
        if set(starts) == {"case_closed"}:
            place.at(name, "lines").refuse("needs a line from last_fact or opened, for a case that nobody closes")
        if name != AUDIT:
            longest = max(longest, *(line.after for line in row.lines))
    audit = classes.get(AUDIT)
    if audit is not None:
        if {line.start for line in audit.lines} != {"written"}:
            place.at(AUDIT, "lines").refuse("counts from written: each line of the chain has its own period")
        elif audit.lines[0].after < longest:
            place.at(AUDIT, "lines").refuse("is shorter than what it tells of is kept")
