"""Zones, local days, working days and months of the calendar, also beside the oracle's own."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qorgau.calendar import Calendar, data_version, load_zone
from qorgau.instants import parse_instant
from qorgau.rules import CalendarRules, Zones
from tests.oracle import calendars as oracle

ZONES = {"KZ-75": "Asia/Almaty", "KZ-39": "Asia/Qostanay", "KZ-23": "Asia/Atyrau"}
RULES = {"country": "KZ", "weekend": ["saturday", "sunday"]}
EVERY_DAY = st.dates(date(2020, 1, 1), date(2027, 12, 31))


def calendar(**rules: object) -> Calendar:
    return Calendar(
        CalendarRules.model_validate(RULES | rules), Zones.model_validate({"default": "Asia/Almaty", "regions": ZONES})
    )


def test_a_region_has_its_zone_and_an_unknown_or_missing_one_the_default() -> None:
    ours = calendar()
    assert ours.zone("KZ-39").key == "Asia/Qostanay"
    for region in ("KZ-99", None, 7, ["KZ-39"]):
        assert ours.zone(region).key == "Asia/Almaty"


def test_zones_come_with_the_package_and_no_path_is_a_zone() -> None:
    for name in ("Europe/Nowhere", "../tzdata/zones", "", "Asia", "tzdata.zi"):
        with pytest.raises(ValueError, match="not a zone"):
            load_zone(name)
    assert "tzdata 20" in data_version()


def test_the_day_on_which_kazakhstan_went_to_one_zone_ends_an_hour_later() -> None:
    ours, almaty = calendar(), load_zone("Asia/Almaty")
    assert ours.day_end(date(2024, 2, 29), almaty) == parse_instant("2024-02-29T19:00:00Z")
    assert ours.day_end(date(2024, 3, 1), almaty) == parse_instant("2024-03-01T19:00:00Z")


def test_of_a_local_time_that_occurs_twice_the_first_is_meant() -> None:
    at = calendar().local_instant(date(2024, 2, 29), time(23, 30), load_zone("Asia/Almaty"))
    assert at == parse_instant("2024-02-29T17:30:00Z")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2025-12-31T05:00:00Z", 2, "2026-02-28T05:00:00Z"),
        ("2023-12-31T04:00:00Z", 2, "2024-02-29T04:00:00Z"),
        ("2024-02-10T15:00:00Z", 2, "2024-04-10T16:00:00Z"),
        ("2026-12-31T18:59:59.999999Z", 1, "2027-01-31T18:59:59.999999Z"),
        ("2026-05-31T05:00:00Z", 12, "2027-05-31T05:00:00Z"),
    ],
)
def test_months_later_is_the_same_time_of_day_on_the_same_or_the_last_day(start: str, months: int, end: str) -> None:
    almaty = load_zone("Asia/Almaty")
    assert calendar().months_later(parse_instant(start), months, almaty) == parse_instant(end)


def test_dates_by_decree_come_before_the_table() -> None:
    thursday, holiday, saturday = date(2026, 6, 4), date(2026, 5, 1), date(2026, 6, 6)
    usual = calendar()
    assert [usual.is_working_day(day) for day in (thursday, holiday, saturday)] == [True, False, False]
    ours = calendar(extra_days_off=[thursday], extra_working_days=[holiday, saturday, thursday])
    assert [ours.is_working_day(day) for day in (thursday, holiday, saturday)] == [False, True, True]


def test_another_weekend_has_other_working_days() -> None:
    ours = calendar(weekend=["friday"])
    assert [ours.is_working_day(date(2026, 6, day)) for day in (5, 6, 7)] == [False, True, True]


def test_a_moved_working_saturday_counts_and_the_first_of_may_does_not() -> None:
    ours = calendar()
    assert ours.nth_working_day(date(2024, 5, 2), 3) == date(2024, 5, 6)
    assert ours.nth_working_day(date(2026, 4, 30), 3) == date(2026, 5, 6)
    off = ours.days_off_between(date(2026, 4, 30), date(2026, 5, 6))
    assert off == (date(2026, 5, 1), date(2026, 5, 2), date(2026, 5, 3))


@given(EVERY_DAY, st.integers(1, 8))
def test_working_days_are_those_of_the_oracle(day: date, count: int) -> None:
    rules = RULES | {"extra_days_off": ["2026-03-03"], "extra_working_days": ["2026-05-02"]}
    ours = calendar(extra_days_off=[date(2026, 3, 3)], extra_working_days=[date(2026, 5, 2)])
    assert ours.is_working_day(day) == oracle.is_working_day(day, rules)
    assert ours.nth_working_day(day, count) == oracle.nth_working_day(day, count, rules)


@given(
    st.integers(parse_instant("2020-01-01T00:00:00Z"), parse_instant("2027-12-31T00:00:00Z")),
    st.integers(1, 30),
    st.sampled_from([*ZONES, "KZ-99"]),
)
def test_days_and_months_are_those_of_the_oracle(at: int, months: int, region: str) -> None:
    ours = calendar()
    zone = ours.zone(region)
    day = ours.local_date(at, zone)
    assert day == oracle.local_date(at, zone)
    assert ours.day_end(day, zone) == oracle.day_end(day, zone)
    assert ours.months_later(at, months, zone) == oracle.months_later(at, months, zone)
    assert ours.local_date(ours.day_end(day, zone), zone) == day + timedelta(days=1)
