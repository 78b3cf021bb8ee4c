"""What suspensions at a court cost, counted from rows of hearings: days, gaps of protection, terms that run out."""

from typing import Any

from qorgau.hearings.impact import impact
from qorgau.instants import DAY, format_instant, parse_instant

AT = parse_instant("2020-03-16T00:00:00Z")


def on(day: float | None) -> str | None:
    return None if day is None else format_instant(AT + int(day * DAY))


def hearing(case: str, state: str, date: float, *stops: float, key: str = "h1", **item: float | None) -> dict[str, Any]:
    """A hearing for a day; `stops`: the dates that suspensions hit; `item`: days of what happened."""
    times = {name: on(item.get(name)) for name in ("held_at", "decided_at", "order_ends", "limitation_due")}
    suspended = [{"scheduled_for": on(stop), "legal_basis": "state_of_emergency"} for stop in stops]
    return {
        "case": case,
        "key": key,
        "state": state,
        "item": {"protocol_id": "p1", "scheduled_for": on(date), "suspensions": suspended, **times},
    }


def cost(*rows: dict[str, Any], now: float = 30) -> dict[str, Any]:
    return impact("KZ-71-01", rows, AT + int(now * DAY))


def test_days_are_lost_from_the_date_that_was_hit_to_the_new_date_the_hearing_or_now() -> None:
    rows = [
        hearing("waits", "suspended", 2, 2),
        hearing("dated", "relisted", 4, 4),
        hearing("dated", "listed", 50, key="h2"),
        hearing("held", "held", 6, 6, held_at=16),
        hearing("free", "listed", 9),
    ]
    told = cost(*rows)
    assert (told["hearings_hit"], told["protocols_hit"], told["awaiting_date"]) == (3, 3, 1)
    assert told["days_lost"] == {"sum": 28 + 46 + 10, "median": 28, "longest": 46}
    assert told["by_legal_basis"] == {"state_of_emergency": 3}


def test_a_protocol_that_was_suspended_twice_counts_once_and_from_its_first_date() -> None:
    told = cost(hearing("twice", "suspended", 8, 3, 8), now=10)
    assert (told["suspensions"], told["protocols_hit"], told["days_lost"]["sum"]) == (2, 1, 7)


def test_a_date_that_is_hit_as_well_is_no_new_date() -> None:
    rows = [hearing("again", "relisted", 2, 2), hearing("again", "suspended", 9, 9, key="h2")]
    assert cost(*rows)["awaiting_date"] == 1


def test_a_gap_is_told_where_the_order_ends_before_the_new_date_or_has_ended_without_one() -> None:
    rows = [
        hearing("gap", "relisted", 4, 4, order_ends=40),
        hearing("gap", "listed", 50, key="h2", order_ends=40),
        hearing("covered", "relisted", 4, 4, order_ends=60),
        hearing("covered", "listed", 50, key="h2", order_ends=60),
        hearing("open", "suspended", 4, 4, order_ends=20),
        hearing("soon", "suspended", 4, 4, order_ends=31),
        hearing("decided", "decided", 4, 4, order_ends=20, decided_at=25),
        hearing("none", "suspended", 4, 4),
    ]
    gaps = cost(*rows)["protection_gaps"]
    assert [(gap["case"], gap["order_ends"], gap["until"]) for gap in gaps] == [
        ("open", on(20), None),
        ("gap", on(40), on(50)),
    ]


def test_terms_that_end_before_the_new_date_are_told_with_their_day() -> None:
    rows = [
        hearing("lost", "relisted", 4, 4, limitation_due=45),
        hearing("lost", "listed", 50, key="h2", limitation_due=45),
        hearing("safe", "listed", 50, 4, limitation_due=55),
        hearing("open", "suspended", 4, 4, limitation_due=60),
    ]
    ending = cost(*rows)["limitation_running_out"]
    assert [(one["case"], one["limitation_due"]) for one in ending] == [("lost", on(45)), ("open", on(60))]


def test_a_court_without_suspensions_has_lost_nothing() -> None:
    told = cost(hearing("free", "listed", 9))
    assert told["days_lost"] == {"sum": 0, "median": None, "longest": None}
    assert told["protection_gaps"] == told["limitation_running_out"] == []
