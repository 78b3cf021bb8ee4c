"""Monthly tables: counted by the local month, withheld where they must be, the same whenever they are made."""

import csv
import io
from datetime import date

import pytest

from intake.statistics.counting import Report
from intake.statistics.periods import Days, month_of
from intake.statistics.publishing import valid_at
from intake.statistics.tables import CHANNELS, COLUMNS, Revision, as_csv, as_json, count, table
from qorgau.calendar import Calendar
from qorgau.embedded.data import default_policy
from qorgau.heart.tolls import FOREVER
from qorgau.instants import format_instant, parse_instant
from qorgau.policy import load_policy
from qorgau.surge.suppression import Cell

POLICY = load_policy(default_policy())
CALENDAR = Calendar(POLICY.policy.calendar, POLICY.policy.zones)
DAYS = {region: Days(CALENDAR, CALENDAR.zone(region)) for region in ("KZ-33", "KZ-75")}
MARCH, APRIL = date(2031, 3, 1), date(2031, 4, 1)
AT = parse_instant("2031-04-01T06:00:00+05:00")


def report(time: str, region: str = "KZ-33", until: int = FOREVER) -> Report:
    at = parse_instant(time)
    return Report(region, "102", at, ((at, until),))


def test_a_month_is_that_of_the_region_and_only_what_is_known_counts() -> None:
    reports = [
        report("2031-03-01T00:00:00+05:00"),
        report("2031-03-31T23:59:59+05:00"),
        report("2031-02-28T23:59:59+05:00"),
        report("2031-04-01T00:00:00+05:00"),
        report("2031-03-15T00:00:00+05:00", until=AT),
        report("2031-03-15T00:00:00+05:00", region="KZ-99"),
    ]
    assert count(reports, MARCH, APRIL, AT, DAYS) == {("KZ-33", "102"): 2}
    assert count(reports, MARCH, APRIL, AT - 1, DAYS) == {("KZ-33", "102"): 3}


def test_small_counts_are_withheld_with_what_would_give_them_away() -> None:
    counts: dict[Cell, int] = {("KZ-33", "102"): 30, ("KZ-33", "150"): 3, ("KZ-75", "102"): 40, ("KZ-75", "150"): 20}
    made = table(counts, DAYS)
    assert made["KZ-33", "150"] is None
    assert made["KZ-75", "web"] is None
    assert made["KZ-75", "102"] in (40, None)
    assert made["total", "total"] == 93
    # From no line can a single withheld cell be computed.
    for region in ("KZ-33", "KZ-75", "total"):
        line = [made[region, channel] for channel in (*CHANNELS, "total")]
        assert line.count(None) != 1
    assert table(counts, DAYS) == made


def test_what_was_withheld_stays_so_and_regions_of_an_earlier_policy_stay_rows() -> None:
    counts: dict[Cell, int] = {("KZ-33", "102"): 4, ("KZ-75", "102"): 40}
    first = table(counts, DAYS)
    second = table(counts | {("KZ-33", "102"): 9}, {"KZ-75": DAYS["KZ-75"]}, [first])
    assert first["KZ-33", "102"] is second["KZ-33", "102"] is None
    assert first.keys() == second.keys()


def revision(number: int, as_of: int) -> Revision:
    return Revision("2031-03", number, as_of, {("KZ-33", "102"): None, ("KZ-33", "total"): 7, ("total", "102"): 12})


def test_as_json_and_as_csv_say_the_same_sums_last() -> None:
    shown = as_json(revision(2, AT), "published", [(1, AT - 1), (2, AT)], 5)
    assert [(cell["region"], cell["channel"], cell["reports"], cell["withheld"]) for cell in shown["cells"]] == [
        ("KZ-33", "102", None, True),
        ("KZ-33", "total", 7, False),
        ("total", "102", 12, False),
    ]
    assert (shown["revision"], shown["as_of"], shown["withheld_below"]) == (2, format_instant(AT), 5)
    assert [one["revision"] for one in shown["revisions"]] == [1, 2]
    lines = list(csv.DictReader(io.StringIO(as_csv(revision(2, AT), "published"))))
    assert tuple(lines[0]) == COLUMNS
    assert [(line["region"], line["reports"], line["withheld"]) for line in lines] == [
        ("KZ-33", "", "yes"),
        ("KZ-33", "7", "no"),
        ("total", "12", "no"),
    ]


def test_an_instant_has_the_revision_that_was_in_force() -> None:
    revisions = [revision(1, 10), revision(2, 20)]
    assert valid_at(revisions, 9) is None
    assert [found.number for at in (10, 19, 20, 99) if (found := valid_at(revisions, at))] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("text", "month"), [("2031-03", MARCH), ("0001-03", None), ("9999-12", None), ("2031-3", None), ("2031-13", None)]
)
def test_months_that_can_be_asked_for(text: str, month: date | None) -> None:
    assert month_of(text) == month
