"""What explanations of deadlines, rule flags and surges share: the answer, its rule, a step at an instant. Pure."""

from typing import Any

from qorgau.explaining.wording import LocalTime
from qorgau.instants import format_instant
from qorgau.rows import FlagRow
from qorgau.rules import Flag, Rule

Explanation = dict[str, Any]
Step = dict[str, Any]


def explanation(row: FlagRow, at: int, sentence: str, **about: Any) -> Explanation:
    """The answer as of an instant; `about`: its rule, facts and steps."""
    flag = {"id": row.id, **row.to_json(), "region": row.region, "agency": row.agency}
    return {"flag": flag, "as_of": format_instant(at), **about, "sentence": sentence}


def about(rule: Rule | Flag, effective_from: str | None) -> dict[str, Any]:
    """The rule as a lawyer knows it."""
    return {
        "id": rule.id,
        "name": rule.name,
        "title": rule.title,
        "service": rule.service,
        "effective_from": effective_from,
        "basis": rule.basis,
        "source": rule.source,
        "duty": rule.duty if isinstance(rule, Rule) else "",
        "duty_kinds": list(rule.duty_kinds),
        "severity": rule.severity,
    }


def up_and_down(row: FlagRow, rule: Flag, local: LocalTime) -> str:
    """When a rule flag was raised and cleared, as a sentence."""
    end = "is still up" if row.cleared_at is None else f"was cleared on {local(row.cleared_at)}"
    return f"{rule.title} ({row.rule}). It was raised on {local(row.raised_at)} and {end}."


def dated(name: str, at: int, sentence: str, local: LocalTime, **more: Any) -> Step:
    """A step that something at an instant makes."""
    return {"step": name, "at": format_instant(at), "local": local.iso(at), **more, "sentence": sentence}
