"""HMCTS hearings as facts: both messages, every state, and what becomes of codes that nobody knows."""

import json
from typing import Any

import pytest

from qorgau.importing.hmcts import HMCTS
from qorgau.importing.making import Made, Unused
from qorgau.importing.reasons import DROPPED, NOTES, REASONS
from qorgau.instants import format_instant
from tests.imports import EXAMPLES, changed, made_of

CASE = json.loads((EXAMPLES / "hmcts/case.json").read_text(encoding="utf-8"))
ALONE, OTHER = map(json.loads, (EXAMPLES / "hmcts/hearings.ndjson").read_text(encoding="utf-8").splitlines())
# The second hearing of the case, by itself.
LISTED = {**CASE, "caseHearings": CASE["caseHearings"][1:2]}
HEARING = "caseHearings/0"


def made(message: Any) -> Made:
    one = made_of(HMCTS, message)
    assert one.notes <= NOTES.keys()
    assert {why for _, why in one.dropped} <= DROPPED.keys()
    return one


def only(message: Any) -> Any:
    (fact,) = made(message).facts
    return fact


def unused(message: Any) -> tuple[str, str]:
    with pytest.raises(Unused) as caught:
        made(message)
    assert caught.value.reason in REASONS
    return caught.value.reason, caught.value.column


def state(name: str, **fields: Any) -> Any:
    return {**CASE, "caseHearings": [{**LISTED["caseHearings"][0], "hmcStatus": name, **fields}]}


def test_the_hearings_of_a_case_are_held_and_scheduled_and_one_without_a_date_is_counted() -> None:
    one = made(CASE)
    assert [(fact.type, format_instant(fact.time)) for fact in one.facts] == [
        ("court.hearing_held", "2026-02-03T06:40:00Z"),
        ("court.hearing_scheduled", "2026-02-03T08:00:00Z"),
    ]
    assert len({fact.case for fact in one.facts}) == 1
    assert one.dropped["caseHearings/hmcStatus", "no_fact"] == 1


def test_one_hearing_that_is_cancelled_is_the_hearing_that_the_case_lists() -> None:
    fact = only(ALONE)
    assert (fact.type, fact.data["reason"]) == ("court.hearing_cancelled", "case_ended")
    assert (fact.case, fact.data["hearing_id"]) == (only(LISTED).case, only(LISTED).data["hearing_id"])


@pytest.mark.parametrize(
    ("status", "listing", "expected"),
    [
        ("LISTED", "FIXED", "court.hearing_scheduled"),
        ("LISTED", None, "court.hearing_scheduled"),
        ("UPDATE_REQUESTED", "FIXED", "court.hearing_scheduled"),
        ("AWAITING_ACTUALS", "FIXED", "court.hearing_scheduled"),
        ("LISTED", "CNCL", "court.hearing_cancelled"),
        ("CANCELLED", "FIXED", "court.hearing_cancelled"),
        ("VACATED", None, "court.hearing_cancelled"),
        ("COMPLETED", "FIXED", "court.hearing_held"),
        ("ADJOURNED", "FIXED", "court.hearing_postponed"),
        ("LISTED", "PROVISIONAL", "no_fact"),
        ("LISTED", "DRAFT", "no_fact"),
        ("AWAITING_LISTING", None, "no_fact"),
        ("HEARING_REQUESTED", None, "no_fact"),
        ("EXCEPTION", None, "no_fact"),
        ("PAUSED", "FIXED", "state_unknown"),
        ("LISTED", "PENCILLED", "state_unknown"),
        (None, "FIXED", "state_unknown"),
    ],
)
def test_every_state_of_a_hearing_is_a_fact_or_none_or_refused(
    status: str | None, listing: str | None, expected: str
) -> None:
    message = state(status or "", hearingListingStatus=listing)
    if expected.startswith("court."):
        assert only(message).type == expected
    else:
        assert unused(message)[0] == expected


def test_another_date_or_another_answer_is_another_fact_about_the_same_hearing() -> None:
    first = only(LISTED)
    moved = only(changed(LISTED, f"{HEARING}/hearingDaySchedule/0/hearingStartDateTime", "2026-02-07T09:30:00"))
    again = only(changed(LISTED, f"{HEARING}/lastResponseReceivedDateTime", "2026-02-04T13:00:00"))
    assert len({first.id, moved.id, again.id}) == 3
    assert len({fact.data["hearing_id"] for fact in (first, moved, again)}) == 1
    assert only(LISTED).id == first.id


def test_a_mode_is_said_only_where_all_channels_agree() -> None:
    for channels, mode in (
        (["VID"], "remote"),
        (["TEL", "VID"], "remote"),
        (["INTER"], "in_person"),
        (["INTER", "VID"], None),
        (["ONPPRS"], None),
        (None, None),
    ):
        assert only(changed(LISTED, f"{HEARING}/hearingChannels", channels)).data.get("mode") == mode
    odd = made(changed(LISTED, f"{HEARING}/hearingChannels", ["HOLOGRAM"]))
    assert odd.dropped["caseHearings/hearingChannels", "code_unknown"] == 1


def test_a_reason_for_cancelling_that_nobody_knows_is_other_and_counted() -> None:
    one = made(OTHER)
    assert one.facts[0].data["reason"] == "other"
    assert one.dropped["hearingResponse/hearingCancellationReason", "code_as_other"] == 1


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("caseRef", None, "number_missing"),
        (f"{HEARING}/hearingID", None, "hearing_missing"),
        (f"{HEARING}/hearingID", 1.5, "type_wrong"),
        (f"{HEARING}/hearingID", [[]], "type_wrong"),
        (f"{HEARING}/lastResponseReceivedDateTime", None, "time_missing"),
        (f"{HEARING}/lastResponseReceivedDateTime", "2026-02-30T10:00:00", "time_unreadable"),
        (f"{HEARING}/hearingDaySchedule", None, "region_unknown"),
        (f"{HEARING}/hearingDaySchedule/0/hearingStartDateTime", None, "time_missing"),
        (f"{HEARING}/hearingDaySchedule", "tomorrow", "type_wrong"),
        (f"{HEARING}/hearingDaySchedule/0/hearingVenueId", "999", "region_unknown"),
        ("caseHearings", {}, "state_unknown"),
        ("caseHearings", [], "no_fact"),
        ("caseHearings", ..., "message_unknown"),
    ],
)
def test_what_is_not_as_the_service_says_is_refused(path: str, value: Any, expected: str) -> None:
    assert unused(changed(LISTED, path, value))[0] == expected


def test_parties_judges_and_numbers_are_counted_and_in_no_fact() -> None:
    one = made(ALONE)
    for path, why in (
        ("partyDetails", "personal"),
        ("caseDetails/publicCaseName", "personal"),
        ("hearingDetails/listingComments", "narrative"),
        ("caseDetails/externalCaseReference", "official_number"),
        ("hearingResponse/hearingDaySchedule/hearingJudgeId", "personal"),
    ):
        assert one.dropped[path, why] == 1
    for word in ("Invented", "1700000000000001", "2000000002", "EXT/1", "J-1"):
        assert word not in repr((one.facts, one.dropped))
