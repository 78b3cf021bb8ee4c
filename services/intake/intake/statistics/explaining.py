"""Why a flag of F8 is or was up: the counts, what is usual, how sure that is, as data and as sentences. Pure."""

from collections.abc import Mapping
from typing import Any

from intake.statistics.periods import Days
from qorgau.explaining.wording import LocalTime, plural
from qorgau.front.reading import flag_item
from qorgau.instants import format_instant
from qorgau.rows import FlagRow
from qorgau.rules import Surge

Numbers = Mapping[str, Any]


def explain(row: FlagRow, evidence: Mapping[str, Numbers], rule: Surge, days: Days, as_of: int) -> dict[str, Any]:
    """As of any other flag: `{"flag", "rule", "as_of", "facts", "steps", "sentence"}`; nobody's facts are in it."""
    local = LocalTime(days.zone, row.raised_at)
    raised = evidence.get("raised")
    steps = [_condition(row, raised), _step("raised", row.raised_at, "The flag was raised on {}.", local)]
    if row.cleared_at is not None:
        steps.append(
            {**_step("cleared", row.cleared_at, _cleared(evidence.get("cleared")), local), **_reading(evidence)}
        )
    end = "is still up" if row.cleared_at is None else f"was cleared on {local(row.cleared_at)}"
    return {
        "flag": flag_item(row),
        "as_of": format_instant(as_of if row.cleared_at is None else row.cleared_at),
        "rule": {
            "id": rule.id,
            "name": rule.name,
            "title": rule.title,
            "service": rule.service,
            "effective_from": None,
            "basis": rule.basis,
            "source": rule.source,
            "duty": "",
            "duty_kinds": list(rule.duty_kinds),
            "severity": rule.severity,
        },
        "facts": {"start": None, "end": None},
        "steps": steps,
        "sentence": f"{rule.title} ({row.rule}). It was raised on {local(row.raised_at)} and {end}.",
    }


def sentence(row: FlagRow, of: Numbers) -> str:
    """The alarm in one sentence: never an excess without the chance of it."""
    when = "on" if of["period"] == "day" else "in the week from"
    percent = "none is usual" if of["percent"] is None else f"{of['percent']:+.0f} % against usual"
    return (
        f"{plural(of['reports'], 'report')} by channel {of['channel']} in {row.region} {when} {of['first']}, where "
        f"{of['expected']:.2f} are usual ({_usual(of)}): {percent} (p = {of['percent_p']:.2g}). "
        f"By {of['method']} the statistic is {of['statistic']:.2f} and {of['bound']:.1f} would still be no alarm "
        f"(p = {of['p']:.2g})."
    )


def _usual(of: Numbers) -> str:
    if not of["usual"]:
        return "by the same season of past years, or the last weeks"
    mean = f"the mean of {plural(len(of['usual']), of['period'])}"
    if not of["lag"]:
        return f"{mean} before"
    return f"{mean}, the last of them {plural(of['lag'] + 1, of['period'])} before"


def _condition(row: FlagRow, raised: Numbers | None) -> dict[str, Any]:
    step = {"step": "condition", "kind": "surge", "key": row.key}
    if raised is None:
        return step | {"sentence": "It was told before the database was lost, and its counts were not kept."}
    return {**step, **raised, "sentence": sentence(row, raised)}


def _cleared(cleared: Numbers | None) -> str:
    if cleared is None:
        return "It was cleared on {}."
    if cleared["itself"]:
        return "It was cleared on {}: with what became known since, its own count is no alarm."
    return "It was cleared on {}: the surge was over, the newest count is no alarm."


def _reading(evidence: Mapping[str, Numbers]) -> dict[str, Any]:
    reading = evidence.get("cleared", {}).get("reading")
    return {} if reading is None else {"reading": reading}


def _step(name: str, at: int, words: str, local: LocalTime) -> dict[str, Any]:
    return {"step": name, "at": format_instant(at), "local": local.iso(at), "sentence": words.format(local(at))}
