"""Which calls are compared with which, what is said of a cell, and to whom."""

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from qorgau.facts import Fact
from qorgau.identity.sender import Reach, Sender
from qorgau.instants import HOUR, MINUTE, parse_instant
from qorgau.parity.answering import answer, wanted
from qorgau.parity.comparing import Line, compared, judged
from qorgau.parity.samples import Kept, Sample, Withdrawn, band, kept
from qorgau.parity.watching import DIFFERENCE, MOST_CELLS, P, shown
from tests.delays import CALENDAR, DOMESTIC, NOON, REGIME, call, calls, item, withdrawn

SLOW = [20.0 + number for number in range(12)]
FAST: list[float | None] = [5.0 + number / 2 for number in range(12)]


def samples(facts: Iterable[Fact]) -> list[Sample]:
    return [one.sample for one in map(kept, facts) if isinstance(one, Kept)]


def lines(*facts: Fact) -> tuple[Line, ...]:
    return compared(samples(facts), CALENDAR)


def cells(*facts: Fact) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer("police-dispatch", 0, NOON, NOON, lines(*facts))["cells"]
    return found


def test_a_call_takes_from_its_registration_until_somebody_comes() -> None:
    one = kept(call("c1", DOMESTIC, NOON, 12.5))
    sample = Sample("KZ-75", "102/KZ-75", "prompt", "urban", "domestic_violence", NOON, 750_000_000)
    assert one == Kept("102/KZ-75 c1", sample, NOON + HOUR)
    waiting = kept(call("c1", DOMESTIC, NOON, None))
    assert isinstance(waiting, Kept)
    assert waiting.sample.delay is None


def test_a_docket_item_takes_from_its_registration_until_it_is_decided_at_the_court_it_names() -> None:
    one = kept(item("i1", REGIME, NOON, 30))
    sample = Sample("KZ-71", "court/KZ-71-01", "", "", "emergency_regime", NOON, 30 * HOUR)
    assert one == Kept("court/KZ-71-01 i1", sample, NOON + 30 * HOUR)


@pytest.mark.parametrize(
    "fact",
    [
        call("c1", "other", NOON, 5),
        call("c1", DOMESTIC, NOON, -1),
        call("c1", DOMESTIC, NOON, None, arrived_at="soon"),
        call("c1", DOMESTIC, NOON, 5, registered_at="today"),
        replace(call("c1", DOMESTIC, NOON, 5), data={"region": "KZ-75", "category": ["domestic_violence"]}),
        call("c1", DOMESTIC, NOON, 5, unit="102"),
        item("i1", REGIME, NOON, -2),
        item("i1", REGIME, NOON, 2, court=""),
        replace(call("c1", DOMESTIC, NOON, 5), case="a-case"),
        replace(call("c1", DOMESTIC, NOON, 5), type="police.arrived"),
        replace(withdrawn(call("c1", DOMESTIC, NOON, 5), NOON), data={"region": "KZ-75"}),
    ],
)
def test_other_calls_slips_of_the_pen_and_facts_of_cases_are_left_out(fact: Fact) -> None:
    assert kept(fact) is None


def test_a_withdrawal_names_the_call_of_its_own_source() -> None:
    one = call("c1", DOMESTIC, NOON, 5)
    assert kept(withdrawn(one, NOON + 2 * HOUR)) == Withdrawn("102/KZ-75 c1", NOON + 2 * HOUR)
    foreign = kept(replace(withdrawn(one, NOON), source="102/KZ-71"))
    assert foreign == Withdrawn("102/KZ-71 c1", NOON)


@pytest.mark.parametrize(
    ("instant", "region", "expected"),
    [
        # Almaty was at UTC+6 until the end of February 2024, and is at UTC+5 since.
        ("2024-02-28T23:59:59.999999Z", "KZ-75", "night"),
        ("2024-02-29T00:00:00Z", "KZ-75", "morning"),
        ("2024-03-02T00:00:00Z", "KZ-75", "night"),
        ("2024-03-02T01:00:00Z", "KZ-75", "morning"),
        ("2024-03-02T07:00:00Z", "KZ-75", "day"),
        ("2024-02-28T12:00:00Z", "KZ-75", "evening"),
        ("2024-03-02T12:00:00Z", "KZ-75", "day"),
        # The west did not change.
        ("2024-02-29T01:00:00Z", "KZ-23", "morning"),
        ("2024-03-02T01:00:00Z", "KZ-23", "morning"),
        ("2024-02-29T00:59:00Z", "KZ-23", "night"),
    ],
)
def test_hours_are_those_of_the_place_also_across_the_change_of_zones(instant: str, region: str, expected: str) -> None:
    assert band(parse_instant(instant), region, CALENDAR) == expected


def test_a_cell_is_a_unit_a_grade_an_area_and_a_band_of_hours() -> None:
    others = [
        call("g", DOMESTIC, NOON, 5, priority="immediate"),
        call("a", DOMESTIC, NOON, 5, area="rural"),
        call("b", DOMESTIC, NOON + 6 * HOUR, 5),
        call("u", DOMESTIC, NOON, 5, unit="102/KZ-71"),
    ]
    found = lines(*calls(FAST, REGIME), *others)
    assert len(found) == 5
    assert [line.regime.answered for line in found].count(12) == 1


def test_a_slow_answer_to_domestic_calls_is_found_with_how_much_and_how_sure() -> None:
    (cell,) = cells(*calls([*SLOW], DOMESTIC), *calls(FAST, REGIME))
    assert cell["status"] == "compared"
    assert cell["median_seconds"][DOMESTIC]["estimate"] == 25.5 * 60
    assert cell["difference_seconds"]["estimate"] == (25.5 - 7.75) * 60
    assert 0 < cell["difference_seconds"]["lower"] < cell["difference_seconds"]["estimate"]
    assert cell["ratio"]["estimate"] == pytest.approx(25.5 / 7.75)
    assert cell["p"] == cell["holm_p"] < 0.001
    assert cell["flagged"] is True


def test_treated_alike_there_is_nothing_to_look_at() -> None:
    (cell,) = cells(*calls(FAST, DOMESTIC), *calls(FAST, REGIME))
    assert cell["difference_seconds"]["lower"] < 0 < cell["difference_seconds"]["upper"]
    assert cell["flagged"] is False
    assert cell["p"] > 0.9


def test_calls_that_all_took_the_same_time_are_no_difference() -> None:
    (cell,) = cells(*calls([7.0] * 12, DOMESTIC), *calls([7.0] * 12, REGIME))
    assert (cell["p"], cell["flagged"]) == (1.0, False)


def test_below_ten_of_a_kind_nothing_is_said_but_counts_and_why() -> None:
    (cell,) = cells(*calls([*SLOW[:9]], DOMESTIC), *calls(FAST, REGIME))
    assert cell["status"] == "too_few"
    assert cell["reason"] == "fewer than 10 of domestic_violence with a delay"
    assert cell[DOMESTIC] == {"answered": 9, "unanswered": None}
    for name in ("median_seconds", "difference_seconds", "ratio", "p", "holm_p", "flagged"):
        assert name not in cell
    (ten,) = cells(*calls([*SLOW[:10]], DOMESTIC), *calls(FAST, REGIME))
    assert ten["status"] == "compared"


def test_counts_below_five_are_not_told() -> None:
    (cell,) = cells(*calls([*SLOW[:4], None, None], DOMESTIC), *calls([None] * 5, REGIME))
    assert cell[DOMESTIC] == {"answered": None, "unanswered": None}
    assert cell[REGIME] == {"answered": None, "unanswered": 5}


def test_a_call_to_which_nobody_came_is_no_delay_and_is_counted() -> None:
    (cell,) = cells(*calls([*FAST, *[None] * 6], DOMESTIC), *calls(FAST, REGIME))
    assert cell[DOMESTIC] == {"answered": 12, "unanswered": 6}
    assert cell["difference_seconds"]["estimate"] == 0


def test_the_order_of_the_facts_has_no_meaning() -> None:
    facts = [*calls([*SLOW], DOMESTIC), *calls(FAST, REGIME), *calls(FAST, DOMESTIC, "102/KZ-71")]
    shuffled = facts[:]
    random.Random(7).shuffle(shuffled)
    assert lines(*shuffled) == lines(*facts)


def test_holm_corrects_over_the_cells_of_one_answer() -> None:
    slow = [*calls([*SLOW], DOMESTIC), *calls(FAST, REGIME)]
    alike = [*calls(FAST, DOMESTIC, "102/KZ-71"), *calls(FAST, REGIME, "102/KZ-71")]
    both = {cell["unit"]: cell for cell in cells(*slow, *alike)}
    (alone,) = cells(*slow)
    assert both["102/KZ-75"]["p"] == alone["p"]
    assert both["102/KZ-75"]["holm_p"] == 2 * alone["holm_p"]


def sender(agency: str, reach: Reach, *regions: str) -> Sender:
    return Sender(agency, frozenset(), frozenset(regions), reach)


@pytest.mark.parametrize(
    ("who", "units"),
    [
        (sender("102/KZ-75", Reach.OWN, "KZ-75"), {"102/KZ-75"}),
        (sender("police-unit/KZ-75-01", Reach.OWN, "KZ-75"), set()),
        (sender("coordinator/KZ-71", Reach.REGION, "KZ-71"), {"102/KZ-71"}),
        (sender("watchdog", Reach.CODES, "*"), {"102/KZ-71", "102/KZ-75"}),
    ],
)
def test_a_desk_sees_its_own_unit_and_who_supervises_its_regions(who: Sender, units: set[str]) -> None:
    found = lines(*calls(FAST, DOMESTIC), *calls(FAST, DOMESTIC, "102/KZ-71"))
    assert {line.cell.unit for line in wanted(found, who, None, None)} == units
    assert {line.cell.unit for line in wanted(found, who, "KZ-71", None)} == units & {"102/KZ-71"}
    assert {line.cell.unit for line in wanted(found, who, None, "102/KZ-75")} == units & {"102/KZ-75"}


def test_metrics_have_every_estimate_with_both_ends_and_only_of_what_is_mine() -> None:
    facts = [*calls([*SLOW], DOMESTIC), *calls(FAST, REGIME), *calls(FAST, DOMESTIC, "102/KZ-71")]
    facts += calls(FAST, REGIME, "102/KZ-71")
    found = judged(lines(*facts))
    rows = shown(found, lambda unit: unit == "102/KZ-75")
    place = ("KZ-75", "102/KZ-75", "prompt", "urban", "day")
    assert [(row.name, row.labels) for row in rows] == [
        *((DIFFERENCE, (*place, bound)) for bound in ("estimate", "lower", "upper")),
        (P, place),
    ]
    estimate, lower, upper = (row.count for row in rows[:3])
    assert lower < estimate < upper


def test_so_many_units_that_no_one_could_look_at_them_do_not_flood_the_metrics() -> None:
    (line,) = lines(*calls([*SLOW], DOMESTIC), *calls(FAST, REGIME))
    many = [replace(line, cell=line.cell._replace(unit=f"102/U{number}")) for number in range(MOST_CELLS + 5)]
    assert len(shown(judged(many), lambda _: True)) == 4 * MOST_CELLS


def test_minutes_are_kept_to_the_microsecond() -> None:
    one = kept(call("c1", DOMESTIC, NOON, 1 / MINUTE))
    assert isinstance(one, Kept)
    assert one.sample.delay == 1
