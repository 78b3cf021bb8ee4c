"""The routes to likely duplicates: proposals with their score and reasons; a person merges, and takes it back."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse

from intake.answers import PROPOSAL, PROPOSALS
from intake.commands import NO_STORE, Command, Route, command, once
from intake.vault.incidents import Incidents
from qorgau.front.idempotency import Answer, Idempotency, KeyHeader
from qorgau.front.paging import LIMIT, key_of, page
from qorgau.front.reading import Cursor, Limit
from qorgau.identity.access import Access
from qorgau.identity.sender import Sender
from qorgau.service import v1

_TAG = "duplicates"
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{1,64}$", description="`id` of a proposal")]


class Nothing(Command):
    """No fields: send `{}`."""


def duplicates_router(incidents: Incidents, commands: Idempotency, access: Access) -> APIRouter:
    """List proposals; merge, un-merge, dismiss."""
    router = v1()
    By = Annotated[Sender, Depends(access)]

    def post(path: str, summary: str) -> Callable[[Route], Route]:
        return command(router, path, Nothing, summary, PROPOSAL, tag=_TAG)

    @router.get(
        "/duplicates",
        tags=[_TAG],
        summary="Reports that may be about one incident, with score and reasons",
        responses=PROPOSALS,
    )
    async def get_duplicates(
        sender: By,
        state: Annotated[Literal["open", "merged", "dismissed"], Query()] = "open",
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> JSONResponse:
        rows = await incidents.page(state, sender, key_of(cursor), limit + 1)
        return JSONResponse(page(rows, limit), headers=NO_STORE)

    @post("/duplicates/{name}/merge", "The later report is about the earlier one's incident")
    async def post_merge(name: Name, request: Request, sender: By, key: KeyHeader) -> JSONResponse:
        async def act(told: Nothing, fact: str) -> Answer:
            return Answer(200, await incidents.merge(name, sender, fact), {})

        return await once(commands, request, sender, key, Nothing, act)

    @post("/duplicates/{name}/unmerge", "Take a merge back: all is as it was before")
    async def post_unmerge(name: Name, request: Request, sender: By, key: KeyHeader) -> JSONResponse:
        async def act(told: Nothing, fact: str) -> Answer:
            return Answer(200, await incidents.unmerge(name, sender, fact), {})

        return await once(commands, request, sender, key, Nothing, act)

    @post("/duplicates/{name}/dismiss", "These are two incidents")
    async def post_dismiss(name: Name, request: Request, sender: By, key: KeyHeader) -> JSONResponse:
        async def act(told: Nothing, fact: str) -> Answer:
            return Answer(200, await incidents.dismiss(name, sender), {})

        return await once(commands, request, sender, key, Nothing, act)

    return router
