"""The routes of police-dispatch: those of every service that keeps cases, and those it is given."""

from fastapi import APIRouter, FastAPI

from qorgau.front.keeper import Keeper


def build_api(keeper: Keeper, *own: APIRouter) -> FastAPI:
    """The application of police-dispatch; `own` are the routes of its further parts."""
    return keeper.app(*own)
