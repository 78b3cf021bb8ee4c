"""The routes of police-dispatch: those of every service that keeps cases, and those its composition root adds."""

from fastapi import APIRouter, FastAPI

from qorgau.front.keeper import Keeper


def build_api(keeper: Keeper, *own: APIRouter) -> FastAPI:
    """The application of police-dispatch; `own`: the routes that it adds."""
    return keeper.app(*own)
