"""Hearings as the hearing service of HMCTS gives them (JSON): which parts are read, what its codes mean. Pure.

Two messages are known: one hearing (`requestDetails`, `caseDetails`, `hearingResponse`) and all hearings of a case
(`caseRef`, `caseHearings`). Times without an offset are of the zone of the map.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from qorgau.facts import Fact
from qorgau.importing.fields import USED, At, Codes, Standard, Telling
from qorgau.importing.making import Hearing, Unused
from qorgau.importing.strict import read_json
from qorgau.instants import SECOND, format_instant

_STATES = ("listed", "held", "cancelled", "postponed", "none")
CODES: Mapping[str, Codes] = {
    "statuses": Codes(
        {
            **dict.fromkeys(("listed", "update_requested", "update_submitted", "awaiting_actuals"), "listed"),
            **dict.fromkeys(("cancelled", "vacated"), "cancelled"),
            **{"completed": "held", "adjourned": "postponed"},
            **dict.fromkeys(("hearing_requested", "awaiting_listing", "cancellation_requested"), "none"),
            **dict.fromkeys(("cancellation_submitted", "closed", "exception"), "none"),
        },
        _STATES,
    ),
    # A date that is not fixed is none yet.
    "listing_statuses": Codes(
        {"fixed": "listed", "draft": "none", "provisional": "none", "cncl": "cancelled", "cancel": "cancelled"},
        ("listed", "cancelled", "none"),
    ),
    "channels": Codes(
        {"inter": "in_person", "tel": "remote", "vid": "remote", "onpprs": "none", "na": "none"},
        ("in_person", "remote", "none"),
    ),
    "cancellation_reasons": Codes(
        {
            "listedinerror": "entered_in_error",
            **dict.fromkeys(("withdrawn", "struckout", "settled", "lapsed", "withdraw"), "case_ended"),
            **dict.fromkeys(("other", "partyunabletoattend", "incompletetribunal", "judicialdirection"), "other"),
            **dict.fromkeys(("exclusion", "nolongerreadyforhearing", "feenotpaid", "reclist", "unable"), "other"),
        },
        ("entered_in_error", "case_ended", "other"),
        otherwise="other",
    ),
}

_DAY: Mapping[str, str] = {
    **{f"hearing{name}DateTime": USED for name in ("Start", "End")},
    "hearingVenueId": USED,
    **{f"{name}": "administrative" for name in ("listAssistSessionID", "listAssistSessionId")},
    **dict.fromkeys(("hearingJudgeId", "panelMemberIds", "panelMemberId", "attendees"), "personal"),
    "hearingRoomId": "location",
}
_OF_HEARING = {
    **dict.fromkeys(("hearingID", "hmcStatus", "lastResponseReceivedDateTime", "hearingListingStatus"), USED),
    **dict.fromkeys(("hearingChannels", "hearingCancellationReason"), USED),
    **dict.fromkeys(("hearingType", "listAssistCaseStatus", "hearingIsLinkedFlag"), "not_needed"),
    **dict.fromkeys(("hearingRequestDateTime", "requestVersion", "responseVersion"), "administrative"),
    "hearingGroupRequestId": "official_number",
}
FIELDS: Mapping[str, str] = {
    "caseRef": USED,
    **dict.fromkeys(("hmctsServiceCode", "hmctsServiceID"), "administrative"),
    **{f"caseHearings/{name}": why for name, why in _OF_HEARING.items()},
    **{f"caseHearings/hearingDaySchedule/{name}": why for name, why in _DAY.items()},
    **{f"requestDetails/{name}": USED for name in ("hearingRequestID", "status", "timestamp", "timeStamp")},
    "requestDetails/cancellationReasonCodes": USED,
    **{f"requestDetails/{name}": "administrative" for name in ("versionNumber", "partiesNotified")},
    "requestDetails/hearingGroupRequestId": "official_number",
    "caseDetails/caseRef": USED,
    "caseDetails/caseManagementLocationCode": USED,
    "caseDetails/externalCaseReference": "official_number",
    **{f"caseDetails/{name}": "personal" for name in ("hmctsInternalCaseName", "publicCaseName")},
    **{f"caseDetails/{name}": "administrative" for name in ("hmctsServiceCode", "caseDeepLink", "caseSLAStartDate")},
    **{f"caseDetails/case{name}Flag": "not_needed" for name in ("AdditionalSecurity", "InterpreterRequired")},
    **{f"caseDetails/{name}": "not_needed" for name in ("caserestrictedFlag", "caseCategories")},
    "hearingDetails/hearingChannels": USED,
    **{f"hearingDetails/hearing{name}": "not_needed" for name in ("Type", "Window", "PriorityType", "InWelshFlag")},
    **{f"hearingDetails/{name}": "not_needed" for name in ("duration", "autolistFlag", "numberOfPhysicalAttendees")},
    **{f"hearingDetails/hearing{name}": "not_needed" for name in ("IsLinkedFlag", "SpecificDates")},
    **{f"hearingDetails/{name}": "not_needed" for name in ("facilitiesRequired", "privateHearingRequiredFlag")},
    "hearingDetails/hearingLocations": "location",
    **{f"hearingDetails/{name}": "personal" for name in ("panelRequirements", "leadJudgeContractType", "judiciary")},
    "hearingDetails/hearingRequester": "personal",
    **{f"hearingDetails/{name}": "narrative" for name in ("listingComments", "nonStandardHearingDurationReasons")},
    **{f"hearingDetails/amendReasonCode{name}": "not_needed" for name in ("", "s")},
    **{f"hearingResponse/{name}": USED for name in ("receivedDateTime", "listingStatus", "hearingCancellationReason")},
    **{f"hearingResponse/{name}": "administrative" for name in ("listAssistTransactionID", "responseVersion")},
    "hearingResponse/laCaseStatus": "not_needed",
    **{f"hearingResponse/hearingDaySchedule/{name}": why for name, why in _DAY.items()},
    "partyDetails": "personal",
}


@dataclass(frozen=True, slots=True)
class _Listing:
    """One hearing in either message: where its state, its days and its channels stand, and when that was told."""

    path: str
    number: str
    hearing: str
    state: str | None
    told_at: int | None
    days: list[At]
    channels: list[str]
    cancelled_for: str | None


def _facts(message: At, telling: Telling) -> Iterator[Fact]:
    if "caseHearings" in message.value:
        listings = [_of_case(message, hearing, telling) for hearing in message.each("caseHearings")]
        located: Mapping[str, str] = {}
    elif "requestDetails" in message.value:
        listings = [_alone(message, telling)]
        located = {"location": message.one("caseDetails").text("caseManagementLocationCode")}
    else:
        raise Unused("message_unknown")
    for listing in listings:
        yield from _told(listing, located, telling)


def _of_case(message: At, hearing: At, telling: Telling) -> _Listing:
    return _Listing(
        path=hearing.to("hmcStatus"),
        number=message.text("caseRef"),
        hearing=hearing.text("hearingID"),
        state=_state(telling, hearing, "hmcStatus", hearing, "hearingListingStatus"),
        told_at=telling.instant(hearing, "lastResponseReceivedDateTime"),
        days=hearing.each("hearingDaySchedule"),
        channels=telling.all_codes("channels", hearing, "hearingChannels"),
        cancelled_for=telling.code("cancellation_reasons", hearing, "hearingCancellationReason"),
    )


def _alone(message: At, telling: Telling) -> _Listing:
    request, response = message.one("requestDetails"), message.one("hearingResponse")
    told_at = telling.instant(response, "receivedDateTime")
    for name in ("timestamp", "timeStamp"):
        told_at = telling.instant(request, name) if told_at is None else told_at
    why = telling.code("cancellation_reasons", response, "hearingCancellationReason")
    return _Listing(
        path=request.to("status"),
        number=message.one("caseDetails").text("caseRef"),
        hearing=request.text("hearingRequestID"),
        state=_state(telling, request, "status", response, "listingStatus"),
        told_at=told_at,
        days=response.each("hearingDaySchedule"),
        channels=telling.all_codes("channels", message.one("hearingDetails"), "hearingChannels"),
        cancelled_for=why or telling.code("cancellation_reasons", request, "cancellationReasonCodes"),
    )


def _state(telling: Telling, at: At, name: str, listing: At, listing_name: str) -> str | None:
    """What the hearing's state means; listed it is only if its date is fixed."""
    state = telling.code("statuses", at, name)
    if state is None:
        raise Unused("state_unknown", at.to(name))
    fixed = telling.code("listing_statuses", listing, listing_name)
    if state == "listed" and fixed is None and listing.text(listing_name):
        raise Unused("state_unknown", listing.to(listing_name))
    return fixed if state == "listed" and fixed is not None else state


def _told(listing: _Listing, located: Mapping[str, str], telling: Telling) -> Iterator[Fact]:
    if listing.state == "none":
        telling.dropped[listing.path, "no_fact"] += 1
        return
    if not listing.number:
        raise Unused("number_missing", "caseRef")
    if not listing.hearing:
        raise Unused("hearing_missing", "hearingID")
    venues = filter(None, (day.text("hearingVenueId") for day in listing.days))
    region = telling.district({**located, "venue": next(venues, "")})
    about = Hearing.of(telling.keyed, telling.map.system, listing.number, listing.hearing)
    name, at, fields = _outcome(listing, telling)
    told = (str(at // SECOND), str(fields.get("scheduled_for", "")))
    yield about.fact(telling.keyed, telling.map.source, name, at, {**region, **fields}, told)


def _outcome(listing: _Listing, telling: Telling) -> tuple[str, int, dict[str, Any]]:
    """The name of the fact, its instant and its own fields."""
    starts = [telling.instant(day, "hearingStartDateTime") for day in listing.days]
    days = [start for start in starts if start is not None]
    if listing.state == "listed":
        if not days or listing.told_at is None:
            raise Unused("time_missing", "hearingStartDateTime" if not days else "receivedDateTime")
        modes = set(listing.channels)
        mode = {"mode": modes.pop()} if len(modes) == 1 and modes != {"none"} else {}
        return "scheduled", listing.told_at, {"scheduled_for": format_instant(min(days)), **mode}
    if listing.state == "cancelled":
        if listing.told_at is None:
            raise Unused("time_missing", "receivedDateTime")
        return "cancelled", listing.told_at, {"reason": listing.cancelled_for or "other"}
    ends = [telling.instant(day, "hearingEndDateTime", start) for day, start in zip(listing.days, starts, strict=True)]
    last = max((end for end in (*ends, *days) if end is not None), default=listing.told_at)
    if last is None:
        raise Unused("time_missing", "hearingEndDateTime")
    if listing.state == "postponed":
        return "postponed", last, {"reason": "other"}
    return "held", last, {}


HMCTS = Standard(
    name="hmcts",
    agency="court",
    read=read_json,
    endings=(".json", ".ndjson", ".jsonl"),
    fields=FIELDS,
    codes=CODES,
    district=("venue", "location"),
    facts=_facts,
)
