"""Worked examples of sections 4 to 8: when a deadline is due, its state, and the rule flags."""

from typing import Any

from tests.worked.form import Example, Row, context, deadline, fact, flag


def registered(time: str, arrest_eligible: bool, **more: Any) -> Row:
    return fact("g1", "court.case_registered", time, protocol_id="p1", arrest_eligible=arrest_eligible, **more)


def drawn_up(time: str, occurred_at: str) -> Row:
    return fact("d1", "protocol.drawn_up", time, protocol_id="p1", occurred_at=occurred_at)


def suspended(id: str, time: str, recorded: str | None = None) -> Row:
    kind: Row = {"protocol_id": "p1", "hearing_id": "h1", "tolls_term": True, "legal_basis": "force_majeure"}
    return fact(id, "court.hearing_suspended", time, recorded, **kind)


def risk(id: str, time: str, level: str) -> Row:
    return fact(id, "risk.assessed", time, level=level)


CHANGING_RISK = [
    risk("k1", "2026-06-03 08:00", "high"),
    fact("o1", "police.outcome_recorded", "2026-06-03 09:00", outcome="talk_held"),
    risk("k2", "2026-06-04 06:00", "medium"),
    risk("k3", "2026-06-04 15:00", "high"),
    fact("c1", "survivor.contacted", "2026-06-04 17:00"),
]
EXTENDED = [
    registered("2026-05-21 12:00", False),
    fact("x1", "court.term_extended", "2026-06-05 12:00", protocol_id="p1", days=7),
    fact("x2", "court.term_extended", "2026-06-09 12:00", protocol_id="p1", days=12),
]
CALL = fact("i1", "police.incident_registered", "2026-04-14 19:04", priority="immediate", area="urban")
BACK_FILLED = [
    fact(
        "i1", "police.incident_registered", "2026-06-01 20:00", "2026-06-01 21:30", priority="immediate", area="urban"
    ),
]
IN_THE_SAME_BATCH = [*BACK_FILLED, fact("a1", "police.arrived", "2026-06-01 20:10", "2026-06-01 21:35")]
RAPE = fact(
    "r1", "report.received", "2026-05-06 09:00", report_id="r1", sexual=True, occurred_at="2026-05-02T01:00:00+05:00"
)


def item(id: str, time: str) -> Row:
    more: dict[str, Any] = {"category": "emergency_regime", "court": "KZ-75-02"}
    return context(id, "court.docket_item_decided", time, registered_at="2026-06-02T12:00:00+05:00", **more)


def arrived(time: str) -> Row:
    return fact("a1", "police.arrived", time)


def due_only(name: str, rule: str, start: str, due: str, key: str, facts: list[Row]) -> Example:
    """An example that is about nothing but the due."""
    row = deadline(rule, start, due, "running", key=key)
    return Example(name=name, rules=(rule,), as_of=start, facts=facts, deadlines=[row])


EXAMPLES = [
    due_only(
        "the day of an unknown region ends at midnight in Almaty",
        "P17",
        "2024-02-10 10:00+06:00",
        "2024-02-11 00:00+06:00",
        "p1",
        [registered("2024-02-10 10:00+06:00", True, region="KZ-99")],
    ),
    Example(
        name="of a local time that occurs twice the first one is meant",
        rules=("P27",),
        as_of="2023-12-31 10:00+06:00",
        facts=[drawn_up("2023-12-30 10:00+06:00", "2023-12-29T23:30:00+06:00")],
        deadlines=[deadline("P27", "2023-12-29 23:30+06:00", "2024-02-29 17:30+00:00", "running", key="p1")],
    ),
    Example(
        name="the term of contact is 24 hours at high risk",
        rules=("P26",),
        as_of="2026-06-03 10:00",
        facts=CHANGING_RISK,
        deadlines=[deadline("P26", "2026-06-03 09:00", "2026-06-04 09:00", "running")],
    ),
    Example(
        name="the term of contact grows when the risk falls",
        rules=("P26",),
        as_of="2026-06-04 06:00",
        facts=CHANGING_RISK,
        deadlines=[deadline("P26", "2026-06-03 09:00", "2026-06-06 09:00", "running")],
    ),
    Example(
        name="the term of contact shrinks when the risk rises again, and both steps of the ladder are reached at once",
        rules=("P26",),
        as_of="2026-06-05 09:00",
        facts=CHANGING_RISK,
        flags=[
            flag("P26", "warn", "2026-06-04 04:12", "2026-06-04 06:00", "due_moved", due="2026-06-04 09:00"),
            flag(
                "P26",
                "breach",
                "2026-06-04 15:00",
                "2026-06-04 17:00",
                "closed_late",
                due="2026-06-04 09:00",
                late_by="PT8H",
                escalations={"L1": "2026-06-04 15:00", "L2": "2026-06-04 15:00"},
            ),
        ],
        deadlines=[deadline("P26", "2026-06-03 09:00", "2026-06-04 09:00", "closed_late", late_by="PT8H")],
    ),
    due_only(
        "an elapsed day has 24 hours also when the zone changes",
        "P09",
        "2024-02-29 20:00+06:00",
        "2024-03-01 19:00+05:00",
        "o1",
        [fact("o1", "order.issued", "2024-02-29 20:00+06:00", order_id="o1")],
    ),
    due_only(
        "the day on which the zone changes ends an hour later",
        "P17",
        "2024-02-29 13:00+06:00",
        "2024-03-01 00:00+05:00",
        "p1",
        [registered("2024-02-29 13:00+06:00", True)],
    ),
    due_only(
        "working days skip the holiday of 1 May and the weekend",
        "P07",
        "2026-04-30 10:00",
        "2026-05-07 00:00",
        "",
        [risk("k1", "2026-04-30 10:00", "high")],
    ),
    due_only(
        "a moved working Saturday is a working day",
        "P07",
        "2024-05-02 10:00",
        "2024-05-07 00:00",
        "",
        [risk("k1", "2024-05-02 10:00", "high")],
    ),
    due_only(
        "two months after 31 December end on the last day of February",
        "P27",
        "2025-12-31 10:00",
        "2026-02-28 10:00",
        "p1",
        [drawn_up("2025-12-31 10:00", "2025-12-31T10:00:00+05:00")],
    ),
    due_only(
        "months keep the local clock time when the zone changes",
        "P27",
        "2024-02-10 21:00+06:00",
        "2024-04-10 21:00+05:00",
        "p1",
        [drawn_up("2024-02-10 21:00+06:00", "2024-02-10T21:00:00+06:00")],
    ),
    Example(
        name="the clock stands in the union of a suspended hearing and a suspended term",
        rules=("P18",),
        as_of="2026-06-06 10:00",
        facts=[
            registered("2026-05-25 10:00", False),
            suspended("h1", "2026-06-01 10:00"),
            fact("t1", "court.term_suspended", "2026-06-03 09:00", protocol_id="p1", legal_basis="force_majeure"),
            fact("h2", "court.hearing_resumed", "2026-06-04 12:00", protocol_id="p1", hearing_id="h1"),
            fact("t2", "court.term_resumed", "2026-06-05 09:00", protocol_id="p1"),
        ],
        # 9 June 10:00 and 3 d 23 h
        deadlines=[deadline("P18", "2026-05-25 10:00", "2026-06-13 09:00", "running", key="p1")],
    ),
    Example(
        name="a hearing suspended at the very due is suspended too late",
        rules=("P17",),
        as_of="2026-06-02 01:00",
        facts=[registered("2026-06-01 10:00", True), suspended("h1", "2026-06-02 00:00")],
        flags=[
            flag("P17", "warn", "2026-06-01 21:12", "2026-06-02 00:00", "breached", key="p1"),
            flag("P17", "breach", "2026-06-02 00:00", None, "open", key="p1", due="2026-06-02 00:00"),
        ],
        deadlines=[deadline("P17", "2026-06-01 10:00", "2026-06-02 00:00", "breached", key="p1")],
    ),
    Example(
        name="a term extended at the very due is extended",
        rules=("P18",),
        as_of="2026-06-05 12:00",
        facts=EXTENDED,
        deadlines=[deadline("P18", "2026-05-21 12:00", "2026-06-12 12:00", "running", key="p1")],
    ),
    Example(
        name="what exceeds the most days of extension is cut off",
        rules=("P18",),
        as_of="2026-06-09 12:00",
        facts=EXTENDED,
        deadlines=[deadline("P18", "2026-05-21 12:00", "2026-06-20 12:00", "running", key="p1")],
    ),
    Example(
        name="an arrival at the very due is in time",
        rules=("P03",),
        as_of="2026-04-14 20:00",
        facts=[CALL, arrived("2026-04-14 19:19:00")],
        flags=[flag("P03", "warn", "2026-04-14 19:16", "2026-04-14 19:19", "met")],
        deadlines=[deadline("P03", "2026-04-14 19:04", "2026-04-14 19:19", "met")],
    ),
    Example(
        name="an arrival one second after the due is late by one second",
        rules=("P03",),
        as_of="2026-04-14 20:00",
        facts=[CALL, arrived("2026-04-14 19:19:01")],
        flags=[
            flag("P03", "warn", "2026-04-14 19:16", "2026-04-14 19:19", "breached"),
            flag("P03", "breach", "2026-04-14 19:19:00", "2026-04-14 19:19:01", "closed_late", late_by="PT1S"),
        ],
        deadlines=[deadline("P03", "2026-04-14 19:04", "2026-04-14 19:19", "closed_late", late_by="PT1S")],
    ),
    Example(
        name="a back-filled start waits ten minutes for the rest of its batch",
        rules=("P03",),
        as_of="2026-06-01 21:34:59",
        facts=IN_THE_SAME_BATCH,
        flags=[],
        deadlines=[deadline("P03", "2026-06-01 20:00", "2026-06-01 20:15", "running")],
    ),
    Example(
        name="a stop in the batch of a back-filled start keeps anything from being raised",
        rules=("P03",),
        as_of="2026-06-01 23:00",
        facts=IN_THE_SAME_BATCH,
        flags=[],
        deadlines=[deadline("P03", "2026-06-01 20:00", "2026-06-01 20:15", "met")],
    ),
    Example(
        name="without a stop in its batch a back-filled start breaches when the wait is over",
        rules=("P03",),
        as_of="2026-06-01 21:40",
        facts=BACK_FILLED,
        flags=[flag("P03", "breach", "2026-06-01 21:40", None, "open", due="2026-06-01 20:15")],
        deadlines=[deadline("P03", "2026-06-01 20:00", "2026-06-01 20:15", "breached")],
    ),
    Example(
        name="a window over before anybody knew is information, the longer one is warned about at once",
        rules=("P21", "P22"),
        as_of="2026-05-06 10:00",
        facts=[RAPE],
        flags=[
            flag("P21", "info", "2026-05-06 09:00", None, "window_passed", due="2026-05-05 01:00"),
            flag("P22", "warn", "2026-05-06 09:00", None, "open", due="2026-05-07 01:00"),
        ],
        deadlines=[
            deadline("P21", "2026-05-02 01:00", "2026-05-05 01:00", "window_passed"),
            deadline("P22", "2026-05-02 01:00", "2026-05-07 01:00", "running"),
        ],
    ),
    Example(
        name="a waiting case is overtaken while three later cases were decided within seven days",
        rules=("F3",),
        as_of="2026-06-12 09:00",
        facts=[
            registered("2026-06-02 10:00", True, court="KZ-75-02"),
            *[item(f"e{at}", at) for at in ("2026-06-03 09:00", "2026-06-04 09:00", "2026-06-08 15:00")],
        ],
        flags=[flag("F3", "flag", "2026-06-08 15:00", "2026-06-10 09:00", "cleared", key="p1")],
    ),
]
