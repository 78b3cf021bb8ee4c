"""The legs of a case's way from report to decision, in the order in which they are charged. Data only.

Of all that a case waits for at an instant, the first row of this table is charged; the others are shown beside it.
The order is: nobody works on a closed case; somebody in danger waits for police now; then the furthest step on the way
to the decision; then what the protocol waits for; then care; then, if nothing is known to be waited for, whoever keeps
the case together. docs/attribution.md shows and explains it.
"""

from collections.abc import Iterator
from typing import Any

from qorgau.attribution.leg import Already, Ending, Leg
from qorgau.rules import Line

_REPORT, _ORDER, _EXAM, _PROTOCOL = "report_id", "order_id", "exam_id", "protocol_id"
_CALLS = ("police.incident_registered", "order.violation_reported")
_HEARING = (_PROTOCOL, "hearing_id")
_POLICE_UNIT, _DISPATCH, _COURT, _COORDINATOR = ("police-unit",), ("102",), ("court",), ("coordinator",)
_TALKS = ("helpline-150", "helpline-111", "crisis-centre")
_NO_PROTOCOL = ["talk_held", "no_access", "no_offence", "handed_to_investigation"]


def _of(*facts: str) -> tuple[Line, ...]:
    return tuple(Line(fact=fact) for fact in facts)


def _done(*facts: str, same: tuple[str, ...] = (), final: bool = False) -> Iterator[Ending]:
    return (Ending(fact=fact, same=same, final=final) for fact in facts)


def _passed(*facts: str, same: tuple[str, ...] = ()) -> Iterator[Ending]:
    return (Ending(fact=fact, same=same, why="passed") for fact in facts)


def _outcome(*outcomes: str) -> dict[str, Any]:
    return {"fact": "police.outcome_recorded", "where": {"outcome": {"in": list(outcomes)}}}


# Whoever has got there, or has started proceedings, no longer waits for the steps before.
_AT_THE_SCENE = (
    *("police.outcome_recorded", "risk.assessed", "order.issued", "order.refused", "protocol.drawn_up"),
    "court.case_registered",
)

LEGS: tuple[Leg, ...] = (
    Leg(
        name="closed",
        waits_for="nothing: the case is closed, until it is opened again or reported anew",
        begins=_of("case.closed"),
        ends=(*_done("case.reopened"), *_passed("report.received")),
        duty=_COORDINATOR,
    ),
    # ------------------------------------------------------------ somebody waits for police
    Leg(
        name="travel",
        waits_for="police who are on their way",
        begins=_of("police.dispatched"),
        ends=(*_done("police.arrived", "police.call_cancelled", "offender.detained"), *_passed(*_AT_THE_SCENE)),
        duty=_DISPATCH,
        # Often a dispatch is written down after the arrival it led to.
        unless=Already(fact="police.arrived", since=_CALLS),
    ),
    Leg(
        name="dispatch",
        waits_for="somebody to be sent",
        begins=_of(*_CALLS),
        ends=(
            *_done("police.dispatched", "police.arrived", "police.call_cancelled", "offender.detained"),
            *_passed(*_AT_THE_SCENE),
        ),
        duty=_DISPATCH,
    ),
    Leg(
        name="hand_over",
        waits_for="police to be told of a report that needs them",
        begins=(Line(fact="report.triaged", where={"needs_police": True}),),
        ends=(
            *_done("report.merged", same=(_REPORT,), final=True),
            *_done("police.incident_registered", "police.dispatched", "police.arrived", "police.call_cancelled"),
            *_passed(*_AT_THE_SCENE),
        ),
        duty=("start",),
    ),
    Leg(
        name="triage",
        waits_for="somebody to decide what a report needs",
        begins=_of("report.received"),
        ends=(
            *_done("report.triaged", "report.merged", same=(_REPORT,), final=True),
            *_passed("police.incident_registered", "police.dispatched", "police.arrived", *_AT_THE_SCENE),
        ),
        duty=("start",),
    ),
    # ------------------------------------------------------------ court, the furthest step first
    Leg(
        name="suspension",
        waits_for="a suspended hearing to go on or to get a date",
        begins=_of("court.hearing_suspended"),
        ends=(
            *_done("court.hearing_resumed", "court.hearing_scheduled", "court.hearing_held", same=(_PROTOCOL,)),
            *_done("court.decision_issued", same=(_PROTOCOL,), final=True),
        ),
        duty=_COURT,
        about=_PROTOCOL,
    ),
    Leg(
        name="term_suspension",
        waits_for="the term of the case to run again",
        begins=_of("court.term_suspended"),
        ends=(
            *_done("court.term_resumed", same=(_PROTOCOL,)),
            *_passed("court.hearing_held", same=(_PROTOCOL,)),
            *_done("court.decision_issued", same=(_PROTOCOL,), final=True),
        ),
        duty=_COURT,
        about=_PROTOCOL,
    ),
    Leg(
        name="hearing",
        waits_for="a hearing that has a date",
        begins=_of("court.hearing_scheduled"),
        ends=(
            *_done("court.hearing_held", "court.hearing_postponed", "court.hearing_cancelled", same=_HEARING),
            *_passed("court.hearing_suspended", same=_HEARING),
            *_passed("court.hearing_held", same=(_PROTOCOL,)),
            *_done("court.decision_issued", same=(_PROTOCOL,), final=True),
        ),
        duty=_COURT,
        about=_PROTOCOL,
    ),
    Leg(
        name="decision",
        waits_for="the decision, after the hearing or where none will be",
        begins=(
            Line(fact="court.hearing_held"),
            Line(fact="court.hearing_cancelled", where={"reason": "case_ended"}),
        ),
        ends=(
            *_passed("court.hearing_scheduled", same=(_PROTOCOL,)),
            *_passed("court.hearing_postponed", "court.hearing_suspended", same=(_PROTOCOL,)),
            *_done("court.decision_issued", same=(_PROTOCOL,), final=True),
        ),
        duty=_COURT,
        about=_PROTOCOL,
    ),
    Leg(
        name="listing",
        waits_for="a hearing to get a date",
        begins=(
            *_of("court.case_registered", "court.hearing_postponed", "court.hearing_resumed"),
            Line(fact="court.hearing_cancelled", where={"reason": {"not": "case_ended"}}),
        ),
        ends=(
            *_done("court.hearing_scheduled", "court.hearing_held", same=(_PROTOCOL,)),
            *_done("court.decision_issued", same=(_PROTOCOL,), final=True),
        ),
        duty=_COURT,
        about=_PROTOCOL,
    ),
    Leg(
        name="to_court",
        waits_for="a protocol to reach the court",
        begins=_of("protocol.drawn_up"),
        ends=(*_done("court.case_registered", "court.decision_issued", same=(_PROTOCOL,), final=True),),
        duty=_POLICE_UNIT,
        about=_PROTOCOL,
    ),
    # ------------------------------------------------------------ police, before there is a protocol
    Leg(
        name="service",
        waits_for="a protective order to be served; until then it protects nobody",
        begins=_of("order.issued"),
        ends=(*_done("order.served", "order.revoked", "order.expired", same=(_ORDER,), final=True),),
        duty=_POLICE_UNIT,
        about=_ORDER,
    ),
    Leg(
        name="risk",
        waits_for="the risk to be assessed",
        begins=(Line(fact="police.arrived", where={"response": "incident"}),),
        ends=(
            *_done("risk.assessed"),
            *_passed("order.issued", "order.refused", "protocol.drawn_up", "court.case_registered"),
        ),
        duty=_POLICE_UNIT,
    ),
    Leg(
        name="order",
        waits_for="a protective order, or a reason why there is none",
        begins=(Line(fact="police.arrived", where={"response": "incident"}),),
        ends=(*_done("order.issued", "order.refused"),),
        duty=_POLICE_UNIT,
    ),
    Leg(
        name="exam_blocked",
        waits_for="an examination that could not take place, or another form of record",
        begins=_of("exam.blocked"),
        ends=(
            *_done("exam.scheduled", same=(_EXAM,)),
            *_done("exam.completed", same=(_EXAM,), final=True),
            *_done("exam.alt_documented", "exam.declined"),
        ),
        duty=("forensic", "clinic"),
        about=_EXAM,
    ),
    Leg(
        name="examination",
        waits_for="an examination that was asked for",
        begins=_of("exam.requested", "exam.scheduled"),
        ends=(
            *_done("exam.completed", same=(_EXAM,), final=True),
            *_done("exam.alt_documented", "exam.declined"),
        ),
        duty=("forensic", "clinic"),
        about=_EXAM,
    ),
    Leg(
        name="exam_referral",
        waits_for="an examination to be offered",
        begins=(Line(fact="police.arrived", where_any=[{"injury": True}, {"sexual": True}]),),
        ends=(
            *_done("exam.requested", "exam.scheduled", "exam.completed", "exam.declined"),
            *_passed("exam.blocked", "exam.alt_documented"),
        ),
        duty=_POLICE_UNIT,
    ),
    Leg(
        name="protocol",
        waits_for="a protocol, or an outcome that leads to none",
        begins=_of("police.arrived"),
        ends=(
            *_done("protocol.drawn_up"),
            Ending(**_outcome(*_NO_PROTOCOL)),
            *_passed("court.case_registered"),
        ),
        duty=_POLICE_UNIT,
    ),
    Leg(
        name="investigation",
        waits_for="a criminal investigation that took the matter over",
        begins=(Line(**_outcome("handed_to_investigation")),),
        ends=(*_done("protocol.drawn_up", "court.case_registered", "court.decision_issued"),),
        duty=_POLICE_UNIT,
    ),
    # ------------------------------------------------------------ care and keeping together
    Leg(
        name="shelter",
        waits_for="a place in a shelter",
        begins=_of("shelter.referral_requested"),
        ends=(*_done("shelter.admitted", "shelter.quarantine_started", "shelter.survivor_withdrew"),),
        duty=("shelter", "crisis-centre"),
    ),
    Leg(
        name="contact",
        waits_for="somebody to talk with the survivor",
        begins=(
            Line(fact="police.outcome_recorded"),
            Line(fact="report.triaged", where={"needs_police": False}),
        ),
        ends=(*_done("survivor.contacted"),),
        duty=_TALKS,
    ),
    Leg(
        name="transfer",
        waits_for="an answer to the offer of the case",
        begins=_of("case.transfer_offered"),
        ends=(*_done("case.transfer_accepted", "case.transfer_declined", same=("transfer_id",), final=True),),
        duty=("start.to",),
    ),
    Leg(
        name="review",
        waits_for="the agencies to look at a high risk together",
        begins=(Line(fact="risk.assessed", where={"level": "high"}),),
        ends=(*_done("coordination.reviewed"),),
        duty=_COORDINATOR,
    ),
    Leg(
        name="coordination",
        waits_for="somebody to close the case or to have it go on: nothing else is known to be waited for",
        duty=_COORDINATOR,
    ),
)
