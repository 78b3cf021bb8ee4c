"""Worked examples of sections 1 to 3: which facts count, what opens a deadline and what ends it."""

from tests.worked.form import Example, Row, deadline, fact, flag, withdrawal

REGISTERED = fact("i1", "police.incident_registered", "2026-06-01 14:16", priority="immediate", area="urban")


def arrived(id: str, time: str, recorded: str | None = None, **more: object) -> Row:
    return fact(id, "police.arrived", time, recorded, response="incident", **more)


P03_WARNED_AND_MET = [
    flag("P03", "warn", "2026-06-01 14:28", "2026-06-01 14:31", "met", due="2026-06-01 14:31"),
]
AHEAD = [REGISTERED, arrived("a1", "2026-06-01 14:30", "2026-06-01 14:20")]
TWICE = [
    arrived("a1", "2026-06-01 14:30", "2026-06-01 14:31"),
    arrived("a1", "2026-06-01 14:30", "2026-06-01 15:10"),
]

ORDER = [
    fact("r1", "risk.assessed", "2026-05-01 08:00", level="high"),
    fact("s1", "order.served", "2026-05-01 09:00", order_id="o1"),
    fact("x1", "order.extended", "2026-05-25 12:00", order_id="o1", days=10),
]
ORDER_LAPSED = [
    flag("P11", "warn", "2026-05-06 23:24", "2026-05-08 09:00", "breached", key="o1"),
    flag("P11", "breach", "2026-05-08 09:00", "2026-06-10 09:00", "missed", key="o1"),
    flag("F6", "flag", "2026-06-10 09:00", None, "open", key="o1"),
]

TRIAGED = fact("t1", "report.triaged", "2026-05-31 12:00", report_id="r1", channel="150", needs_police=False)
CONTACTED = fact("c1", "survivor.contacted", "2026-06-03 10:00")
WITHDRAWN_CONTACT = [TRIAGED, CONTACTED, withdrawal(CONTACTED, "2026-06-03 15:00")]

REPORTED = fact(
    "r1", "report.received", "2026-04-14 19:02", report_id="r1", injury=True, occurred_at="2026-04-14T18:50:00+05:00"
)
SAME_INSTANT = arrived(
    "a1", "2026-04-14 19:15", "2026-04-18 10:00", injury=True, occurred_at="2026-04-14T13:50:00Z", region="KZ-10"
)

REOPENED = [
    fact("s1", "order.served", "2026-06-02 08:00", order_id="o1"),
    fact("p1", "shelter.referral_requested", "2026-06-04 08:00"),
    fact("c1", "case.closed", "2026-06-04 10:00", reason="handed_over"),
    fact("c2", "case.reopened", "2026-06-15 09:00", reason="new_facts"),
]

EXAMPLES = [
    Example(
        name="nothing is rounded: a triage one microsecond after the due is late",
        rules=("P01",),
        as_of="2026-06-01 11:00",
        facts=[
            fact("r1", "report.received", "2026-06-01 10:00:00.000001", report_id="r1"),
            fact("t1", "report.triaged", "2026-06-01 10:05:00.000002", report_id="r1"),
        ],
        flags=[
            flag("P01", "warn", "2026-06-01 10:04:00.000001", "2026-06-01 10:05:00.000001", "breached", key="r1"),
            flag(
                "P01",
                "breach",
                "2026-06-01 10:05:00.000001",
                "2026-06-01 10:05:00.000002",
                "closed_late",
                key="r1",
                late_by="PT0.000001S",
                due="2026-06-01 10:05:00.000001",
                escalations={"L1": "2026-06-01 10:05:00.000001"},
            ),
        ],
        deadlines=[
            deadline(
                "P01",
                "2026-06-01 10:00:00.000001",
                "2026-06-01 10:05:00.000001",
                "closed_late",
                key="r1",
                late_by="PT0.000001S",
            )
        ],
    ),
    Example(
        name="an arrival recorded by a fast clock does not count before its own time",
        rules=("P03",),
        as_of="2026-06-01 14:29",
        facts=AHEAD,
        flags=[flag("P03", "warn", "2026-06-01 14:28", None, "open")],
        deadlines=[deadline("P03", "2026-06-01 14:16", "2026-06-01 14:31", "running")],
    ),
    Example(
        name="an arrival recorded by a fast clock counts from its own time",
        rules=("P03",),
        as_of="2026-06-01 16:00",
        facts=AHEAD,
        flags=[flag("P03", "warn", "2026-06-01 14:28", "2026-06-01 14:30", "met")],
        deadlines=[deadline("P03", "2026-06-01 14:16", "2026-06-01 14:31", "met")],
    ),
    Example(
        name="of two copies of an arrival the one recorded first counts",
        rules=("P03",),
        as_of="2026-06-01 16:00",
        facts=[REGISTERED, *TWICE],
        flags=P03_WARNED_AND_MET,
    ),
    Example(
        name="of two copies of an arrival the one recorded first counts, in whatever order they are read",
        rules=("P03",),
        as_of="2026-06-01 16:00",
        facts=[*reversed(TWICE), REGISTERED],
        flags=P03_WARNED_AND_MET,
    ),
    Example(
        name="an extended order that nobody ends ends by itself",
        rules=("P11", "F6"),
        as_of="2026-06-20 09:00",
        facts=ORDER,
        flags=ORDER_LAPSED,
    ),
    Example(
        name="an expiry posted for the instant of the derived end changes nothing",
        rules=("P11", "F6"),
        as_of="2026-06-20 09:00",
        facts=[*ORDER, fact("e1", "order.expired", "2026-06-10 09:00", order_id="o1")],
        flags=ORDER_LAPSED,
    ),
    Example(
        name="an expiry posted for later than the derived end changes nothing",
        rules=("P11", "F6"),
        as_of="2026-06-20 09:00",
        facts=[*ORDER, fact("e1", "order.expired", "2026-06-12 09:00", order_id="o1")],
        flags=ORDER_LAPSED,
    ),
    Example(
        name="what a withdrawn contact had met runs on and breaches at the withdrawal",
        rules=("P26",),
        as_of="2026-06-03 15:30",
        facts=WITHDRAWN_CONTACT,
        flags=[
            flag("P26", "warn", "2026-06-02 21:36", "2026-06-03 10:00", "met", due="2026-06-03 12:00"),
            flag(
                "P26",
                "breach",
                "2026-06-03 15:00",
                None,
                "open",
                due="2026-06-03 12:00",
                escalations={"L1": "2026-06-03 15:00"},
            ),
        ],
        deadlines=[deadline("P26", "2026-05-31 12:00", "2026-06-03 12:00", "breached")],
    ),
    Example(
        name="report and arrival that name the same instant open one deadline, governed by the report",
        rules=("P21",),
        as_of="2026-04-18 11:00",
        facts=[REPORTED, SAME_INSTANT],
        # Governed by the arrival, recorded after the due, it would be window_passed.
        deadlines=[deadline("P21", "2026-04-14 18:50", "2026-04-17 18:50", "breached")],
    ),
    Example(
        name="a deadline born already ended is in the list of deadlines and raises no flag",
        rules=("P03",),
        as_of="2026-06-01 13:00",
        facts=[
            fact(
                "i1",
                "police.incident_registered",
                "2026-06-01 08:00",
                "2026-06-01 12:00",
                priority="immediate",
                area="urban",
            ),
            arrived("a1", "2026-06-01 09:00", "2026-06-01 12:00"),
        ],
        flags=[],
        deadlines=[deadline("P03", "2026-06-01 08:00", "2026-06-01 08:15", "closed_late", late_by="PT45M")],
    ),
    Example(
        name="a decision at the instant of the closing wins: met, not cancelled",
        rules=("P18",),
        as_of="2026-06-03 17:00",
        facts=[
            fact("g1", "court.case_registered", "2026-06-01 10:00", protocol_id="p1", arrest_eligible=False),
            fact("a-closed", "case.closed", "2026-06-03 16:20", reason="decided"),
            fact("b-decided", "court.decision_issued", "2026-06-03 16:20", protocol_id="p1", sanction="fine"),
        ],
        deadlines=[deadline("P18", "2026-06-01 10:00", "2026-06-16 10:00", "met", key="p1")],
    ),
    Example(
        name="an examination completed before the police arrive does not stop the duty to offer one",
        rules=("P20",),
        as_of="2026-06-01 20:00",
        facts=[
            arrived("a1", "2026-06-01 19:00", injury=True),
            fact("e1", "exam.completed", "2026-06-01 18:00", "2026-06-01 19:30", exam_id="e1"),
        ],
        deadlines=[deadline("P20", "2026-06-01 19:00", "2026-06-02 01:00", "running")],
    ),
    Example(
        name="a closed case cancels the check of its order",
        rules=("P11", "P24"),
        as_of="2026-06-15 08:59:59",
        facts=REOPENED,
        flags=[],
        deadlines=[
            deadline("P11", "2026-06-02 08:00", "2026-06-09 08:00", "cancelled", key="o1"),
            deadline("P24", "2026-06-04 08:00", "2026-06-04 14:00", "cancelled"),
        ],
    ),
    Example(
        name="reopening a case lets the check of its order run on and breach, its search for a shelter stays ended",
        rules=("P11", "P24"),
        as_of="2026-06-15 09:00",
        facts=REOPENED,
        flags=[
            flag(
                "P11",
                "breach",
                "2026-06-15 09:00",
                None,
                "open",
                key="o1",
                due="2026-06-09 08:00",
                escalations={"L1": "2026-06-15 09:00"},
            )
        ],
        deadlines=[
            deadline("P11", "2026-06-02 08:00", "2026-06-09 08:00", "breached", key="o1"),
            deadline("P24", "2026-06-04 08:00", "2026-06-04 14:00", "cancelled"),
        ],
    ),
]
