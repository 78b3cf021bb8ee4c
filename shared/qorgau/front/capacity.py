"""`GET /v1/capacity`: what was blocked or declined in a month, beside whether there was room for it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from qorgau.errors import NotFound
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.front.answers import TEXT, Responses, answer, array, problems, structure
from qorgau.front.monthly import Months, MonthText, Provisional, Rows, by_month
from qorgau.identity.access import Access
from qorgau.identity.sender import Sender
from qorgau.instants import DAY, parse_instant
from qorgau.measures.capacity import GOOD_FOR, WAS, Dimension, Service, capacity
from qorgau.service import v1
from qorgau.surge.suppression import BELOW, TOTAL

# The context facts of these types dated from one instant to before another, and every withdrawal from then on.
Context = Callable[[Sequence[str], int, int], Awaitable[Sequence[Fact]]]

_COUNT = {"type": ["integer", "null"], "description": "null: withheld"}
_NAME = TEXT | {"description": "total: the sum over all"}
_CELL = structure("region", "reason", region=_NAME, reason=_NAME, **dict.fromkeys((*WAS, TOTAL), _COUNT))
_MONTH = structure(month=TEXT, over={"type": "boolean"}, cells=array(_CELL))
_ANSWERS: Responses = {
    200: answer("A table for each month", structure(withheld_below={"type": "integer"}, months=array(_MONTH))),
    **problems(NotFound),
}


def capacity_router(
    service: Service, rows: Rows, context: Context, months: Months, access: Access, below: int = BELOW
) -> APIRouter:
    """The route of the service that keeps these refusals."""
    router = v1()

    @router.get("/capacity", tags=["statistics"], summary="Refused: was there room?", responses=_ANSWERS)
    async def get_capacity(
        sender: Annotated[Sender, Depends(access)],
        since: MonthText,
        until: MonthText | None = None,
        by: Annotated[list[Dimension] | None, Query(description="Without it, one line a month")] = None,
        provisional: Provisional = False,
    ) -> JSONResponse:
        told = []
        for month, over in months.asked(sender, since, until, provisional).items():
            refused = await rows(service.kind, None, month)
            begin, end = _around(month)
            said = await context((service.reported, WITHDRAWAL), begin - GOOD_FOR, end)
            policy, dimensions = months.plan.policy, list(dict.fromkeys(by or ()))
            cells = await asyncio.to_thread(capacity, refused, said, service, policy, dimensions, below)
            told.append({"month": month, "over": over, "cells": cells})
        return by_month(below, told)

    return router


def _around(month: str) -> tuple[int, int]:
    """Instants before and after a month in every zone."""
    first = date.fromisoformat(f"{month}-01")
    begin = parse_instant(f"{first.isoformat()}T00:00:00Z")
    return begin - DAY, begin + 33 * DAY
