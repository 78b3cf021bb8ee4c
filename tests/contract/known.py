"""What there is for the routes to be about: cases, flags, a proposal, broken glass; so requests can also succeed."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qorgau.facts import Fact
from qorgau.instants import format_instant
from qorgau.vocabulary import COURT, INTAKE, NOTIFIER, POLICE
from tests.e2e.live.world import REGION, ago, registered, token
from tests.e2e.stack import Stack, eventually

AGENCY = f"clinic/{REGION}"
REPORT = {
    "region": REGION,
    "channel": "150",
    "area": "urban",
    "survivor": {"iin": "860412400123", "name": "Айгүл Сейітқызы"},
    "alleged_offender": {"iin": "840201300126", "name": "Ерлан Сейітов"},
}


@dataclass(frozen=True, slots=True)
class Known:
    """What there is, and the headers of those who may do something with it."""

    case: str
    erased: str
    grant: str
    proposal: str
    # By service, with the notifier's beside them.
    flags: Mapping[str, str]
    flagged: Mapping[str, str]
    everybody: dict[str, str]
    coordinator: dict[str, str]

    def path(self, service: str, operation: str) -> dict[str, str]:
        """The parameters of a path that leads to something."""
        case = self.erased if operation == "post_erase" else self.case
        if service != INTAKE:
            case = self.flagged.get(service, case)
        named = {"case": case, "grant": self.grant, "name": self.proposal, "flag": self.flags[service]}
        return named | {"court": _COURT}

    def headers(self, operation: str) -> dict[str, str]:
        """Somebody who may: nobody reviews the glass they broke themselves."""
        return self.coordinator if operation == "post_review" else self.everybody


async def made(stack: Stack) -> Known:
    """Tell of all this, and wait until the services know it."""
    late = ago(hours=3)
    begun = ago(days=40)
    facts = [
        Fact("c-1", f"helpline-150/{REGION}", "report.received", late, late, "contract-i", _REPORT),
        registered("c-2", "contract-p"),
        Fact("c-3", f"court/{REGION}", "court.case_registered", begun, begun, "contract-c", _COURT_CASE),
        Fact("c-4", f"court/{REGION}", "court.hearing_scheduled", begun, begun, "contract-c", _HEARING),
    ]
    await stack.post(facts)
    flagged = {INTAKE: "contract-i", POLICE: "contract-p", COURT: "contract-c"}
    cases = [await _reported(stack) for _ in range(3)]
    glass = await stack.http.post(
        f"{stack.url(INTAKE)}/v1/cases/{cases[0]}/break-glass",
        json={"reason": "immediate_danger"},
        headers={"Idempotency-Key": secrets.token_hex(8)},
    )
    flags: dict[str, str] = {}
    found: list[str] = []

    async def there() -> None:
        for service, case in flagged.items():
            rows = await stack.flag_items(service, case)
            assert rows
            flags[service] = rows[-1]["id"]
        listed = await stack.http.get(f"{stack.url(NOTIFIER)}/v1/flags", params={"case": "contract-p"})
        flags[NOTIFIER] = listed.json()["items"][-1]["id"] if listed.json()["items"] else ""
        assert flags[NOTIFIER]
        proposed = (await stack.http.get(f"{stack.url(INTAKE)}/v1/duplicates")).json()["items"]
        # Not of the one that a test erases.
        between = [one["id"] for one in proposed if {one["first"]["case"], one["second"]["case"]} == set(cases[:2])]
        assert between
        found.append(between[0])

    await eventually(there)
    everybody = {"authorization": f"Bearer {stack.system.token}"}
    coordinator = token(stack, f"coordinator/{REGION}", subject="another", scopes=["cases:read"])
    return Known(cases[0], cases[2], glass.json()["id"], found[-1], flags, flagged, everybody, coordinator)


async def _reported(stack: Stack) -> str:
    answer = await stack.http.post(
        f"{stack.url(INTAKE)}/v1/reports", json=REPORT, headers={"Idempotency-Key": secrets.token_hex(8)}
    )
    assert answer.status_code == 201, answer.text
    case: str = answer.json()["case"]
    return case


_REPORT = {"region": REGION, "report_id": "r1", "channel": "150", "area": "urban"}
_COURT = "KZ-75-01"
_HEARING = {
    "region": REGION,
    "protocol_id": "p1",
    "hearing_id": "h1",
    "scheduled_for": format_instant(ago(days=20)),
}
_COURT_CASE = {"region": REGION, "protocol_id": "p1", "court": _COURT, "arrest_eligible": True}


def sensible(value: Any) -> Any:
    """A body as documented, with what documents cannot say: regions that there are, nothing that needs more beside it,
    and nothing that happens tomorrow."""
    if isinstance(value, list):
        return [sensible(inner) for inner in value[:20]]
    if not isinstance(value, dict):
        return value
    kept = {name: sensible(inner) for name, inner in value.items() if name not in _NEEDS_MORE}
    return kept | {name: said for name, said in _SAID.items() if name in kept}


_NEEDS_MORE = frozenset({"injury", "sexual", "needs_police", "priority", "recordedtime", "data_base64", "dataschema"})
_SAID = {
    "region": REGION,
    "agency": AGENCY,
    "time": format_instant(ago(minutes=2)),
    "datacontenttype": "application/json",
}
