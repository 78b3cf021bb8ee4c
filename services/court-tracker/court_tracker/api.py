"""The routes of court-tracker: those of every service that keeps cases, and those its composition root adds."""

from fastapi import APIRouter, FastAPI

from court_tracker.courts import COURT_SCHEMAS
from court_tracker.feed import HEARING_SCHEMAS
from court_tracker.state.items import ITEMS
from qorgau.front.keeper import Keeper
from qorgau.state.routes import ListRoute, list_schemas

LISTS = (
    ListRoute("court-cases", "courts", "Court cases: registered, listed, suspended, decided", ITEMS["court-cases"]),
    ListRoute("hearings", "courts", "Hearings: dates, suspensions, what became of them", ITEMS["hearings"]),
    ListRoute("findings", "data quality", "What cannot have been so, by the agency that posted it", ITEMS["findings"]),
)


def build_api(keeper: Keeper, *own: APIRouter) -> FastAPI:
    """The application of court-tracker; `own`: the routes that it adds."""
    return keeper.app(*own, schemas={**list_schemas(LISTS), **COURT_SCHEMAS, **HEARING_SCHEMAS})
