"""A page of the list of flags, each with whether it is certain now: worked out when it is read, stored nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qorgau.feeds.certainty import Certainty, Doubts
from qorgau.feeds.marking import marked_flag
from qorgau.front.flagbook import FlagBook
from qorgau.identity.sender import Sender

# So many are looked through at once where only certain ones, or only uncertain ones, are asked for.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: fields and their values, raised since when, who asks, and which certainty."""

    wanted: Mapping[str, str]
    since: int | None
    sender: Sender
    certainty: Certainty | None = None


async def listed(
    book: FlagBook, asked: Asked, doubts: Doubts, after: str, limit: int
) -> list[tuple[str, dict[str, Any]]]:
    """At most `limit` flags after a key, with their keys. Raises Unavailable."""
    if asked.certainty == "unknown" and not doubts.silent:
        return []
    # What is unknown is up, in a region where somebody is silent.
    doubtful = doubts.regions if asked.certainty == "unknown" and doubts.feeds is not None else None
    found: list[tuple[str, dict[str, Any]]] = []
    at_once = limit if asked.certainty is None else AT_ONCE
    while len(found) < limit:
        rows = await book.page(asked.wanted, asked.since, asked.sender, after, at_once, doubtful)
        marked = [(key, marked_flag(item, doubts)) for key, item in rows]
        found += [row for row in marked if asked.certainty in (None, row[1]["certainty"])]
        if len(rows) < at_once:
            break
        after = rows[-1][0]
    return found[:limit]
