"""`GET /v1/kpis`: how long each phase took and how often it was in time, by month and by what else is asked for."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from qorgau.errors import Invalid, NotFound
from qorgau.front.answers import LENGTH, MAYBE_LENGTH, Responses, answer, array, problems, structure
from qorgau.front.monthly import Months, MonthText, Provisional, Rows, by_month
from qorgau.identity.access import Access
from qorgau.identity.sender import Sender
from qorgau.measures.figures import MOST_DIMENSIONS, Dimension, figures
from qorgau.measures.phases import KIND
from qorgau.service import v1
from qorgau.surge.suppression import BELOW

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
        return by_month(below, told)

    return router
