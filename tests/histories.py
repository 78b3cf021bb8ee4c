"""Hypothesis strategies for case histories that hit the machinery of deadlines hard: ties, exact dues, late copies."""

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from tests.fact_pools import Line, Pools, Theme, pools_of
from tests.oracle.values import DAY, SECOND, as_datetime, instant, iso
from tests.random_policies import policies

__all__ = ["as_ofs", "histories", "judged", "policies"]

Fact = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

BASES = [
    instant("2026-03-02T09:00:00+05:00"),
    instant("2024-02-29T13:00:00+06:00"),
    instant("2026-04-30T10:00:00+05:00"),
    instant("2025-12-31T10:00:00+05:00"),
]
SOURCES = ["102/KZ-75", "court/KZ-75-01", "coordinator/KZ-75"]
REGIONS = ["KZ-75", "KZ-39", "KZ-23", "KZ-47", "KZ-99"]
ODD_VALUES: list[Any] = ["", 1, 0, True, 2.5, None, ["k1"], {"k": "k1"}, "k1/k2", "true", "1"]
JITTERS = [0, 0, 0, 0, 1, -1]
LATENESS = [0, 30 * SECOND, 60 * SECOND, 60 * SECOND + 1, 300 * SECOND, 600 * SECOND]
COMMON_SPANS = [60 * SECOND, 600 * SECOND, 3600 * SECOND, 4 * 3600 * SECOND, DAY]
MIDNIGHTS = [18, 19]
"""Hours in UTC; the zones of Kazakhstan were five or six hours ahead."""


class Pen:
    """Writes one history: draws, and remembers the instants written so far so that later ones fall on them."""

    def __init__(self, draw: Draw, policy: dict[str, Any], cases: list[str]) -> None:
        self.draw, self.cases = draw, cases
        self.pools: Pools = pools_of(policy)
        by_weight = [name for name, theme in self.pools.themes.items() if theme.begins for _ in range(theme.weight)]
        names = draw(st.lists(st.sampled_from(by_weight), min_size=1, max_size=2, unique=True))
        self.themes = [self.pools.themes[name] for name in names]
        self.spans = sorted({*COMMON_SPANS, *(span for theme in self.themes for span in theme.spans)})
        self.instants: list[int] = [self.pick(BASES)]
        self.regions = {case: self.pick(REGIONS) for case in cases}
        self.facts: list[Fact] = []
        self.begun: list[tuple[Fact, Theme]] = []

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def one_in(self, count: int) -> bool:
        """Shrinks to no."""
        return bool(self.draw(st.integers(1, count)) == count)

    def time(self) -> int:
        """An instant written before, or one that lies a span of the rules, or a day's end, from it or from the last."""
        kind = self.draw(st.integers(0, 9))
        at: int = self.pick(self.instants) if kind < 6 else max(self.instants)
        if kind == 0:
            return at
        if kind == 1:
            return at - at % DAY + int(self.pick(MIDNIGHTS)) * 3600 * SECOND
        span: int = self.pick(self.spans)
        return at - span if kind == 2 else at + span + int(self.pick(JITTERS))

    def recorded(self, time: int) -> int | None:
        """Live, a little late, at an instant written before (early or late), or at any time later."""
        kind = self.draw(st.integers(0, 19))
        if kind < 10:
            return None
        if kind < 13:
            return time + int(self.pick(LATENESS))
        if kind == 13:
            return int(self.pick(self.instants))
        return max(time, int(self.pick(self.instants)) if kind < 17 else self.time())

    def text(self, at: int) -> str:
        """The instant in one of several ways to write it."""
        hours: int = self.pick([5, 6, 0])
        return as_datetime(at).astimezone(timezone(timedelta(hours=hours))).isoformat() if hours else str(iso(at))

    def role(self, theme: Theme) -> str:
        """Any role of a theme, but closings seldom, because little happens after one."""
        roles = sorted(theme.roles.keys() - {"closing"})
        return "closing" if not roles or self.one_in(8) else str(self.pick(roles))

    def post(self, case: str, type: str, data: dict[str, Any], time: int, recorded: int | None) -> Fact:
        """Writes a fact down; one of a type that has no case, without it."""
        fact: Fact = {"id": f"f{len(self.facts)}", "source": self.pick(SOURCES), "type": type, "time": self.text(time)}
        self.instants.append(time)
        if recorded is not None:
            fact["recorded"] = self.text(recorded)
            self.instants.append(recorded)
        if type not in self.pools.context:
            fact["case"] = case
        fact["data"] = data
        self.facts.append(fact)
        return fact

    def data(self, case: str, line: Line, time: int, same: dict[str, Any]) -> dict[str, Any]:
        """Fields that fit the line and, where it leaves them open, an earlier fact; few are random, missing or odd."""
        data = self.region(case)
        fits = same | satisfying(line, self.pick)
        for name, pool in self.pools.values[line["fact"]].items():
            kind = self.draw(st.integers(0, 24))
            if name == "region" or kind == 23:
                continue
            likely = fits.get(name, pool[0])
            data[name] = likely if kind < 18 else self.pick(pool if kind < 23 else ODD_VALUES)
        for name in sorted(self.pools.stamps.get(line["fact"], ())):
            data |= self.stamp(name, time)
        for name in sorted(self.pools.dates.get(line["fact"], ())):
            data |= self.date(name, time)
        return data

    def region(self, case: str) -> dict[str, Any]:
        """Mostly that of the case; sometimes another, one that is none, or no region."""
        kind = self.draw(st.integers(0, 19))
        odd: list[dict[str, Any]] = [{"region": self.pick(REGIONS)}, {"region": self.pick(ODD_VALUES)}, {}]
        return odd[kind - 17] if kind > 16 else {"region": self.regions[case]}

    def stamp(self, name: str, time: int) -> dict[str, Any]:
        """A timestamp before the fact; rarely one after it, without an offset, none at all, or of another type."""
        kind = self.draw(st.integers(0, 11))
        if kind < 5:
            return {name: self.text(time - int(self.pick(self.spans)))}
        if kind < 8:
            return {name: self.text(min(time, int(self.pick(self.instants)) + int(self.pick([0, 0, 1]))))}
        odd: list[Any] = [self.text(time + 1), "2026-03-02T09:00:00", self.pick(ODD_VALUES)]
        return {name: odd[kind - 8]} if kind < 11 else {}

    def date(self, name: str, time: int) -> dict[str, Any]:
        """A timestamp after the fact, or on an instant written before; rarely none with an offset, or none at all."""
        kind = self.draw(st.integers(0, 11))
        if kind < 6:
            return {name: self.text(time + int(self.pick(self.spans)) + int(self.pick(JITTERS)))}
        if kind < 10:
            return {name: self.text(int(self.pick(self.instants)) + int(self.pick(self.spans)) * self.pick([0, 1]))}
        return {name: self.pick(["2026-03-02T09:00:00", *ODD_VALUES])} if kind == 10 else {}


def satisfying(line: Line, pick: Callable[[Any], Any]) -> dict[str, Any]:
    """Values that satisfy the conditions of a line."""
    wheres = [line.get("where") or {}, *([pick(line["where_any"])] if line.get("where_any") else [])]
    fits = {}
    for name, condition in [item for where in wheres for item in where.items()]:
        if not isinstance(condition, dict):
            fits[name] = condition
        elif "in" in condition:
            fits[name] = pick(condition["in"])
        else:
            fits[name] = "force_majeure" if "present" in condition else "150"
    return fits


def _begun(pen: Pen) -> None:
    """A fact that starts, raises or counts something."""
    theme: Theme = pen.pick(pen.themes)
    line, case, time = pen.pick(theme.begins), pen.pick(pen.cases), pen.time()
    fact = pen.post(case, line["fact"], pen.data(case, line, time, {}), time, pen.recorded(time))
    pen.begun.append((fact, theme))


def _answered(pen: Pen) -> None:
    """A fact that acts on what an earlier one began: before, at or after its term; often recorded after that."""
    of, theme = pen.pick(pen.begun)
    line = pen.pick(theme.roles[pen.role(theme)])
    span: int = pen.pick(sorted(theme.spans) or pen.spans)
    since = instant(of["time"])
    time = since + span * int(pen.pick([4, 2, 1, 5])) // 4 + int(pen.pick(JITTERS))
    recorded = pen.pick([None, None, None, since + span, since + span + 1, since + span * 2])
    case = of.get("case", pen.cases[0])
    pen.post(case, line["fact"], pen.data(case, line, time, of["data"]), time, recorded)


def _anything(pen: Pen) -> None:
    """A fact for any line of the themes."""
    theme: Theme = pen.pick(pen.themes)
    line, case, time = pen.pick(theme.roles[pen.role(theme)]), pen.pick(pen.cases), pen.time()
    pen.post(case, line["fact"], pen.data(case, line, time, {}), time, pen.recorded(time))


def _burst(pen: Pen) -> None:
    """Several facts of a kind about one thing, one after the other: what windows and counts are about."""
    of, theme = pen.pick(pen.begun)
    lines = theme.roles.get("items") or theme.roles.get("counts") or theme.roles.get("from") or theme.begins
    line, case, gap = pen.pick(lines), of.get("case", pen.cases[0]), int(pen.pick(pen.spans))
    time = pen.time()
    for place in range(pen.pick([3, 2, 4])):
        at = time + place * gap
        pen.post(case, line["fact"], pen.data(case, line, at, of["data"]), at, None)


def _copied(pen: Pen) -> None:
    """The same source and id again: recorded at another time, or saying something else, or in another case."""
    original, other = pen.pick(pen.facts), pen.pick(pen.facts)
    copy = {**original, "data": dict(original["data"])}
    for name in pen.draw(st.lists(st.sampled_from(["type", "time", "data", "case"]), max_size=2, unique=True)):
        if name in other and name in copy:
            copy[name] = other[name]
    recorded = pen.recorded(instant(copy["time"]))
    if recorded is not None:
        copy["recorded"] = pen.text(recorded)
        pen.instants.append(recorded)
    pen.facts.append(copy)


def _withdrawn(pen: Pen) -> None:
    """A fact is withdrawn: mostly one of this history by its own source, sometimes one that nobody ever posted."""
    of = pen.pick(pen.facts)
    data = {"region": "KZ-75", "fact_id": "f99" if pen.one_in(10) else of["id"], "reason": "wrong_data"}
    time = pen.time()
    withdrawal = pen.post(of.get("case", pen.cases[0]), "fact.withdrawn", data, time, pen.recorded(time))
    if "case" not in of:
        del withdrawal["case"]
    if not pen.one_in(10):
        withdrawal["source"] = of["source"]


STEPS = [*[_begun] * 3, *[_answered] * 7, *[_anything] * 2, _burst, _copied, _withdrawn]


@st.composite
def histories(draw: Draw, policy: dict[str, Any], max_cases: int = 3, max_facts: int = 14) -> list[Fact]:
    """Facts in the file format, of one to three cases and the context, in no particular order."""
    # Most histories are of one case and long: in one that is not, facts seldom meet.
    count = draw(st.sampled_from([1, 1, 1, *range(2, max_cases + 1)]))
    pen = Pen(draw, policy, [f"c{place}" for place in range(1, count + 1)])
    _begun(pen)
    for _ in range(max(draw(st.integers(0, max_facts - 1)) for _ in range(2))):
        pen.pick(STEPS)(pen)
    return pen.facts


def as_ofs(facts: list[Fact]) -> st.SearchStrategy[str | None]:
    """Instants to judge at: by default (the last recording), and between the first fact and long after the last."""
    times = sorted(max(instant(fact["time"]), instant(fact.get("recorded", fact["time"]))) for fact in facts)
    later = [times[-1] + days * DAY for days in (1, 20, 100)]
    return st.none() | (st.sampled_from(times) | st.sampled_from(later)).map(lambda at: str(iso(at)))


@st.composite
def judged(draw: Draw, max_cases: int = 3, max_facts: int = 14) -> tuple[dict[str, Any], list[Fact], str | None]:
    """A policy, a history made for it and an instant to judge it at."""
    policy = draw(policies())
    facts = draw(histories(policy, max_cases, max_facts))
    return policy, facts, draw(as_ofs(facts))
