"""Court events of NIEM in the shape of the New Orleans JTMP exchange (XML): what is read, what codes mean. Pure.

A message adds, changes or deletes one event of a docket. Which of the three is said by `MessageOperationCode`, to which
the event, its schedule or its date refers; a deleted hearing is a cancelled one. A message has no time of its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from qorgau.facts import Fact
from qorgau.importing.fields import ANYWHERE, USED, At, Codes, Standard, Telling
from qorgau.importing.making import Hearing, Unused
from qorgau.importing.strict import read_xml
from qorgau.instants import SECOND, format_instant

_NIEM = "http://release.niem.gov/niem"
PREFIXES: Mapping[str, str] = {
    **{f"{_NIEM}/niem-core/{version}/": "nc" for version in ("3.0", "4.0", "5.0")},
    **{f"{_NIEM}/structures/{version}/": "structures" for version in ("3.0", "4.0", "5.0")},
    **{f"{_NIEM}/domains/jxdm/{version}/": "j" for version in ("5.0", "5.1", "5.2", "6.0", "6.1", "7.0", "7.1", "7.2")},
    "http://mcp.com/nola/v/1.0/": "nola",
    "http://mcp.com/nola/extension/v/1.0/": "nola-ext",
    "http://www.w3.org/2001/XMLSchema-instance": "xsi",
}

_OPERATIONS = ("add", "update", "delete")
CODES: Mapping[str, Codes] = {
    "operations": Codes({operation: operation for operation in _OPERATIONS}, _OPERATIONS),
    # Read where a hearing is deleted only: why it will not take place.
    "case_statuses": Codes(
        dict.fromkeys(("closed", "disposed", "dismissed", "expunged", "sealed"), "case_ended"),
        ("case_ended", "entered_in_error", "other"),
        otherwise="other",
    ),
}

_ROOT = "nola:CourtEventExchange"
_EVENT = f"{_ROOT}/j:CourtEvent"
_STATUS = f"{_EVENT}/j:CourtEventCase/nc:ActivityStatus/nc:StatusText"
_DATE = "j:CourtEventSchedule/nc:ScheduleDate/nc:DateTime"
FIELDS: Mapping[str, str] = {
    f"{ANYWHERE}@xsi:schemaLocation": "administrative",
    **{f"{ANYWHERE}@structures:{name}": USED for name in ("id", "metadata")},
    **{f"{ANYWHERE}@structures:{name}": "administrative" for name in ("ref", "uri", "relationshipMetadata")},
    f"{_ROOT}/nola-ext:MessageOperationCode": USED,
    f"{_EVENT}/j:CourtEventSequenceID": USED,
    f"{_EVENT}/{_DATE}": USED,
    f"{_EVENT}/j:CourtEventCase/nc:CaseDocketID": USED,
    f"{_EVENT}/j:CourtEventCourt/nc:OrganizationIdentification/nc:IdentificationID": USED,
    _STATUS: USED,
    f"{_EVENT}/j:CourtEventCase/nc:CaseGeneralCategoryText": "not_needed",
    f"{_EVENT}/j:CourtEventCase/nc:CaseTrackingID": "official_number",
    f"{_EVENT}/j:CourtEventCase/nc:CaseTitleText": "personal",
    # The defendant, the parties and the counsel.
    f"{_EVENT}/j:CourtEventCase/j:CaseAugmentation": "personal",
    f"{_EVENT}/j:CourtEventCase/nola-ext:CaseAugmentation": "not_needed",
    f"{_EVENT}/j:CourtEventJudge": "personal",
    f"{_EVENT}/j:CourtEventCourt/nc:OrganizationLocation": "location",
    **{f"{_EVENT}/j:CourtEventCourt/j:{name}": "not_needed" for name in ("CourtName", "CourtCategoryCode")},
    f"{_EVENT}/j:CourtEventCourt/j:CourtDivisionText": "not_needed",
    f"{_EVENT}/nola-ext:CourtEventAugmentation/nola-ext:CourtEventTypeCode": "not_needed",
    f"{_EVENT}/nola-ext:CourtEventAugmentation/nola-ext:CourtEventTypeText": "narrative",
    **{f"{_EVENT}/nc:Activity{name}Text": "narrative" for name in ("Description", "Reason")},
}


def _facts(message: At, telling: Telling) -> Iterator[Fact]:
    event = message.way(_EVENT)
    if not event.value:
        raise Unused("message_unknown", _EVENT)
    case = event.one("j:CourtEventCase")
    number = case.text("nc:CaseDocketID")
    if not number:
        raise Unused("number_missing", case.to("nc:CaseDocketID"))
    region = telling.district({"court": event.way("j:CourtEventCourt/nc:OrganizationIdentification").text(_ID)})
    operation = _operation(message.one(_ROOT), event, telling)
    scheduled = telling.instant(event.way("j:CourtEventSchedule/nc:ScheduleDate"), "nc:DateTime")
    about = Hearing.of(telling.keyed, telling.map.system, number, _own_number(event, scheduled, telling))
    telling.notes.add("time_of_receipt")
    told = (operation, "" if scheduled is None else str(scheduled // SECOND))
    if operation == "delete":
        why = telling.code("case_statuses", case.one("nc:ActivityStatus"), "nc:StatusText") or "other"
        said: Mapping[str, Any] = {**region, "reason": why}
        yield about.fact(telling.keyed, telling.map.source, "cancelled", telling.received, said, told)
        return
    if scheduled is None:
        raise Unused("time_missing", event.to(_DATE))
    if case.one("nc:ActivityStatus").text("nc:StatusText"):
        telling.dropped[_STATUS, "not_needed"] += 1
    said = {**region, "scheduled_for": format_instant(scheduled)}
    yield about.fact(telling.keyed, telling.map.source, "scheduled", telling.received, said, told)


_ID = "nc:IdentificationID"


def _own_number(event: At, scheduled: int | None, telling: Telling) -> str:
    own = event.text("j:CourtEventSequenceID")
    if own:
        return own
    if scheduled is None:
        raise Unused("hearing_missing", event.to("j:CourtEventSequenceID"))
    telling.notes.add("hearing_without_number")
    return str(scheduled // SECOND)


def _operation(root: At, event: At, telling: Telling) -> str:
    """What the message does with the hearing: what the event, its schedule or its date refers to, the first that does.

    Operations that other parts refer to say nothing of the hearing. One that is said once, and to which nothing
    refers, is that of the whole message.
    """
    said = root.each("nola-ext:MessageOperationCode") if root.value.get("nola-ext:MessageOperationCode") else []
    by_id = {code.text("@structures:id"): code for code in said}
    schedule = event.one("j:CourtEventSchedule")
    for place in (event, schedule, schedule.one("nc:ScheduleDate"), schedule.way("nc:ScheduleDate/nc:DateTime")):
        for reference in place.text("@structures:metadata").split():
            return _meant(by_id.get(reference), telling)
    if len(said) == 1 and not _refers_to(root.value, said[0].text("@structures:id")):
        return _meant(said[0], telling)
    telling.notes.add("operation_assumed")
    return "add"


def _meant(code: At | None, telling: Telling) -> str:
    meaning = None if code is None else telling.code("operations", code, "")
    if meaning is None:
        raise Unused("operation_unknown", f"{_ROOT}/nola-ext:MessageOperationCode")
    return meaning


def _refers_to(tree: Any, identifier: str) -> bool:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if identifier and identifier in str(node.get("@structures:metadata", "")).split():
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def _read(content: bytes) -> Any:
    return read_xml(content, PREFIXES)


NIEM = Standard(
    name="niem",
    agency="court",
    read=_read,
    endings=(".xml",),
    fields=FIELDS,
    codes=CODES,
    district=("court",),
    facts=_facts,
)
