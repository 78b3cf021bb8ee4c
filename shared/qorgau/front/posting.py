"""`POST /v1/facts`: through the door, into the log, then the answer; the same in every service that owns facts."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRouter

from qorgau.errors import Malformed, Rejected, TooLarge, UnsupportedMedia
from qorgau.facts import Fact
from qorgau.front import describe, envelope
from qorgau.front.answers import problems
from qorgau.front.door import Admitted, Door, Sender
from qorgau.front.gate import Gate, held
from qorgau.front.limits import read_body
from qorgau.front.posted import FACT_ID
from qorgau.identity.access import Access
from qorgau.service import v1
from qorgau.telemetry import Metrics

# A third of what a body may hold; more is better sent as several batches, which can be repeated one by one.
MAX_BATCH = 1000


class FactLog(Protocol):
    """The log of a service's facts."""

    async def append(self, facts: Sequence[Fact]) -> None:
        """Return when every fact is in Kafka with `acks=all`; raise Unavailable otherwise."""


class Waiting(Protocol):
    """References and the facts that wait for them, in the service's database."""

    async def cases_of(self, digests: Collection[str]) -> Mapping[str, str]:
        """The cases of those references that are registered."""

    async def park(self, admitted: Sequence[Admitted]) -> None:
        """Keep facts durably until their reference is registered, and join at once what was registered meanwhile."""


# A rule that only one service has: why a fact may not be posted although the door admits it, fact by fact.
Guard = Callable[[Sequence[Fact], Sender], Awaitable[Sequence[Rejected | None]]]


@dataclass(frozen=True, slots=True)
class Posting:
    """What happens to facts at one service: the door, the guard, the gate, then the log or the waiting room."""

    door: Door
    log: FactLog
    waiting: Waiting
    metrics: Metrics
    gate: Gate
    guard: Guard | None = None
    way: str = field(default="http")

    async def post(self, events: Sequence[object], sender: Sender) -> list[dict[str, Any] | Rejected]:
        """The result of each event in its place: an answer, or why it was refused. Raises Unavailable as a whole."""
        outcomes = [self._admitted(event, sender) for event in events]
        await self._join(outcomes)
        await self._guarded(outcomes, sender)
        good = [outcome for outcome in outcomes if isinstance(outcome, Admitted)]
        parked = [admitted for admitted in good if admitted.reference is not None]
        named = [admitted for admitted in good if admitted.reference is None]
        lets_in = await self.gate.lets_in(named)
        accepted = [admitted.fact for admitted, counts in zip(named, lets_in, strict=True) if counts]
        apart = [held(admitted) for admitted, counts in zip(named, lets_in, strict=True) if not counts]
        if parked or apart:
            await self.waiting.park([*parked, *apart])
        if accepted:
            await self.log.append(accepted)
        for outcome, count in (("accepted", len(accepted)), ("parked", len(parked)), ("held", len(apart))):
            self.metrics.facts.labels(self.way, outcome).inc(count)
        self.metrics.facts.labels(self.way, "rejected").inc(len(outcomes) - len(good))
        return [outcome if isinstance(outcome, Rejected) else _answer(outcome) for outcome in outcomes]

    def _admitted(self, event: object, sender: Sender) -> Admitted | Rejected:
        try:
            return self.door.admit(event, sender)
        except Rejected as error:
            return error

    async def _join(self, outcomes: list[Admitted | Rejected]) -> None:
        """Give facts that name a known reference its case; what then has no reference left is an ordinary fact."""
        named = {o.reference for o in outcomes if isinstance(o, Admitted) and o.reference is not None}
        if not named:
            return
        cases = await self.waiting.cases_of(named)
        for place, outcome in enumerate(outcomes):
            case = cases.get(outcome.reference or "") if isinstance(outcome, Admitted) else None
            if isinstance(outcome, Admitted) and case is not None:
                fact = outcome.joined(case, self.door.now())
                outcomes[place] = replace(outcome, fact=fact, reference=None)

    async def _guarded(self, outcomes: list[Admitted | Rejected], sender: Sender) -> None:
        places = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Admitted)]
        if self.guard is None or not places:
            return
        facts = [outcome.fact for outcome in outcomes if isinstance(outcome, Admitted)]
        for place, refusal in zip(places, await self.guard(facts, sender), strict=True):
            if refusal is not None:
                outcomes[place] = refusal


def facts_router(posting: Posting, access: Access, max_batch: int = MAX_BATCH) -> APIRouter:
    """The route by which agencies post facts to this service."""
    router = v1()

    @router.post(
        "/facts",
        status_code=202,
        tags=["facts"],
        summary="Post one fact or a batch",
        description=describe.POST_FACTS,
        responses=describe.FACT_ANSWERS | problems(Malformed, TooLarge, UnsupportedMedia),
        openapi_extra=describe.fact_request(posting.door.models),
    )
    async def post_facts(request: Request, sender: Annotated[Sender, Depends(access)]) -> JSONResponse:
        posted = envelope.from_http(request.headers.items(), await read_body(request))
        if len(posted.events) > max_batch:
            raise TooLarge(f"Send at most {max_batch} facts in a batch.")
        outcomes = await posting.post(posted.events, sender)
        if posted.batch:
            results = [_result(event, outcome) for event, outcome in zip(posted.events, outcomes, strict=True)]
            return JSONResponse({"results": results}, 207)
        if isinstance(outcomes[0], Rejected):
            raise outcomes[0]
        return JSONResponse(outcomes[0], 202)

    return router


def _answer(admitted: Admitted) -> dict[str, Any]:
    """The same for a fact that opens a case and for one that is held apart from a case of others."""
    status = "accepted" if admitted.reference is None else "parked"
    return {"id": admitted.fact.id, "case": admitted.fact.case, "status": status}


def _result(event: object, outcome: dict[str, Any] | Rejected) -> dict[str, Any]:
    """One line of a batch's answer; an id is repeated only where it can be nothing but an id."""
    if not isinstance(outcome, Rejected):
        return outcome
    sent = event.get("id") if isinstance(event, dict) else None
    known = sent if isinstance(sent, str) and _FACT_ID.fullmatch(sent) else None
    return {"id": known, "status": "rejected", "problem": outcome.problem()}


_FACT_ID = re.compile(FACT_ID[1:-1])
