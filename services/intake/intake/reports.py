"""`POST /v1/reports`: a desk tells of a report, and a case begins. What is personal goes into the vault and no further.

The case is named by a keyed digest of agency and Idempotency-Key. So the case itself remembers the key, one write is
all there is, and the same request, also at the same instant or by another replica, finds the same case.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from intake.domain import ReportReceived, ReportTriaged
from intake.speaking import posted, speaker
from intake.vault.form import split
from intake.vault.opening import Told
from qorgau.errors import Malformed, UnsupportedMedia
from qorgau.facts import Fact
from qorgau.front.answers import LOCATION, TEXT, answer, array, problems, ref, structure
from qorgau.front.bodies import read_json_body
from qorgau.front.describe import json_content
from qorgau.front.door import Door, Sender
from qorgau.front.idempotency import KeyHeader, check_key
from qorgau.identity.access import Access
from qorgau.instants import format_instant
from qorgau.service import v1
from qorgau.telemetry import Metrics

# Whose desk a channel is, for a development token that speaks for everybody.
_DESK_OF = {
    "102": "102",
    "150": "helpline-150",
    "111": "helpline-111",
    "crisis_centre": "crisis-centre",
    "clinic": "clinic",
    "web": "crisis-centre",
}


class Vault(Protocol):
    """Where a report is safe: intake's database."""

    async def open_case(self, told: Told) -> Sequence[Fact]:
        """Write the case with this report and its outbox in one document; return its facts as stored, older ones where
        the case is there already. Raises Invalid where the key came with another body, Unavailable where it cannot be
        made durable."""


@dataclass(frozen=True, slots=True)
class Reports:
    """What happens to a report: the form, the door, then one write."""

    door: Door
    vault: Vault
    secret: str
    metrics: Metrics

    async def take(self, body: object, key: str, sender: Sender) -> dict[str, Any]:
        """The answer to a report, the same for the same key; raises Invalid where the key was used for another."""
        parts = split(body)
        assert isinstance(body, dict)
        by = speaker(sender, _desk(body))
        case, report_id = self._reference("case", by.agency, key), self._reference("report", by.agency, key)
        time = parts.report.get("time", format_instant(self.door.now()))
        told = {name: value for name, value in parts.report.items() if name != "time"}
        data: list[tuple[str, str, Mapping[str, Any]]] = [(ReportReceived.type, report_id, told)]
        if parts.triage is not None:
            data.append((ReportTriaged.type, self._reference("triage", by.agency, key), parts.triage))
        facts = [posted(self.door, by, case, type, id, time, {**own, "report_id": report_id}) for type, id, own in data]
        # One instant for what was told at once.
        facts = [replace(fact, recorded=facts[0].recorded) for fact in facts]
        await self.vault.open_case(Told(report_id, facts, parts.personal, body))
        self.metrics.facts.labels("report", "accepted").inc(len(facts))
        doubts = parts.personal.doubts if parts.personal else ()
        return {"case": case, "report_id": report_id} | ({"doubts": list(doubts)} if doubts else {})

    def _reference(self, what: str, source: str, key: str) -> str:
        """A name nobody can guess without the secret, 128 bits long."""
        text = f"{what} {source} {key}".encode()
        return hmac.new(hashlib.sha256(self.secret.encode()).digest(), text, hashlib.sha256).hexdigest()[:32]


def _desk(body: Mapping[str, Any]) -> str:
    channel, region = body.get("channel"), body.get("region")
    kind = _DESK_OF.get(channel, "102") if isinstance(channel, str) else "102"
    return f"{kind}/{region}" if isinstance(region, str) else kind


_DOUBTS = "Fields that cannot be right, such as an IIN with a wrong control digit: ask again"
TAKEN = structure("doubts", case=TEXT, report_id=TEXT, doubts=array(TEXT) | {"description": _DOUBTS})


def reports_router(reports: Reports, access: Access) -> APIRouter:
    """The route by which desks tell of reports."""
    router = v1()

    @router.post(
        "/reports",
        status_code=201,
        tags=["reports"],
        summary="Tell of a report; a case begins",
        responses={
            201: answer("Safe in the vault", ref("Taken"), headers=LOCATION),
            **problems(Malformed, UnsupportedMedia),
        },
        openapi_extra={"requestBody": {"required": True, "content": json_content(ref("Report"))}},
    )
    async def post_report(request: Request, sender: Annotated[Sender, Depends(access)], key: KeyHeader) -> JSONResponse:
        known = check_key(key)
        _, told = await read_json_body(request)
        taken = await reports.take(told, known, sender)
        return JSONResponse(taken, 201, {"Location": f"/v1/cases/{taken['case']}"})

    return router
