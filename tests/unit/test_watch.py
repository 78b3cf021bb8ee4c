"""The live view: what it reads out of metrics, what it computes, and what stands on a terminal of 80 x 24."""

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from qorgau.embedded.data import default_policy
from qorgau.instants import DAY, HOUR, MINUTE, SECOND, format_instant, parse_instant
from qorgau.policy import load_policy
from qorgau.telemetry import Metrics, Stored
from qorgau.vocabulary import COURT, INTAKE, NOTIFIER, POLICE
from qorgau.watch import Look, View, line, screen, view_of
from qorgau.watch.readings import Lag, Readings, quantile, read_metrics, since
from qorgau.watch.screen import late, length
from qorgau.watch.view import AWAY, NOT_READY, READY, STAGES, ServiceLook, ShownFlag

NOW = parse_instant("2020-03-26T08:10:00Z")
TITLES = {"P03": "Police arrive, danger to life or violence going on", "F1": "A hearing stands suspended"}
SERVICES = {name: f"http://{name}" for name in (INTAKE, POLICE, COURT, NOTIFIER)}


def row(
    rule: str = "P03", level: str = "breach", due: int | None = -HOUR, raised: int = 0, **more: Any
) -> dict[str, Any]:
    return {
        "case": "0123456789abcdef",
        "rule": rule,
        "level": level,
        "severity": "critical",
        "raised_at": format_instant(NOW + raised),
        "due_at": None if due is None else format_instant(NOW + due),
        "region": "KZ-75",
        "agency": "102/KZ-75",
        "outcome": "open",
        "escalations": {"L2": "-", "L3": "-"},
        **more,
    }


def looked(readings: Mapping[str, Readings], wall: float = 0.0, pace: float = 1.0, **more: Any) -> Look:
    services = {name: ServiceLook(READY, "", readings.get(name, Readings())) for name in SERVICES}
    return Look(wall, NOW, pace, services, **more)


def shown(view: View, width: int = 80, height: int = 24) -> list[str]:
    console = Console(record=True, width=width, height=height, file=io.StringIO())
    console.print(screen(view, width, height))
    return console.export_text().splitlines()


FULL = View(
    now=NOW,
    pace=10_000,
    services={name: ServiceLook(READY) for name in SERVICES},
    cases={"open": 189, "closed": 152},
    stages=view_of([looked({POLICE: Readings(open_flags={("P03", "breach", "critical"): 11})})], {}).stages,
    open_by_severity={"critical": 12, "high": 39, "medium": 8},
    warnings=20,
    newest=[
        ShownFlag(
            "P03", TITLES["P03"], "breach", "critical", "0123456789", "KZ-75", "102/KZ-75", "L3", NOW, "open", HOUR
        )
    ]
    * 90,
    facts=36.4,
    events=11.2,
    lag=(Lag(0.208), Lag(0.36, beyond=True)),
)


def test_metrics_of_a_service_are_read_as_the_service_writes_them() -> None:
    metrics = Metrics()
    metrics.facts.labels("http", "accepted").inc(5)
    metrics.facts.labels("inbound", "parked").inc(2)
    metrics.facts.labels("http", "rejected").inc(40)
    metrics.flag_events.labels("raised", "P03").inc(3)
    metrics.timer_lag.observe(0.12)
    stored = [("qorgau_cases", ("open",), 7), ("qorgau_deadlines", ("P03", "running"), 4)]
    flags = [("qorgau_flags_open", ("P03", "breach", "critical", region), 2) for region in ("KZ-75", "KZ-71")]
    metrics.show_stored(Stored(*one) for one in (*stored, *flags))
    readings = read_metrics(metrics.text().decode())
    assert (readings.facts, readings.events, readings.cases) == (7, 3, {"open": 7})
    assert readings.deadlines == {("P03", "running"): 4}
    assert readings.open_flags == {("P03", "breach", "critical"): 4}
    lag = quantile(readings.lag, 0.5)
    assert lag is not None
    assert 0.1 < lag.seconds <= 0.15


def test_a_quantile_lies_within_its_bucket_or_beyond_the_last() -> None:
    buckets = {1.0: 50.0, 2.0: 90.0, float("inf"): 100.0}
    assert quantile(buckets, 0.25) == Lag(0.5)
    assert quantile(buckets, 0.7) == Lag(1.5)
    assert quantile(buckets, 0.99) == Lag(2.0, beyond=True)
    assert quantile({1.0: 0.0, float("inf"): 0.0}, 0.5) is None
    assert quantile({}, 0.5) is None


def test_what_was_added_to_a_histogram_starts_anew_with_its_process() -> None:
    earlier, later = {1.0: 5.0, 2.0: 9.0}, {1.0: 7.0, 2.0: 12.0}
    assert since(earlier, later) == {1.0: 2.0, 2.0: 3.0}
    assert since(later, earlier) == earlier


def test_rates_are_those_between_the_looks_also_over_a_restart() -> None:
    first = looked({INTAKE: Readings(facts=100), POLICE: Readings(facts=1000, events=50)}, wall=10)
    last = looked({INTAKE: Readings(facts=140), POLICE: Readings(facts=30, events=70)}, wall=20)
    view = view_of([first, last], TITLES)
    assert view.facts == pytest.approx((40 + 30) / 10)
    assert view.events == pytest.approx(2)


def test_the_first_look_has_no_rate() -> None:
    assert view_of([looked({INTAKE: Readings(facts=100)})], TITLES).facts == 0


def test_the_lag_is_that_since_the_first_look_over_all_services() -> None:
    def lag(below: float, all_of_them: float) -> Readings:
        return Readings(lag={0.2: below, 0.4: all_of_them, float("inf"): all_of_them})

    before = looked({POLICE: lag(1000, 1000), COURT: lag(1000, 1000)})
    after = looked({POLICE: lag(1000, 1030), COURT: lag(1010, 1020)}, wall=1)
    half, most = view_of([before, after], TITLES).lag
    assert half is not None
    assert half.seconds == pytest.approx(0.2 + 0.2 * 15 / 40)
    assert most is not None
    assert not most.beyond


def test_open_flags_are_added_up_by_severity_and_warnings_are_apart() -> None:
    police = Readings(open_flags={("P03", "breach", "critical"): 3, ("P03", "warn", "critical"): 5})
    court = Readings(open_flags={("F1", "flag", "high"): 2, ("P19", "breach", "critical"): 1})
    view = view_of([looked({POLICE: police, COURT: court})], TITLES)
    assert view.open_by_severity == {"critical": 4, "high": 2, "medium": 0}
    assert view.warnings == 5


def test_a_stage_shows_what_runs_is_nearly_due_and_is_late_in_it() -> None:
    police = Readings(
        open_flags={("P03", "breach", "critical"): 3, ("P04", "warn", "high"): 2, ("P20", "breach", "high"): 9},
        deadlines={("P03", "running"): 10, ("P03", "breached"): 3, ("P04", "met"): 100, ("P09", "tolled"): 4},
    )
    stages = {stage.name: stage for stage in view_of([looked({POLICE: police})], TITLES).stages}
    response = stages["police response"]
    assert (response.under_way, response.soon, response.late, response.flags) == (13, 2, 3, 0)
    assert stages["protective order"].under_way == 4
    assert stages["the case itself"].under_way is None


def test_where_no_deadlines_are_told_a_stage_does_not_say_that_there_are_none() -> None:
    assert all(stage.under_way is None for stage in view_of([looked({})], TITLES).stages)


def test_every_rule_of_the_policy_that_a_case_can_have_is_in_exactly_one_stage() -> None:
    policy = load_policy(default_policy())
    staged = [rule for rules in STAGES.values() for rule in rules]
    assert sorted(staged) == sorted({one.id for one in (*policy.rules, *policy.flags)} - {"F8", "F10"})


def test_a_breach_is_late_by_the_time_since_its_due_and_a_warning_has_the_time_until_then() -> None:
    rows = (row(), row(level="warn", due=5 * MINUTE), row("F1", "flag", due=None, raised=-DAY))
    flags = {flag.level: flag for flag in view_of([looked({}, flags=rows)], TITLES).newest}
    assert flags["breach"].span == HOUR
    assert flags["warn"].span == 5 * MINUTE
    assert flags["flag"].span == DAY
    assert (flags["breach"].title, flags["breach"].told) == (TITLES["P03"], "L3")


def test_a_flag_that_is_down_says_how_late_it_was_or_how_it_ended() -> None:
    rows = (
        row(outcome="closed_late", late_by="PT35M"),
        row(outcome="late_recording", late_by=None),
        row("F1", "flag", due=None, outcome="cleared"),
        row(level="info", outcome="window_passed"),
        row(level="warn", outcome="met"),
    )
    flags = {flag.outcome: late(flag) for flag in view_of([looked({}, flags=rows)], TITLES).newest}
    assert flags == {
        "closed_late": "35 min",
        "late_recording": "told late",
        "cleared": "cleared",
        "window_passed": "passed",
    }


def test_where_no_deadlines_are_told_there_is_no_column_for_them() -> None:
    text = "\n".join(shown(FULL))
    assert "running" not in text
    told = view_of([looked({POLICE: Readings(deadlines={("P03", "running"): 77})})], TITLES)
    assert "77" in "\n".join(shown(told))


def test_the_newest_breaches_stand_above_older_ones_and_above_all_warnings() -> None:
    rows = [row(case="old", raised=-HOUR), row(case="warned", level="warn", raised=0), row(case="new", raised=-SECOND)]
    assert [flag.case for flag in view_of([looked({}, flags=rows)], TITLES).newest] == ["new", "old", "warned"]


def test_cases_are_counted_by_intake_and_by_another_service_while_that_knows_none() -> None:
    police = Readings(cases={"open": 5})
    assert view_of([looked({INTAKE: Readings(cases={"open": 9}), POLICE: police})], TITLES).cases == {"open": 9}
    assert view_of([looked({POLICE: police})], TITLES).cases == {"open": 5}


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60), (80, 16)])
def test_the_screen_fills_the_terminal_exactly(width: int, height: int) -> None:
    lines = shown(FULL, width, height)
    assert len(lines) == height
    assert max(len(line) for line in lines) <= width
    assert lines[-1].startswith("╰")


def test_a_small_terminal_shows_all_that_counts() -> None:
    text = "\n".join(shown(FULL))
    for part in ("2020-03-26 08:10 UTC", "x10,000", "189 open, 152 closed", "● notifier", "36/s", "208 ms", "> 360 ms"):
        assert part in text
    newest = [line for line in shown(FULL) if "P03" in line]
    assert len(newest) == 9
    assert all("1 h 00" in line and "102/KZ-75" in line and "01234567" in line for line in newest)


def test_a_large_terminal_also_shows_severity_region_and_who_was_told() -> None:
    lines = shown(FULL, 120, 40)
    assert sum("critical" in line and "L3" in line and "KZ-75" in line for line in lines) == 25


def test_a_service_that_is_away_is_shown_with_what_it_said_before() -> None:
    services = dict(FULL.services) | {POLICE: ServiceLook(AWAY, "does not answer")}
    services |= {COURT: ServiceLook(NOT_READY, "qorgau.flags not caught up")}
    view = replace(FULL, services=services)
    assert "● police-dispatch away  ● court-tracker not ready" in shown(view)[1]
    assert "court-tracker: qorgau.flags not caught up" in shown(view, 120, 40)[1]
    assert "189 open" in "\n".join(shown(view))
    assert "police-dispatch away; court-tracker not ready" in line(view)


def test_nothing_that_a_service_says_is_taken_for_markup() -> None:
    view = replace(FULL, newest=[replace(FULL.newest[0], agency="[red]102", title="[/]")])
    assert "[red]102" in "\n".join(shown(view))


def test_a_line_says_the_same_in_words() -> None:
    text = line(FULL)
    assert "\n" not in text
    assert text.startswith("2020-03-26T08:10:00Z x10000 | cases: 152 closed, 189 open | open flags: 12 critical")
    assert text.endswith("all ready")


@pytest.mark.parametrize(
    ("span", "words"),
    [(0, "0 s"), (59 * SECOND, "59 s"), (12 * MINUTE, "12 min"), (65 * MINUTE, "1 h 05"), (27 * HOUR, "1 d 3 h")],
)
def test_a_span_is_said_by_its_two_largest_units(span: int, words: str) -> None:
    assert length(span) == words
