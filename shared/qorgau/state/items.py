"""What the fields of rows look like in the description of a service; which rows have which is each service's."""

from collections.abc import Mapping
from typing import Any

from qorgau.front.answers import CERTAINTY, INSTANT, TEXT, array, structure
from qorgau.front.posted import REFERENCE
from qorgau.vocabulary import FACT_TYPES

Item = Mapping[str, Mapping[str, Any]]

COUNT = {"type": "integer", "minimum": 0}
YES_OR_NO = {"type": "boolean"}
MAYBE_COUNT = {"type": ["integer", "null"], "minimum": 0}
MAYBE_YES = {"type": ["boolean", "null"]}
MAYBE_INSTANT = {"type": ["string", "null"], "format": "date-time"}
MAYBE_REFERENCE = {"type": ["string", "null"], "pattern": REFERENCE}
MAYBE_TEXT = {"type": ["string", "null"]}


def words(type: str, field: str) -> dict[str, Any]:
    """One of the words that a field of a type of fact can have, or null."""
    return {"enum": [*sorted(FACT_TYPES[type].fields[field] or ()), None]}


def steps(**fields: Mapping[str, Any]) -> dict[str, Any]:
    """Several things of a kind, each with its instant, in the order in which they happened."""
    return array(structure(at=INSTANT, **fields))


# What `CaseView.row` adds to every row; how certain it is, is told when it is read.
EVERY_ROW: Item = {
    "deadlines": array(structure(*CERTAINTY, rule=TEXT, due_at=MAYBE_INSTANT, **CERTAINTY))
    | {"description": "What somebody still has to do, the earliest due first; due_at is null while the clock stands"},
    "case_closed": YES_OR_NO,
}
_SIDE = structure(id=MAYBE_TEXT, source=MAYBE_TEXT, type=TEXT, at=INSTANT)
FINDING: Item = {
    **EVERY_ROW,
    "fact": _SIDE | {"description": "The fact that does not fit"},
    "known_at": INSTANT,
    "against": {**_SIDE, "type": ["object", "null"], "description": "The fact it does not fit, if there is one"},
    "stamp": MAYBE_INSTANT | {"description": "The instant in its data that does not fit"},
}
