"""The routes of intake: those of every service that keeps cases, reports, and the flags of all services in a case."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, FastAPI

from intake.answers import INTAKE_SCHEMAS
from intake.duplicates import duplicates_router
from intake.persons import persons_router
from intake.referrals import referrals_router
from intake.reports import TAKEN, Reports, reports_router
from intake.vault.assembling import Vault
from intake.vault.form import form_schema, form_schemas
from qorgau.feeds.marking import Doubting, marked_flag
from qorgau.feeds.routes import FEED_SCHEMAS
from qorgau.front.door import Door
from qorgau.front.flagbook import FlagBook
from qorgau.front.keeper import Keeper
from qorgau.front.limits import AtOnce
from qorgau.identity.access import Access
from qorgau.vocabulary import INTAKE

# What a replica on the slowest server we know answers within some seconds; a desk does not wait for longer.
REPORTS_AT_ONCE = 128


def build_api(keeper: Keeper, reports: Reports, *own: APIRouter) -> FastAPI:
    """The application of intake; `own` are the routes of its further parts."""
    app = keeper.app(
        reports_router(reports, keeper.access),
        *own,
        schemas={**INTAKE_SCHEMAS, **FEED_SCHEMAS, **form_schemas(), "Report": form_schema(), "Taken": TAKEN},
    )
    refused = reports.metrics.facts.labels("report", "refused")
    app.add_middleware(AtOnce, most=REPORTS_AT_ONCE, path="/v1/reports", refused=refused.inc)
    return app


def vault_routers(vault: Vault, door: Door, access: Access) -> tuple[APIRouter, ...]:
    """The routes to what the vault holds, and to what it proposes."""
    return (
        persons_router(vault.persons, vault.commands, door, access),
        referrals_router(vault.persons, vault.commands, door, access),
        duplicates_router(vault.incidents, vault.commands, access),
    )


def flags_of_others(book: FlagBook, doubting: Doubting) -> Callable[[str], Awaitable[dict[str, Any]]]:
    """What intake adds to the read of a case: the open flags that the other services have told of, by service."""

    async def others(case: str) -> dict[str, Any]:
        by_service: dict[str, list[Any]] = {}
        doubts = await doubting()
        for entry in await book.of_case(case):
            if entry.service != INTAKE and entry.item.get("cleared_at") is None:
                by_service.setdefault(entry.service, []).append(marked_flag(entry.item, doubts))
        return {"others": by_service}

    return others
