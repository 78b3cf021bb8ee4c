"""Rules as data: reads a policy, checks it, and refuses what cannot be right with the line and the rule's id. Pure.

The rows are in `rules/`, what else is checked, and where a line of the file is, in `policy_checks`.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from qorgau.calendar import data_version
from qorgau.policy_checks import check_policy
from qorgau.policy_checks.document import Place, PolicyRefused, Problem, read_document
from qorgau.policy_checks.models import problems_in
from qorgau.rules import Flag, Frame, Policy, Rule

__all__ = ["PolicyRefused", "Problem", "fingerprint", "load_policy", "parse_policy"]

_FRAME: TypeAdapter[Frame] = TypeAdapter(Frame)
_RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
_FLAG: TypeAdapter[Flag] = TypeAdapter(Flag)
_PARTS = ("policy", "rules", "flags")
_Part = TypeVar("_Part")


def parse_policy(text: str) -> Policy:
    """The policy in the text of a YAML file, checked. Raises PolicyRefused with every problem that was found."""
    document = read_document(text)
    found: list[Problem] = []
    top = Place(document, found)
    parts = _parts(top)
    frame = _valid(_FRAME, parts["policy"], top.at("policy")) if "policy" in parts else None
    rules = _all_valid(_RULE, parts.get("rules"), top.at("rules"))
    flags = _all_valid(_FLAG, parts.get("flags"), top.at("flags"))
    check_policy(top, frame, rules, flags)
    if found or frame is None:
        raise PolicyRefused(found)
    policy = Policy(policy=frame, rules=list(rules.values()), flags=list(flags.values()))
    return policy.model_copy(update={"fingerprint": fingerprint(policy)})


def load_policy(path: Path) -> Policy:
    """The policy in a file. Raises PolicyRefused, or OSError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyRefused([Problem(1, "", "not a text in UTF-8")]) from None
    return parse_policy(text)


def fingerprint(policy: Policy) -> str:
    """A hash of what the policy says and of the calendar and zone data it is judged with; not of how it is written."""
    content = orjson.dumps(policy.model_dump(mode="json", exclude={"fingerprint"}), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content + b"\n" + data_version().encode()).hexdigest()


def _parts(top: Place) -> Mapping[str, Any]:
    content = top.document.content
    if not isinstance(content, dict):
        top.refuse("a policy is a map with policy, rules and flags")
        return {}
    for name in content:
        if name not in _PARTS:
            top.at(str(name)).refuse(f"{name}: there is no such part")
    for name in ("policy", "rules"):
        if name not in content:
            top.refuse(f"{name} is missing")
    return content


def _all_valid(adapter: TypeAdapter[_Part], rows: object, place: Place) -> dict[int, _Part]:
    """The rows that are well formed, by their place in the file."""
    if rows is None:
        return {}
    if not isinstance(rows, list):
        place.refuse("not a list")
        return {}
    valid = {number: _valid(adapter, row, place.at(number)) for number, row in enumerate(rows)}
    return {number: row for number, row in valid.items() if row is not None}


def _valid(adapter: TypeAdapter[_Part], value: object, place: Place) -> _Part | None:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        for steps, message in problems_in(error):
            if isinstance(value, dict) and steps[:1] == [value.get("kind")]:
                # Which of the models of a flag it was; no field of the file.
                steps = steps[1:]
            place.at(*steps).refuse(message)
        return None
