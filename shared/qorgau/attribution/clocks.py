"""The clocks of a case in court side by side: the legal one, which may be tolled, and the safety one, which never is.

Legal are P17 and P18 of the policy, safety is P19; the lines below are those of policies/kz.yaml (a test compares
them), laid over the facts by the arithmetic of the heart (deadlines.md 4.4 to 4.6).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qorgau.attribution.partition import union
from qorgau.attribution.waits import ByType, Wait
from qorgau.facts import Fact
from qorgau.heart.matching import key_part, where
from qorgau.heart.tolls import Clock, Standstill
from qorgau.rules import Line, Toll

KEY = "protocol_id"
SAFETY = "suspension"
"""The row of the table that is P19: it begins and ends with the same facts."""
_BASIS = {"legal_basis": {"present": True}}
TOLLED_BY: tuple[Toll, ...] = (
    Toll.model_validate(
        {
            "from": Line(fact="court.hearing_suspended", where={"tolls_term": True, **_BASIS}),
            "until": [Line(fact="court.hearing_resumed"), Line(fact="court.hearing_held")],
        }
    ),
    Toll.model_validate(
        {
            "from": Line(fact="court.term_suspended", where=_BASIS),
            "until": [Line(fact="court.term_resumed")],
        }
    ),
)


@dataclass(frozen=True, slots=True)
class CourtClocks:
    """Of one protocol, in microseconds: how long the legal clock ran, how long it was tolled instead, and how long the
    safety clock ran."""

    key: str
    legal: int
    tolled: int
    safety: int


def court_clocks(known: ByType, suspensions: Iterable[Wait], end: int) -> tuple[CourtClocks, ...]:
    """The clocks of every protocol that a court registered or suspended, up to `end`, in the order of the protocols."""
    standing: dict[str, list[tuple[int, int]]] = {}
    for wait in suspensions:
        key = key_part(wait.by.data, KEY)
        standing.setdefault(key, []).append((wait.begin, end if wait.end is None else min(wait.end, end)))
    registered: dict[str, Fact] = {}
    for fact in known.get("court.case_registered", ()):
        if isinstance(fact.data.get("arrest_eligible"), bool):
            registered.setdefault(key_part(fact.data, KEY), fact)
    keys = sorted({*registered, *standing})
    return tuple(_clocks(key, registered.get(key), standing.get(key, []), known, end) for key in keys)


def _clocks(key: str, registered: Fact | None, standing: list[tuple[int, int]], known: ByType, end: int) -> CourtClocks:
    safety = sum(until - begin for begin, until in union(standing))
    if registered is None or registered.time >= end:
        return CourtClocks(key, 0, 0, safety)
    start = registered.time
    # P17 is over when the case is heard, P18 when it is decided.
    heard = ("court.hearing_held",) if registered.data.get("arrest_eligible") is True else ()
    until = min([end, *(at for type in ("court.decision_issued", *heard) for at in _times(known, type, key, start))])
    active = Clock(start, None, _standstill(known, key)).active(until)
    return CourtClocks(key, active, until - start - active, safety)


def _standstill(known: ByType, key: str) -> Standstill:
    standstill = Standstill(len(TOLLED_BY))
    for switch, line in zip(standstill.switches, TOLLED_BY, strict=True):
        for at in _matching(known, line.begins, key):
            switch.change(switch.begins, at, True)
        for at in (at for until in line.until for at in _matching(known, until, key)):
            switch.change(switch.untils, at, True)
    standstill.rebuild(_LONG_AGO)
    return standstill


def _matching(known: ByType, line: Line, key: str) -> list[int]:
    matches = where(line.where, line.where_any)
    return [fact.time for fact in known.get(line.fact, ()) if key_part(fact.data, KEY) == key and matches(fact.data)]


def _times(known: Mapping[str, list[Fact]], type: str, key: str, since: int) -> list[int]:
    return [at for at in _matching(known, Line(fact=type), key) if at >= since]


_LONG_AGO = -(1 << 62)
