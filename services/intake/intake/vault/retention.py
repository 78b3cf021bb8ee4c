"""How long which class of personal data is kept: reads the policy, checks it, says what is over at an instant. Pure.

The file is `policies/retention.yaml`. What is over is taken out by `dealing.expired`, which leaves a line in the audit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from intake.domain import CaseClosed, CaseReopened
from intake.vault.classes import CLASSES
from intake.vault.dealing import expired
from intake.vault.records import Marks, VaultRecord, marked
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.instants import DAY, parse_duration
from qorgau.policy_checks.document import Place, PolicyRefused, Problem, read_document

AUDIT = "audit"
# Less than a day is no period anybody can keep to; more than a century was mistyped.
_SHORTEST, _LONGEST = DAY, 36_525 * DAY
_WORDS = {"extra_forbidden": "there is no such field", "missing": "is missing"}

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


@dataclass(frozen=True, slots=True)
class Ending:
    """When a class goes, and by which line, as `CLASS/LINE of POLICY VERSION`."""

    at: int
    name: str
    line: str


def parse_retention(text: str) -> Retention:
    """The policy in the text of a YAML file, checked. Raises PolicyRefused with every problem that was found."""
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
    head = _valid(Head, content["retention"], top.at("retention"))
    classes = {name: _valid(Kept, row, top.at("classes", str(name))) for name, row in content["classes"].items()}
    _check_classes(classes, top.at("classes"))
    if found or head is None:
        raise PolicyRefused(found)
    return Retention(head, MappingProxyType({name: row for name, row in classes.items() if row is not None}))


def load_retention(path: Path) -> Retention:
    """The policy in a file. Raises PolicyRefused, or OSError where it cannot be read."""
    try:
        return parse_retention(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise PolicyRefused([Problem(1, "", "not a text in UTF-8")]) from None


def marks_of(facts: Iterable[Fact]) -> Marks:
    """What periods count from in the facts of a case; what was withdrawn counts as never said (deadlines.md 1.7)."""
    told = list(facts)
    withdrawn = {(fact.source, fact.data.get("fact_id")) for fact in told if fact.type == WITHDRAWAL}
    left = [fact for fact in told if fact.identity not in withdrawn]
    turns = sorted((fact for fact in left if fact.type in (CaseClosed.type, CaseReopened.type)), key=_order)
    closed = turns[-1].known_at if turns and turns[-1].type == CaseClosed.type else None
    return Marks(last_fact=max((fact.known_at for fact in left), default=None), closed=closed)


def endings(policy: Retention, marks: Marks, kept: Iterable[str]) -> tuple[Ending, ...]:
    """When each of these classes goes, the first first; one whose periods have not begun is left out."""
    starts = {"opened": marks.opened, "last_fact": marks.last_fact, "case_closed": marks.closed}
    found = []
    for name in kept:
        begun = [
            Ending(start + line.after, name, f"{name}/{number} of {policy.head.id} {policy.head.version}")
            for number, line in enumerate(policy.classes[name].lines)
            if (start := starts[line.start]) is not None
        ]
        found.extend(sorted(begun, key=_soonest)[:1])
    return tuple(sorted(found, key=_soonest))


def retained(policy: Retention, record: VaultRecord, marks: Marks, now: int) -> VaultRecord:
    """The record without what is over at an instant, with the lines that say so, and when the next of it goes.

    A case of which nothing was ever told but its opening counts from that."""
    last = record.marks.opened if marks.last_fact is None else marks.last_fact
    known = Marks(record.marks.opened, last, marks.closed)
    ends = endings(policy, known, record.kept)
    over = {end.name: end.line for end in ends if end.at <= now}
    due = next((end.at for end in ends if end.at > now), None)
    record = marked(record, known, due)
    return expired(record, over, now, due) if over else record


def audit_from(policy: Retention, now: int) -> int:
    """Lines of the audit chain from before this instant may go."""
    return now - max(line.after for line in policy.classes[AUDIT].lines)


def tally(before: Iterable[VaultRecord], after: Iterable[VaultRecord]) -> dict[str, int]:
    """What a run did: how many cases lost which class, and under `key` how many lost their key with it."""
    counts: Counter[str] = Counter()
    for one, other in zip(before, after, strict=True):
        counts.update(one.kept - other.kept)
        counts["key"] += one.key is not None and other.key is None
    return {name: count for name, count in sorted(counts.items()) if count}


def _check_classes(classes: Mapping[Any, Kept | None], place: Place) -> None:
    for name in sorted((CLASSES | {AUDIT}) - classes.keys()):
        place.refuse(f"{name} is missing, so it would be kept for ever")
    for name in classes.keys() - CLASSES - {AUDIT}:
        place.at(str(name)).refuse("the vault has no such class")
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


def _valid(model: type[Any], value: object, place: Place) -> Any:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            message = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
            place.at(*problem["loc"]).refuse(message[:1].lower() + message[1:])
        return None


def _soonest(end: Ending) -> tuple[int, str, str]:
    return end.at, end.name, end.line


def _order(fact: Fact) -> tuple[int, int, str, str]:
    return fact.order
