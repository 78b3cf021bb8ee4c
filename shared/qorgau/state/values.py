"""Fields of facts as lists show them: words of the vocabulary, references, instants; anything else counts as missing.

The door lets nothing else in; here it is asked again, so that no list can show what is no code.
"""

import re
from typing import Any

from qorgau.facts import Fact
from qorgau.front.posted import REFERENCE, is_agency
from qorgau.instants import format_instant, parse_instant
from qorgau.vocabulary import FACT_TYPES

_REFERENCE = re.compile(REFERENCE[1:-1])


def at(fact: Fact | None) -> str | None:
    """When a fact happened, in UTC."""
    return None if fact is None else format_instant(fact.time)


def word(fact: Fact | None, name: str) -> str | None:
    """One of the words that this field of this type of fact can have."""
    if fact is None or fact.type not in FACT_TYPES:
        return None
    value, words = fact.data.get(name), FACT_TYPES[fact.type].fields.get(name)
    return value if isinstance(value, str) and words is not None and value in words else None


def reference(fact: Fact | None, name: str) -> str | None:
    """A random reference, or the code of a court or region."""
    value = None if fact is None else fact.data.get(name)
    return value if isinstance(value, str) and _REFERENCE.fullmatch(value) else None


def instant(fact: Fact | None, name: str) -> int | None:
    """An instant in the data, in microseconds."""
    try:
        return None if fact is None else parse_instant(fact.data.get(name))
    except ValueError:
        return None


def flag(fact: Fact | None, name: str) -> bool | None:
    """Yes or no."""
    value = None if fact is None else fact.data.get(name)
    return value if isinstance(value, bool) else None


def number(fact: Fact | None, name: str) -> int | None:
    """A whole number that is not negative."""
    value = None if fact is None else fact.data.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31 else None


def written(moment: int | None) -> str | None:
    """An instant in UTC, or nothing."""
    return None if moment is None else format_instant(moment)


def source(fact: Fact) -> str | None:
    """The agency that posted a fact."""
    return fact.source if is_agency(fact.source) else None


def name_of(fact: Fact) -> str:
    """A key made of what makes a fact the same fact; no agency code or reference contains the sign between."""
    return f"{fact.source}#{fact.id}"


def side(fact: Fact | None) -> dict[str, Any] | None:
    """One side of a finding; an end that nobody posted (deadlines.md 1.6) has neither source nor id."""
    if fact is None:
        return None
    return {"id": fact.id or None, "source": source(fact), "type": fact.type, "at": format_instant(fact.time)}
