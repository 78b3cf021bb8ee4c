"""Deadlines and flags as they are shown: each with whether it is certain, and since when it is not. Pure."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import orjson

from qorgau.feeds.certainty import Doubts
from qorgau.instants import format_instant, parse_instant
from qorgau.rows import Judged

# What is uncertain now; raises Unavailable.
Doubting = Callable[[], Awaitable[Doubts]]
# Whatever has ended was told of by who ended it.
_OPEN = frozenset({"running", "tolled", "breached", "window_passed"})


def marked_deadlines(judged: Iterable[Judged], doubts: Doubts) -> list[dict[str, Any]]:
    """Rows of deadlines with their certainty."""
    return [
        one.row.to_json() | _mark(doubts, one.row.state in _OPEN, one.row.rule, one.region, one.duty, one.row.due_at)
        for one in judged
    ]


def marked_flag(item: Mapping[str, Any], doubts: Doubts) -> dict[str, Any]:
    """A flag as it is listed, with its certainty. What is cleared is certain."""
    is_open = item.get("cleared_at") is None
    due = item.get("due_at")
    instant = None if due is None or not is_open else parse_instant(due)
    return {**item} | _mark(doubts, is_open, str(item.get("rule")), item.get("region"), item.get("agency"), instant)


def marked_waits(
    waits: Iterable[Mapping[str, Any]], region: str | None, agency: str | None, doubts: Doubts
) -> list[dict[str, Any]]:
    """What somebody still has to do about a row of a list, with its certainty; `region` and `agency` are the row's."""
    return [
        {**one}
        | _mark(
            doubts,
            True,
            one["rule"],
            region,
            agency,
            None if one["due_at"] is None else parse_instant(one["due_at"]),
        )
        for one in waits
    ]


def mark_of_doubts(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """What distinguishes an answer with these rows from the same without a doubt; empty where all is certain."""
    doubtful = [
        (number, row["unknown_since"])
        for number, row in enumerate(rows)
        if row.get("certainty", "certain") != "certain"
    ]
    return orjson.dumps(doubtful) if doubtful else b""


def _mark(
    doubts: Doubts, is_open: bool, rule: str, region: str | None, agency: str | None, due: int | None
) -> dict[str, Any]:
    certainty, since = doubts.mark(rule, region, agency, due) if is_open else ("certain", None)
    return {"certainty": certainty, "unknown_since": None if since is None else format_instant(since)}
