"""Writes the table of legs into docs/attribution.md: `python -m docs.legs`. A test compares the two."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qorgau.attribution.leg import Ending, Leg
from qorgau.attribution.table import LEGS
from qorgau.rules import Line

PAGE = Path(__file__).parent / "attribution.md"
BEGIN, END = "<!-- legs: written by python -m docs.legs -->", "<!-- end of legs -->"
_HEAD = "| | leg | the case waits for | begins with | ends with | or goes on without it at | whose time |"
_REST = "what is left"


def rows() -> list[str]:
    """The lines of the table, in the order in which legs are charged."""
    return [_HEAD, "|---|---|---|---|---|---|---|", *(_row(number, leg) for number, leg in enumerate(LEGS, 1))]


def page(text: str) -> str:
    """The page with the table of now."""
    before, _, rest = text.partition(BEGIN)
    return "\n".join([before + BEGIN, *rows(), END + rest.partition(END)[2]])


def _row(number: int, leg: Leg) -> str:
    done, passed = ([one for one in leg.ends if one.why == why] for why in ("done", "passed"))
    begins = _lines(leg.begins) or _REST
    if leg.unless is not None:
        since = " or ".join(f"`{name}`" for name in leg.unless.since)
        begins += f", unless `{leg.unless.fact}` came since the last {since}"
    cells = [str(number), f"`{leg.name}`", leg.waits_for, begins, _lines(done), _lines(passed), _duty(leg)]
    return f"| {' | '.join(cells)} |"


def _lines(lines: Iterable[Line]) -> str:
    return ", ".join(f"`{line.fact}`{_narrowed(line)}{_agreeing(line)}" for line in lines)


def _narrowed(line: Line) -> str:
    ways = line.where_any or [line.where]
    words = " or ".join(_condition(name, wish) for way in ways for name, wish in way.items())
    return f" ({words})" if words else ""


def _condition(name: str, wish: Any) -> str:
    if isinstance(wish, dict):
        return f"{name}: {' '.join(wish['in'])}" if "in" in wish else f"{name} not {wish['not']}"
    return name if wish is True else f"not {name}" if wish is False else f"{name}: {wish}"


def _agreeing(line: Line) -> str:
    if not isinstance(line, Ending) or not line.same:
        return ""
    return f" [{' '.join(line.same)}]{'!' if line.final else ''}"


def _duty(leg: Leg) -> str:
    if leg.duty == ("start",):
        return "who posted the first"
    if leg.duty[0].startswith("start."):
        return f"whom the first names in `{leg.duty[0].removeprefix('start.')}`"
    return ", ".join(leg.duty) + (f" [{leg.about}]" if leg.about else "")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
