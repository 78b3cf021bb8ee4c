"""Rows of a dispatch export as facts: what each column and word becomes, and what becomes of rows that are odd."""

from datetime import datetime
from typing import Any

import pytest

from qorgau.calendar import load_zone
from qorgau.facts import Fact
from qorgau.importing.cad import Calls
from qorgau.importing.cells import MissingColumn
from qorgau.importing.making import Made, Record, Seen, Unused, to_instant
from qorgau.importing.mapping import read_map
from qorgau.importing.maps import CadMap
from qorgau.importing.reasons import REASONS
from qorgau.instants import format_instant, parse_instant

KEY = "a key of the tests that is long enough"
HEADER = ("no", "kind", "prio", "place", "start", "disp", "arr", "result", "end")
MAP = """
system: test-cad
zone: Asia/Almaty
time_formats: [iso, "%d.%m.%Y %H:%M:%S"]
empty: ["NULL"]
columns: {number: no, start: start, dispatched: disp, arrived: arr}
region: {column: place, words: {North: KZ-19, Centre: KZ-75}}
area: {column: place, words: {North: rural}, otherwise: urban}
priority: {column: prio, words: {1: immediate, 3: prompt}}
categories:
  column: kind
  kinds:
    - {match: "DOM*", category: domestic_violence}
    - {match: "CURFEW", category: emergency_regime}
    - {match: "HURT ?", category: domestic_violence, makes: [case, call], injury: true}
    - {match: "PARKING*", makes: []}
cancelled: {column: result, words: {"DUP*": duplicate}, at: end}
"""
NEW_YORK = load_zone("America/New_York")
ROW = {
    "no": "N-1",
    "kind": "DOM NO INJ",
    "prio": "1",
    "place": "Centre",
    "start": "2025-06-01 10:00:00.000",
    "disp": "2025-06-01 10:01:00.500",
    "arr": "2025-06-01 10:12:00",
    "result": "",
    "end": "2025-06-01 11:00:00",
}


def call(text: str = MAP, key: str = KEY, **cells: str) -> Made:
    row = [{**ROW, **cells}[name] for name in HEADER]
    return Calls(read_map(text, CadMap), HEADER, key).make(Record(1, 2, row))


def reason(**cells: str) -> tuple[str, str]:
    with pytest.raises(Unused) as caught:
        call(**cells)
    assert caught.value.reason in REASONS
    return caught.value.reason, caught.value.column


def short(facts: tuple[Fact, ...]) -> list[tuple[str, str]]:
    return [(fact.type, format_instant(fact.time)) for fact in facts]


def test_a_domestic_call_becomes_a_case_that_is_registered_dispatched_and_arrived() -> None:
    made = call()
    assert short(made.facts) == [
        ("police.incident_registered", "2025-06-01T05:00:00Z"),
        ("police.dispatched", "2025-06-01T05:01:00.500000Z"),
        ("police.arrived", "2025-06-01T05:12:00Z"),
    ]
    assert [dict(fact.data) for fact in made.facts] == [
        {"region": "KZ-75", "priority": "immediate", "area": "urban"},
        {"region": "KZ-75"},
        {"region": "KZ-75", "response": "incident", "injury": False, "sexual": False},
    ]
    assert len({fact.case for fact in made.facts}) == 1
    assert all(fact.recorded == fact.time and fact.source == "102/KZ-75" for fact in made.facts)
    assert made.notes == frozenset()


def test_another_call_becomes_one_record_without_a_case_dated_when_all_of_it_was_known() -> None:
    (fact,) = call(kind="Curfew ").facts
    assert (fact.type, fact.case, fact.time) == ("police.call_recorded", None, parse_instant("2025-06-01T05:12:00Z"))
    assert dict(fact.data) == {
        "region": "KZ-75",
        "priority": "immediate",
        "area": "urban",
        "category": "emergency_regime",
        "registered_at": "2025-06-01T05:00:00Z",
        "arrived_at": "2025-06-01T05:12:00Z",
    }


def test_the_map_can_ask_for_both_and_for_what_the_kind_of_call_says_of_injuries() -> None:
    made = call(kind="HURT 2").facts
    assert [fact.type for fact in made][2:] == ["police.arrived", "police.call_recorded"]
    assert made[2].data["injury"] is True
    assert made[2].data["occurred_at"] == "2025-06-01T05:00:00Z"
    assert made[3].id not in {fact.case for fact in made}


def test_no_cell_of_the_export_is_in_a_fact() -> None:
    made = call(no="SECRET-7", kind="DOM SECRET-7", place="North", prio="3")
    assert "SECRET" not in repr(made)
    assert "N-1" not in repr(call())


def test_ids_are_the_same_again_and_differ_by_system_number_start_what_and_key() -> None:
    first = call()
    assert [fact.id for fact in call().facts] == [fact.id for fact in first.facts]
    others = [
        call(no="N-2"),
        call(start="2025-06-01 10:00:01"),
        call(MAP.replace("test-cad", "b")),
        call(key=KEY + "2"),
    ]
    ids = [fact.id for made in (first, *others) for fact in made.facts]
    cases = {fact.case for made in (first, *others) for fact in made.facts}
    assert len(set(ids)) == 15
    assert len(cases) == 5
    assert not cases & set(ids)


@pytest.mark.parametrize(
    "start", ["2025-06-01 10:00:00", "2025-06-01T10:00", "01.06.2025 10:00:00", "2025-06-01 05:00:00.4+00:00"]
)
def test_fractions_and_forms_of_a_start_that_come_and_go_leave_the_call_the_same(start: str) -> None:
    assert call(start=start).facts[0].id == call().facts[0].id


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"kind": "PARKING LOT"}, ("not_selected", "kind")),
        ({"kind": "PARKING", "start": "rubbish", "no": ""}, ("not_selected", "kind")),
        ({"kind": "DRONE"}, ("category_unknown", "kind")),
        ({"kind": ""}, ("category_unknown", "kind")),
        ({"kind": "DOM \udcff"}, ("text_unreadable", "kind")),
        ({"no": " "}, ("number_missing", "no")),
        ({"no": "null"}, ("number_missing", "no")),
        ({"start": ""}, ("start_missing", "start")),
        ({"start": "NULL"}, ("start_missing", "start")),
        ({"start": "2025-06-01"}, ("time_unreadable", "start")),
        ({"start": "2025-02-30 10:00:00"}, ("time_unreadable", "start")),
        ({"arr": "10:12"}, ("time_unreadable", "arr")),
        ({"disp": "0001-01-01 00:00:00"}, ("time_unreadable", "disp")),
        ({"prio": "9"}, ("priority_unknown", "prio")),
        ({"place": "Elsewhere"}, ("region_unknown", "place")),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_by_which_column(cells: dict[str, str], expected: Any) -> None:
    assert reason(**cells) == expected


def test_a_row_with_too_few_cells_or_with_words_beyond_the_header_is_not_guessed_at() -> None:
    export = Calls(read_map(MAP, CadMap), HEADER, KEY)
    row = [ROW[name] for name in HEADER]
    assert export.make(Record(1, 2, [*row, "", " "])).facts == call().facts
    for cells in (row[:-1], [*row, "more"]):
        with pytest.raises(Unused, match="columns_differ"):
            export.make(Record(1, 2, cells))


@pytest.mark.parametrize("header", [HEADER[:-1], (*HEADER, "arr")])
def test_a_header_without_a_column_or_with_it_twice_is_refused(header: tuple[str, ...]) -> None:
    with pytest.raises(MissingColumn, match=r"^(end|arr)$"):
        Calls(read_map(MAP, CadMap), header, KEY)


def test_a_call_without_arrival_has_no_arrival_whenever_it_was_closed() -> None:
    made = call(arr="")
    assert [fact.type for fact in made.facts] == ["police.incident_registered", "police.dispatched"]
    assert made.notes == {"no_arrival"}


def test_arrivals_before_the_dispatch_or_the_call_stay_as_they_are_and_are_noted() -> None:
    made = call(disp="2025-06-01 10:15:00")
    assert short(made.facts)[2][1] == "2025-06-01T05:12:00Z"
    assert made.notes == {"arrived_before_dispatched"}
    made = call(disp="2025-06-01 09:58:00", arr="2025-06-01 09:59:00")
    assert short(made.facts)[2][1] == "2025-06-01T04:59:00Z"
    assert made.notes == {"arrived_before_start", "dispatched_before_start"}


def test_a_call_dispatched_at_the_second_it_was_created_is_an_ordinary_one() -> None:
    made = call(disp=ROW["start"], arr=ROW["start"])
    assert len({fact.time for fact in made.facts}) == 1
    assert (len(made.facts), made.notes) == (3, frozenset())


def test_a_call_that_was_called_off_is_cancelled_only_where_police_did_not_arrive() -> None:
    made = call(result="dup of N-0", arr="")
    assert short(made.facts)[-1] == ("police.call_cancelled", "2025-06-01T06:00:00Z")
    assert made.facts[-1].data["reason"] == "duplicate"
    assert len(call(result="DUP").facts) == 3
    unknown = call(result="DUP", arr="", end="")
    assert len(unknown.facts) == 2
    assert unknown.notes == {"no_arrival", "cancelled_without_time"}


@pytest.mark.parametrize(
    ("local", "start", "utc", "note"),
    [
        ("2025-11-02T01:30:00", None, "05:30:00", "local_time_twice"),
        ("2025-11-02T01:10:00", "05:50:00", "06:10:00", "local_time_twice"),
        ("2025-11-02T01:55:00", "05:50:00", "05:55:00", "local_time_twice"),
        # Before the start either way: the first, as anywhere else.
        ("2025-11-02T01:10:00", "07:50:00", "05:10:00", "local_time_twice"),
        ("2025-11-02T02:00:00", "05:50:00", "07:00:00", None),
        ("2025-03-09T02:30:00", None, "07:30:00", "local_time_skipped"),
        ("2025-03-09T03:00:00", None, "07:00:00", None),
    ],
)
def test_local_times_around_a_change_of_clocks(local: str, start: str | None, utc: str, note: str | None) -> None:
    day = local[:10]
    began = None if start is None else parse_instant(f"{day}T{start}Z")
    instant, said = to_instant(datetime.fromisoformat(local), NEW_YORK, began)
    assert (format_instant(instant), said) == (f"{day}T{utc}Z", note)


def test_a_repeated_row_is_noticed_and_what_it_adds_is_kept() -> None:
    seen = Seen()
    assert len(seen.new(call(arr="").facts)) == 2
    assert [fact.type for fact in seen.new(call().facts)] == ["police.arrived"]
    with pytest.raises(Unused, match="repeated"):
        seen.new(call().facts)
    assert len(seen.new(call(start="2025-06-02 10:00:00").facts)) == 3


def test_what_is_remembered_of_rows_is_bounded() -> None:
    seen = Seen(most=3)
    seen.new(call().facts)
    seen.new(call(no="N-2").facts)
    assert len(seen.new(call().facts)) == 3
