"""A checkpoint: the entry of a chain that says up to which number older lines were let go, and by which policy. Pure.

It lets go only of what was anchored longer ago than the period: that it is old is said by Kafka then, and not by
whoever can write the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qorgau.audit.chain import Actor, Entry, Head
from qorgau.instants import format_duration, format_instant, parse_duration, parse_instant

CHECKPOINT = "audit.checkpoint"
# Who acts where no person does.
SYSTEM = Actor("system/audit", "retention")


@dataclass(frozen=True, slots=True)
class Period:
    """How long lines are kept, in microseconds, and which line of which policy says so."""

    after: int
    line: str
    policy: str
    version: str


@dataclass(frozen=True, slots=True)
class Anchor(Head):
    """The end of a chain as Kafka was told it, and when; without `at` it was kept elsewhere, or does not say."""

    at: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Number `seq` of the chain, written `at`: the lines from `first` to `last` were let go, the last of them had this
    hash, and all were anchored `before` an instant; `offset`: where in the topic. `by`: the line of the policy, which
    keeps them for so long `after` that."""

    seq: int
    at: int
    first: int
    last: int
    last_hash: str
    before: int
    after: int
    by: str
    offset: int


def checkpoint_entry(first: int, last: Anchor, offset: int, period: Period, now: int) -> Entry:
    """The entry that lets go of the lines from the first number to an anchored one; `offset`: that of the anchor."""
    details = {
        "first": str(first),
        "last": str(last.seq),
        "hash": last.hash,
        "before": format_instant(now - period.after),
        "after": format_duration(period.after),
        "line": period.line,
        "policy": period.policy,
        "version": period.version,
        "offset": str(offset),
    }
    return Entry(f"{CHECKPOINT}.{last.seq}", now, CHECKPOINT, SYSTEM, details=details)


def read_checkpoint(body: Mapping[str, Any]) -> Checkpoint | None:
    """What an entry of the kind CHECKPOINT says; None where it cannot be read."""
    try:
        details = body["details"]
        return Checkpoint(
            seq=int(body["seq"]),
            at=parse_instant(body["at"]),
            first=int(details["first"]),
            last=int(details["last"]),
            last_hash=str(details["hash"]),
            before=parse_instant(details["before"]),
            after=parse_duration(details["after"]),
            by=f"{details['line']} of {details['policy']} {details['version']}",
            offset=int(details["offset"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def complaint(checkpoint: Checkpoint | None) -> str | None:
    """Why a checkpoint lets go of nothing by its own words; None where they can be true."""
    if checkpoint is None:
        return "a checkpoint that cannot be read"
    if not 1 <= checkpoint.first <= checkpoint.last < checkpoint.seq or checkpoint.offset < 0:
        return "a checkpoint of lines that do not stand before it"
    if checkpoint.before + checkpoint.after > checkpoint.at:
        return "a checkpoint of lines that are too young by its own words"
    return None
