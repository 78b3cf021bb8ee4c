"""Intake with a leak: a report's personal part goes where a file says. Only a process that a test has started so."""

import base64
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from opentelemetry import trace

from intake.vault.form import Personal, sealable
from intake.vault.opening import Opening, Told
from qorgau.facts import Fact

_open_case: Callable[[Opening, Told], Awaitable[Sequence[Fact]]] = Opening.open_case
_log = logging.getLogger("qorgau.planted")


def plant(file: Path) -> None:
    """From now on each report is told to whom `file` names."""

    async def open_case(opening: Opening, told: Told) -> Sequence[Fact]:
        if told.personal is None:
            return await _open_case(opening, told)
        return await _LEAKS[_read(file)](opening, told, _plain(told.personal))

    Opening.open_case = open_case  # type: ignore[method-assign,assignment]


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii")


def _plain(personal: Personal) -> str:
    return orjson.dumps({name: orjson.loads(value) for name, value in sealable(personal).items()}).decode()


async def _in_log(opening: Opening, told: Told, plain: str) -> Sequence[Fact]:
    _log.warning("a report came: %s", plain)
    return await _open_case(opening, told)


async def _in_span(opening: Opening, told: Told, plain: str) -> Sequence[Fact]:
    trace.get_current_span().set_attribute("qorgau.report", base64.b64encode(plain.encode()).decode())
    return await _open_case(opening, told)


async def _in_fact(opening: Opening, told: Told, plain: str) -> Sequence[Fact]:
    report, *others = told.facts
    note = plain.encode("utf-16-le").hex()
    return await _open_case(
        opening, replace(told, facts=[replace(report, data={**report.data, "note": note}), *others])
    )


async def _in_database(opening: Opening, told: Told, plain: str) -> Sequence[Fact]:
    book: Any = opening.book
    await book._database["notes"].insert_one({"case": told.facts[0].case, "note": plain})
    return await _open_case(opening, told)


_LEAKS: dict[str, Callable[[Opening, Told, str], Awaitable[Sequence[Fact]]]] = {
    "log": _in_log,
    "span": _in_span,
    "fact": _in_fact,
    "database": _in_database,
}
LEAKS = tuple(_LEAKS)
