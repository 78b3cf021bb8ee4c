"""How facts are made of what other systems say: references under a key, instants, and what was said before. Pure."""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from qorgau.facts import Fact
from qorgau.importing.mapping import ISO
from qorgau.instants import from_datetime

# Enough for weeks of a large city; repeats that lie farther apart are made again, under the same ids.
REMEMBERED = 50_000

_DIGITS_OF_ID = 32
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*", re.ASCII)
_EARLIEST, _LATEST = 1900, 2199
_BAD_BYTE = re.compile("[\ud800-\udfff]")


class Unused(Exception):
    """What becomes no fact: the reason, and the column or field it is about, if it is about one."""

    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


@dataclass(frozen=True, slots=True)
class Record:
    """A row or a message as it was read: its number, from 1, its last line, and what it says.

    `content` is None where it cannot be read, and `reason` says why; `file` is where several are read; `received` is
    when it came, in microseconds UTC, where that counts.
    """

    row: int
    line: int
    content: Any
    reason: str = "row_unreadable"
    file: str = ""
    received: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """What one became: its facts, which decisions (NOTES) it took, and how often which part was left out, and why."""

    facts: tuple[Fact, ...]
    notes: frozenset[str] = frozenset()
    dropped: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Maker(Protocol):
    """What makes facts of the rows or messages of one kind."""

    def make(self, record: Record) -> Made:
        """The facts of one; raises Unused."""
        ...


class Keyed:
    """References and ids that are digests under a secret key: nobody without it can go back to an official number."""

    def __init__(self, key: str) -> None:
        self._key = hashlib.sha256(f"qorgau import {key}".encode()).digest()

    def digest(self, *parts: str) -> str:
        """32 hexadecimal digits (HMAC-SHA-256, cut), always the same for the same parts and key."""
        text = "\x1f".join(parts)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:_DIGITS_OF_ID]


@dataclass(frozen=True, slots=True)
class Hearing:
    """A hearing of a court case as facts know it: the case, and the references of the protocol and the hearing."""

    case: str
    protocol_id: str
    hearing_id: str

    @staticmethod
    def of(keyed: Keyed, system: str, number: str, hearing: str) -> "Hearing":
        """The references of a case number and a hearing number of one system, whatever form they came in."""
        court = ("court", system, number)
        case, protocol = (keyed.digest(*court, name) for name in ("case", "protocol"))
        return Hearing(case, protocol, keyed.digest(*court, "hearing", hearing))

    def fact(
        self, keyed: Keyed, source: str, name: str, time: int, fields: Mapping[str, Any], told: Sequence[str] = ()
    ) -> Fact:
        """`court.hearing_NAME` at an instant; `told` tells it from others of this name about the same hearing."""
        data = {**fields, "protocol_id": self.protocol_id, "hearing_id": self.hearing_id}
        made = keyed.digest(self.hearing_id, f"hearing_{name}", *told)
        return Fact(made, source, f"court.hearing_{name}", time, time, self.case, data)


class Seen:
    """Remembers the last so many fact ids, so that a repeated one is noticed in bounded memory."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def new(self, facts: Sequence[Fact]) -> tuple[Fact, ...]:
        """Those facts that were not seen before; raises Unused where there are none."""
        new = tuple(fact for fact in facts if fact.id not in self._ids)
        if not new:
            raise Unused("repeated")
        self._ids.update((fact.id, None) for fact in new)
        while len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return new


def is_text(text: str) -> bool:
    """Whether a text has no half characters, which stand for bytes that could not be read."""
    return _BAD_BYTE.search(text) is None


def moment(text: str, formats: Iterable[str]) -> datetime | None:
    """A time as it is written, in the first of the formats that fits, years 1901 to 2198; None if none does."""
    for form in formats:
        try:
            if form != ISO:
                made = datetime.strptime(text, form)  # noqa: DTZ007 - the zone of the map is added by to_instant
            elif _ISO_TIME.fullmatch(text):
                made = datetime.fromisoformat(text.upper())
            else:
                continue
        except ValueError:
            continue
        if _EARLIEST < made.year < _LATEST:
            return made
    return None


def to_instant(written: datetime, zone: ZoneInfo, start: int | None) -> tuple[int, str | None]:
    """The instant of a time as it is written, and the note on it. `start` is that of the call, or None for itself.

    Of a local time that occurs twice the first counts, unless only the second is not before the start. One that does
    not occur was written by a clock not yet put forward, and is read so.
    """
    if written.tzinfo is not None:
        return from_datetime(written), None
    first, second = (written.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    # datetime compares by the clock within one zone; instants do not.
    one, other = from_datetime(first), from_datetime(second)
    if one == other:
        return one, None
    if one > other:
        return one, "local_time_skipped"
    return (other if start is not None and one < start <= other else one), "local_time_twice"
