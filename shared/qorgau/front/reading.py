"""Reads of a case in every service that keeps cases: its state, its facts as a file, its flags, and why a flag is up.

A case of others and a case that does not exist look the same.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from operator import itemgetter
from typing import Annotated, Any, Protocol

import orjson
from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.responses import JSONResponse

from qorgau.errors import NotFound
from qorgau.facts import Fact, fact_to_json
from qorgau.feeds.marking import Doubting, mark_of_doubts, marked_deadlines, marked_flag
from qorgau.front.answers import GET_CASE, GET_EXPLANATION, GET_FACTS, GET_FLAGS
from qorgau.front.answers import NDJSON as NDJSON
from qorgau.front.door import Sender
from qorgau.front.paging import CURSOR, LIMIT, MOST, etag, key_of, not_modified, page
from qorgau.front.posted import REFERENCE
from qorgau.identity.access import Access
from qorgau.identity.membership import may_read, shown_to
from qorgau.instants import format_instant
from qorgau.record import CaseRecord
from qorgau.replay.casefile import HEARD_BY
from qorgau.rows import FlagRow, Judged
from qorgau.service import v1

# Adding it makes every instant the heart can express a number that sorts as a text.
_SHIFT = 1 << 60


@dataclass(frozen=True, slots=True)
class Shown:
    """A case as it is stored: `version` changes with every write; `unknown` while it cannot be judged to now."""

    record: CaseRecord
    version: str
    unknown: bool = False


class Cases(Protocol):
    """The cases of one service, from its database."""

    async def case(self, case: str) -> Shown | None:
        """One case, or None."""

    async def case_of_flag(self, flag_id: str) -> str | None:
        """The case in which this service raised a flag, or None."""


class Judge(Protocol):
    """What the pure heart says of a stored case, under the service's policy."""

    def judged(self, record: CaseRecord) -> Iterable[Judged]:
        """Every deadline at the instant the record was judged last, with what it was made of."""

    def closed(self, record: CaseRecord) -> bool:
        """Whether the case is closed (deadlines.md 3.3)."""

    def explain(self, record: CaseRecord, flag_id: str) -> dict[str, Any]:
        """Rule, facts and arithmetic behind one flag; KeyError if no such flag was ever up."""


# What a service adds to the read of a case; intake adds the flags of the other services.
Others = Callable[[str], Awaitable[dict[str, Any]]]
# The explanation of a flag that is of no case, as far as the sender may see it; raises NotFound.
Elsewhere = Callable[[str, Sender], Awaitable[dict[str, Any]]]
# The facts of a case; none where it is not known.
FactsOfCase = Callable[[str], Awaitable[Sequence[Fact]]]
# Whether an agency registered a reference of a case.
Registered = Callable[[str, str], Awaitable[bool]]


def flag_item(row: FlagRow) -> dict[str, Any]:
    """A flag row with what its events carry besides: id, region and agency."""
    return {"id": row.id, **row.to_json(), "region": row.region, "agency": row.agency}


def flag_key(raised_at: int, flag_id: str) -> str:
    """The key a list of flags is sorted and continued by: raising instant, then id."""
    return f"{raised_at + _SHIFT:020d}|{flag_id}"


async def nothing(_: str) -> dict[str, Any]:
    """Nothing is added."""
    return {}


async def _nobody(_: str, __: str) -> bool:
    return False


async def nowhere(_: str, __: Sender) -> dict[str, Any]:
    """Every flag is of a case."""
    raise NotFound


@dataclass(frozen=True, slots=True)
class Reading:
    """The reads of one service."""

    service: str
    cases: Cases
    judge: Judge
    registered: Registered = _nobody
    others: Others = nothing
    elsewhere: Elsewhere = nowhere
    doubting: Doubting | None = None

    async def shown(self, case: str, sender: Sender) -> Shown:
        """A case this sender may read. Raises NotFound, in the same way and after the same questions, for a case of
        others and for one that does not exist."""
        shown = await self.cases.case(case)
        if shown is not None and may_read(sender, shown.record.facts):
            return shown
        by_reference = await self.registered(case, sender.agency)
        if shown is None or not by_reference:
            raise NotFound
        return shown

    async def state(self, shown: Shown) -> dict[str, Any]:
        """The answer of `GET /v1/cases/{case}`."""
        record = shown.record
        deadlines, flags = await self._marked(record)
        status = "unknown" if shown.unknown else "closed" if self.judge.closed(record) else "open"
        return {
            "case": record.case,
            "service": self.service,
            "status": status,
            "as_of": None if record.as_of is None else format_instant(record.as_of),
            "facts": len(record.facts),
            "agencies": sorted({fact.source for fact in record.facts}),
            "regions": sorted({str(fact.data["region"]) for fact in record.facts if "region" in fact.data}),
            "deadlines": deadlines,
            "flags": flags,
            **await self.others(record.case),
        }

    async def _marked(self, record: CaseRecord) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Its deadlines and its open flags, with their certainty where somebody says it."""
        judged, open_flags = self.judge.judged(record), [row for row in record.flags if row.cleared_at is None]
        items = [flag_item(row) for row in sorted(open_flags, key=lambda row: (row.raised_at, row.id))]
        if self.doubting is None:
            return [one.row.to_json() for one in judged], items
        doubts = await self.doubting()
        return marked_deadlines(judged, doubts), [marked_flag(item, doubts) for item in items]

    async def version(self, shown: Shown) -> tuple[str, dict[str, Any] | None]:
        """What the entity tag of `GET /v1/cases/{case}` is made of, and the answer where that took it: what is
        uncertain changes without a write."""
        if self.doubting is None or not (await self.doubting()).silent:
            return shown.version, None
        state = await self.state(shown)
        doubtful = mark_of_doubts([*state["deadlines"], *state["flags"]])
        return f"{shown.version}.{sha256(doubtful).hexdigest()[:16]}" if doubtful else shown.version, state


def file_of(record: CaseRecord, sender: Sender) -> bytes:
    """The facts of a case in the file format, in the order they were learned, one a line, as this sender may see them.

    Who looks after the region gets with them, marked, those of other cases that its rules look at, with the instants
    this case used; an agency of the case does not learn where else the two people are known.
    """
    rows = [(fact, fact_to_json(fact)) for fact in record.facts]
    if any(sender.supervises(fact.data.get("region")) for fact in record.facts):
        rows += [(fact, {**fact_to_json(fact), HEARD_BY: record.case}) for fact in record.others]
    rows.sort(key=lambda row: (row[0].recorded, row[0].order))
    return b"".join(orjson.dumps(shown_to(sender, row)) + b"\n" for _, row in rows)


def flags_page(record: CaseRecord, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of every flag the case ever had, in the order they were raised."""
    after = key_of(cursor)
    keyed = sorted(((flag_key(row.raised_at, row.id), flag_item(row)) for row in record.flags), key=itemgetter(0))
    return page([row for row in keyed if row[0] > after][: limit + 1], limit)


CaseId = Annotated[str, Path(pattern=REFERENCE, description="The random reference of a case")]
Known = Annotated[str | None, Header(alias="If-None-Match")]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Cursor = Annotated[str | None, Query(pattern=CURSOR, description="`next` of an earlier answer")]


def cases_router(reading: Reading, access: Access) -> APIRouter:
    """The routes by which cases are read. Case, facts and flags share one entity tag."""
    router = v1()
    By = Annotated[Sender, Depends(access)]

    async def case_to_read(case: CaseId, sender: By) -> Shown:
        return await reading.shown(case, sender)

    Read = Annotated[Shown, Depends(case_to_read)]

    @router.get(
        "/cases/{case}", tags=["cases"], summary="State, deadlines and open flags of a case", responses=GET_CASE
    )
    async def get_case(shown: Read, sender: By, if_none_match: Known = None) -> Response:
        version, state = await reading.version(shown)
        marked = replace(shown, version=version)
        if not_modified(if_none_match, version):
            return unchanged(marked)
        return JSONResponse(shown_to(sender, state or await reading.state(shown)), headers=tagged(marked))

    @router.get(
        "/cases/{case}/facts",
        tags=["cases"],
        summary="Every fact of a case, as an NDJSON file",
        responses=GET_FACTS,
        response_class=Response,
    )
    async def get_facts(shown: Read, sender: By, if_none_match: Known = None) -> Response:
        if not_modified(if_none_match, shown.version):
            return unchanged(shown)
        return Response(file_of(shown.record, sender), media_type=NDJSON, headers=tagged(shown))

    @router.get(
        "/cases/{case}/flags",
        tags=["cases"],
        summary="Every flag this service ever raised in a case",
        responses=GET_FLAGS,
    )
    async def get_flags(
        shown: Read, sender: By, limit: Limit = LIMIT, cursor: Cursor = None, if_none_match: Known = None
    ) -> Response:
        if not_modified(if_none_match, shown.version):
            return unchanged(shown)
        return JSONResponse(shown_to(sender, flags_page(shown.record, cursor, limit)), headers=tagged(shown))

    @router.get(
        "/flags/{flag}/explanation",
        tags=["flags"],
        summary="Why a flag is or was up, step by step",
        responses=GET_EXPLANATION,
    )
    async def get_explanation(flag: Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")], sender: By) -> JSONResponse:
        case = await reading.cases.case_of_flag(flag)
        if case is None:
            return JSONResponse(shown_to(sender, await reading.elsewhere(flag, sender)))
        shown = await reading.shown(case, sender)
        try:
            return JSONResponse(shown_to(sender, reading.judge.explain(shown.record, flag)), headers=tagged(shown))
        except KeyError:
            raise NotFound from None

    return router


def tagged(shown: Shown) -> dict[str, str]:
    """The headers of an answer about a case: of which version it is, and as of when."""
    headers = {"ETag": etag(shown.version), "Cache-Control": "private, no-cache"}
    if shown.record.as_of is not None:
        # Proxies drop names with an underscore, and the documentation names it so: both.
        headers["As-Of"] = headers["as_of"] = format_instant(shown.record.as_of)
    return headers


def unchanged(shown: Shown) -> Response:
    """The answer to who has this version already."""
    return Response(status_code=304, headers=tagged(shown))
