"""Whose time a wait is, at each instant of it: the agency that had to act. Pure.

As `duty_kinds` of the policy, but looking back: at an instant it is the source of the last fact up to then from an
agency of one of these kinds; before the first of them the one that acted first while it was waited for; and where none
ever did, the first kind in the region. `start` is who posted the fact with which the wait began, `start.FIELD` whom
that fact names. Of a wait about one order, protocol or examination only facts on the same one are looked at.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter

from qorgau.attribution.leg import Leg
from qorgau.facts import Fact
from qorgau.heart.matching import key_part

Piece = tuple[int, int, str]
"""From, until (microseconds), and the agency whose time it is."""
_START, _NAMED = "start", "start."


class Duty:
    """The agencies of a case, by the facts that count; `region` is that of the case."""

    def __init__(self, facts: Iterable[Fact], region: str | None) -> None:
        self._region = region
        self._facts = sorted(facts, key=attrgetter("order"))
        self._acted: dict[tuple[tuple[str, ...], str | None, str], list[Fact]] = {}

    def pieces(self, leg: Leg, begin: int, end: int, by: Fact | None) -> Iterator[Piece]:
        """The agencies of a wait from `begin` until `end`, one after the other and without a gap."""
        named = _named(leg, by)
        acted = [] if named is not None else self._of(leg, by)
        place = bisect_left(acted, begin + 1, key=attrgetter("time"))
        first = max(place - 1, 0)
        if not acted or acted[first].time > end:
            yield begin, end, named or self._unknown(leg, by)
            return
        since, agency = begin, acted[first].source
        for fact in acted[first + 1 :]:
            if fact.time >= end:
                break
            if fact.source != agency:
                if fact.time > since:
                    yield since, fact.time, agency
                since, agency = max(since, fact.time), fact.source
        yield since, end, agency

    def _of(self, leg: Leg, by: Fact | None) -> list[Fact]:
        """What agencies of these kinds did, in fact order."""
        about = key_part(by.data, leg.about) if by is not None and leg.about is not None else ""
        name = (leg.duty, leg.about, about)
        if name not in self._acted:
            self._acted[name] = [
                fact
                for fact in self._facts
                if fact.source.partition("/")[0] in leg.duty
                and (leg.about is None or key_part(fact.data, leg.about) == about)
            ]
        return self._acted[name]

    def _unknown(self, leg: Leg, by: Fact | None) -> str:
        region = _text(by.data, "region") if by is not None else None
        kind = "coordinator" if leg.duty[0].startswith(_START) else leg.duty[0]
        region = region or self._region
        return f"{kind}/{region}" if region else kind


def _named(leg: Leg, by: Fact | None) -> str | None:
    """The agency that the first fact of the wait tells; None where it does not or the duty goes by kind."""
    if by is None or not leg.duty[0].startswith(_START):
        return None
    return by.source if leg.duty[0] == _START else _text(by.data, leg.duty[0].removeprefix(_NAMED))


def _text(data: Mapping[str, object], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) and value else None
