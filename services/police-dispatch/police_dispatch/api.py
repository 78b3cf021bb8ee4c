"""The routes of police-dispatch: those of every service that keeps cases, and those its composition root adds."""

from fastapi import APIRouter, FastAPI

from police_dispatch.state.items import ITEMS
from qorgau.front.keeper import Keeper
from qorgau.state.routes import ListRoute, list_schemas

LISTS = (
    ListRoute("responses", "police", "Call-outs: registered, dispatched, arrived, outcome", ITEMS["responses"]),
    ListRoute("orders", "police", "Protective orders: issued, served, checked, ended", ITEMS["orders"]),
    ListRoute("examinations", "police", "Forensic examinations: requested, blocked, done", ITEMS["examinations"]),
    ListRoute("regradings", "police", "Call-outs whose grade changed, or was below the risk", ITEMS["regradings"]),
    ListRoute("findings", "data quality", "What cannot have been so, by the agency that posted it", ITEMS["findings"]),
)


def build_api(keeper: Keeper, *own: APIRouter) -> FastAPI:
    """The application of police-dispatch; `own`: the routes that it adds."""
    return keeper.app(*own, schemas=list_schemas(LISTS))
