"""Why a flag is or was up: the rule with its source, the facts, and each step of the arithmetic. Pure.

A flag that was cleared is explained as of its clearing, an open one as of the last instant the record was judged. Of a
flag whose due moved, whose clock stood or whose deadline is gone, the steps tell how it was until then.
"""

from collections.abc import Iterable
from typing import Any

from qorgau.explaining.deadline import DeadlineStory
from qorgau.explaining.flag import FlagStory
from qorgau.explaining.form import Explanation, about, dated, explanation, up_and_down
from qorgau.explaining.scene import Scene
from qorgau.explaining.wording import LocalTime, length
from qorgau.facts import Fact
from qorgau.heart.others import Others
from qorgau.instants import MICROSECOND
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import FlagRow

# Outcomes after which the deadline is no longer what the flag was about (deadlines.md 9.2).
_OVERTAKEN_BY_EVENTS = ("due_moved", "tolled", "void")


def explain(record: CaseRecord, flag_id: str, plan: Plan, others: Iterable[Fact] | Others | None = None) -> Explanation:
    """`{"flag", "rule", "as_of", "facts": {"start", "end"}, "steps", "sentence"}` of a flag of the record; each step is
    data and an English `sentence`. `others` are what F3 and F5 look at, where that is not what the record has. KeyError
    if no such flag was ever up."""
    row = next((row for row in record.flags if row.id == flag_id), None)
    if row is None or record.as_of is None:
        raise KeyError(flag_id)
    at = record.as_of if row.cleared_at is None else row.cleared_at
    around = others if isinstance(others, Others) else Others(record.others if others is None else others, plan)
    if row.level == "flag" and row.rule in plan.flags:
        return _of_rule_flag(record, row, plan, at, around)
    return _of_deadline(record, row, plan, at, around)


def _of_rule_flag(record: CaseRecord, row: FlagRow, plan: Plan, at: int, others: Others) -> Explanation:
    raised, ended = (Scene(record, plan, then, others) for then in (row.raised_at, at))
    story = FlagStory(row, raised, ended)
    told = {"rule": about(story.rule, None), "facts": story.facts(), "steps": story.steps()}
    return explanation(row, at, up_and_down(row, story.rule, story.local), **told)


def _of_deadline(record: CaseRecord, row: FlagRow, plan: Plan, at: int, others: Others) -> Explanation:
    # Nothing happens between two instants of a history, so a microsecond earlier everything is as it was until then.
    then = at - MICROSECOND if row.outcome in _OVERTAKEN_BY_EVENTS and row.cleared_at is not None else at
    scene = Scene(record, plan, then, others)
    deadline = scene.deadline(row.rule, row.key, row.start_at) if row.start_at is not None else None
    if deadline is None:
        # The flag was raised under a policy in which this was otherwise.
        local = LocalTime(plan.calendar.zone(row.region), row.raised_at)
        steps = [_outcome(row, local, None)]
        sentence = f"{row.rule}, raised on {local(row.raised_at)}: the policy of now has no such deadline."
        return explanation(row, then, sentence, rule={"id": row.rule}, facts={"start": None, "end": None}, steps=steps)
    story = DeadlineStory(scene, deadline, row)
    later = None
    if then != at and row.start_at is not None:
        found = Scene(record, plan, at, others)
        moved = found.deadline(row.rule, row.key, row.start_at)
        later = DeadlineStory(found, moved, row) if moved is not None else None
    steps = [*story.steps(), _outcome(row, story.local, later)]
    told = {"rule": about(story.rule, story.rule.effective_from.isoformat()), "facts": story.facts(), "steps": steps}
    return explanation(row, then, _sentence(row, story), **told)


def _sentence(row: FlagRow, story: DeadlineStory) -> str:
    """The whole in one or two sentences."""
    deadline, local = story.deadline, story.local
    begin = f"{story.rule.title} ({row.rule}). The term began on {local(deadline.start)}"
    if deadline.due is None:
        return f"{begin}, and its clock stands."
    if deadline.end is None:
        due = f"{begin} and {'was to end' if deadline.due > story.scene.at else 'ended'} on {local(deadline.due)}"
        return f"{due}; nothing had answered it by {local(story.scene.at)}."
    word = "answered" if deadline.stop is not None else "cancelled"
    late_by = deadline.late_by
    when = f", {length(late_by)} late" if late_by is not None else ""
    return f"{begin} and ended on {local(deadline.due)}; it was {word} on {local(deadline.end)}{when}."


def _outcome(row: FlagRow, local: LocalTime, later: DeadlineStory | None) -> dict[str, Any]:
    at = row.cleared_at
    if at is None:
        return {"step": "outcome", "outcome": row.outcome, "sentence": "The flag is still up."}
    why = _WORDS[row.outcome]
    if row.outcome == "due_moved" and later is not None and later.deadline.due is not None:
        why = f"the due moved to {local(later.deadline.due)}"
    return dated("outcome", at, f"The flag was cleared on {local(at)}: {why}.", local, outcome=row.outcome)


_WORDS = {
    "breached": "the time ran out",
    "closed_late": "the duty was done, but late",
    "missed": "the duty was cancelled after its time had run out",
    "met": "the duty was done in time",
    "cancelled": "the duty was cancelled in time",
    "late_recording": "it became known that this had ended in time, so only the recording was late",
    "tolled": "it became known that the clock stands",
    "due_moved": "the due moved",
    "void": "what had begun the term no longer counts",
    "cleared": "the condition no longer holds",
}
