"""The door: what a fact must be to pass, and that a refusal says where and what to do, and repeats nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from qorgau.errors import Forbidden, Invalid, Rejected
from qorgau.facts import Fact
from qorgau.front.door import Admitted, Door, Sender
from qorgau.front.envelope import from_kafka, to_kafka
from qorgau.instants import DAY, parse_instant

NOW = parse_instant("2026-04-14T19:20:00+05:00")
KEY = "a key of the tests that is long enough"
REGIONS = frozenset({"KZ-71", "KZ-75"})
POLICE = Door("police-dispatch", police_dispatch.domain.FACTS, REGIONS, lambda: NOW, KEY)
INTAKE = Door("intake", intake.domain.FACTS, REGIONS, lambda: NOW, KEY)
COURT = Door("court-tracker", court_tracker.domain.FACTS, REGIONS, lambda: NOW, KEY)
SENDER = Sender("102/KZ-75", frozenset({"facts:write"}), frozenset({"KZ-75"}))
BACKFILLER = Sender("102/KZ-75", frozenset({"facts:write", "facts:backfill"}), frozenset({"KZ-75"}))
ANYONE = Sender("*", frozenset({"facts:write"}), frozenset({"*"}))
SECRET = "Aigul-860412400123"


def event(**changes: Any) -> dict[str, Any]:
    """An arrival as a structured event; a change to None leaves the attribute out."""
    good = {
        "specversion": "1.0",
        "id": "f04",
        "source": "102/KZ-75",
        "type": "qorgau.police.arrived.v1",
        "subject": "case-1",
        "time": "2026-04-14T19:15:00+05:00",
        "data": {"region": "KZ-75", "response": "incident", "injury": False, "sexual": False},
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def data(**changes: Any) -> dict[str, Any]:
    return {**event()["data"], **changes}


def refusal(changed: object, sender: Sender = SENDER, door: Door = POLICE) -> Rejected:
    with pytest.raises(Rejected) as caught:
        door.admit(changed, sender)
    return caught.value


def test_a_good_fact_is_stamped_with_the_instant_of_the_door() -> None:
    fact = POLICE.admit(event(), SENDER).fact
    time = parse_instant("2026-04-14T19:15:00+05:00")
    assert fact == Fact("f04", "102/KZ-75", "police.arrived", time, NOW, "case-1", event()["data"])


INVALID: dict[str, dict[str, Any]] = {
    "unknown type": {"type": "qorgau.police.levitated.v1"},
    "a fact type that is no event type": {"type": "police.arrived"},
    "another version of the type": {"type": "qorgau.police.arrived.v2"},
    "another service's type": {"type": "qorgau.report.triaged.v1"},
    "no type": {"type": None},
    "no id": {"id": None},
    "empty id": {"id": ""},
    "id too long": {"id": "x" * 65},
    "id with a space": {"id": "a b"},
    "id with a line end": {"id": "f04\n"},
    "no source": {"source": None},
    "source of no kind": {"source": "police/KZ-75"},
    "source with a person": {"source": "102/Aigul N."},
    "no time": {"time": None},
    "time without zone": {"time": "2026-04-14T19:15:00"},
    "time that is a date": {"time": "2026-04-14"},
    "time in nanoseconds": {"time": "2026-04-14T19:15:00.000000001+05:00"},
    "time that does not exist": {"time": "2026-02-30T19:15:00+05:00"},
    "time more than a day ahead": {"time": "2026-04-15T19:20:00.000001+05:00"},
    "case with other characters": {"subject": "case.1"},
    "case with an operator": {"subject": "$where"},
    "empty case": {"subject": ""},
    "case too long": {"subject": "c" * 65},
    "a surge, which is of many cases": {"subject": "surge-7c605069-80ae-5c23-93d5-28115ecff1fe"},
    "no case": {"subject": None},
    "reference without system": {"subject": "ref:12"},
    "reference with a space": {"subject": "ref:kui/12 3"},
    "another specversion": {"specversion": "0.3"},
    "no specversion": {"specversion": None},
    "unknown attribute": {"victim": SECRET},
    "data of another content type": {"datacontenttype": "text/plain"},
    "schema that is a sentence": {"dataschema": "Aigul lives here"},
    "no data": {"data": None},
    "data that is a list": {"data": [1]},
    "data that is a text": {"data": SECRET},
    "data nobody could unpack": {"data_base64": "?"},
    "unknown field": {"data": data(name=SECRET)},
    "field whose name is a secret": {"data": data(**{SECRET: 1})},
    "region missing": {"data": {"response": "incident", "injury": False, "sexual": False}},
    "region unknown to the policy": {"data": data(region="KZ-99")},
    "word that is none": {"data": data(response=SECRET)},
    "text for a bool": {"data": data(injury="true")},
    "number for a bool": {"data": data(injury=1)},
    "required when injury": {"data": data(injury=True)},
    "timestamp without zone inside": {"data": data(injury=True, occurred_at="2026-04-14T18:50:00")},
    "null": {"data": data(occurred_at=None)},
}


@pytest.mark.parametrize("changes", INVALID.values(), ids=INVALID)
def test_what_is_not_as_documented_is_invalid(changes: dict[str, Any]) -> None:
    error = refusal(event(**changes))
    assert isinstance(error, Invalid)
    assert error.problem()["status"] == 422
    sent = {str(value) for value in changes.values() if value} | {SECRET, "Aigul", "levitated"}
    answer = json.dumps(error.problem())
    assert not [text for text in sent if len(text) > 3 and text in answer]


STRINGS = ["id", "source", "type", "subject", "time", "specversion", "datacontenttype", "dataschema", "recordedtime"]


@pytest.mark.parametrize("name", STRINGS)
@pytest.mark.parametrize("bad", [{"$gt": ""}, ["x"], 7, True, 1.5], ids=str)
def test_an_operator_or_another_type_in_a_text_position_is_invalid(name: str, bad: object) -> None:
    assert isinstance(refusal(event(**{name: bad}), BACKFILLER), Invalid)


@pytest.mark.parametrize("name", STRINGS)
def test_an_operator_written_as_text_is_invalid(name: str) -> None:
    assert isinstance(refusal(event(**{name: '{"$gt": ""}'}), BACKFILLER), Invalid)


@pytest.mark.parametrize("value", [None, [], "x", 7, [event()]], ids=str)
def test_what_is_no_object_is_no_event(value: object) -> None:
    assert isinstance(refusal(value), Invalid)


FORBIDDEN: dict[str, tuple[dict[str, Any], Sender]] = {
    "scope missing": ({}, Sender("102/KZ-75", frozenset({"cases:read"}), frozenset({"KZ-75"}))),
    "another agency": ({}, Sender("102/KZ-71", SENDER.scopes, frozenset({"KZ-75"}))),
    "its unit": ({}, Sender("102", SENDER.scopes, frozenset({"KZ-75"}))),
    "kind that does not post it": (
        {"source": "court/KZ-75"},
        Sender("court/KZ-75", SENDER.scopes, frozenset({"KZ-75"})),
    ),
    "the system": ({"source": "system/x"}, Sender("*", SENDER.scopes, frozenset({"*"}))),
    "region of others": ({"data": data(region="KZ-71")}, SENDER),
    "recorded without the scope": ({"recordedtime": "2026-04-14T19:16:00+05:00"}, SENDER),
}


@pytest.mark.parametrize(("changes", "sender"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_the_token_does_not_allow_is_forbidden(changes: dict[str, Any], sender: Sender) -> None:
    error = refusal(event(**changes), sender)
    assert isinstance(error, Forbidden)
    assert error.status == 403


def test_a_fact_a_day_ahead_is_accepted_and_a_microsecond_more_is_not() -> None:
    POLICE.admit(event(time="2026-04-15T19:20:00+05:00"), SENDER)
    assert refusal(event(time="2026-04-15T19:20:00.000001+05:00")).field == "time"


def test_a_backfill_gives_its_own_recording_instant_and_may_lie_ahead() -> None:
    admitted = POLICE.admit(event(time="2030-01-01T00:00:00Z", recordedtime="2030-01-02T00:00:00.000001Z"), BACKFILLER)
    assert admitted.fact.recorded == parse_instant("2030-01-02T00:00:00.000001Z")
    assert admitted.own_recorded
    assert refusal(event(recordedtime="yesterday"), BACKFILLER).field == "recordedtime"


def test_a_development_token_posts_for_every_agency_that_may() -> None:
    assert POLICE.admit(event(source="102/KZ-71"), ANYONE).fact.source == "102/KZ-71"
    assert isinstance(refusal(event(source="court/KZ-71"), ANYONE), Forbidden)


def test_a_context_fact_has_no_case_and_the_others_need_one() -> None:
    free = {"region": "KZ-75", "places": 10, "free": 2, "quarantine_free": 0}
    shelter = event(source="shelter/KZ-75", type="qorgau.shelter.capacity_reported.v1", subject=None, data=free)
    assert INTAKE.admit(shelter, ANYONE).fact.case is None
    assert refusal({**shelter, "subject": "case-1"}, ANYONE, INTAKE).field == "subject"
    assert refusal(event(subject=None)).field == "subject"


@pytest.mark.parametrize("door", [INTAKE, POLICE, COURT], ids=lambda door: door.service)
@pytest.mark.parametrize("subject", ["case-1", None])
def test_a_withdrawal_is_taken_by_every_owner_with_and_without_a_case(door: Door, subject: str | None) -> None:
    withdrawn = {"region": "KZ-75", "fact_id": "cad:12.3", "reason": "wrong_case"}
    fact = door.admit(event(type="qorgau.fact.withdrawn.v1", subject=subject, data=withdrawn), SENDER).fact
    assert (fact.type, fact.case) == ("fact.withdrawn", subject)


def test_a_reference_becomes_a_keyed_digest_and_is_stamped_anew_when_joined() -> None:
    admitted = POLICE.admit(event(subject="ref:kui/2026-12345"), SENDER)
    assert admitted.fact.case is None
    assert admitted.reference is not None
    assert "12345" not in repr(admitted)
    assert POLICE.admit(event(subject="ref:kui/2026-12345"), SENDER).reference == admitted.reference
    other = Door("police-dispatch", police_dispatch.domain.FACTS, REGIONS, lambda: NOW, KEY + "!")
    assert other.admit(event(subject="ref:kui/2026-12345"), SENDER).reference != admitted.reference
    joined = admitted.joined("case-9", NOW + DAY)
    assert (joined.case, joined.recorded) == ("case-9", NOW + DAY)
    given = POLICE.admit(event(subject="ref:kui/1", recordedtime="2026-04-14T10:00:00Z"), BACKFILLER)
    assert given.joined("case-9", NOW + DAY).recorded == parse_instant("2026-04-14T10:00:00Z")


def test_a_fact_written_to_kafka_is_read_back_through_the_door() -> None:
    fact = POLICE.admit(event(), SENDER).fact
    key, value, headers = to_kafka(fact)
    assert key == b"case-1"
    assert POLICE.admit(from_kafka(headers, value), BACKFILLER).fact == fact


# No message of ours contains a snowman.
marked = st.text(max_size=20).map(lambda text: "\u2603" + text)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | marked,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(marked, inner, max_size=3),
    max_leaves=6,
)


def outcome(changed: object) -> Admitted | Rejected:
    try:
        return POLICE.admit(changed, SENDER)
    except Rejected as error:
        return error


@given(st.sampled_from([*event(), "data.region", "data.response", "data.injury", "extra"]), json_values)
def test_whatever_stands_in_a_field_it_is_a_fact_or_a_refusal_that_repeats_nothing(name: str, value: Any) -> None:
    field = {"data": data(**{name[5:]: value})} if name.startswith("data.") else {name: value}
    result = outcome({**event(), **field})
    if isinstance(result, Admitted):
        to_kafka(result.fact)
    else:
        assert result.status in (403, 422)
        assert "\u2603" not in json.dumps(result.problem(), ensure_ascii=False)
