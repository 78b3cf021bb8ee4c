"""F3 (section 8, overtaken): spans in which a case is breached or tolled, against spans in which enough is decided."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.oracle.deadlines import deadlines_of
from tests.oracle.facts import Fact
from tests.oracle.values import DAY, timestamp
from tests.spring_count.known import One, Raw, Tally, known_facts

WINDOW, ENOUGH = 7 * DAY, 3
Span = tuple[int, int]
# An instant, plus or minus one item, and when that one was registered.
Step = tuple[int, int, int]


def steps_by_court(context: Iterable[Raw]) -> dict[str, list[Step]]:
    """When each item begins and ceases to count at its court."""
    found: defaultdict[str, list[Step]] = defaultdict(list)
    for item in known_facts(context):
        if item.type == "court.docket_item_decided" and item.data["category"] == "emergency_regime":
            registered, over = timestamp(item.data["registered_at"]), min(item.time + WINDOW, item.gone)
            if registered is not None and item.known < over:
                found[item.data["court"]] += [(item.known, 1, registered), (over, -1, registered)]
    return {court: sorted(steps) for court, steps in found.items()}


def overtaken(facts: list[One], steps: dict[str, list[Step]], policy: dict[str, Any], until: int, tally: Tally) -> None:
    """Counts how often F3 goes up in a case, and comes down by then."""
    rules = [rule for rule in policy["rules"] if rule["id"] in ("P17", "P18")]
    keys = {str(fact.data["protocol_id"]) for fact in facts if fact.type == "court.case_registered"}
    for key in keys:
        own = [fact for fact in facts if fact.data.get("protocol_id") == key or fact.type.startswith("case.")]
        up: list[Span] = []
        for (start, court), waiting in _waiting(own, rules, policy, until).items():
            if waiting and court in steps:
                up += _both(waiting, _enough(steps[court], start))
        for begin, end in _joined(up):
            tally.raised += begin <= until
            tally.cleared += end <= until


def _waiting(
    own: list[One], rules: list[dict[str, Any]], policy: dict[str, Any], until: int
) -> dict[tuple[int, str], list[Span]]:
    """For each start and court the spans in which P17 or P18 is breached or tolled, as known then."""
    spans: defaultdict[tuple[int, str], list[Span]] = defaultdict(list)
    moments = sorted({at for fact in own for at in (fact.known, fact.gone) if at <= until})
    at: int | None = moments[0]
    while at is not None:
        there = [_oracle(fact) for fact in own if fact.there(at)]
        found = deadlines_of(rules, there, policy, at)
        named = [moment for moment in moments if moment > at]
        named += [moment for one in found for moment in (one.due, one.hold) if moment is not None and at < moment]
        following = min(named, default=None)
        following = None if following is None or following > until else following
        for one in found:
            if one.state in ("breached", "tolled"):
                end = until + 1 if following is None else following
                spans[one.start, str(one.governing.data["court"])].append((at, end))
        at = following
    return spans


def _oracle(fact: One) -> Fact:
    return Fact(fact.id, fact.source, fact.type, fact.time, fact.recorded, "", fact.data)


def _enough(steps: list[Step], start: int) -> list[Span]:
    spans: list[Span] = []
    count, since, last = 0, None, None
    for at, step, registered in steps:
        if registered <= start:
            continue
        if last is not None and at != last:
            since = _turn(spans, count, since, last)
        count, last = count + step, at
    if last is not None:
        _turn(spans, count, since, last)
    return spans


def _turn(spans: list[Span], count: int, since: int | None, at: int) -> int | None:
    """What is so from an instant on, after all its steps."""
    if count >= ENOUGH:
        return at if since is None else since
    if since is not None:
        spans.append((since, at))
    return None


def _both(some: list[Span], others: list[Span]) -> list[Span]:
    return [(max(a, c), min(b, d)) for a, b in some for c, d in others if max(a, c) < min(b, d)]


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined
