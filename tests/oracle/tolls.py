"""When the clock of a deadline stands, and what its active time is (deadlines.md 4.4 to 4.6)."""

from typing import Any

from tests.oracle.facts import Fact, first, matches_key

FOREVER = 2**63


class Tolls:
    """The union of the spans of all `tolled_by` lines, cut to the life of the deadline."""

    def __init__(self, rule: dict[str, Any], key: str, start: int, end: int | None, facts: list[Fact]) -> None:
        self.start = start
        spans = [span for line in rule.get("tolled_by") or [] for span in _switch(line, rule, key, facts)]
        last = FOREVER if end is None else end
        self.spans = _union([(max(on, start), min(off, last)) for on, off in spans])

    def active(self, at: int) -> int:
        """The time since the start during which the clock ran."""
        return at - self.start - sum(max(0, min(off, at) - on) for on, off in self.spans)

    def reached(self, need: int) -> int | None:
        """The earliest instant at which active time reaches the need, None while an open toll prevents it."""
        at, left = self.start, need
        for on, off in self.spans:
            if at + left <= on:
                break
            left -= on - at
            at = off
            if off == FOREVER:
                return None
        return at + left


def _switch(line: dict[str, Any], rule: dict[str, Any], key: str, facts: list[Fact]) -> list[tuple[int, int]]:
    """4.5: on at `from`, off at the first `until` at or after it, on again at a `from` at or after that."""
    spans: list[tuple[int, int]] = []
    for fact in facts:
        on_already = bool(spans) and fact.time < spans[-1][1]
        if not on_already and matches_key(line["from"], fact, rule.get("scope"), key):
            until = first(facts, line["until"], rule.get("scope"), key, fact.time)
            spans.append((fact.time, until.time if until else FOREVER))
    return spans


def _union(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for on, off in sorted(span for span in spans if span[0] < span[1]):
        if joined and on <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], off))
        else:
            joined.append((on, off))
    return joined
