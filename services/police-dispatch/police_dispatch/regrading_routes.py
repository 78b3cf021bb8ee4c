"""`GET /v1/cases/{case}/regrading`, the ledger of a case, and `GET /v1/regradings/desks`, who lowers how often."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from police_dispatch.regraded import KIND, REPEATED, desks, ledger_item
from police_dispatch.regrading import call_outs
from police_dispatch.state.items import CALL_OUT
from qorgau.assess import judged
from qorgau.errors import NotFound
from qorgau.front.answers import TEXT, Responses, answer, array, problems, structure
from qorgau.front.monthly import Months, MonthText, Provisional, Rows, by_month
from qorgau.front.reading import CaseId, Reading
from qorgau.identity.access import Access
from qorgau.identity.membership import shown_to
from qorgau.identity.sender import Sender
from qorgau.instants import format_instant
from qorgau.service import v1
from qorgau.state.items import MAYBE_INSTANT
from qorgau.surge.suppression import BELOW

_COUNT = {"type": ["integer", "null"], "description": "null: below `withheld_below`"}
_LEDGER: Responses = {
    200: answer("Every call-out", structure(case=TEXT, as_of=MAYBE_INSTANT, call_outs=array(structure(**CALL_OUT)))),
    **problems(NotFound),
}
_DESK = structure(
    desk=TEXT,
    **dict.fromkeys(
        ("call_outs", "lowered", "lowered_when_passed", "lowered_when_tight", "first_grade_below_risk"), _COUNT
    ),
    repeated={"type": "boolean", "description": f"It lowered {REPEATED} call-outs or more"},
)
_MONTH = structure(month=TEXT, over={"type": "boolean"}, desks=array(_DESK))
_DESKS: Responses = {
    200: answer("By month", structure(withheld_below={"type": "integer"}, months=array(_MONTH))),
    **problems(NotFound),
}


def regrading_router(reading: Reading, rows: Rows, months: Months, access: Access, below: int = BELOW) -> APIRouter:
    """Both routes; `months` has the plan that dues are judged by."""
    router = v1()

    @router.get("/cases/{case}/regrading", tags=["cases"], summary="Every grade of each call-out", responses=_LEDGER)
    async def get_regrading(case: CaseId, sender: Annotated[Sender, Depends(access)]) -> JSONResponse:
        record = (await reading.shown(case, sender)).record
        outs = call_outs(record, months.plan, judged(record, months.plan))
        as_of = None if record.as_of is None else format_instant(record.as_of)
        told = {"case": record.case, "as_of": as_of, "call_outs": [ledger_item(out) for out in outs]}
        return JSONResponse(shown_to(sender, told), headers={"Cache-Control": "private, no-cache"})

    @router.get("/regradings/desks", tags=["statistics"], summary="How often each desk lowers", responses=_DESKS)
    async def get_desks(
        sender: Annotated[Sender, Depends(access)],
        since: MonthText,
        until: MonthText | None = None,
        provisional: Provisional = False,
    ) -> JSONResponse:
        asked = months.asked(sender, since, until, provisional)
        told = [
            {"month": month, "over": over, "desks": desks(await rows(KIND, None, month), below)}
            for month, over in asked.items()
        ]
        return by_month(below, told)

    return router
