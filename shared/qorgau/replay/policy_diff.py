"""How two policies differ, rule by rule and field by field, as a lawyer would say it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from qorgau.instants import format_duration, parse_duration

Row = dict[str, Any]
# What a field means that is not written down, so that writing it down is no difference.
_UNWRITTEN: Mapping[str, Any] = {
    "recurring": False,
    "any_in_case": False,
    "window_passed_at_report": False,
    "tier": "core",
    "scope": [],
    "cancels": [],
    "cases": [],
    "tolled_by": [],
    "where": {},
}
_DURATIONS = frozenset({"within", "after", "in_last", "lasts", "wait", "tolerance"})


def policy_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Row]:
    """A row for each field that differs, of two policy files as plain data; `rule` is `policy` for what all share."""
    yield from _fields("policy", None, before["policy"], after["policy"])
    old, new = _rules(before), _rules(after)
    for name in old | new:
        if name not in new:
            yield _row(*name, "removed", None, old[name].get("title"), None)
        elif name not in old:
            yield _row(*name, "added", None, None, new[name].get("title"))
        else:
            yield from _fields(*name, old[name], new[name])


def _rules(policy: Mapping[str, Any]) -> dict[tuple[str, str | None], Mapping[str, Any]]:
    """Rules and flags by id and, where there is one, the day from which this version counts."""
    entries = [*policy["rules"], *(policy.get("flags") or [])]
    return {(entry["id"], _text(entry.get("effective_from"))): entry for entry in entries}


def _fields(
    rule: str, since: str | None, before: Mapping[str, Any], after: Mapping[str, Any], path: str = ""
) -> Iterator[Row]:
    for name in dict.fromkeys([*before, *after]):
        old, new = (_plain(name, side.get(name, _UNWRITTEN.get(name))) for side in (before, after))
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _fields(rule, since, old, new, f"{path}{name}.")
        else:
            change = "changed" if name in before and name in after else "added" if name in after else "removed"
            yield _row(rule, since, change, f"{path}{name}", old, new)


def _row(rule: str, since: str | None, change: str, field: str | None, before: object, after: object) -> Row:
    return {
        "rule": rule,
        "effective_from": since,
        "change": change,
        "field": field,
        "before": before,
        "after": after,
    }


def _plain(name: str, value: Any) -> Any:
    """The value as JSON has it, a duration in its one form: PT60M is PT1H."""
    if isinstance(value, dict):
        return {str(key): _plain(str(key), below) for key, below in value.items()}
    if isinstance(value, list):
        return [_plain(name, below) for below in value]
    if name in _DURATIONS and isinstance(value, str):
        return format_duration(parse_duration(value))
    return _text(value) if value is not None and not isinstance(value, bool | int | float | str) else value


def _text(value: object) -> str | None:
    return None if value is None else str(value)
