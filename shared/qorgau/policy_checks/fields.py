"""Which conditions on a fact's data can hold: what values a field of a fact type can have. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from qorgau.policy_checks.document import Place
from qorgau.rules import Where
from qorgau.vocabulary import FACT_TYPES, FactType

# What fields hold that are no words out of a list; every other field holds a text. The models of the services say the
# same, and a test compares them.
BOOLEANS = frozenset({"injury", "sexual", "needs_police", "tolls_term", "arrest_eligible", "complied", "reachable"})
NUMBERS = frozenset({"days", "hours", "months", "places", "free", "quarantine_free", "on_duty"})
TIMESTAMPS = frozenset({"occurred_at", "scheduled_for", "registered_at", "arrived_at", "from", "until"})

_OPERATORS = frozenset({"in", "not", "present"})


def known_type(place: Place, name: str, *, context: bool = False) -> FactType | None:
    """The fact type of that name, or None and a problem if there is none that can stand here."""
    found = FACT_TYPES.get(name)
    if found is None:
        place.refuse(f"no fact has the type {name}{_meant(name, FACT_TYPES)}")
    elif found.context is not context:
        place.refuse(f"a {name} {'belongs to a' if context else 'is about no'} case, so it never counts here")
        return None
    return found


def check_carries(place: Place, kind: FactType | None, field: str) -> bool:
    """Whether facts of the type have the field; a problem if not."""
    if kind is None or field in kind.fields:
        return kind is not None
    place.refuse(f"a {kind.name} has no field {field}{_meant(field, kind.fields)}")
    return False


def check_holds(place: Place, kind: FactType | None, field: str, wanted: frozenset[str], what: str) -> None:
    """A problem unless facts of the type have the field and it holds what is wanted, such as a timestamp."""
    if check_carries(place, kind, field) and field not in wanted:
        place.refuse(f"{field} is no {what}")


def check_where(place: Place, kind: FactType | None, where: Where, regions: frozenset[str] | None) -> None:
    """A problem for each condition that no fact of the type meets."""
    for field, condition in where.items():
        here = place.at(field)
        if check_carries(here, kind, field) and kind is not None:
            check_condition(here, condition, regions if field == "region" else kind.fields[field], field)


def check_condition(place: Place, condition: object, words: frozenset[str] | None, field: str) -> None:
    """A problem if one condition on a field is none, or names a value that the field never has."""
    if not isinstance(condition, dict):
        _check_value(place, condition, words, field)
        return
    if not condition or not _OPERATORS.issuperset(condition):
        place.refuse("a condition is a value, or has in, not or present")
    if "present" in condition and condition["present"] is not True:
        place.refuse("present can only be true; a condition on a missing field is never met")
    options = condition.get("in", [None])
    if not isinstance(options, list) or not options:
        place.refuse("in needs a list of values")
    for value in [*_listed(condition.get("in")), *([condition["not"]] if "not" in condition else [])]:
        _check_value(place, value, words, field)
    if not possible([condition], words):
        place.refuse("these conditions exclude each other")


def check_together(place: Place, kind: FactType | None, wheres: list[Where]) -> None:
    """A problem if the conditions of several maps, which must all hold, exclude each other."""
    if kind is None:
        return
    for field in {field for where in wheres for field in where}:
        conditions = [where[field] for where in wheres if field in where]
        if len(conditions) > 1 and not possible(conditions, kind.fields.get(field)):
            place.refuse(f"no {field} meets this and the other condition on it")


def possible(conditions: list[object], words: frozenset[str] | None) -> bool:
    """Whether some value meets all conditions; `words` are the values there are, None if they cannot be listed."""
    allowed = None if words is None else {_key(word) for word in words}
    excluded = set()
    for condition in conditions:
        if not isinstance(condition, dict):
            condition = {"in": [condition]}
        if isinstance(condition.get("in"), list):
            options = {_key(value) for value in condition["in"]}
            allowed = options if allowed is None else allowed & options
        if "not" in condition:
            excluded.add(_key(condition["not"]))
    return allowed is None or bool(allowed - excluded)


def _check_value(place: Place, value: object, words: frozenset[str] | None, field: str) -> None:
    if isinstance(value, str) and words is not None and value not in words:
        place.refuse(f"no fact has the value {value} here{_meant(value, words)}")
    elif field in BOOLEANS and not isinstance(value, bool):
        place.refuse("is either true or false")
    elif field in NUMBERS and (isinstance(value, bool) or not isinstance(value, int)):
        place.refuse("is a whole number")
    elif field not in BOOLEANS | NUMBERS and not isinstance(value, str):
        hint = f'; write "{value}" in quotes' if isinstance(value, int) else ""
        place.refuse(f"is a text, and this is none{hint}")


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _key(value: object) -> tuple[bool, str]:
    return isinstance(value, bool), str(value)


def _meant(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, list(names), n=1)
    return f"; did you mean {close[0]}?" if close else ""
