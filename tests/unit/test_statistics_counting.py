"""Which reports count, since when, and on which local day; and how often a change of that is looked at."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.statistics.counting import Kept, Ledger, Report, Sieve, Withdrawn
from intake.statistics.periods import SETTLING, Days, next_month
from qorgau.calendar import Calendar
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.heart.others import counted_spans
from qorgau.heart.tolls import FOREVER
from qorgau.instants import HOUR, parse_instant
from qorgau.policy import load_policy
from qorgau.rules import Line, NotCounted, Surge
from tests.unit.test_house_rules import CLOCKS_AND_LOTS, IO_MODULES, SERVICES, imports

POLICY = load_policy(default_policy())
CALENDAR = Calendar(POLICY.policy.calendar, POLICY.policy.zones)
ALMATY = Days(CALENDAR, CALENDAR.zone("KZ-75"))
AT = parse_instant("2031-03-10T23:30:00+05:00")
REPORT = {"region": "KZ-75", "channel": "102", "area": "urban", "report_id": "r1"}


def fact(type: str, data: dict[str, Any], id: str = "f1", time: int = AT, recorded: int = AT) -> Fact:
    return Fact(id, "102/KZ-75", type, time, recorded, "c1", data)


def test_a_report_is_kept_as_codes_and_instants() -> None:
    told = fact("report.received", {**REPORT, "district": "D-1", "pair_ref": "p1"}, recorded=AT + 5)
    assert Sieve(None).kept(told) == Kept("c1 102/KZ-75 f1", "report", "KZ-75", "102", "r1", AT, AT + 5)


def test_a_merge_is_kept_by_the_number_it_takes_out_and_a_withdrawal_by_what_it_withdraws() -> None:
    merge = fact("report.merged", {"region": "KZ-75", "report_id": "r1", "into_report_id": "r0"})
    assert Sieve(None).kept(merge) == Kept("c1 102/KZ-75 f1", "merge", "KZ-75", "", "r1", AT, AT)
    withdrawal = fact("fact.withdrawn", {"region": "KZ-75", "fact_id": "f7"}, id="f9")
    assert Sieve(None).kept(withdrawal) == Withdrawn("c1 102/KZ-75 f7", AT)


def test_nothing_else_is_kept_nor_a_report_that_lacks_its_channel() -> None:
    assert Sieve(None).kept(fact("report.triaged", REPORT)) is None
    assert Sieve(None).kept(fact("report.received", {"region": "KZ-75"})) is None
    assert Sieve(None).kept(fact("fact.withdrawn", {"region": "KZ-75", "fact_id": 7})) is None


def test_the_policy_says_what_is_counted_and_what_takes_it_out() -> None:
    rule = Surge(
        kind="surge",
        id="F8",
        name="surge",
        title="Surge",
        service="intake",
        duty_kinds=["coordinator"],
        severity="medium",
        counts=[Line(fact="report.received", where={"area": "rural"})],
        not_counted=NotCounted(fact="report.triaged", by="report_id"),
        group_by=["region", "channel"],
    )
    sieve = Sieve(rule)
    assert sieve.kept(fact("report.received", REPORT)) is None
    assert sieve.kept(fact("report.received", {**REPORT, "area": "rural"})) is not None
    assert sieve.kept(fact("report.merged", REPORT)) is None
    assert sieve.kept(fact("report.triaged", REPORT)) is not None


def spans(known: int, gone: int, taken_out: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(counted_spans(known, gone, taken_out))


def test_a_report_counts_until_it_is_withdrawn_and_not_while_it_is_merged() -> None:
    assert spans(10, FOREVER, []) == ((10, FOREVER),)
    assert spans(10, 50, [(20, 30)]) == ((10, 20), (30, 50))
    # The merge, or the withdrawal, was known before the report.
    assert spans(10, FOREVER, [(5, 30)]) == ((30, FOREVER),)
    assert spans(10, 8, []) == ()
    assert spans(10, FOREVER, [(5, FOREVER)]) == ()
    assert spans(10, 25, [(20, 30)]) == ((10, 20),)


@given(
    st.integers(0, 40),
    st.integers(0, 40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=4),
    st.integers(0, 60),
)
def test_spans_say_what_the_definition_says(known: int, gone: int, merges: list[tuple[int, int]], at: int) -> None:
    taken = [(begin, begin + length) for begin, length in merges]
    expected = known <= at < gone and not any(begin <= at < end for begin, end in taken)
    assert any(begin <= at < end for begin, end in spans(known, gone, taken)) == expected


def report(time: str, channel: str = "102", *counting: tuple[int, int]) -> Report:
    at = parse_instant(time)
    return Report("KZ-75", channel, at, counting or ((at, FOREVER),))


def test_a_ledger_counts_local_days_as_time_goes_on() -> None:
    late = report("2031-03-10T20:00:00+05:00")
    early = report("2031-03-11T00:30:00+05:00")
    gone = report("2031-03-10T10:00:00+05:00", "150", (AT - HOUR, AT + HOUR))
    ledger = Ledger([late, early, gone], ALMATY.of)
    ledger.go_to(AT)
    assert {channel: dict(days) for channel, days in ledger.counts.items()} == {
        "102": {date(2031, 3, 10): 1},
        "150": {date(2031, 3, 10): 1},
    }
    ledger.go_to(AT + 2 * HOUR)
    assert ledger.counts["102"] == {date(2031, 3, 10): 1, date(2031, 3, 11): 1}
    assert ledger.counts["150"][date(2031, 3, 10)] == 0
    assert ledger.begin() == date(2031, 3, 10)


def test_the_series_of_a_region_begins_with_its_first_report_or_earlier() -> None:
    only = report("2031-03-10T20:00:00+05:00")
    ledger = Ledger([only], ALMATY.of)
    assert ledger.begin() is None
    older = Ledger([only], ALMATY.of, older=True)
    older.go_to(AT)
    assert older.begin() == date.min


def test_a_day_is_ready_six_hours_after_its_end_in_its_own_zone() -> None:
    assert SETTLING == 6 * HOUR
    assert ALMATY.ready(date(2031, 3, 10)) == parse_instant("2031-03-11T06:00:00+05:00")
    assert ALMATY.newest(parse_instant("2031-03-11T05:59:59+05:00")) == date(2031, 3, 9)
    assert ALMATY.newest(parse_instant("2031-03-11T06:00:00+05:00")) == date(2031, 3, 10)
    # The clocks went back when Kazakhstan came to one zone: this day had 25 hours.
    assert ALMATY.ready(date(2024, 2, 29)) - ALMATY.ready(date(2024, 2, 28)) == 25 * HOUR
    # 10 March 2031 is a Monday.
    assert ALMATY.ready(date(2031, 3, 3), "week") == parse_instant("2031-03-10T06:00:00+05:00")
    assert ALMATY.newest(parse_instant("2031-03-10T06:00:00+05:00"), "week") == date(2031, 3, 3)
    assert ALMATY.newest(parse_instant("2031-03-16T23:00:00+05:00"), "week") == date(2031, 3, 3)
    assert ALMATY.last_ready(AT) == parse_instant("2031-03-10T06:00:00+05:00")


def test_the_month_after_one() -> None:
    assert [next_month(date(2031, month, 1)).month for month in (1, 2, 12)] == [2, 3, 1]


@pytest.mark.parametrize("name", ["counting", "periods", "methods", "surges", "telling", "explaining", "tables"])
def test_what_counts_and_judges_does_no_io_reads_no_clock_and_draws_no_lots(name: str) -> None:
    path = SERVICES["intake"] / "statistics" / f"{name}.py"
    assert not {module.split(".")[0] for module in imports(path)} & IO_MODULES
    assert not CLOCKS_AND_LOTS.search(path.read_text(encoding="utf-8"))
