"""The protective order: decided, served, checked every week, broken, and what follows when its 30 days are over."""

from qorgau.instants import DAY, HOUR, MINUTE
from qorgau.season.places import in_daytime
from qorgau.season.response import Visit, arrive_at_violation
from qorgau.season.story import Story

TERM = 30 * DAY
_MONTHS = {"3": 0.5, "6": 0.3, "12": 0.2}


def order(story: Story, visit: Visit) -> int | None:
    """An order or its refusal; returns when somebody was detained for breaking it, if that happened."""
    dice, unit = story.dice, story.by("police-unit")
    late = dice.share("late decision on an order", 0.025)
    at = visit.arrived + (dice.between(3.3 * 60, 20 * 60) if late else dice.span(80, 140, 172))
    if visit.finding != "offence" or dice.share("order refused", 0.16):
        reasons = {"no_grounds": 0.6, "other_measure": 0.25, "order_in_force": 0.1, "under_16": 0.05}
        story.tell("order.refused", unit, at, reason=dice.pick(reasons))
        return None
    order_id = dice.reference()
    issued = story.tell("order.issued", unit, at, order_id=order_id)
    late = dice.share("prosecutor notified late", 0.03)
    notified = issued + (dice.between(25, 60, HOUR) if late else dice.span(7 * 60, 15 * 60, 23 * 60))
    story.tell("order.prosecutor_notified", unit, notified, order_id=order_id)
    if dice.share("acknowledged", 0.7):
        at = in_daytime(story.place, notified + dice.between(1, 12, HOUR))
        story.tell("order.acknowledged", story.by("prosecutor"), at, order_id=order_id)
    served = _serve(story, issued, order_id)
    if dice.share("order revoked", 0.04):
        reason = dice.pick({"court_decision": 0.5, "prosecutor_protest": 0.3, "issued_in_error": 0.2})
        at = in_daytime(story.place, served + dice.between(1, 6, DAY))
        story.tell("order.revoked", unit, at, order_id=order_id, reason=reason)
        return None
    extra = _before_the_end(story, visit, served, order_id)
    _checks(story, served, served + TERM + extra, order_id)
    _end(story, served + TERM + extra, order_id)
    return _violation(story, served, order_id) if dice.share("order violated", 0.1) else None


def _serve(story: Story, issued: int, order_id: str) -> int:
    dice, unit = story.dice, story.by("police-unit")
    if dice.share("order served late", 0.03):
        delay = dice.between(25, 70, HOUR)
    elif dice.share("served on the spot", 0.6):
        delay = dice.span(15, 60, 180)
    else:
        delay = dice.span(7 * 60, 16 * 60, 23 * 60)
    if delay > 2 * HOUR and dice.share("service failed", 0.3):
        reason = dice.pick({"not_found": 0.6, "no_access": 0.25, "refused": 0.15})
        story.tell("order.service_failed", unit, issued + delay // 2, order_id=order_id, reason=reason)
    return story.tell("order.served", unit, issued + delay, order_id=order_id)


def _before_the_end(story: Story, visit: Visit, served: int, order_id: str) -> int:
    """Further protection is decided, or it is forgotten; returns how much longer the order lasts."""
    dice, unit = story.dice, story.by("police-unit")
    if dice.share(f"forgotten before its end, risk {visit.risk}", 0.12):
        return 0
    at = in_daytime(story.place, served + dice.between(15, 21.4, DAY), weekends=True)
    if dice.share("order extended", 0.08):
        days = dice.random.choice((10, 15, 30))
        story.tell("order.extended", unit, at, order_id=order_id, days=days)
        return days * DAY
    if visit.risk == "high" and dice.share("special requirements", 0.35):
        story.tell("court.special_requirements_set", story.by("court"), at, months=int(dice.pick(_MONTHS)))
        return 0
    level = "standard" if visit.risk != "high" or dice.share("risk has gone", 0.4) else "medium"
    story.tell("risk.assessed", unit, at, level=level, tool="dash")
    return 0


def _checks(story: Story, served: int, end: int, order_id: str) -> None:
    dice, at = story.dice, served
    while True:
        late = dice.share("late check", 0.02)
        at += dice.between(7.3, 10, DAY) if late else dice.between(4.2, 5.5, DAY)
        if at >= end:
            return
        complied = not dice.share("not complied", 0.04)
        story.tell("order.compliance_checked", story.by("police-unit"), at, order_id=order_id, complied=complied)


def _end(story: Story, end: int, order_id: str) -> None:
    """Half of the ends are posted, the others follow from the term; in both the case was busy until then."""
    if story.dice.share("end is posted", 0.5):
        at = end + story.dice.between(0, 6, HOUR)
        story.tell("order.expired", story.by("police-unit"), at, order_id=order_id)
    story.last = max(story.last, end)


def _violation(story: Story, served: int, order_id: str) -> int | None:
    dice, unit = story.dice, story.by("police-unit")
    at = served + dice.between(2, 20, DAY)
    reported = story.tell("order.violation_reported", story.by("102"), at, area=story.area, order_id=order_id)
    late = dice.share("late at a violation", 0.15)
    there = reported + (dice.between(21, 70) if late else dice.span(7, 12, 14.5))
    arrive_at_violation(story, there)
    story.tell("order.violated", unit, there + dice.between(20, 90), order_id=order_id)
    if not dice.share("detained for a violation", 0.6):
        return None
    return story.tell("offender.detained", unit, there + dice.between(10, 40) + MINUTE)
