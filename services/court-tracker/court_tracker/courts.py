"""`GET /v1/courts/{court}` and its `impact`: how a court works now, and what its suspensions cost."""

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import JSONResponse

from qorgau.errors import NotFound
from qorgau.front.answers import INSTANT, TEXT, answer, array, problems, ref, structure
from qorgau.hearings.impact import impact
from qorgau.hearings.limits import LIMITED, RESTORED, Limit, limits_on
from qorgau.identity.access import Access
from qorgau.identity.membership import shown_to
from qorgau.identity.sender import Sender
from qorgau.instants import format_instant
from qorgau.service import v1
from qorgau.shell.context import ContextBook, about
from qorgau.state.book import ListBook
from qorgau.state.items import COUNT, MAYBE_INSTANT, YES_OR_NO

_COUNTS = {"type": "object", "additionalProperties": COUNT}
_DAYS = {"type": ["number", "null"], "minimum": 0}
_LIMIT = structure(since=INSTANT, until=MAYBE_INSTANT, legal_basis=TEXT, tolls_term=YES_OR_NO, whole_region=YES_OR_NO)
_COURT = structure(
    court=TEXT,
    as_of=INSTANT,
    limited=YES_OR_NO,
    limits=array(_LIMIT),
    hearings=_COUNTS | {"description": "By state"},
    cases=_COUNTS | {"description": "Court cases by state"},
    overdue=COUNT | {"description": "Court cases with something past its due"},
)
_NAMED = {"case": TEXT, "protocol_id": TEXT}
_IMPACT = structure(
    court=TEXT,
    as_of=INSTANT,
    hearings_hit=COUNT,
    suspensions=COUNT,
    by_legal_basis=_COUNTS,
    protocols_hit=COUNT,
    awaiting_date=COUNT,
    days_lost=structure(sum=_DAYS, median=_DAYS, longest=_DAYS),
    protection_gaps=array(structure(**_NAMED, order_ends=INSTANT, until=MAYBE_INSTANT)),
    limitation_running_out=array(structure(**_NAMED, limitation_due=INSTANT, until=MAYBE_INSTANT)),
)
COURT_SCHEMAS = {"Court": _COURT, "Impact": _IMPACT}
CourtCode = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="The code of a court, such as KZ-71-01")]


def courts_router(lists: ListBook, context: ContextBook, now: Callable[[], int], access: Access) -> APIRouter:
    """The routes of courts. What is counted is what the sender may see; a court of which it may see nothing is not
    there. `now`: logical time in microseconds."""
    router = v1()
    By = Annotated[Sender, Depends(access)]

    @router.get(
        "/courts/{court}",
        tags=["courts"],
        summary="How a court works now: limits, hearings and cases by state",
        responses={200: answer("The court", ref("Court")), **problems(NotFound)},
    )
    async def get_court(court: CourtCode, sender: By) -> JSONResponse:
        hearings = await lists.of_court("hearings", court, sender)
        cases = await lists.of_court("court-cases", court, sender)
        if not hearings and not cases:
            raise NotFound
        at = now()
        limits = [limit for limit in await _limits(context, court, cases or hearings) if limit.lies_in(at)]
        shown = {
            "court": court,
            "as_of": format_instant(at),
            "limited": bool(limits),
            "limits": [
                {
                    "since": format_instant(limit.start),
                    "until": None if limit.end is None else format_instant(limit.end),
                    "legal_basis": limit.fact.data.get("legal_basis"),
                    "tolls_term": limit.fact.data.get("tolls_term"),
                    "whole_region": limit.court is None,
                }
                for limit in limits
            ],
            "hearings": _by_state(hearings),
            "cases": _by_state(cases),
            "overdue": sum(row["due"] is not None and row["due"] < at for row in cases),
        }
        return JSONResponse(shown_to(sender, shown))

    @router.get(
        "/courts/{court}/impact",
        tags=["courts"],
        summary="What suspensions cost: days lost, protection gaps, limitation terms that run out",
        responses={200: answer("As far as the sender may see", ref("Impact")), **problems(NotFound)},
    )
    async def get_impact(court: CourtCode, sender: By) -> JSONResponse:
        hearings = await lists.of_court("hearings", court, sender)
        if not hearings:
            raise NotFound
        return JSONResponse(shown_to(sender, impact(court, hearings, now())))

    return router


async def _limits(context: ContextBook, court: str, rows: list[dict[str, Any]]) -> list[Limit]:
    region = next((str(row["region"]) for row in rows if row["region"] is not None), "")
    places = (("court", court), ("region", region))
    facts = await context.named(about(type, field, value) for type in (LIMITED, RESTORED) for field, value in places)
    return limits_on(court, region, [*facts, *(await context.withdrawals_of(facts) if facts else ())])


def _by_state(rows: list[dict[str, Any]]) -> dict[str, int]:
    return dict(sorted(Counter(row["state"] for row in rows).items()))
