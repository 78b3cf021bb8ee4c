"""Which facts a line of the policy matches, compiled to functions once (deadlines.md 1.5, 2.2); pure."""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from qorgau.facts import Fact
from qorgau.instants import DAY

Data = Mapping[str, Any]
Predicate = Callable[[Data], bool]
KeyOf = Callable[[Data], str]


def equal(one: object, other: object) -> bool:
    """JSON equality: true is not 1, 1 is 1.0, and so inside lists and maps."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return bool(one == other)


def same_value(value: object) -> Hashable:
    """A value that is equal for two JSON values exactly if `equal` says so; to index by."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return "constant", str(value)
    if isinstance(value, list):
        return "list", tuple(same_value(item) for item in value)
    if isinstance(value, dict):
        return "map", frozenset((name, same_value(item)) for name, item in value.items())
    return "number", value


def condition(name: str, wish: object) -> Predicate:
    """One condition on one field; a missing field satisfies none, not even `not`."""
    if isinstance(wish, dict):
        return all_of([_operator(name, operator, value) for operator, value in wish.items()], name)
    if isinstance(wish, str):
        return lambda data: data.get(name) == wish
    if isinstance(wish, bool):
        return lambda data: data.get(name) is wish
    return lambda data: name in data and equal(data[name], wish)


def _operator(name: str, operator: str, wish: Any) -> Predicate:
    if operator == "in":
        wishes = list(wish)
        return lambda data: name in data and any(equal(data[name], one) for one in wishes)
    if operator == "not":
        return lambda data: name in data and not equal(data[name], wish)
    present = operator == "present" and wish is True
    return lambda data: present and name in data


def all_of(predicates: Sequence[Predicate], field: str | None = None) -> Predicate:
    """Holds if all do (and the field, if one is named, is there)."""
    if len(predicates) == 1:
        return predicates[0]
    return lambda data: (field is None or field in data) and all(holds(data) for holds in predicates)


def any_of(predicates: Sequence[Predicate]) -> Predicate:
    """Holds if one does."""
    if len(predicates) == 1:
        return predicates[0]
    return lambda data: any(holds(data) for holds in predicates)


def where(fields: Mapping[str, Any], alternatives: Iterable[Mapping[str, Any]] = ()) -> Predicate:
    """`where` and `where_any` of a line as one predicate on the data."""
    predicates = [condition(name, wish) for name, wish in fields.items()]
    ways = [where(way) for way in alternatives]
    if ways:
        predicates.append(any_of(ways))
    return all_of(predicates) if predicates else _always


def _always(_: Data) -> bool:
    return True


def key_of(scope: Sequence[str]) -> KeyOf:
    """The function that gives the key of a fact: the values of the scope fields, a missing one empty (2.2)."""
    if not scope:
        return lambda _: ""
    if len(scope) == 1:
        name = scope[0]
        return lambda data: key_part(data, name)
    return lambda data: "/".join([key_part(data, name) for name in scope])


def key_part(data: Data, name: str) -> str:
    """One field of a key; what is no text is written as JSON."""
    value = data.get(name, "")
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def days_granted(fact: Fact, field: str) -> int:
    """The whole days (at least one) that a fact grants, in microseconds; otherwise 0."""
    days = fact.data.get(field)
    return days * DAY if isinstance(days, int) and not isinstance(days, bool) and days >= 1 else 0
