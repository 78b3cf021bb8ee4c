"""What all rules of a policy share, and the policy as a whole."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from qorgau.rules.deadlines import Rule
from qorgau.rules.flags import Flag
from qorgau.rules.parts import Duration, Extension, Part, Severity, Text


class Step(Part):
    """One step of a ladder: who is told, how long after the breach became ripe."""

    to: Text
    after: Duration


class Settle(Part):
    """How long a start that was recorded late waits for the rest of its batch."""

    wait: Duration
    tolerance: Duration


class CaseEnd(Part):
    """The facts that close a case and open it again."""

    closed_by: Text
    reopened_by: Text


class OrderTerm(Part):
    """The term of a protective order that ends by itself (deadlines.md 1.6)."""

    begins: Text
    lasts: Duration
    extended_by: Extension | None = None
    ended_by: list[Text]
    derived_fact: Text
    key: Text


class RiskState(Part):
    """The fact and field that say how high the risk is."""

    fact: Text
    field: Text


class CalendarRules(Part):
    """Which days are working days; dates by decree correct the holiday table."""

    country: Text
    weekend: list[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]]
    extra_days_off: list[date] = []
    extra_working_days: list[date] = []


class Zones(Part):
    """The IANA zone of each region."""

    default: Text
    regions: dict[str, Text]


class Frame(Part):
    """What all rules share: ladder, settling, case end, order term, risk, calendar and zones."""

    id: Text
    version: Text
    country: Text
    desks: dict[str, str] = {}
    ladder: Mapping[Severity, list[Step]]
    settle: Settle
    case_end: CaseEnd
    order_term: OrderTerm | None = None
    risk_state: RiskState | None = None
    calendar: CalendarRules
    zones: Zones


class Policy(Part):
    """A whole policy. `fingerprint` names its text and the calendar and zone data it is judged with."""

    policy: Frame
    rules: list[Rule]
    flags: list[Flag] = []
    fingerprint: str = ""

    def for_service(self, name: str) -> "Policy":
        """The same policy with the rules and flags of one service only."""
        rules = [rule for rule in self.rules if rule.service == name]
        flags = [flag for flag in self.flags if flag.service == name]
        return self.model_copy(update={"rules": rules, "flags": flags})
