"""`GET /v1/statistics`: the monthly table of reports by region and channel, in the revision of now or of an instant."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import JSONResponse

from intake.statistics.periods import month_of
from intake.statistics.publishing import Months, valid_at
from intake.statistics.tables import COLUMNS, Revision, as_csv, as_json
from qorgau.errors import Forbidden, Invalid, NotFound, Unavailable
from qorgau.front.answers import problems
from qorgau.front.describe import json_content
from qorgau.front.paging import etag, not_modified
from qorgau.identity.access import Access
from qorgau.identity.sender import EVERY, Reach, Sender
from qorgau.instants import parse_instant
from qorgau.service import v1

CSV = "text/csv"
_INSTANT = {"type": "string", "format": "date-time"}
_REVISION = {
    "type": "object",
    "required": ["revision", "as_of"],
    "properties": {"revision": {"type": "integer"}, "as_of": _INSTANT},
}
_CELL = {
    "type": "object",
    "required": ["region", "channel", "reports", "withheld"],
    "properties": {
        "region": {"type": "string", "description": "total: the sum over all"},
        "channel": {"type": "string", "description": "total: the sum over all"},
        "reports": {"type": ["integer", "null"], "description": "null where it is withheld"},
        "withheld": {"type": "boolean"},
    },
}
_TABLE = {
    "type": "object",
    "required": ["month", "status", "revision", "as_of", "withheld_below", "revisions", "cells"],
    "properties": {
        "month": {"type": "string"},
        "status": {"enum": ["published", "provisional"]},
        "revision": {"type": ["integer", "null"], "description": "null: provisional, no revision"},
        "as_of": _INSTANT,
        "withheld_below": {"type": "integer"},
        "revisions": {"type": "array", "items": _REVISION},
        "cells": {"type": "array", "items": _CELL},
    },
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "The table with its sums. Withheld are counts below `withheld_below`, zeros and sums too, and as many other"
            " cells as it takes that what is published does not give them away"
        ),
        "content": {
            **json_content(_TABLE),
            CSV: {"schema": {"type": "string", "description": f"A header and a line a cell: {', '.join(COLUMNS)}"}},
        },
    },
    304: {"description": "It is the revision that If-None-Match names"},
    **problems(NotFound),
}


def statistics_router(months: Months, now: Callable[[], int], access: Access) -> APIRouter:
    """The route by which tables are read."""
    router = v1()

    @router.get(
        "/statistics", tags=["statistics"], summary="Reports of a month by region and channel", responses=_ANSWERS
    )
    async def get_statistics(
        sender: Annotated[Sender, Depends(access)],
        month: Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="Such as 2026-03")],
        as_of: Annotated[str | None, Query(description="The revision in force then; ISO 8601 with an offset")] = None,
        format: Annotated[Literal["json", "csv"] | None, Query(description="Default: by Accept, else json")] = None,
        provisional: Annotated[
            bool, Query(description="The days so far of a month that is not over; for supervisors of all regions")
        ] = False,
        accept: Annotated[str, Header()] = "",
        if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
    ) -> Response:
        first, instant = month_of(month), now()
        if first is None:
            raise NotFound
        as_lines = format == "csv" or (format is None and CSV in accept)
        if not months.is_over(first, months.here.last_ready(instant)):
            _check_may_see_early(sender, provisional)
            so_far = await months.provisional(first, instant)
            return _answer(so_far, [], months, as_lines, {"Cache-Control": "no-store"})
        revisions = await _revisions(months, month, first, instant)
        found = valid_at(revisions, instant if as_of is None else _instant(as_of))
        if found is None:
            raise NotFound
        tag = f"{month}.{found.number}.{'csv' if as_lines else 'json'}"
        headers = {"ETag": etag(tag), "Cache-Control": "private, no-cache", "Vary": "Accept"}
        if not_modified(if_none_match, tag):
            return Response(status_code=304, headers=headers)
        return _answer(found, revisions[: found.number], months, as_lines, headers)

    return router


async def _revisions(months: Months, month: str, first: date, now: int) -> list[Revision]:
    """What is published; where it cannot be looked whether that is still so, what was published before."""
    try:
        return await months.publish(first, now)
    except Unavailable:
        known = await months.revisions(month)
        if not known:
            raise
        return known


def _check_may_see_early(sender: Sender, provisional: bool) -> None:
    """Who may read every case anyway learns nothing from a table that changes every day; everybody else would."""
    if not provisional:
        raise NotFound("The month is not over; its days so far are for `provisional=true`.")
    if sender.reach is not Reach.REGION or EVERY not in sender.regions:
        raise Forbidden("A month that is not over is for supervisors of all regions.")


def _answer(
    revision: Revision, history: list[Revision], months: Months, as_lines: bool, headers: dict[str, str]
) -> Response:
    status: Literal["published", "provisional"] = "published" if revision.number else "provisional"
    if as_lines:
        name = f'attachment; filename="reports-{revision.month}.csv"'
        headers = headers | {"Content-Disposition": name}
        return Response(as_csv(revision, status), media_type=f"{CSV}; charset=utf-8; header=present", headers=headers)
    known = [(one.number, one.as_of) for one in history]
    return JSONResponse(as_json(revision, status, known, months.below), headers=headers)


def _instant(text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise Invalid(f"It is {error}.", field="as_of") from None
