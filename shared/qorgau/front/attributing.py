"""Whose time it was, over HTTP: the account of one case in every service that keeps cases, and accounts in sum."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from qorgau.attribution.account import attribute
from qorgau.attribution.sums import KIND, WHOLE, summed
from qorgau.attribution.table import LEGS
from qorgau.errors import NotFound
from qorgau.front.answers import INSTANT, LENGTH, TAGGED, TEXT, Responses, answer, array, problems, ref, structure
from qorgau.front.door import Sender
from qorgau.front.monthly import Rows
from qorgau.front.paging import not_modified
from qorgau.front.reading import CaseId, Known, Reading, tagged, unchanged
from qorgau.identity.access import Access
from qorgau.identity.membership import shown_to
from qorgau.instants import format_instant
from qorgau.service import v1
from qorgau.surge.suppression import BELOW

_REGION, _MONTH = "^KZ-[0-9]{2}$", "^[0-9]{4}-(0[1-9]|1[0-2])$"
_Schemas = dict[str, Mapping[str, Any]]
_MAYBE_TEXT = {"type": ["string", "null"]}
_NAMES = [leg.name for leg in LEGS]
_LEG = {"enum": _NAMES, "description": "What the case waited for (docs/attribution.md)"}
_OF: _Schemas = {"leg": _LEG, "agency": TEXT | {"description": "Whose time it was"}}
_SEGMENT = structure(**_OF, begin=INSTANT, end=INSTANT)
_CLOCKS: _Schemas = {
    "legal": LENGTH | {"description": "How long P17 or P18 ran"},
    "tolled": LENGTH | {"description": "How long it was tolled"},
    "safety": LENGTH | {"description": "How long P19 ran, which is never tolled"},
}
_ATTRIBUTION = structure(
    case=TEXT,
    region=_MAYBE_TEXT | {"description": "That of the first report"},
    as_of=INSTANT,
    begin=INSTANT | {"description": "The first report, or else the first fact"},
    end=INSTANT | {"description": "The last decision, or else the closing, or else `as_of`"},
    ended={"enum": ["decided", "closed", None]},
    running={"oneOf": [structure(**_OF), {"type": "null"}], "description": "What it waits for, while it is open"},
    total=LENGTH | {"description": "The sum of all that is charged"},
    legs=array(structure(**_OF, charged=LENGTH, beside=LENGTH)),
    segments=array(ref("AttributionSegment")) | {"description": "From begin to end without gap or overlap"},
    beside=array(ref("AttributionSegment")) | {"description": "Waited for as well while something else was charged"},
    clocks=structure(**_CLOCKS, protocols=array(structure(key=TEXT, **_CLOCKS))),
)
ATTRIBUTION_SCHEMAS: Mapping[str, Any] = MappingProxyType({"Attribution": _ATTRIBUTION, "AttributionSegment": _SEGMENT})
_GET_ATTRIBUTION: Responses = {
    200: answer("Each moment charged to one leg and one agency", ref("Attribution"), headers=TAGGED),
    304: {"description": "It is the version that If-None-Match names", "headers": TAGGED},
    **problems(NotFound),
}
_CELL = structure(
    region=_MAYBE_TEXT,
    month=TEXT | {"description": "Of the report, local time"},
    leg={"enum": [*_NAMES, WHOLE], "description": f"{WHOLE}: all of them together"},
    open={"type": "boolean", "description": "Of accounts that go on; else of those that ended"},
    cases={"type": "integer"},
    **dict.fromkeys(("sum", "median", "p90"), LENGTH),
)
_GET_SUMS: Responses = {
    200: answer(
        "A cell for each region, month and leg; one that is not there has fewer than `withheld_below` cases, or none",
        structure(as_of=INSTANT, withheld_below={"type": "integer"}, cells=array(_CELL)),
    )
}


def attribution_router(reading: Reading, access: Access) -> APIRouter:
    """The route by which the account of a case is read; it shares the entity tag of the case."""
    router = v1()
    By = Annotated[Sender, Depends(access)]

    @router.get(
        "/cases/{case}/attribution",
        tags=["cases"],
        summary="What a case waited for, and whose time it was",
        responses=_GET_ATTRIBUTION,
    )
    async def get_attribution(case: CaseId, sender: By, if_none_match: Known = None) -> Response:
        shown = await reading.shown(case, sender)
        if not_modified(if_none_match, shown.version):
            return unchanged(shown)
        record = shown.record
        account = None if record.as_of is None else attribute(record.facts, record.as_of)
        if account is None:
            raise NotFound("Nothing that counts is known of the case yet.")
        return JSONResponse(shown_to(sender, account.to_json()), headers=tagged(shown))

    return router


def attribution_sums_router(rows: Rows, access: Access, now: Callable[[], int]) -> APIRouter:
    """The route by which accounts are read in sum; `now` gives the instant in microseconds."""
    router = v1()

    @router.get(
        "/attribution", tags=["statistics"], summary="Whose time it was, by region and month", responses=_GET_SUMS
    )
    async def get_attribution_sums(
        sender: Annotated[Sender, Depends(access)],
        region: Annotated[str | None, Query(pattern=_REGION, description="Such as KZ-75")] = None,
        month: Annotated[str | None, Query(pattern=_MONTH, description="Such as 2026-03")] = None,
    ) -> Response:
        found, at = await rows(KIND, region, month), now()
        body = {"as_of": format_instant(at), "withheld_below": BELOW, "cells": summed(found, at)}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    return router
