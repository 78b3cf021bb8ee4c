"""A case in which something happens every hour, as large as a test asks for."""

from qorgau.facts import Fact
from qorgau.instants import HOUR, MINUTE, parse_instant

START = parse_instant("2026-03-02T09:00:00Z")


def one(id: str, type: str, time: int, **data: object) -> Fact:
    return Fact(id, "102/KZ-75", type, time, time, "c1", {"region": "KZ-75", **data})


def busy_case(count: int) -> list[Fact]:
    """Call-outs, reports, orders checked again and again, hearings suspended and resumed: one thing an hour."""
    facts = [one("s", "order.served", START, order_id="o1")]
    for place in range(count // 6):
        time = START + place * 6 * HOUR
        facts += [
            one(f"i{place}", "police.incident_registered", time + HOUR, priority="immediate", area="urban"),
            one(f"a{place}", "police.arrived", time + HOUR + 10 * MINUTE, response="incident"),
            one(f"k{place}", "order.compliance_checked", time + 2 * HOUR, order_id="o1"),
            one(f"r{place}", "report.received", time + 3 * HOUR, report_id=f"r{place}", pair_ref="x1"),
            one(f"t{place}", "report.triaged", time + 3 * HOUR + MINUTE, report_id=f"r{place}", needs_police=False),
            one(f"p{place}", "court.hearing_postponed", time + 4 * HOUR, protocol_id=f"p{place % 7}"),
        ]
    return facts
