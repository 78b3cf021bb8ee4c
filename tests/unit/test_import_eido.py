"""EIDO incidents as facts: what each part becomes, whose units count, and what becomes of codes that nobody knows."""

import json
from typing import Any

import pytest

from qorgau.importing.eido import EIDO
from qorgau.importing.fields import Translator
from qorgau.importing.making import Made, Record, Unused
from qorgau.importing.mapping import BadMap, read_map
from qorgau.importing.maps import MessageMap
from qorgau.importing.reasons import DROPPED, NOTES, REASONS
from qorgau.instants import format_instant
from tests.imports import EXAMPLES, KEY, changed, example_map, made_of


def sample(name: str) -> Any:
    return json.loads((EXAMPLES / "eido" / f"{name}.json").read_text(encoding="utf-8"))


CALLED, THERE, CURFEW = sample("5501-1-called"), sample("5501-3-police-there"), sample("5502-curfew")
TYPE = "incidentComponent/incidentTypeCommonRegistryText"


def made(message: Any) -> Made:
    one = made_of(EIDO, message)
    assert one.notes <= NOTES.keys()
    assert {why for _, why in one.dropped} <= DROPPED.keys()
    return one


def short(message: Any) -> list[tuple[str, str]]:
    return [(fact.type.removeprefix("police."), format_instant(fact.time)) for fact in made(message).facts]


def unused(message: Any) -> tuple[str, str]:
    with pytest.raises(Unused) as caught:
        made(message)
    assert caught.value.reason in REASONS
    return caught.value.reason, caught.value.column


def test_an_incident_is_registered_when_called_and_answered_when_a_unit_of_the_police_is_there() -> None:
    assert short(CALLED) == [("incident_registered", "2026-02-10T13:02:11Z")]
    assert short(THERE) == [
        ("incident_registered", "2026-02-10T13:02:11Z"),
        ("dispatched", "2026-02-10T13:05:30Z"),
        ("arrived", "2026-02-10T13:19:40Z"),
    ]
    assert dict(made(CALLED).facts[0].data) == {"region": "KZ-75", "area": "urban", "priority": "immediate"}


def test_an_ambulance_that_is_there_is_no_arrival_of_the_police() -> None:
    one = made(sample("5501-2-ambulance-there"))
    assert "police.arrived" not in {fact.type for fact in one.facts}
    assert one.notes == {"no_arrival", "unit_not_of_police"}


def test_a_unit_that_refers_to_nobody_known_is_not_of_the_police() -> None:
    message = changed(THERE, "emergencyResourceComponent/1/agentReference", [{"$ref": "somebody"}])
    assert "police.arrived" not in {fact.type for fact in made(message).facts}
    message = changed(THERE, "emergencyResourceComponent/1/agentReference", ...)
    assert "police.arrived" not in {fact.type for fact in made(message).facts}


def test_what_is_said_again_has_the_same_id_and_another_incident_or_key_has_others() -> None:
    first = [fact.id for fact in made(CALLED).facts]
    assert [fact.id for fact in made(THERE).facts][:1] == first
    other = changed(CALLED, "$id", "urn:emergency:uid:incidentid:1:psap.example.org")
    assert [fact.id for fact in made(other).facts] != first
    assert [fact.id for fact in made_of(EIDO, CALLED, key=KEY + "2").facts] != first


def test_another_call_is_one_anonymous_record_once_police_are_there() -> None:
    (fact,) = made(CURFEW).facts
    assert (fact.type, fact.case) == ("police.call_recorded", None)
    assert fact.data["category"] == "emergency_regime"
    assert unused(changed(CURFEW, "emergencyResourceComponent", [])) == ("no_fact", "")


def test_an_incident_merged_into_another_is_cancelled_unless_police_came() -> None:
    assert short(sample("5503-merged"))[-1] == ("call_cancelled", "2026-02-10T18:44:00Z")
    merged = {**THERE, "mergeComponent": sample("5503-merged")["mergeComponent"]}
    assert len(short(merged)) == 3
    replacing = changed(sample("5503-merged"), "mergeComponent/0/incidentMergeDirectionCode", "REPLACING")
    assert len(short(replacing)) == 1


def test_a_disposition_counts_where_the_map_says_what_it_means_and_is_counted_where_it_does_not() -> None:
    said = [{"dispositionCommonRegistryCode": "FALSE", "lastUpdateTimeStamp": "2026-02-10T18:30:00+05:00"}]
    message = changed(CALLED, "incidentComponent/dispositionComponent", said)
    assert made(message).facts[-1].data["reason"] == "false_call"
    unknown = changed(message, "incidentComponent/dispositionComponent/0/dispositionCommonRegistryCode", "ZZ-9")
    path = "incidentComponent/dispositionComponent/dispositionCommonRegistryCode"
    assert made(unknown).dropped[path, "code_unknown"] == 1
    assert len(made(unknown).facts) == 1


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (TYPE, "X-HOME", ("category_unknown", TYPE)),
        (TYPE, ..., ("category_unknown", TYPE)),
        (TYPE, ["DVA"], None),
        (TYPE, {"code": "DVA"}, ("type_wrong", TYPE)),
        (TYPE, True, ("type_wrong", TYPE)),
        (TYPE, "DVA \udcff", ("text_unreadable", TYPE)),
        (TYPE, "FSTRU", ("not_selected", TYPE)),
        ("incidentComponent", [CALLED["incidentComponent"]], None),
        ("incidentComponent", "DVA", ("type_wrong", "incidentComponent")),
        ("incidentComponent", ..., ("no_fact", "incidentComponent")),
        (
            "incidentComponent/incidentCommonPriorityNumber",
            11,
            ("priority_unknown", "incidentComponent/incidentCommonPriorityNumber"),
        ),
        ("$id", "", ("number_missing", "$id")),
        ("callComponent", [], ("start_missing", "callComponent/callStartTimestamp")),
        ("callComponent/0/direction", "outgoing", ("start_missing", "callComponent/callStartTimestamp")),
        ("callComponent/0/callStartTimestamp", "yesterday", ("time_unreadable", "callComponent/callStartTimestamp")),
        ("callComponent", 7, ("type_wrong", "callComponent")),
        ("locationComponent", [], ("region_unknown", "")),
    ],
)
def test_what_is_not_as_the_standard_says_is_refused_by_its_path(
    path: str, value: Any, expected: tuple[str, str] | None
) -> None:
    message = changed(CALLED, path, value)
    if expected is None:
        assert len(made(message).facts) == 1
    else:
        assert unused(message) == expected


@pytest.mark.parametrize("message", [{}, {"a": 1}, [], "EIDO", None, 3])
def test_what_is_no_eido_at_all_is_said_to_be_none(message: Any) -> None:
    assert unused(message) == ("message_unknown", "")


def test_a_location_that_is_a_bomb_or_broken_is_noted_and_gives_no_district() -> None:
    bomb = '<!DOCTYPE l [<!ENTITY a "x">]><l>&a;</l>'
    for broken in (bomb, "   <?xml", "I-80 EAST", "<a>" * 1_000):
        assert unused(changed(CALLED, "locationComponent/0/locationByValue", broken)) == ("region_unknown", "")
    with_another = changed(CALLED, "locationComponent", [{"$id": "loc-5501", "locationByValue": bomb}])
    with_another["locationComponent"] += CALLED["locationComponent"]
    assert "location_unreadable" in made(with_another).notes


def test_of_names_outside_the_standard_only_the_number_is_told() -> None:
    message = changed({**CALLED, "Aigul S.": "secret"}, "incidentComponent/suspect", {"name": "secret"})
    dropped = made(message).dropped
    assert dropped["*", "not_of_the_standard"] == 1
    assert dropped["incidentComponent/*", "not_of_the_standard"] == 1
    assert "Aigul" not in repr(dropped)
    assert "suspect" not in repr(dropped)


def test_persons_call_back_and_streets_are_counted_and_in_no_fact() -> None:
    one = made(THERE)
    for path, why in (
        ("personComponent", "personal"),
        ("callbackComponent", "contact"),
        ("notesComponent", "narrative"),
        ("locationComponent/locationByValue", "location"),
        ("incidentComponent/internalIncidentId", "official_number"),
    ):
        assert one.dropped[path, why] == 1
    for word in ("Invented", "7270000000", "Sample street", "5501", "Medeu", "car21"):
        assert word not in repr((one.facts, one.dropped, one.notes))


def test_a_map_adds_local_codes_and_says_which_table_it_does_not_know() -> None:
    text = (EXAMPLES / "eido-map.yaml").read_text(encoding="utf-8")
    local = text.replace("codes:", "codes:\n  incident_types: {x-home: domestic_violence}")
    one = Translator(EIDO, read_map(local, MessageMap, EIDO.asked_of_map), KEY)
    assert len(one.make(Record(1, 1, sample("5505-local-code"))).facts) == 1
    for mistake in ("incidents: {a: other}", "incident_types: {a: burglary}"):
        with pytest.raises(BadMap, match="one of"):
            read_map(text.replace("codes:", f"codes:\n  {mistake}"), MessageMap, EIDO.asked_of_map)
    for old, new in (("102/KZ-75", "court/KZ-75"), ("{field: A1", "{field: RD"), ("area:", "#")):
        with pytest.raises(BadMap):
            read_map(text.replace(old, new, 1), MessageMap, EIDO.asked_of_map)
    assert example_map(EIDO).system == "city-psap"
