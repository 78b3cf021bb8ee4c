"""What deadlines.md says without an example, or leaves open: the reading all implementations here share."""

from datetime import date
from typing import Any

from tests.worked.form import Example, Row, context, deadline, fact, flag, withdrawal
from tests.worked.terms import RAPE, registered, suspended

Policy = dict[str, Any]


def rule(policy: Policy, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in policy["rules"] if item["id"] == name)
    return found


def stricter_from_3_june(policy: Policy) -> None:
    later = {**rule(policy, "P11"), "effective_from": date(2026, 6, 3), "within": "P1D"}
    policy["rules"].append(later)


def severe_at_high_risk(policy: Policy) -> None:
    rule(policy, "P26")["cases"] = [
        {"when": {"case_risk": "high", "start": {"outcome": "talk_held"}}, "severity": "critical", "within": "PT1H"},
        {"otherwise": True, "within": "PT4H"},
    ]


def window_by_risk(policy: Policy) -> None:
    rule(policy, "P21")["cases"] = [
        {"when": {"case_risk": "high"}, "within": "PT72H"},
        {"otherwise": True, "within": "P5D"},
    ]


def checked(id: str, time: str) -> Row:
    return fact(id, "order.compliance_checked", time, order_id="o1", complied=True)


def served(time: str, **more: Any) -> Row:
    return fact("s1", "order.served", time, **{"order_id": "o1", **more})


def issued(id: str, order_id: object) -> Row:
    return fact(id, "order.issued", "2026-06-01 10:00", order_id=order_id)


CONTACT = [
    fact("k1", "risk.assessed", "2026-06-01 09:00", level="medium"),
    fact("o1", "police.outcome_recorded", "2026-06-01 10:00", outcome="talk_held"),
    fact("k2", "risk.assessed", "2026-06-01 15:30", level="high"),
]
LATE_DISCLOSURE = [
    fact("k1", "risk.assessed", "2026-05-06 08:00", level="high"),
    RAPE,
    fact("k2", "risk.assessed", "2026-05-08 09:00", level="medium"),
]
NO_TIMESTAMPS = ["2026-06-01T09:00:00", "2026-06-01T10:00:01+05:00", 1780000000, None, "soon"]

READINGS = [
    Example(
        name="a toll goes off at the instant it goes on if its end is dated so, and a later one counts",
        rules=("P17",),
        as_of="2026-06-01 20:00",
        facts=[
            registered("2026-06-01 10:00", True),
            suspended("h1", "2026-06-01 12:00"),
            suspended("h2", "2026-06-01 12:00"),
            fact("h3", "court.hearing_resumed", "2026-06-01 12:00", protocol_id="p1"),
            suspended("h4", "2026-06-01 18:00"),
        ],
        deadlines=[deadline("P17", "2026-06-01 10:00", None, "tolled", key="p1", remaining="PT6H")],
    ),
    Example(
        name="the resumption of another protocol's hearing resumes nothing",
        rules=("P17",),
        as_of="2026-06-01 20:00",
        facts=[
            registered("2026-06-01 10:00", True),
            suspended("h1", "2026-06-01 12:00"),
            fact("h3", "court.hearing_resumed", "2026-06-01 13:00", protocol_id="p2"),
        ],
        deadlines=[deadline("P17", "2026-06-01 10:00", None, "tolled", key="p1", remaining="PT12H")],
    ),
    Example(
        name="a toll that is on before the start stands from the start, and one at the end is cut there",
        rules=("P17",),
        as_of="2026-06-01 22:00",
        facts=[
            suspended("h1", "2026-06-01 08:00"),
            registered("2026-06-01 10:00", True),
            fact("d1", "court.decision_issued", "2026-06-01 20:00", protocol_id="p1"),
        ],
        deadlines=[deadline("P17", "2026-06-01 10:00", "2026-06-02 10:00", "met", key="p1")],
    ),
    Example(
        name="a stop at the instant of a cancel continues a recurring chain, the cancel ends the next link at once",
        rules=("P11",),
        as_of="2026-06-10 09:00",
        facts=[
            served("2026-06-01 09:00"),
            checked("k1", "2026-06-05 09:00"),
            fact("v1", "order.revoked", "2026-06-05 09:00", order_id="o1"),
        ],
        deadlines=[
            deadline("P11", "2026-06-01 09:00", "2026-06-08 09:00", "met", key="o1"),
            deadline("P11", "2026-06-05 09:00", "2026-06-12 09:00", "cancelled", key="o1"),
        ],
    ),
    Example(
        name="the next link of a chain is opened by the version of the rule in force at its own start",
        rules=("P11",),
        as_of="2026-06-03 12:00",
        facts=[served("2026-06-01 09:00"), checked("k1", "2026-06-03 09:00")],
        deadlines=[
            deadline("P11", "2026-06-01 09:00", "2026-06-08 09:00", "met", key="o1"),
            deadline("P11", "2026-06-03 09:00", "2026-06-04 09:00", "running", key="o1"),
        ],
        tweak=stricter_from_3_june,
    ),
    Example(
        name="whether a version is in force goes by the local date in the zone of the start fact",
        rules=("P11",),
        as_of="2026-06-03 00:30",
        facts=[served("2026-06-03 00:30", region="KZ-75")],
        deadlines=[deadline("P11", "2026-06-03 00:30", "2026-06-04 00:30", "running", key="o1")],
        tweak=stricter_from_3_june,
    ),
    Example(
        name="a line of cases needs all it names, and an open flag shows the severity of now",
        rules=("P26",),
        as_of="2026-06-01 16:00",
        facts=CONTACT,
        flags=[
            flag("P26", "warn", "2026-06-01 13:12", "2026-06-01 14:00", "breached", severity="high"),
            flag(
                "P26",
                "breach",
                "2026-06-01 14:00",
                None,
                "open",
                severity="critical",
                due="2026-06-01 11:00",
                escalations={"L1": "2026-06-01 14:00", "L2": "2026-06-01 15:30", "L3": "2026-06-01 15:30"},
            ),
        ],
        tweak=severe_at_high_risk,
    ),
    Example(
        name="true is not 1 and text is not a number",
        rules=("P09", "P14"),
        as_of="2026-06-01 11:00",
        facts=[
            fact("d1", "protocol.drawn_up", "2026-06-01 10:00", protocol_id="p1", arrest_eligible=1),
            fact("d2", "protocol.drawn_up", "2026-06-01 10:00", protocol_id="p2", arrest_eligible="true"),
            issued("i1", 7),
            issued("i2", ["a", 1]),
            issued("i3", None),
        ],
        deadlines=[
            deadline("P09", "2026-06-01 10:00", "2026-06-02 10:00", "running", key="7"),
            deadline("P09", "2026-06-01 10:00", "2026-06-02 10:00", "running", key='["a",1]'),
            deadline("P09", "2026-06-01 10:00", "2026-06-02 10:00", "running", key=""),
        ],
    ),
    Example(
        name="a timestamp without an offset, after its own fact or of another type opens nothing",
        rules=("P27",),
        as_of="2026-06-01 11:00",
        facts=[
            fact(f"d{place}", "protocol.drawn_up", "2026-06-01 10:00", protocol_id="p1", occurred_at=value)
            for place, value in enumerate(NO_TIMESTAMPS)
        ],
        deadlines=[],
    ),
    Example(
        name="information is cleared as due_moved when the due moves past the report, even if it is a breach now",
        rules=("P21",),
        as_of="2026-05-08 10:00",
        facts=LATE_DISCLOSURE,
        flags=[
            flag("P21", "info", "2026-05-06 09:00", "2026-05-08 09:00", "due_moved", due="2026-05-05 01:00"),
            flag("P21", "breach", "2026-05-08 09:00", None, "open", due="2026-05-07 01:00"),
        ],
        tweak=window_by_risk,
    ),
    Example(
        name="an activity that was withdrawn is none, its withdrawal is one, and a derived expiry is none",
        rules=("F7",),
        as_of="2026-07-20 09:00",
        facts=[
            served("2026-06-01 09:00"),
            (wrong := fact("n1", "order.violated", "2026-06-10 09:00", order_id="o1")),
            withdrawal(wrong, "2026-06-12 09:00"),
        ],
        flags=[flag("F7", "flag", "2026-06-26 09:00", None, "open")],
    ),
    Example(
        name="a report is counted out as soon as it is merged, and reports without a pair match nobody",
        rules=("F5",),
        as_of="2026-06-05 09:00",
        facts=[
            fact("r1", "report.received", "2026-06-01 09:00", report_id="r1", pair_ref="x1"),
            fact("r2", "report.received", "2026-06-02 09:00", report_id="r2", pair_ref="x1"),
            fact("r3", "report.received", "2026-06-02 10:00", report_id="r3"),
            fact("r4", "report.received", "2026-06-02 11:00", report_id="r4"),
            fact("m1", "report.merged", "2026-06-03 09:00", report_id="r1", into_report_id="r2"),
        ],
        flags=[flag("F5", "flag", "2026-06-02 09:00", "2026-06-03 09:00", "cleared", key="x1")],
    ),
    Example(
        name="items decided elsewhere, registered earlier or of another kind overtake nobody",
        rules=("F3",),
        as_of="2026-06-05 09:00",
        facts=[
            registered("2026-06-01 10:00", True, court="A"),
            *[
                context(f"e{place}", "court.docket_item_decided", "2026-06-03 09:00", **item)
                for place, item in enumerate(
                    [
                        {"court": "A", "category": "emergency_regime", "registered_at": "2026-06-02T09:00:00+05:00"},
                        {"court": "A", "category": "emergency_regime", "registered_at": "2026-06-02T09:00:00+05:00"},
                        {"court": "B", "category": "emergency_regime", "registered_at": "2026-06-02T09:00:00+05:00"},
                        {"court": "A", "category": "emergency_regime", "registered_at": "2026-06-01T10:00:00+05:00"},
                        {"court": "A", "category": "other", "registered_at": "2026-06-02T09:00:00+05:00"},
                        {"court": "A", "category": "emergency_regime"},
                    ]
                )
            ],
        ],
        flags=[],
    ),
]
