"""`GET /v1/parity`: how long domestic-violence calls wait against quarantine-regime calls, cell by cell."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from qorgau.errors import Invalid, Unavailable
from qorgau.front.answers import INSTANT, TEXT, Responses, array, problems, structure
from qorgau.front.answers import answer as described
from qorgau.front.posted import AGENCY
from qorgau.identity.access import Access
from qorgau.identity.sender import Sender
from qorgau.instants import DAY, parse_instant
from qorgau.parity.answering import answer, wanted
from qorgau.parity.reckoning import DAYS, MOST_DAYS, Reckoning
from qorgau.parity.samples import BANDS, DOMESTIC, REGIME
from qorgau.service import v1

_MAYBE = {"type": ["string", "null"]}
_NUMBER = {"type": "number"}
_INTEGER = {"type": "integer"}
_COUNT = {"type": ["integer", "null"], "description": "null where it is withheld"}
_SIDE = structure(answered=_COUNT, unanswered=_COUNT)
_INTERVAL = structure(estimate=_NUMBER, lower=_NUMBER, upper=_NUMBER)
_MAYBE_INTERVAL = _INTERVAL | {"type": ["object", "null"], "description": "null where a call took no time at all"}
_SIDES = {DOMESTIC: _SIDE, REGIME: _SIDE}
_ESTIMATES = ("median_seconds", "difference_seconds", "ratio", "p", "holm_p", "flagged")
_CELL = structure(
    *("reason", *_ESTIMATES),
    region=TEXT,
    unit=TEXT | {"description": "An agency code"},
    grade=_MAYBE | {"description": "The priority of a call; null for a court"},
    area=_MAYBE | {"description": "urban or rural; null for a court"},
    band={"enum": [*BANDS], "description": "Local time of registration, six hours each, from 00:00 on"},
    status={"enum": ["compared", "too_few"]},
    **_SIDES,
    reason=TEXT | {"description": "Why it is not compared; the estimates are absent then"},
    median_seconds=structure(**dict.fromkeys(_SIDES, _INTERVAL)),
    difference_seconds=_INTERVAL | {"description": "Domestic violence less quarantine regime"},
    ratio=_MAYBE_INTERVAL,
    p=_NUMBER | {"description": "Mann-Whitney, two-sided"},
    holm_p=_NUMBER | {"description": "Corrected for the cells compared in this answer"},
    flagged={"type": "boolean", "description": "holm_p is below alpha, and the interval excludes 0"},
)
_PARITY = structure(
    service=TEXT,
    **dict.fromkeys(("since", "until", "as_of"), INSTANT),
    **dict.fromkeys(("level", "alpha"), _NUMBER),
    **dict.fromkeys(("at_least", "withheld_below", "compared"), _INTEGER),
    cells=array(_CELL),
)
_ANSWERS: Responses = {
    200: described("Every cell the token may see, those with too few to compare too", _PARITY),
    **problems(Unavailable),
}


def parity_router(service: str, reckoning: Reckoning, access: Access) -> APIRouter:
    """The route by which parity is read."""
    router = v1()

    @router.get(
        "/parity", tags=["parity"], summary="Delays of domestic-violence against quarantine calls", responses=_ANSWERS
    )
    async def get_parity(
        sender: Annotated[Sender, Depends(access)],
        region: Annotated[str | None, Query(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}$")] = None,
        unit: Annotated[str | None, Query(pattern=AGENCY, description="An agency code such as 102/KZ-75")] = None,
        since: Annotated[str | None, Query(description=f"Default: {DAYS} days before the end")] = None,
        until: Annotated[str | None, Query(description="Default: now; ISO 8601 with an offset")] = None,
    ) -> JSONResponse:
        begin, end = _instant(since, "since"), _instant(until, "until")
        _check(begin, end, reckoning.now())
        found = await reckoning.of(begin, end)
        lines = wanted(found.lines, sender, region, unit)
        window = found.window
        body = answer(service, window.since, window.until, found.as_of, lines)
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    return router


def _check(since: int | None, until: int | None, now: int) -> None:
    """An empty window is a slip, and one of many years would keep everybody else waiting."""
    end = now if until is None else until
    if since is not None and not 0 < end - since <= MOST_DAYS * DAY:
        raise Invalid(f"It is at most {MOST_DAYS} days before the end, and not after it.", field="since")


def _instant(text: str | None, name: str) -> int | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise Invalid(f"It is {error}.", field=name) from None
