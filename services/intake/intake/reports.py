"""`POST /v1/reports`: a desk tells of a report, and a case begins. No personal data: the fact's fields and no others.

The case is named by a keyed digest of agency and Idempotency-Key. So the case itself remembers the key, one write is
all there is, and the same request, also at the same instant or by another replica, finds the same case.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from intake.domain import ReportReceived
from qorgau.auth import REPORTS_WRITE, require
from qorgau.errors import Invalid, Malformed, UnsupportedMedia
from qorgau.facts import Fact, event_type
from qorgau.front.describe import json_content
from qorgau.front.door import EVERY, WRITE, Door, Sender
from qorgau.front.envelope import JSON, read_json
from qorgau.front.limits import Limiter, read_body
from qorgau.instants import format_instant, parse_instant
from qorgau.service import v1
from qorgau.telemetry import Metrics

_KEY = re.compile(r"[!-~]{1,128}")
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

    async def open_case(self, fact: Fact) -> Fact:
        """Write the case with this fact and its outbox in one document; return the fact as stored, which is an older
        one where the case is there already. Raises Unavailable where it cannot be made durable."""


@dataclass(frozen=True, slots=True)
class Reports:
    """What happens to a report: the door, then one write."""

    door: Door
    vault: Vault
    secret: str
    metrics: Metrics

    async def take(self, body: object, key: str, sender: Sender) -> dict[str, str]:
        """The answer to a report, the same for the same key; raises Invalid where the key was used for another."""
        if not isinstance(body, dict):
            raise Invalid("A report is a JSON object.")
        source = sender.agency if sender.agency != EVERY else _desk(body)
        case, report_id = self._reference("case", source, key), self._reference("report", source, key)
        event = {
            "specversion": "1.0",
            "id": report_id,
            "source": source,
            "type": event_type(ReportReceived.type),
            "subject": case,
            "time": body.get("time", format_instant(self.door.now())),
            "data": _data(body, report_id),
        }
        fact = self.door.admit(event, replace(sender, scopes=frozenset({WRITE}))).fact
        stored = await self.vault.open_case(fact)
        if stored.data != fact.data or ("time" in body and stored.time != parse_instant(body["time"])):
            raise Invalid("This key was used for another report; take a new one.", field="Idempotency-Key")
        self.metrics.facts.labels("report", "accepted").inc()
        return {"case": case, "report_id": report_id}

    def _reference(self, what: str, source: str, key: str) -> str:
        """A name nobody can guess without the secret, 128 bits long."""
        text = f"{what} {source} {key}".encode()
        return hmac.new(hashlib.sha256(self.secret.encode()).digest(), text, hashlib.sha256).hexdigest()[:32]


def _desk(body: Mapping[str, Any]) -> str:
    channel, region = body.get("channel"), body.get("region")
    kind = _DESK_OF.get(channel, "102") if isinstance(channel, str) else "102"
    return f"{kind}/{region}" if isinstance(region, str) else kind


def _data(body: Mapping[str, Any], report_id: str) -> dict[str, Any]:
    if "report_id" in body:
        raise Invalid("It is given by this service; leave it out.", field="report_id")
    return {**{name: value for name, value in body.items() if name != "time"}, "report_id": report_id}


def report_schema() -> dict[str, Any]:
    """The body of a report: the data of the fact, without the id that this service gives, and perhaps a time."""
    schema = ReportReceived.model_json_schema()
    del schema["properties"]["report_id"]
    schema["required"].remove("report_id")
    schema["properties"]["time"] = {"type": "string", "format": "date-time", "description": "Default: now"}
    return schema | {"title": "Report", "description": "No personal data; unknown fields are refused."}


_TAKEN = {
    "type": "object",
    "required": ["case", "report_id"],
    "properties": {"case": {"type": "string"}, "report_id": {"type": "string"}},
}


def reports_router(reports: Reports, token_key: str, limiter: Limiter) -> APIRouter:
    """The route by which desks tell of reports."""
    router = v1()
    writer = require(token_key, REPORTS_WRITE)

    @router.post(
        "/reports",
        status_code=201,
        tags=["reports"],
        summary="Tell of a report; a case begins",
        responses={201: {"description": "Safe in the vault", "content": json_content(_TAKEN)}},
        openapi_extra={"requestBody": {"required": True, "content": json_content(report_schema())}},
    )
    async def post_report(
        request: Request,
        sender: Annotated[Sender, Depends(writer)],
        key: Annotated[str | None, Header(alias="Idempotency-Key", description="Required; 1 to 128 characters")] = None,
    ) -> JSONResponse:
        request.state.headers = limiter.take(sender.agency)
        if key is None or not _KEY.fullmatch(key):
            raise Malformed("Send 1 to 128 visible ASCII characters, new for each report.", field="Idempotency-Key")
        if request.headers.get("content-type", JSON).partition(";")[0].strip().lower() != JSON:
            raise UnsupportedMedia(f"Send {JSON}.")
        answer = await reports.take(read_json(await read_body(request)), key, sender)
        return JSONResponse(answer, 201, {"Location": f"/v1/cases/{answer['case']}"})

    return router
