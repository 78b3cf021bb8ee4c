"""`GET /v1/sanctions`: what courts decided, month by month, and how often the same pair was reported again."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from intake.sanctions import DECISION, SANCTIONS, WINDOWS, WITHDREW, sanctions
from qorgau.errors import NotFound
from qorgau.front.answers import TEXT, Responses, answer, array, problems, structure
from qorgau.front.monthly import Months, MonthText, Provisional, Rows, by_month
from qorgau.identity.access import Access
from qorgau.identity.sender import Sender
from qorgau.instants import DAY
from qorgau.measures.figures import UNKNOWN
from qorgau.measures.months import is_over
from qorgau.service import v1
from qorgau.surge.suppression import BELOW, TOTAL

_COUNT = {"type": ["integer", "null"], "description": "null: withheld, or the window is not over"}
_NAME = TEXT | {"description": "total: the sum over all"}
_CELL = structure(
    "region",
    region=_NAME,
    sanction={"enum": [*SANCTIONS, UNKNOWN, TOTAL]},
    decisions=_COUNT,
    **{f"repeat_within_{days}": _COUNT for days in WINDOWS},
)
_MONTH = structure(
    month=TEXT,
    over={"type": "boolean"},
    followed={"type": "object", "additionalProperties": {"type": "boolean"}},
    decisions=array(_CELL),
    withdrew=array(structure("region", region=_NAME, cases={"type": "integer"})),
)
_ANSWERS: Responses = {
    200: answer("A table for each month", structure(withheld_below={"type": "integer"}, months=array(_MONTH))),
    **problems(NotFound),
}


def sanctions_router(rows: Rows, months: Months, access: Access, below: int = BELOW) -> APIRouter:
    """The route; the rows are those of `outcomes`."""
    router = v1()

    def followed(month: str) -> dict[int, bool]:
        policy, calendar = months.plan.policy, months.plan.calendar
        zones = policy.policy.zones.regions
        return {days: is_over(month, zones, calendar, months.now() - days * DAY) for days in WINDOWS}

    @router.get("/sanctions", tags=["statistics"], summary="Decisions, and reports after them", responses=_ANSWERS)
    async def get_sanctions(
        sender: Annotated[Sender, Depends(access)],
        since: MonthText,
        until: MonthText | None = None,
        by: Annotated[Literal["region"] | None, Query(description="By region too")] = None,
        provisional: Provisional = False,
    ) -> JSONResponse:
        told = []
        for month, over in months.asked(sender, since, until, provisional).items():
            decided, withdrew = await rows(DECISION, None, month), await rows(WITHDREW, None, month)
            made = sanctions(decided, withdrew, followed(month), months.plan.policy, [by] if by else [], below)
            told.append({"month": month, "over": over, **made})
        return by_month(below, told)

    return router
