"""F9 (section 8, gap): the end of the last order against the new date of a hearing that is suspended."""

from tests.oracle.values import DAY, timestamp
from tests.spring_count.clocks import CASE, protocol
from tests.spring_count.known import One, Tally, closings, follow

SUSPENDED, LISTED, CANCELLED = "court.hearing_suspended", "court.hearing_scheduled", "court.hearing_cancelled"
OVER, REQUIREMENTS = {"court.hearing_held", "court.decision_issued"}, "court.special_requirements_set"
ORDER_DAYS = 30


def gap(facts: list[One], until: int, tally: Tally) -> None:
    """Counts how often F9 goes up in a case, and comes down."""
    orders = [fact for fact in facts if fact.type.startswith("order.") or fact.type == REQUIREMENTS]
    for key in {protocol(fact) for fact in facts if fact.type == SUSPENDED}:
        own = [fact for fact in facts if fact.type in CASE or protocol(fact) == key]
        moments = {at for fact in (*own, *orders) for at in (fact.known, fact.gone)}
        moments |= {fact.hold for fact in own if fact.type == SUSPENDED}
        ends = [last_order([fact for fact in orders if fact.there(at)]) for at in moments]
        moments |= {last[0] for last in ends if last is not None}

        def up(at: int, own: list[One] = own) -> bool:
            return _up([fact for fact in own if fact.there(at)], [fact for fact in orders if fact.there(at)], at)

        follow(tally, moments, until, up)


def _up(own: list[One], orders: list[One], at: int) -> bool:
    over = [fact.time for fact in own if fact.type in OVER] + closings(own, at, reopening_counts=True)
    standing = [fact for fact in own if fact.type == SUSPENDED and not any(end >= fact.time for end in over)]
    last = last_order(orders)
    if not standing or last is None or at < min(fact.hold for fact in standing):
        return False
    end, served = last
    if any(fact.type == REQUIREMENTS and fact.time >= served for fact in orders):
        return False
    date = _new_date(own, standing[-1])
    return at >= end or (date is not None and end < date)


def _new_date(own: list[One], since: One) -> int | None:
    dates = [fact for fact in own if fact.type == LISTED and fact.time >= since.time]
    if not dates:
        return None
    last = dates[-1]
    taken_back = any(
        fact.type == CANCELLED and fact.data["hearing_id"] == last.data["hearing_id"] and fact.time >= last.time
        for fact in own
    )
    return None if taken_back else timestamp(last.data["scheduled_for"])


def last_order(facts: list[One]) -> tuple[int, int] | None:
    """1.6 and 8: when the order ends, and was served, that ends last of those that were not revoked."""
    ends = []
    for order in {fact.data["order_id"] for fact in facts if fact.type == "order.served"}:
        own = [fact for fact in facts if fact.data.get("order_id") == order]
        served = next(fact.time for fact in own if fact.type == "order.served")
        granted = 0
        for fact in own:
            if fact.type == "order.extended" and served <= fact.time <= served + (ORDER_DAYS + granted) * DAY:
                granted = min(30, granted + fact.data["days"])
        term = served + (ORDER_DAYS + granted) * DAY
        over = [f for f in own if f.type in ("order.expired", "order.revoked") and served <= f.time <= term]
        if not over or over[0].type == "order.expired":
            ends.append((over[0].time if over else term, order, served))
    return (max(ends)[0], max(ends)[2]) if ends else None
