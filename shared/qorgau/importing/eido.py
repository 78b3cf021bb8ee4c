"""NENA's Emergency Incident Data Object (NENA-STA-021.1, JSON): which parts are read, what its codes mean. Pure.

An object says how things stand with one incident; of persons, numbers to call back and places nothing is read but what
tells a district. Codes of incidents are those of APCO 2.103, which the standard's registry refers to.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from qorgau.facts import Fact
from qorgau.importing.fields import ANYWHERE, USED, At, Codes, Standard, Telling
from qorgau.importing.making import Unused
from qorgau.importing.strict import BadMessage, read_json, read_xml
from qorgau.instants import format_instant


def _all(words: str, meaning: str) -> dict[str, str]:
    return dict.fromkeys(words.split(), meaning)


_OTHER = (
    "911h 911open abuse admin alrba alrbs animal assault assist atl back baricade bomb burglary carjack civdis civil "
    "crimps disord disveh drugs dui edp escape fight firewrks forcentr fraud harr homicide hostage indecent info "
    "intox invest larceny liquor mva mvahr mvainjy mvaunk neglect noise open orderv parking perfnd persusp peruncon "
    "perwant propfnd proplost propstln pursuit reckdrv rescue resist robbery runaway sar sexoffns shoot shoplift "
    "stabbing suicide suicthrt susp terror threats tow trespass trouble tstop vandal vehabnd vehstln vehsusp vice "
    "warrant weapon welfare"
)
# Fire, medicine and technical help: calls that are not for the police in the first place.
_ELSEWHERE = (
    "abdom accind air allergic alrbox alrco alrco2 alrdefib alrf alrgas alrheat alrmed alrngas alrpropn alrpull "
    "alrwtr als bio bite bldclpse bleeding bls brgclpse burn cardiac chemical chespain choke death diabetic drown "
    "elec elechzd entrap explos exposure eye fall farson fbrush felec ffuel fmarine fother fsmoke fstru ftrailer "
    "ftrain ftrash ftruck funk fveh gasleak hazmat headache hemrg mayday mci od odor preg pubwks radiat resp resparr "
    "seizure sick smoking stroke thaz train traindrl transfer trauma traumap water wildlife wires xtracate"
)

CODES: Mapping[str, Codes] = {
    "incident_types": Codes(
        {
            **_all(_OTHER, "other"),
            **_all(_ELSEWHERE, "none"),
            # With and without an assault.
            **{"dva": "domestic_violence", "dvna": "domestic_violence"},
            **{"curfew": "emergency_regime", "pandemic": "emergency_regime"},
        },
        ("domestic_violence", "emergency_regime", "other", "none"),
    ),
    # 10 is the highest and 0 the lowest.
    "priorities": Codes(
        {str(number): "immediate" if number > 7 else "prompt" if number > 3 else "scheduled" for number in range(11)},
        ("immediate", "prompt", "scheduled"),
    ),
    "agency_types": Codes(
        {
            **{"police": "police", "sheriff": "police", "law enforcement": "police", "gendarmerie": "police"},
            **dict.fromkeys(("fire", "ambulance", "ems", "psap", "mountain", "marine", "poison"), "none"),
        },
        ("police", "none"),
    ),
    "unit_statuses": Codes(
        {
            **dict.fromkeys(("dispatched", "acknowledged", "assigned", "enroute", "en route"), "dispatched"),
            **dict.fromkeys(("onscene", "on scene", "arrived", "atscene", "at scene"), "arrived"),
            **dict.fromkeys(("available", "unavailable", "not available", "staged", "transporting", "cleared"), "none"),
        },
        ("dispatched", "arrived", "none"),
    ),
    "merges": Codes({"replaced": "duplicate", "replacing": "none", "split": "none"}, ("duplicate", "none")),
    "dispositions": Codes({}, ("duplicate", "false_call", "caller_withdrew", "none")),
}

_PLACES = ("crossStreetByValue", "crossStreetByReferenceUrl", "intersectingStreetByValue", "cellTowerSectorId")
FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("$id", "incidentTrackingIdentifier"), USED),
    **dict.fromkeys(("eidoVersion", "eidoExtensionId", "issuingElementIdentification"), "administrative"),
    **dict.fromkeys(("reasonForIssueRegistryText", "@context", "incidentOwningAgencyIndicator"), "administrative"),
    f"{ANYWHERE}$id": USED,
    f"{ANYWHERE}lastUpdateTimeStamp": USED,
    **{f"{ANYWHERE}{name}": "administrative" for name in ("updatedByAgencyReference", "owningAgencyIdentifier")},
    **{f"{ANYWHERE}{name}": "personal" for name in ("updatedByAgentReference", "updatedByAgentIdentifier")},
    f"{ANYWHERE}notesReference": "narrative",
    f"{ANYWHERE}additionalDataReference": "personal",
    **dict.fromkeys(("personComponent", "vehicleComponent", "organizationComponent", "itemComponent"), "personal"),
    **dict.fromkeys(("additionalDataComponent", "cautionComponent", "mediaComponent"), "personal"),
    "callbackComponent": "contact",
    "notesComponent": "narrative",
    **dict.fromkeys(("linkComponent", "alarmsSensorsComponent", "unitEmergencyStateComponent"), "not_needed"),
    **dict.fromkeys(("sharedCommunicationResourceComponent", "externalInformationSourceComponent"), "not_needed"),
    "incidentComponent/incidentTypeCommonRegistryText": USED,
    "incidentComponent/incidentCommonPriorityNumber": USED,
    "incidentComponent/incidentTrackingIdentifier": USED,
    "incidentComponent/beatOrDispatchGroupText": USED,
    "incidentComponent/locationReference/$ref": USED,
    "incidentComponent/dispositionComponent/dispositionCommonRegistryCode": USED,
    "incidentComponent/dispositionComponent/dispositionPrimaryIndicator": "not_needed",
    "incidentComponent/dispositionComponent/dispositionCategoryText": "narrative",
    "incidentComponent/dispositionComponent/dispositionDescriptionText": "narrative",
    **{f"incidentComponent/incident{name}": "not_needed" for name in ("StatusCommonRegistryText", "TypeInternalCode")},
    **{f"incidentComponent/incident{name}": "narrative" for name in ("TypeInternalText", "StatusInternalText")},
    "incidentComponent/incidentPriorityInternalText": "narrative",
    **dict.fromkeys(("incidentComponent/internalIncidentId", "incidentComponent/reportNumberType"), "official_number"),
    "incidentComponent/documentIdentification": "official_number",
    **{f"incidentComponent/{name}Reference": "personal" for name in ("agent", "person", "organization", "vehicle")},
    "callComponent/callStartTimestamp": USED,
    "callComponent/direction": USED,
    **{f"callComponent/{name}": "official_number" for name in ("relatedCallIdentifier", "callIdentifier")},
    **{f"callComponent/{name}": "contact" for name in ("callBackReference", "sipIdentity", "verstat")},
    **{f"callComponent/{name}Reference": "personal" for name in ("agent", "person", "organization")},
    **{f"callComponent/{name}": "not_needed" for name in ("answerDate", "callStateRegistryText", "queueIdentifier")},
    **{f"callComponent/standard{name}CallType": "not_needed" for name in ("Primary", "Secondary")},
    **{f"callComponent/{name}": "not_needed" for name in ("localCallType", "priorityIdentifier", "agencyReference")},
    "callComponent/locationReference": "location",
    "agencyComponent/agencyType": USED,
    **{f"agencyComponent/{name}": "not_needed" for name in ("agencyRoleDescriptionRegistryText", "agencyJcard")},
    "agencyComponent/incidentOwningAgencyIndicator": "not_needed",
    "agencyComponent/organizationIdentification": "administrative",
    "agentComponent/agencyReference/$ref": USED,
    **{f"agentComponent/agent{name}": "personal" for name in ("Identification", "RoleRegistryText", "Jcard")},
    "agentComponent/agentWorkstationPositionIdentification": "personal",
    "dispatchComponent/agencyReference/$ref": USED,
    "dispatchComponent/organizationIdentification": "administrative",
    **{f"dispatchComponent/{name}Reference": "personal" for name in ("agent", "emergencyResource")},
    "emergencyResourceComponent/primaryUnitStatusRegistryText": USED,
    "emergencyResourceComponent/secondaryUnitStatusRegistryText": USED,
    "emergencyResourceComponent/agentReference/$ref": USED,
    **{f"emergencyResourceComponent/emergencyResource{name}": "not_needed" for name in ("TypeCommonRegistryText",)},
    **{f"emergencyResourceComponent/emergencyResource{name}": "personal" for name in ("Name", "TypeInternalText")},
    **{f"emergencyResourceComponent/resourceAttribute{name}Text": "not_needed" for name in ("Registry", "Internal")},
    **{f"emergencyResourceComponent/unit{name}Reference": "location" for name in ("Location", "Destination")},
    **{f"emergencyResourceComponent/{name}Reference": "personal" for name in ("person", "vehicle", "item")},
    **{f"emergencyResourceComponent/{name}": "not_needed" for name in ("eta", "unitStatusInternal")},
    **{f"emergencyResourceComponent/{name}IncidentId": "official_number" for name in ("activeOn", "stackedOn")},
    "locationComponent/locationByValue": USED,
    "locationComponent/locationTypeDescriptionRegistryText": "not_needed",
    **{f"locationComponent/{name}": "location" for name in (*_PLACES, "locationByReferenceUrl", "localIdentifier")},
    **{f"locationComponent/{name}": "location" for name in ("locationDescriptionText", "locationAddressText")},
    "mergeComponent/incidentMergeDirectionCode": USED,
    "mergeComponent/incidentTrackingIdentification": "official_number",
    "mergeComponent/agentReference": "personal",
}

_CIVIC = {"urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr": "ca"}
_DISTRICT = ("country", "A1", "A2", "A3", "A4", "A5", "A6")


def _facts(message: At, telling: Telling) -> Iterator[Fact]:
    if not {"incidentComponent", "callComponent"} & message.value.keys():
        raise Unused("message_unknown")
    incident = message.one("incidentComponent")
    if not incident.value:
        raise Unused("no_fact", "incidentComponent")
    number = next(filter(None, (place.text("incidentTrackingIdentifier") for place in (incident, message))), "")
    number = number or message.text("$id")
    if not number:
        raise Unused("number_missing", "$id")
    category = _needed(telling, incident, "incident_types", "incidentTypeCommonRegistryText", "category_unknown")
    if category == "none":
        raise Unused("not_selected", "incidentComponent/incidentTypeCommonRegistryText")
    priority = _needed(telling, incident, "priorities", "incidentCommonPriorityNumber", "priority_unknown")
    data = {**telling.district(_district(message, incident, telling)), "priority": priority}
    times = _times(message, incident, telling)
    yield from _told(category, ("eido", telling.map.system, number), data, times, telling)


def _needed(telling: Telling, at: At, table: str, name: str, reason: str) -> str:
    meaning = telling.code(table, at, name)
    if meaning is None:
        raise Unused(reason, at.to(name))
    return meaning


def _told(
    category: str, about: tuple[str, ...], data: Mapping[str, str], times: Mapping[str, int], telling: Telling
) -> Iterator[Fact]:
    source, region, keyed = telling.map.source, {"region": data["region"]}, telling.keyed
    start, arrived = times["start"], times.get("arrived")

    def fact(name: str, time: int, fields: Mapping[str, Any], case: str | None) -> Fact:
        return Fact(keyed.digest(*about, name), source, f"police.{name}", time, time, case, fields)

    if category != "domestic_violence":
        # An anonymous record is made once, when all of it is known.
        if arrived is not None:
            said = {"registered_at": format_instant(start), "arrived_at": format_instant(arrived)}
            yield fact("call_recorded", max(start, arrived), {**data, "category": category, **said}, None)
        return
    case = keyed.digest(*about, "case")
    yield fact("incident_registered", start, data, case)
    if "dispatched" in times:
        yield fact("dispatched", times["dispatched"], region, case)
    if arrived is not None:
        came = {"response": "incident", "injury": False, "sexual": False}
        yield fact("arrived", arrived, {**region, **came}, case)
        return
    telling.notes.add("no_arrival")
    for reason in ("duplicate", "false_call", "caller_withdrew"):
        if reason in times:
            yield fact("call_cancelled", times[reason], {**region, "reason": reason}, case)
            return


def _times(message: At, incident: At, telling: Telling) -> Mapping[str, int]:
    """The first instant of each thing that happened, by `start`, `dispatched`, `arrived` or why nobody need come."""
    calls = [call for call in message.each("callComponent") if call.text("direction") in ("", "incoming")]
    starts = [telling.instant(call, "callStartTimestamp") for call in calls]
    if not any(starts):
        raise Unused("start_missing", "callComponent/callStartTimestamp")
    times = {"start": min(start for start in starts if start is not None)}
    for happened, place in _happened(message, incident, telling):
        if happened == "none":
            continue
        at = telling.instant(place, "lastUpdateTimeStamp", times["start"])
        if at is None:
            raise Unused("time_missing", place.to("lastUpdateTimeStamp"))
        times[happened] = min(at, times.get(happened, at))
    return times


def _happened(message: At, incident: At, telling: Telling) -> Iterator[tuple[str, At]]:
    """What a component says has happened; it was changed last when it did."""
    agencies = {
        agency.text("$id")
        for agency in message.each("agencyComponent")
        if "police" in telling.all_codes("agency_types", agency, "agencyType")
    }
    agents = {agent.text("$id") for agent in message.each("agentComponent") if _refers(agent, "agency", agencies)}
    for dispatch in message.each("dispatchComponent"):
        if _of_police(telling, _refers(dispatch, "agency", agencies)):
            yield "dispatched", dispatch
    for unit in message.each("emergencyResourceComponent"):
        statuses = {
            status
            for name in ("primaryUnitStatusRegistryText", "secondaryUnitStatusRegistryText")
            for status in telling.all_codes("unit_statuses", unit, name)
        } - {"none"}
        if statuses and _of_police(telling, _refers(unit, "agent", agents)):
            yield ("arrived" if "arrived" in statuses else "dispatched"), unit
    for disposition in incident.each("dispositionComponent"):
        for why in telling.all_codes("dispositions", disposition, "dispositionCommonRegistryCode"):
            yield why, disposition if "lastUpdateTimeStamp" in disposition.value else incident
    for merge in message.each("mergeComponent"):
        for why in telling.all_codes("merges", merge, "incidentMergeDirectionCode"):
            yield why, merge


def _of_police(telling: Telling, known: bool) -> bool:
    telling.notes.update(() if known else {"unit_not_of_police"})
    return known


def _refers(place: At, name: str, known: set[str]) -> bool:
    references = {reference.text("$ref").removeprefix("#") for reference in place.each(f"{name}Reference")}
    return bool(references & {one.removeprefix("#") for one in known})


def _district(message: At, incident: At, telling: Telling) -> Mapping[str, str]:
    """What tells a district: the beat, and the larger parts of the first civic address of the incident."""
    found = {"beat": incident.text("beatOrDispatchGroupText")}
    places = {reference.text("$ref").removeprefix("#") for reference in incident.each("locationReference")}
    for location in message.each("locationComponent"):
        text = location.text("locationByValue")
        if not text or (places and location.text("$id").removeprefix("#") not in places):
            continue
        try:
            address = next(_addresses(read_xml(text.encode(), _CIVIC)), None)
        except BadMessage:
            telling.notes.add("location_unreadable")
            continue
        telling.dropped[location.to("locationByValue"), "location"] += 1
        if address is not None:
            return found | {name: address.text(f"ca:{name}") for name in _DISTRICT}
    return found


def _addresses(tree: Any) -> Iterator[At]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        for name, below in node.items():
            if name == "ca:civicAddress":
                yield At(name, below[0])
            elif isinstance(below, list):
                waiting += below


EIDO = Standard(
    name="eido",
    agency="102",
    read=read_json,
    endings=(".json", ".ndjson", ".jsonl"),
    fields=FIELDS,
    codes=CODES,
    district=("beat", *_DISTRICT),
    facts=_facts,
    needs_area=True,
)
