"""The routes of police-dispatch: those of every service that keeps cases, and none of its own."""

from fastapi import FastAPI

from qorgau.front.keeper import Keeper


def build_api(keeper: Keeper) -> FastAPI:
    """The application of police-dispatch."""
    return keeper.app()
