"""Rows of a list of hearings as facts: what each column and word becomes, and what becomes of rows that are odd."""

from typing import Any

import pytest

from qorgau.facts import Fact
from qorgau.importing.cells import MissingColumn
from qorgau.importing.court import Hearings
from qorgau.importing.making import Hearing, Keyed, Made, Record, Unused
from qorgau.importing.mapping import BadMap, read_map
from qorgau.importing.maps import CourtMap
from qorgau.importing.reasons import NOTES, REASONS
from qorgau.instants import format_instant
from tests.imports import EXAMPLES, KEY, admitted

EXAMPLE = (EXAMPLES / "court-map.yaml").read_text(encoding="utf-8")
HEADER = tuple((EXAMPLES / "court-list.csv").read_text(encoding="utf-8").splitlines()[0].split(","))
ROW = {
    "case_no": "3-1/26",
    "kind": "73",
    "entered": "02.02.2026 09:10",
    "hearing_no": "H-1",
    "set_on": "02.02.2026 10:00",
    "hearing_at": "03.02.2026 11:00",
    "form": "video",
    "state": "",
    "state_at": "03.02.2026 11:40",
    "result": "",
    "decided_on": "",
}


def row(text: str = EXAMPLE, key: str = KEY, **cells: str) -> Made:
    content = [{**ROW, **cells}.get(name, "") for name in HEADER]
    made = Hearings(read_map(text, CourtMap), HEADER, key).make(Record(1, 2, content))
    admitted(made.facts)
    assert made.notes <= NOTES.keys()
    return made


def short(made: Made) -> list[tuple[str, str]]:
    return [(fact.type.removeprefix("court."), format_instant(fact.time)) for fact in made.facts]


def only(name: str, made: Made) -> Fact:
    (fact,) = [fact for fact in made.facts if fact.type == f"court.{name}"]
    return fact


def test_a_row_registers_the_case_schedules_the_hearing_and_says_how_it_ended() -> None:
    made = row(state="held", result="arrest", decided_on="03.02.2026 12:30")
    assert short(made) == [
        ("case_registered", "2026-02-02T04:10:00Z"),
        ("hearing_scheduled", "2026-02-02T05:00:00Z"),
        ("hearing_held", "2026-02-03T06:40:00Z"),
        ("decision_issued", "2026-02-03T07:30:00Z"),
        ("docket_item_decided", "2026-02-03T07:30:00Z"),
    ]
    registered, scheduled = made.facts[:2]
    assert (registered.data["court"], registered.data["arrest_eligible"]) == ("KZ-75-01", True)
    assert (scheduled.data["scheduled_for"], scheduled.data["mode"]) == ("2026-02-03T06:00:00Z", "remote")
    assert len({fact.case for fact in made.facts[:4]}) == 1
    assert len({fact.data["protocol_id"] for fact in made.facts[:4]}) == 1
    assert made.facts[4].case is None


@pytest.mark.parametrize(
    ("state", "name", "fields"),
    [
        ("adjourned: absent", "hearing_postponed", {"reason": "party_absent"}),
        ("ADJOURNED for a week", "hearing_postponed", {"reason": "other"}),
        ("withdrawn", "hearing_cancelled", {"reason": "case_ended"}),
        ("suspended: emergency", "hearing_suspended", {"tolls_term": True, "legal_basis": "state_of_emergency"}),
    ],
)
def test_every_state_becomes_its_fact_with_its_fields(state: str, name: str, fields: dict[str, Any]) -> None:
    data = dict(only(name, row(state=state)).data)
    assert {key: value for key, value in data.items() if key not in ("region", "protocol_id", "hearing_id")} == fields


def test_another_date_is_the_same_hearing_scheduled_once_more_and_the_same_row_says_nothing_new() -> None:
    first, moved = only("hearing_scheduled", row()), only("hearing_scheduled", row(hearing_at="05.02.2026 11:00"))
    assert first.data["hearing_id"] == moved.data["hearing_id"]
    assert first.id != moved.id
    assert [fact.id for fact in row().facts] == [fact.id for fact in row().facts]
    other = only("hearing_scheduled", row(key=KEY + "2"))
    assert {other.id, other.case}.isdisjoint({first.id, first.case})


def test_references_are_those_of_messages_of_the_same_system() -> None:
    about = Hearing.of(Keyed(KEY), "city-court", "3-1/26", "H-1")
    fact = only("hearing_scheduled", row())
    assert (fact.case, fact.data["protocol_id"], fact.data["hearing_id"]) == (
        about.case,
        about.protocol_id,
        about.hearing_id,
    )
    assert len({about.case, about.protocol_id, about.hearing_id}) == 3


def test_a_case_of_another_kind_is_one_anonymous_item_once_it_is_decided() -> None:
    made = row(kind="434-2", decided_on="02.02.2026 17:30", result="fine")
    assert short(made) == [("docket_item_decided", "2026-02-02T12:30:00Z")]
    assert made.facts[0].data["category"] == "emergency_regime"
    with pytest.raises(Unused, match="no_fact"):
        row(kind="434-2")


def test_a_state_without_a_time_counts_when_the_hearing_was_to_be_and_a_decision_without_one_does_not() -> None:
    made = row(state="held", state_at="", result="fine")
    assert short(made)[-1] == ("hearing_held", "2026-02-03T06:00:00Z")
    assert made.notes == {"state_without_time", "decided_without_time"}


def test_a_hearing_without_a_number_is_known_by_its_case_and_date() -> None:
    one, other = row(hearing_no=""), row(hearing_no="", hearing_at="04.02.2026 11:00")
    assert one.notes == {"hearing_without_number"}
    ids = {only("hearing_scheduled", made).data["hearing_id"] for made in (one, other)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"case_no": " "}, ("number_missing", "case_no")),
        ({"kind": "445"}, ("not_selected", "kind")),
        ({"kind": ""}, ("category_unknown", "kind")),
        ({"set_on": ""}, ("time_missing", "set_on")),
        ({"hearing_at": "NULL"}, ("time_missing", "hearing_at")),
        ({"hearing_at": "tomorrow"}, ("time_unreadable", "hearing_at")),
        ({"state": "part heard"}, ("state_unknown", "state")),
        ({"result": "pardon"}, ("decision_unknown", "result")),
        ({"case_no": "3-\udcff"}, ("text_unreadable", "case_no")),
    ],
)
def test_a_row_that_cannot_be_used_says_why_and_by_which_column(cells: dict[str, str], expected: Any) -> None:
    with pytest.raises(Unused) as caught:
        row(**cells)
    assert (caught.value.reason, caught.value.column) == expected
    assert caught.value.reason in REASONS


def test_no_cell_of_the_list_is_in_a_fact_and_columns_that_nobody_reads_are_counted_by_their_place() -> None:
    made = row(room="SECRET", judge="SECRET", case_no="SECRET-1", hearing_no="SECRET-2", state="held")
    assert "SECRET" not in repr(made)
    assert made.dropped == {("column 7", "not_in_map"): 1, ("column 11", "not_in_map"): 1}


def test_a_map_without_kinds_or_registrations_makes_hearings_of_every_row() -> None:
    text = "system: s\nzone: Asia/Almaty\ntime_formats: ['%d.%m.%Y %H:%M']\nsource: court\nregion: KZ-75\n"
    text += "columns: {number: case_no, scheduled: hearing_at, listed: set_on}\n"
    assert [name for name, _ in short(row(text, kind="anything"))] == ["hearing_scheduled"]
    with pytest.raises(MissingColumn, match="set_on"):
        Hearings(read_map(text, CourtMap), HEADER[:4], KEY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("source: court/KZ-75-01", "source: 102/KZ-75"),
        ("court: KZ-75-01", "#"),
        ("  registered: entered", "  #"),
        ("  decided: decided_on", "  #"),
        ("reason: case_ended", "reason: bored"),
        ("{makes: cancelled, reason: case_ended}", "cancelled"),
        ("held: held", "held: {makes: held, reason: other}"),
        ('tolls_term: "true", ', ""),
        (", legal_basis: state_of_emergency", ""),
        ("makes: [hearing, docket_item]", "makes: [call]"),
        ("emergency_regime, makes: [docket_item]", "emergency_regime, makes: [hearing]"),
        ("fine: fine", "fine: a fine"),
    ],
)
def test_a_map_that_could_make_a_fact_nobody_accepts_is_refused(old: str, new: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(BadMap):
        read_map(EXAMPLE.replace(old, new), CourtMap)
