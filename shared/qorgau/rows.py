"""What an assessment says: deadline rows, flag rows and events of change, with their ids and their JSON form."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from typing import Any, Literal
from uuid import UUID

from qorgau.facts import Fact
from qorgau.instants import format_duration, format_instant

Level = Literal["warn", "breach", "info", "flag"]
State = Literal["running", "tolled", "breached", "met", "closed_late", "cancelled", "missed", "window_passed"]
Change = Literal["raised", "updated", "escalated", "cleared"]

# Fixed for ever: ids derived from it are known to receivers.
NAMESPACE = UUID("6f0f1d52-6f1c-5b8e-9a55-3b0a6b8b4f10")


@dataclass(frozen=True, slots=True)
class DeadlineRow:
    """One deadline at one instant (deadlines.md 9.4); instants and durations in microseconds."""

    case: str
    rule: str
    key: str
    severity: str
    start_at: int
    due_at: int | None
    state: State
    late_by: int | None = None
    remaining: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The output row, instants in UTC with `Z`, durations in ISO 8601."""
        return {
            "case": self.case,
            "rule": self.rule,
            "key": self.key,
            "severity": self.severity,
            "start_at": format_instant(self.start_at),
            "due_at": _instant(self.due_at),
            "state": self.state,
            "late_by": _duration(self.late_by),
            "remaining": _duration(self.remaining),
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """A deadline with what it was made of, for whoever counts or charges; its row alone is told (deadlines.md 9.4).

    `governing` is the fact that governs it, `region` and `duty` the region and the agency that a flag of it would name,
    `stop` the fact that stopped it: None where a cancel ended it at `ended_at`, or nothing has. `warns_at`: its warning
    instant (4.9), wherever it lies."""

    row: DeadlineRow
    governing: Fact
    region: str | None
    duty: str | None
    warns_at: int | None
    ended_at: int | None
    stop: Fact | None


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One entry of a flag history (deadlines.md 9.2 to 9.4), open while `cleared_at` is None.

    `region` and `agency` say whose lateness it is (policy.yaml, `duty_kinds`), as known when it last changed.
    """

    case: str
    rule: str
    key: str
    level: Level
    severity: str
    start_at: int | None
    due_at: int | None
    raised_at: int
    cleared_at: int | None = None
    late_by: int | None = None
    outcome: str = "open"
    escalations: tuple[tuple[str, int], ...] = ()
    region: str | None = None
    agency: str | None = None

    @property
    def id(self) -> str:
        """uuid5 of case, rule, key, start, level and raising instant: the same in live, replay and rebuild."""
        return _flag_id(self.case, self.rule, self.key, self.start_at, self.level, self.raised_at)

    def to_json(self) -> dict[str, Any]:
        """The output row of deadlines.md 9.4."""
        return {
            "case": self.case,
            "rule": self.rule,
            "key": self.key,
            "level": self.level,
            "severity": self.severity,
            "start_at": _instant(self.start_at),
            "due_at": _instant(self.due_at),
            "raised_at": format_instant(self.raised_at),
            "cleared_at": _instant(self.cleared_at),
            "late_by": _duration(self.late_by),
            "outcome": self.outcome,
            "escalations": {step: format_instant(at) for step, at in self.escalations},
        }


@dataclass(frozen=True, slots=True)
class FlagEvent:
    """A change of one flag at the logical instant `at`: `detail` is the step reached, or the due it moved to."""

    change: Change
    flag: FlagRow
    at: int
    seq: int
    detail: str = ""

    @property
    def id(self) -> str:
        """uuid5(flag id, raised | due INSTANT | escalated STEP | cleared)."""
        name = {"updated": f"due {self.detail}", "escalated": f"escalated {self.detail}"}.get(self.change, self.change)
        return _named(bytes.fromhex(self.flag.id.replace("-", "")), name)


# It is asked for with every event of a flag and whenever its case is saved.
@lru_cache(maxsize=4_096)
def _flag_id(case: str, rule: str, key: str, start_at: int | None, level: Level, raised_at: int) -> str:
    start = "" if start_at is None else format_instant(start_at)
    return _named(NAMESPACE.bytes, "|".join((case, rule, key, start, level, format_instant(raised_at))))


def _named(namespace: bytes, name: str) -> str:
    """The text of uuid5 (RFC 9562, 5.5) in a third of the time: no number is made of it on the way."""
    digest = sha1(namespace + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def flag_order(row: FlagRow) -> tuple[int, str, str, str, str, int]:
    """The order of a printed flag history: raised_at, case, rule, key, level, start_at."""
    return row.raised_at, row.case, row.rule, row.key, row.level, -1 if row.start_at is None else row.start_at


def deadline_order(row: DeadlineRow) -> tuple[str, str, str, int]:
    """The order of printed deadlines."""
    return row.case, row.rule, row.key, row.start_at


def _instant(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _duration(length: int | None) -> str | None:
    return None if length is None else format_duration(length)
