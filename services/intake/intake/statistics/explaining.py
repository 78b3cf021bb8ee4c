"""Why a flag of F8 is or was up: the counts, what is usual, how sure that is, as data and as sentences. Pure."""

from collections.abc import Mapping
from typing import Any

from intake.statistics.periods import Days
from qorgau.explaining.form import Explanation, Step, about, dated, explanation, up_and_down
from qorgau.explaining.wording import LocalTime, plural
from qorgau.rows import FlagRow
from qorgau.rules import Surge

Numbers = Mapping[str, Any]


def explain(row: FlagRow, evidence: Mapping[str, Numbers], rule: Surge, days: Days, as_of: int) -> Explanation:
    """As of any other flag: `{"flag", "rule", "as_of", "facts", "steps", "sentence"}`; nobody's facts are in it."""
    local = LocalTime(days.zone, row.raised_at)
    raised = dated("raised", row.raised_at, f"The flag was raised on {local(row.raised_at)}.", local)
    steps = [_condition(row, evidence.get("raised")), raised]
    at = as_of
    if row.cleared_at is not None:
        at = row.cleared_at
        why = f"It was cleared on {local(at)}{_why_cleared(evidence.get('cleared'))}."
        steps.append(dated("cleared", at, why, local, **_reading(evidence)))
    told = {"rule": about(rule, None), "facts": {"start": None, "end": None}, "steps": steps}
    return explanation(row, at, up_and_down(row, rule, local), **told)


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


def _condition(row: FlagRow, raised: Numbers | None) -> Step:
    step = {"step": "condition", "kind": "surge", "key": row.key}
    if raised is None:
        return step | {"sentence": "It was told before the database was lost, and its counts were not kept."}
    return {**step, **raised, "sentence": sentence(row, raised)}


def _why_cleared(cleared: Numbers | None) -> str:
    if cleared is None:
        return ""
    if cleared["itself"]:
        return ": with what became known since, its own count is no alarm"
    return ": the surge was over, the newest count is no alarm"


def _reading(evidence: Mapping[str, Numbers]) -> dict[str, Any]:
    reading = evidence.get("cleared", {}).get("reading")
    return {} if reading is None else {"reading": reading}
