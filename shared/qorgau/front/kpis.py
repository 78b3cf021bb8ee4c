"""`GET /v1/kpis`: how long each phase took and how often it was in time, by month and by what else is asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from qorgau.errors import Forbidden, Invalid, NotFound
from qorgau.front.answers import LENGTH, MAYBE_LENGTH, Responses, answer, array, problems, structure
from qorgau.identity.access import Access
from qorgau.identity.sender import EVERY, Reach, Sender
from qorgau.measures.figures import MOST_DIMENSIONS, Dimension, figures
from qorgau.measures.months import MONTH, MOST_MONTHS, is_over, months_between
from qorgau.measures.phases import KIND
from qorgau.plan import Plan
from qorgau.service import v1
from qorgau.surge.suppression import BELOW

# The rows of a kind that all cases of this service have written down, of one region and month where these are given.
Rows = Callable[[str, str | None, str | None], Awaitable[Sequence[Mapping[str, Any]]]]

_MAYBE = {"type": ["integer", "null"], "description": "null: withheld"}
_ROUNDED = MAYBE_LENGTH | {"description": "Rounded up to minutes"}
_NAME = {"type": "string", "description": "total: the sum over all"}
_CELL = structure(
    *("region", "channel", "area", "agency"),
    **dict.fromkeys(("region", "channel", "area", "agency"), _NAME),
    n=_MAYBE,
    share_in_time={"type": ["number", "null"]},
    **dict.fromkeys(("p50", "p90"), _ROUNDED),
    **dict.fromkeys(("declined", "cancelled", "window_passed"), _MAYBE),
)
_TARGET = {
    "type": "object",
    "required": ["clock"],
    "properties": {
        "clock": {"enum": ["elapsed", "day_end", "working_days", "months"]},
        "within": LENGTH,
        "count": {"type": "integer"},
        "when": {"type": "object", "description": "Which deadlines it is for; without it, for all others"},
    },
}
_RULE = structure(
    rule={"type": "string"},
    against={"enum": ["current", "original"], "description": "The grade of now, or the one first given"},
    targets=array(_TARGET),
    cells=array(_CELL),
)
_MONTH = structure(month={"type": "string"}, over={"type": "boolean"}, rules=array(_RULE))
_WORDS = (
    "A table for each month and rule, with its sums. A cell that is not there, or a count that is null, is below "
    "`withheld_below`, zeros too, or would give such a one away; p50 or p90 that are null: so many are not done yet"
)
KPI_ANSWERS: Responses = {
    200: answer(_WORDS, structure(withheld_below={"type": "integer"}, months=array(_MONTH))),
    **problems(NotFound),
}
MonthText = Annotated[str, Query(pattern=MONTH, description="Such as 2026-03")]
Provisional = Annotated[bool, Query(description="Months that are not over too; for supervisors of all regions")]


@dataclass(frozen=True, slots=True)
class Months:
    """Which months somebody may be told of: one that is not over changes with every report that comes in."""

    plan: Plan
    now: Callable[[], int]

    def asked(self, sender: Sender, since: str, until: str | None, provisional: bool) -> dict[str, bool]:
        """The months asked for that may be told, and whether each is over. Raises Invalid, NotFound, Forbidden."""
        months, zones = months_between(since, until or since), self.plan.policy.policy.zones.regions
        if not months or months[-1] != (until or since):
            raise Invalid(f"It is not before `since`, and they are {MOST_MONTHS} months at most.", field="until")
        over = {month: is_over(month, zones, self.plan.calendar, self.now()) for month in months}
        if not all(over.values()):
            if not provisional:
                raise NotFound("A month is not over; its days so far are for `provisional=true`.")
            if sender.reach is not Reach.REGION or EVERY not in sender.regions:
                raise Forbidden("A month that is not over is for supervisors of all regions.")
        return over


def kpis_router(rows: Rows, months: Months, access: Access, below: int = BELOW) -> APIRouter:
    """The route of one service: the figures of the rules of its plan."""
    router = v1()

    @router.get("/kpis", tags=["statistics"], summary="Phases against their targets", responses=KPI_ANSWERS)
    async def get_kpis(
        sender: Annotated[Sender, Depends(access)],
        since: MonthText,
        until: MonthText | None = None,
        by: Annotated[list[Dimension] | None, Query(description=f"At most {MOST_DIMENSIONS}")] = None,
        rule: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="Only this one")] = None,
        provisional: Provisional = False,
    ) -> JSONResponse:
        dimensions = list(dict.fromkeys(by or ()))
        if len(dimensions) > MOST_DIMENSIONS:
            raise Invalid(f"They are {MOST_DIMENSIONS} at most.", field="by")
        told = []
        for month, over in months.asked(sender, since, until, provisional).items():
            found = [row for row in await rows(KIND, None, month) if rule in (None, row["rule"])]
            # What gives nothing away is searched for, which takes seconds where there are many agencies.
            made = await asyncio.to_thread(figures, found, dimensions, months.plan.policy, below)
            told.append({"month": month, "over": over, "rules": made})
        return JSONResponse({"withheld_below": below, "months": told}, headers={"Cache-Control": "private, no-cache"})

    return router
