"""NIEM court events as facts: add, update and delete, whoever refers to them, and what becomes of anything else."""

from typing import Any

import pytest

from qorgau.importing.fields import Translator
from qorgau.importing.making import Made, Record, Unused
from qorgau.importing.mapping import read_map
from qorgau.importing.maps import MessageMap
from qorgau.importing.niem import NIEM
from qorgau.importing.reasons import DROPPED, NOTES, REASONS
from tests.imports import EXAMPLES, KEY, RECEIVED, made_of

ADDED, MOVED, DELETED = (
    (EXAMPLES / "niem" / f"{name}.xml").read_text(encoding="utf-8") for name in ("1-added", "2-moved", "3-deleted")
)
EVENT = "nola:CourtEventExchange/j:CourtEvent"


def made(text: str) -> Made:
    one = made_of(NIEM, NIEM.read(text.encode()))
    assert one.notes <= NOTES.keys()
    assert {why for _, why in one.dropped} <= DROPPED.keys()
    return one


def unused(text: str) -> tuple[str, str]:
    with pytest.raises(Unused) as caught:
        made(text)
    assert caught.value.reason in REASONS
    return caught.value.reason, caught.value.column


def only(text: str) -> Any:
    (fact,) = made(text).facts
    return fact


def without(text: str, begin: str, end: str) -> str:
    head, _, rest = text.partition(begin)
    return head + rest.partition(end)[2]


def codes(operation: str) -> str:
    """A message that declares one operation, to which nothing refers."""
    text = without(ADDED, "<nola-ext:MessageOperationCode", "<j:CourtEvent>")
    code = f"<nola-ext:MessageOperationCode>{operation}</nola-ext:MessageOperationCode><j:CourtEvent>"
    head, _, rest = text.partition(" structures:metadata")
    return (head + rest.partition('"add"')[2]).replace("    <j:CourtEventCase>", code + "<j:CourtEventCase>", 1)


def test_an_added_hearing_is_scheduled_dated_when_the_message_came() -> None:
    fact = only(ADDED)
    assert (fact.type, fact.time, fact.recorded) == ("court.hearing_scheduled", RECEIVED, RECEIVED)
    assert fact.data["scheduled_for"] == "2026-02-05T04:30:00Z"
    assert made(ADDED).notes == {"time_of_receipt"}


def test_a_hearing_that_gets_another_date_is_the_same_hearing_scheduled_once_more() -> None:
    first, second = only(ADDED), only(MOVED)
    assert (second.type, second.data["scheduled_for"]) == ("court.hearing_scheduled", "2026-02-06T04:30:00Z")
    assert (first.case, first.data["hearing_id"]) == (second.case, second.data["hearing_id"])
    assert first.id != second.id
    assert only(MOVED).id == second.id


def test_a_deleted_hearing_is_a_cancelled_one_and_the_state_of_the_case_says_why() -> None:
    assert (only(DELETED).type, only(DELETED).data["reason"]) == ("court.hearing_cancelled", "case_ended")
    in_error = DELETED.replace("Dismissed", "Docketed in error")
    assert only(in_error).data["reason"] == "entered_in_error"
    unknown = DELETED.replace("Dismissed", "Left to lie")
    assert only(unknown).data["reason"] == "other"
    status = f"{EVENT}/j:CourtEventCase/nc:ActivityStatus/nc:StatusText"
    assert made(unknown).dropped[status, "code_as_other"] == 1
    assert only(DELETED.replace("<DateTime>2026-02-05T10:00:00+05:00</DateTime>", "")).data["reason"] == "case_ended"


@pytest.mark.parametrize("place", ["<ScheduleDate", "<DateTime", "<j:CourtEvent"])
def test_the_operation_is_found_wherever_the_hearing_refers_to_it(place: str) -> None:
    plain = ADDED.replace(' structures:metadata="add"', "")
    text = plain.replace(f"{place}>", f'{place} structures:metadata="delete">', 1)
    assert only(text).type == "court.hearing_cancelled"


def test_one_operation_to_which_nothing_refers_is_that_of_the_message() -> None:
    assert only(codes("delete")).type == "court.hearing_cancelled"
    assert "operation_assumed" not in made(codes("update")).notes


def test_operations_of_other_parts_or_none_leave_the_hearing_new() -> None:
    other = ADDED.replace(' structures:metadata="add"', "").replace(
        "<StatusText>", '<StatusText structures:metadata="delete">'
    )
    assert made(other).notes == {"operation_assumed", "time_of_receipt"}
    assert only(other).id == only(ADDED).id


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('structures:metadata="add"', 'structures:metadata="nowhere"', "operation_unknown"),
        ('structures:id="add">add<', 'structures:id="add">upsert<', "operation_unknown"),
        ("<CaseDocketID>3-1002/26</CaseDocketID>", "", "number_missing"),
        ("<DateTime>2026-02-05T09:30:00+05:00</DateTime>", "", "time_missing"),
        ("2026-02-05T09:30:00+05:00", "next week", "time_unreadable"),
        ("<IdentificationID>DC2<", "<IdentificationID>DC9<", "region_unknown"),
        ("<CaseDocketID>", "<CaseDocketID><Part>1</Part>", "type_wrong"),
        ("nola:CourtEventExchange", "nola:BookingExchange", "message_unknown"),
        ("http://mcp.com/nola/v/1.0/", "http://example.org/other/", "message_unknown"),
    ],
)
def test_what_is_not_as_the_exchange_says_is_refused(old: str, new: str, expected: str) -> None:
    assert old in ADDED
    assert unused(ADDED.replace(old, new))[0] == expected


def test_a_hearing_without_a_number_is_known_by_its_date_and_without_both_by_nothing() -> None:
    plain = without(ADDED, "<j:CourtEventSequenceID>", "</j:CourtEventSequenceID>")
    assert "hearing_without_number" in made(plain).notes
    dateless = without(DELETED, "<j:CourtEventSequenceID>", "</j:CourtEventSequenceID>")
    dateless = without(dateless, "<DateTime>", "</DateTime>")
    assert unused(dateless) == ("hearing_missing", f"{EVENT}/j:CourtEventSequenceID")


def test_a_time_without_an_offset_is_of_the_zone_of_the_map_and_one_with_z_is_not() -> None:
    assert only(ADDED.replace("+05:00", "")).data["scheduled_for"] == "2026-02-05T04:30:00Z"
    assert only(ADDED.replace("+05:00", "Z")).data["scheduled_for"] == "2026-02-05T09:30:00Z"


def test_other_versions_and_prefixes_of_niem_are_the_same_message() -> None:
    older = ADDED.replace("niem-core/5.0", "niem-core/4.0").replace("jxdm/7.2", "jxdm/6.1")
    assert only(older) == only(ADDED)
    assert only(ADDED.replace("nola:", "n:").replace("xmlns:nola=", "xmlns:n=")) == only(ADDED)


def test_the_defendant_and_the_judge_are_counted_and_in_no_fact() -> None:
    one = made(ADDED)
    assert one.dropped[f"{EVENT}/j:CourtEventJudge", "personal"] == 1
    assert one.dropped[f"{EVENT}/j:CourtEventCase/j:CaseAugmentation", "personal"] == 1
    for word in ("Invented", "1980", "3-1002", "DC2", "204"):
        assert word not in repr((one.facts, one.dropped))


def test_a_list_and_messages_of_one_system_speak_of_one_case() -> None:
    text = (EXAMPLES / "niem-map.yaml").read_text(encoding="utf-8")
    other = read_map(text.replace("city-court", "another"), MessageMap, NIEM.asked_of_map)
    apart = Translator(NIEM, other, KEY).make(Record(1, 1, NIEM.read(ADDED.encode()), received=RECEIVED))
    assert apart.facts[0].case != only(ADDED).case
