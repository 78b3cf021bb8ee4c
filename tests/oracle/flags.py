"""The rule flags F1 to F7 and F9 of one case at one instant (deadlines.md, section 8)."""

from collections.abc import Iterator
from typing import Any

from tests.oracle.deadlines import Deadline, closings, hold_of, last_risk
from tests.oracle.facts import Fact, first_services, fits, key_of, matches, matches_key, order_end
from tests.oracle.values import duration, equal, timestamp

Flag = dict[str, Any]
Policy = dict[str, Any]


class Scene:
    """What a rule flag may look at: the case (with derived order ends), everything else, the deadlines, the instant."""

    def __init__(
        self, case: str, own: list[Fact], world: list[Fact], deadlines: list[Deadline], policy: Policy, now: int
    ) -> None:
        self.case, self.own, self.world = case, own, world
        self.deadlines, self.policy, self.now = deadlines, policy, now
        self.instants: list[int] = []

    def due(self, at: int) -> bool:
        """Whether the instant has come; if not, it is an instant to assess at."""
        self.instants.append(at)
        return self.now >= at

    def closed(self) -> bool:
        """3.3."""
        return bool(closings(self.own, self.policy, "continue"))


def keys_up(flag: Flag, scene: Scene) -> set[str]:
    """The keys with which the flag is up; the instants at which that may change go to the scene."""
    kinds = {
        "instant": _instant,
        "count": _count,
        "overtaken": _overtaken,
        "repeat": _repeat,
        "condition": _condition,
        "stale": _stale,
        "gap": _gap,
        "surge": _of_no_case,
        "silence": _of_no_case,
    }
    return set(kinds[flag["kind"]](flag, scene))


def _any_line(lines: list[dict[str, Any]], fact: Fact) -> bool:
    return any(matches(line, fact) for line in lines)


def _ends(flag: Flag, lines: str, key: str, scene: Scene) -> list[int]:
    """When the lines' facts with that key, or closings of the case, happened."""
    scope = flag.get("scope")
    listed = [
        fact.time for fact in scene.own if any(matches_key(line, fact, scope, key) for line in flag.get(lines) or [])
    ]
    return listed + [fact.time for fact in closings(scene.own, scene.policy, flag["on_reopen"])]


def _instant(flag: Flag, scene: Scene) -> Iterator[str]:
    for fact in scene.own:
        if not _any_line(flag["raised_by"], fact):
            continue
        key = key_of(fact, flag.get("scope"))
        ended = any(at >= fact.time for at in _ends(flag, "cleared_by", key, scene))
        if not ended and scene.due(hold_of(fact, scene.policy)):
            yield key


def _count(flag: Flag, scene: Scene) -> Iterator[str]:
    counts = [fact for fact in scene.own if _any_line(flag["counts"], fact)]
    for key in {key_of(fact, flag.get("scope")) for fact in counts}:
        resets = _ends(flag, "reset_by", key, scene)
        since_reset = [
            fact
            for fact in counts
            if key_of(fact, flag.get("scope")) == key and not any(at >= fact.time for at in resets)
        ]
        if len(since_reset) >= flag["at_least"]:
            decisive = since_reset[flag["at_least"] - 1]
            if scene.due(hold_of(decisive, scene.policy)):
                yield key


def _overtaken(flag: Flag, scene: Scene) -> Iterator[str]:
    items = [fact for fact in scene.world if fact.case is None and matches(flag["items"], fact)]
    for item in items:
        scene.due(item.time + duration(flag["in_last"]))
    for deadline in scene.deadlines:
        if deadline.rule["id"] not in flag["watches"] or deadline.state not in flag["in_states"]:
            continue
        overtaking = [item for item in items if _overtakes(flag, item, deadline, scene.now)]
        if len(overtaking) >= flag["at_least"]:
            yield deadline.key


def _overtakes(flag: Flag, item: Fact, deadline: Deadline, now: int) -> bool:
    registered = timestamp(item.data.get(flag["registered_field"]))
    if registered is None or registered <= deadline.start:
        return False
    in_window = now - duration(flag["in_last"]) < item.time <= now
    return _same(flag["same_field"], item, deadline.governing) and in_window


def _same(field: str, one: Fact, other: Fact) -> bool:
    return field in one.data and field in other.data and equal(one.data[field], other.data[field])


def _repeat(flag: Flag, scene: Scene) -> Iterator[str]:
    by = flag["not_counted"]["by"]
    merges = [fact for fact in scene.world if fact.type == flag["not_counted"]["fact"]]
    reports = [
        fact
        for fact in scene.world
        if fact.case is not None
        and _any_line(flag["counts"], fact)
        and not any(_same(by, fact, merge) for merge in merges)
    ]
    answers = [fact.time for fact in scene.own if _any_line(flag["cleared_by"], fact)]
    answers += [fact.time for fact in closings(scene.own, scene.policy, flag["on_reopen"])]
    for report in reports:
        if report.case != scene.case or any(at >= report.time for at in answers):
            continue
        on_pair = [fact.time for fact in reports if _same(flag["same_field"], fact, report)]
        if any(_crowded(window, on_pair, report.time) for window in flag["windows"]):
            yield key_of(report, [flag["same_field"]])


def _crowded(window: dict[str, Any], times: list[int], last: int) -> bool:
    within = [at for at in times if last - duration(window["in_last"]) < at <= last]
    return len(within) >= int(window["at_least"])


def _condition(flag: Flag, scene: Scene) -> Iterator[str]:
    when, policy = flag["when"], scene.policy
    term = policy["policy"]["order_term"]
    services = first_services(scene.own, policy)
    ends = {}
    for key, service in services.items():
        own = [fact for fact in scene.own if fact.type in term["ended_by"] and key_of(fact, [flag["key"]]) == key]
        ends[key] = next((fact for fact in own if fact.time >= service.time), None)
    ended = [(fact.time, key) for key, fact in ends.items() if fact is not None]
    if not ended or (when.get("no_order_in_force") and len(ended) < len(ends)):
        return
    _, key = max(ended)
    last = ends[key]
    followed = any(
        fact.type in when.get("none_since_service", []) and fact.time >= services[key].time for fact in scene.own
    )
    risk = last_risk(scene.own, policy, None)
    at_risk = "case_risk" not in when or fits(when["case_risk"], risk, policy["policy"]["risk_state"]["field"])
    wrongly_closed = bool(when.get("case_open")) and scene.closed()
    if last is not None and last.type == when["order_ended_by"] and not followed and at_risk and not wrongly_closed:
        yield key


def _stale(flag: Flag, scene: Scene) -> Iterator[str]:
    posted = [fact.known_at for fact in scene.own if not fact.derived]
    if posted and not scene.closed() and scene.due(max(posted) + duration(flag["after"])):
        yield ""


def _gap(flag: Flag, scene: Scene) -> Iterator[str]:
    ends = _protections(flag, scene)
    if not ends:
        return
    end, _, served = max(ends)
    if any(fact.type in flag.get("none_since_service", []) and fact.time >= served for fact in scene.own):
        return
    raising = [fact for fact in scene.own if _any_line(flag["raised_by"], fact)]
    for key in {key_of(fact, flag.get("scope")) for fact in raising}:
        answers = _ends(flag, "cleared_by", key, scene)
        own = [fact for fact in raising if key_of(fact, flag.get("scope")) == key]
        unanswered = [fact for fact in own if not any(at >= fact.time for at in answers)]
        # Every instant is noted, whatever the others say.
        settled = [scene.due(hold_of(fact, scene.policy)) for fact in unanswered]
        over = scene.due(end)
        if any(settled):
            date = _new_date(flag, key, unanswered[-1].time, scene)
            if over or (date is not None and date > end):
                yield key


def _protections(flag: Flag, scene: Scene) -> list[tuple[int, str, int]]:
    """End, reference and service of every order that was served and not ended otherwise than by its term."""
    term = scene.policy["policy"].get("order_term")
    posted = [fact for fact in scene.own if not fact.derived]
    found = []
    for key, service in (first_services(posted, scene.policy) if term else {}).items():
        end = order_end(posted, service, key, scene.policy)
        if end is None:
            own = [fact for fact in posted if fact.type in term["ended_by"] and key_of(fact, [term["key"]]) == key]
            first = next(fact for fact in own if fact.time >= service.time)
            end = first.time if first.type == flag["order_ended_by"] else None
        if end is not None:
            found.append((end, key, service.time))
    return found


def _new_date(flag: Flag, key: str, since: int, scene: Scene) -> int | None:
    """The date given last since then, unless it was taken back."""
    scope, dated, undated = flag.get("scope"), flag["dated_by"], flag.get("undated_by")
    later = [fact for fact in scene.own if fact.time >= since and key_of(fact, scope) == key]
    given = [fact for fact in later if fact.type == dated["fact"]]
    if not given:
        return None
    last = given[-1]
    taken_back = [fact for fact in later if undated and fact.type == undated["fact"] and fact.time >= last.time]
    if undated and any(key_of(fact, [undated["by"]]) == key_of(last, [undated["by"]]) for fact in taken_back):
        return None
    return timestamp(last.data.get(dated["field"]))


def _of_no_case(flag: Flag, scene: Scene) -> Iterator[str]:
    """F8 is statistics over many cases, F10 about a feed; neither is part of a case's history."""
    return iter(())
