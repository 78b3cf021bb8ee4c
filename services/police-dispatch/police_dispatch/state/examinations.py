"""The list `examinations`: one row a forensic examination, and one for an examination nobody has asked for yet. Pure.

An examination is known by what was arranged for it; its findings are in no fact.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from qorgau.facts import Fact
from qorgau.heart.matching import key_part
from qorgau.rows import DeadlineRow
from qorgau.state.rows import Listed
from qorgau.state.values import at, flag, instant, reference, word, written
from qorgau.state.view import CaseView

RULES = ("P20", "P21", "P22", "P23")
COMPLETED, REPORTED = "exam.completed", "exam.report_issued"
# Once such a fact is known, no other brings the examination back; of the others the last one says how it stands.
FINAL = {REPORTED: "reported", COMPLETED: "completed"}
NOT_REQUESTED = "not_requested"
OPEN = frozenset({NOT_REQUESTED, "requested", "scheduled", "blocked", "evidence_collected"})


def examination_rows(view: CaseView) -> Iterator[Listed]:
    """A row for each examination by its reference. Facts without one are about those that are open then, else about
    that of the empty key; there, too, stands what is due while nobody has asked for an examination."""
    found = _by_exam(view.of(*STATES))
    due = [row for row in view.unended if row.rule in RULES]
    unasked = [row for row in due if not any(_concerns(row, facts) for facts in found.values())]
    if unasked:
        found.setdefault("", [])
    for key, facts in found.items():
        waits = unasked if unasked and key == "" else [row for row in due if _concerns(row, facts)]
        state = NOT_REQUESTED if waits is unasked else _state(facts)
        yield view.row("examinations", key, state, facts or _hurt(view), _item(facts), waits)


def _by_exam(facts: Sequence[Fact]) -> dict[str, list[Fact]]:
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        keys = [key_part(fact.data, "exam_id")]
        if "exam_id" not in fact.data:
            keys = [key for key, known in found.items() if _state(known) in OPEN] or [""]
        for key in keys:
            found.setdefault(key, []).append(fact)
    return found


def _concerns(row: DeadlineRow, facts: Sequence[Fact]) -> bool:
    """These rules know the case only: theirs is every examination that is open or was worked on since."""
    return bool(facts) and (_state(facts) in OPEN or facts[-1].time >= row.start_at)


def _state(facts: Sequence[Fact]) -> str:
    for type, state in FINAL.items():
        if any(fact.type == type for fact in facts):
            return state
    return STATES[facts[-1].type]


def _hurt(view: CaseView) -> list[Fact]:
    """The facts that call for an examination."""
    told = view.of("police.arrived", "report.received")
    return [fact for fact in told if flag(fact, "injury") or flag(fact, "sexual")]


def _item(facts: Sequence[Fact]) -> dict[str, Any]:
    def all_of(type: str) -> list[Fact]:
        return [fact for fact in facts if fact.type == type]

    def first(type: str) -> Fact | None:
        return next(iter(all_of(type)), None)

    dates = all_of("exam.scheduled")
    return {
        "exam_id": next((code for fact in facts if (code := reference(fact, "exam_id"))), None),
        "requested_at": at(first("exam.requested")),
        "scheduled_at": at(dates[-1] if dates else None),
        "scheduled_for": written(instant(dates[-1] if dates else None, "scheduled_for")),
        "blocked": [{"at": at(one), "reason": word(one, "reason")} for one in all_of("exam.blocked")],
        "evidence_at": at(first("exam.evidence_collected")),
        "completed_at": at(first(COMPLETED)),
        "declined_at": at(first("exam.declined")),
        "documented_at": at(first("exam.alt_documented")),
        "reported_at": at(first(REPORTED)),
    }


STATES = {
    "exam.requested": "requested",
    "exam.scheduled": "scheduled",
    "exam.blocked": "blocked",
    "exam.evidence_collected": "evidence_collected",
    "exam.declined": "declined",
    "exam.alt_documented": "documented",
    **FINAL,
}
