"""Worked examples of section 9: how a flag that was up goes away."""

from tests.worked.form import Example, Row, deadline, fact, flag, withdrawal
from tests.worked.terms import registered, suspended

SENT_ON = fact("t1", "report.triaged", "2026-06-01 14:00", report_id="r1", channel="150", needs_police=True)
REFERRAL = fact("r1", "shelter.referral_requested", "2026-06-01 12:00")


def served(time: str) -> Row:
    return fact("s1", "order.served", time, order_id="o1")


def checked(id: str, time: str, recorded: str | None = None) -> Row:
    return fact(id, "order.compliance_checked", time, recorded, order_id="o1", complied=True)


EXAMPLES = [
    Example(
        name="a registration in time that is recorded late takes the breach back",
        rules=("P02",),
        as_of="2026-06-01 16:00",
        facts=[
            SENT_ON,
            fact("i1", "police.incident_registered", "2026-06-01 14:07", "2026-06-01 15:00", priority="prompt"),
        ],
        flags=[
            flag("P02", "warn", "2026-06-01 14:08", "2026-06-01 14:10", "breached", key="r1"),
            flag(
                "P02",
                "breach",
                "2026-06-01 14:10",
                "2026-06-01 15:00",
                "late_recording",
                key="r1",
                due="2026-06-01 14:10",
                escalations={"L1": "2026-06-01 14:10"},
            ),
        ],
        deadlines=[deadline("P02", "2026-06-01 14:00", "2026-06-01 14:10", "met", key="r1")],
    ),
    Example(
        name="the breach of a withdrawn referral is void",
        rules=("P24",),
        as_of="2026-06-01 20:00",
        facts=[REFERRAL, withdrawal(REFERRAL, "2026-06-01 19:30")],
        flags=[
            flag("P24", "warn", "2026-06-01 16:48", "2026-06-01 18:00", "breached"),
            flag("P24", "breach", "2026-06-01 18:00", "2026-06-01 19:30", "void", due="2026-06-01 18:00"),
        ],
        deadlines=[],
    ),
    Example(
        name="the breach of a check is void when a revocation recorded late ends the chain before it",
        rules=("P11",),
        as_of="2026-06-17 09:00",
        facts=[
            served("2026-06-01 09:00"),
            checked("k1", "2026-06-05 08:00"),
            fact("v1", "order.revoked", "2026-06-04 10:00", "2026-06-16 10:00", order_id="o1"),
        ],
        flags=[
            flag("P11", "warn", "2026-06-10 22:24", "2026-06-12 08:00", "breached", key="o1"),
            flag("P11", "breach", "2026-06-12 08:00", "2026-06-16 10:00", "void", key="o1", due="2026-06-12 08:00"),
        ],
        deadlines=[deadline("P11", "2026-06-01 09:00", "2026-06-08 09:00", "cancelled", key="o1")],
    ),
    Example(
        name="a suspension recorded late takes the breach back as tolled",
        rules=("P17",),
        as_of="2026-06-02 10:00",
        facts=[registered("2026-06-01 10:00", True), suspended("h1", "2026-06-01 16:00", "2026-06-02 09:30")],
        flags=[
            flag("P17", "warn", "2026-06-01 21:12", "2026-06-02 00:00", "breached", key="p1"),
            flag("P17", "breach", "2026-06-02 00:00", "2026-06-02 09:30", "tolled", key="p1", due="2026-06-02 00:00"),
        ],
        deadlines=[deadline("P17", "2026-06-01 10:00", None, "tolled", key="p1", remaining="PT8H")],
    ),
    Example(
        name="a check recorded out of order changes the list of deadlines and not the history",
        rules=("P11",),
        as_of="2026-06-22 09:00",
        facts=[
            served("2026-06-01 09:00"),
            checked("k1", "2026-06-08 09:00"),
            checked("k2", "2026-06-21 09:00"),
            checked("k3", "2026-06-14 09:00", "2026-06-22 09:00"),
        ],
        flags=[
            flag("P11", "warn", "2026-06-06 23:24", "2026-06-08 09:00", "met", key="o1"),
            flag("P11", "warn", "2026-06-13 23:24", "2026-06-15 09:00", "breached", key="o1"),
            flag("P11", "breach", "2026-06-15 09:00", "2026-06-21 09:00", "closed_late", key="o1", late_by="P6D"),
        ],
        deadlines=[
            deadline("P11", "2026-06-01 09:00", "2026-06-08 09:00", "met", key="o1"),
            deadline("P11", "2026-06-08 09:00", "2026-06-15 09:00", "met", key="o1"),
            deadline("P11", "2026-06-14 09:00", "2026-06-21 09:00", "met", key="o1"),
            deadline("P11", "2026-06-21 09:00", "2026-06-28 09:00", "running", key="o1"),
        ],
    ),
    Example(
        name="a warning is armed again for the due that an extension moved",
        rules=("P18",),
        as_of="2026-06-18 10:00",
        facts=[
            registered("2026-06-01 10:00", False),
            fact("x1", "court.term_extended", "2026-06-14 16:00", protocol_id="p1", days=5),
        ],
        flags=[
            flag("P18", "warn", "2026-06-13 10:00", "2026-06-14 16:00", "due_moved", key="p1", due="2026-06-16 10:00"),
            flag("P18", "warn", "2026-06-17 10:00", None, "open", key="p1", due="2026-06-21 10:00"),
        ],
    ),
]
