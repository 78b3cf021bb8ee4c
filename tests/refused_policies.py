"""What is wrong with a policy, one change of the default one for each kind of mistake."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """In the default policy `old` of a rule becomes `new`; then the line with `at` is refused in words of `says`."""

    sentence: str
    rule: str
    old: str
    new: str
    at: str
    says: str

    def __str__(self) -> str:
        return self.sentence.replace(" ", "_")


CASES_LAST = "      - {otherwise: true, within: PT15M}\n"
ROWS = [
    ("a field that there is not", "P01", "within: PT5M", "wihtin: PT5M", "wihtin", "no such field"),
    ("a field that is missing", "P01", "    effective_from: 2020-01-01\n", "", "- id: P01", "is missing"),
    ("a term in months of unknown length", "P01", "PT5M", "P1M", "within", "not a duration"),
    ("a term longer than a life", "P11", "P7D", "P99999D", "within", "hundred years"),
    ("a clock that there is not", "P01", "clock: elapsed", "clock: sidereal", "clock", "elapsed"),
    ("a severity that there is not", "P01", "severity: medium", "severity: grave", "severity", "critical"),
    ("a fact type that there is not", "P01", "report.received", "report.recieved", "recieved", "report.received?"),
    ("a fact about no case", "P13", "offender.detained", "police.call_recorded", "call_recorded", "no case"),
    ("a service that judges nothing", "P01", "intake", "notifier", "service", "intake, police-dispatch"),
    ("a kind of agency that there is not", "P03", '["102"]', '["103"]', "duty_kinds", "103"),
    ("an agency in a field that there is not", "T01", "[start.to]", "[start.agency]", "duty_kinds", "no field agency"),
    ("an agency in a field that holds none", "T01", "start.to", "start.transfer_id", "duty_kinds", "no code of an"),
    ("an agency in a field, or another", "T01", "start.to", "start.to, clinic", "duty_kinds", "stands alone"),
    (
        "an agency in a field of what is no start",
        "F1",
        "duty_kinds: [court]",
        "duty_kinds: [start.to]",
        "duty",
        "alone",
    ),
    ("a basis that there is not", "P01", "good_practice", "custom", "basis", "statutory"),
    ("a tier that there is not", "P01", "tier: core", "tier: corr", "tier", "extended"),
    ("a condition on a field that there is not", "P03", "{priority: imm", "{prio: imm", "{prio", "no field prio"),
    ("a value that no fact has", "P03", "priority: immediate", "priority: urgent", "urgent", "value urgent"),
    ("a value to exclude that no fact has", "P02", 'not: "102"', 'not: "103"', "not:", "value 103"),
    ("a number where facts have a text", "P02", 'not: "102"', "not: 102", "not:", 'write "102" in quotes'),
    ("a text where facts have true or false", "P14", "true}", '"true"}', "arrest_eligible", "true or false"),
    ("a region that the policy has no zone for", "P14", "arrest_eligible: true", "region: KZ-99", "KZ-99", "KZ-"),
    ("a condition that is none", "P02", '{not: "102"}', '{nto: "102"}', "nto", "in, not or present"),
    ("a condition that no value meets", "P02", '{not: "102"}', '{in: ["102"], not: "102"}', "not:", "exclude"),
    ("a list of values without one", "P02", '{not: "102"}', "{in: []}", "in: []", "list of values"),
    ("a field that must be absent", "P17", "present: true", "present: false", "present", "only be true"),
    (
        "conditions of two maps that exclude each other",
        "P20",
        "where_any:",
        "where: {injury: false, sexual: false}\n        where_any:",
        "where_any",
        "meets this and the other",
    ),
    ("a choice of no map", "P20", "[{injury: true}, {sexual: true}]", "[]", "where_any", "at least one map"),
    ("a choice with a map for all", "P20", "{injury: true}", "{}", "where_any", "no condition"),
    ("a start dated by what is no timestamp", "P27", "at: occurred_at", "at: article", "at:", "no timestamp"),
    ("a stop dated by a field", "P27", "court.decision_issued", "protocol.drawn_up, at: occurred_at", "- {", "only a"),
    ("a scope that the start lacks", "P01", "[report_id]", "[order_id]", "report.received", "no order_id"),
    (
        "a scope that a stop lacks",
        "P02",
        "police.dispatched, any_in_case: true",
        "police.dispatched",
        "police.dispatched",
        "add any_in_case",
    ),
    ("a scope that names a field twice", "P01", "[report_id]", "[report_id, report_id]", "scope", "twice"),
    ("a start that leaves its key open", "P01", "received}", "received, any_in_case: true}", "received", "its key"),
    ("a stop that every start is", "P23", "exam.scheduled", "exam.blocked", "exam.blocked}\n      - {", "as it begins"),
    ("a term that the clock lacks", "P01", "    within: PT5M\n", "", "- id: P01", "needs within"),
    ("a term that the clock cannot use", "P07", "count: 3", "count: 3\n    within: P3D", "within", "working_days"),
    ("a number of months beyond the calendar", "P27", "count: 2", "count: 2000", "count", "1200"),
    ("cases without a last resort", "P03", CASES_LAST, "", "area: rural", "last line"),
    (
        "a last resort that is not last",
        "P03",
        "{when: {start: {area: urban}}",
        "{otherwise: true",
        "otherwise",
        "after it",
    ),
    ("a case without its term", "P03", "true, within: PT15M", "true", "otherwise", "needs within"),
    ("a case for all that does not say so", "P03", "{start: {area: urban}}", "{}", "when", "otherwise: true"),
    ("a case for a field that no start has", "P03", "area: urban", "court: c1", "court", "no start of this rule"),
    ("a case for a value that no start has", "P03", "area: urban", "area: town", "town", "value town"),
    (
        "a case that no start can meet",
        "P03",
        "area: urban",
        "priority: prompt",
        "{when: {start: {priority",
        "other condition",
    ),
    ("a case for a risk that there is not", "P26", "case_risk: high", "case_risk: huge", "huge", "value huge"),
    ("a clock that tolling is not defined for", "P17", "day_end", "months\n    count: 1", "tolled_by", "months"),
    (
        "a clock that extension is not defined for",
        "P18",
        "elapsed\n    within: P15D",
        "day_end",
        "extended_by",
        "cannot be extended",
    ),
    ("an extension by what is no number", "P18", "days_field: days", "days_field: region", "days_field", "number"),
    ("a toll that nothing ends", "P18", "court.term_resumed", "court.case_closed", "case_closed", "no fact"),
    ("a last day of a clock without one", "P01", "percent: 80", 'last_day_at: "09:00"', "last_day_at", "working_days"),
    ("a local time without quotes", "P07", '"09:00"', "18:30", "last_day_at", "in quotes"),
    ("two ways to warn", "P01", "percent: 80", "percent: 80, after: PT1M", "warn", "exactly one"),
    ("a kind of flag that there is not", "F4", "kind: count", "kind: counted", "- id: F4", "kind"),
    ("a rule to watch that there is not", "F3", "P18", "P81", "watches", "no rule P81"),
    ("a rule to watch of another service", "F3", "P18", "P05", "watches", "another service"),
    ("a state that no deadline has", "F3", "breached,", "broken,", "in_states", "broken"),
    (
        "items that belong to a case",
        "F3",
        "docket_item_decided",
        "case_registered",
        "case_registered",
        "belongs to a case",
    ),
    ("a field that watched starts lack", "F3", "same_field: court", "same_field: category", "same_field", "category"),
    ("a registration that is no timestamp", "F3", "registered_at", "court", "registered_field", "no timestamp"),
    ("a window of no length", "F3", "P7D", "PT0S", "in_last", "no time"),
    ("a window of no length in a list", "F5", "P365D", "PT0S", "PT0S", "no time"),
    ("a field that counted facts lack", "F5", "pair_ref", "order_id", "same_field", "no field order_id"),
    ("a field that the excluding fact lacks", "F5", "by: report_id", "by: pair_ref", "not_counted", "pair_ref"),
    ("a silence of no length", "F7", "after: P14D", "after: PT0S", "after", "no time"),
    ("an end that ends no order", "F6", "order.expired", "order.served", "order_ended_by", "end an order"),
    ("an order known by another field", "F6", "key: order_id", "key: region", "key:", "order_id"),
    ("a date that is no timestamp", "F9", "field: scheduled_for", "field: mode", "field:", "no timestamp"),
    ("a date taken back by no such field", "F9", "by: hearing_id", "by: order_id", "undated_by", "no field order_id"),
    ("a date of another key", "F9", "court.hearing_scheduled", "order.issued", "dated_by", "no protocol_id"),
    ("a gap after another end", "F9", "order.expired ", "order.served ", "order_ended_by", "end an order"),
    ("a gap that no such fact fills", "F9", "special_requirements_set", "special_set", "special_set", "no fact has"),
    (
        "a severity of which nobody is told",
        "policy",
        "    medium:\n      - {to: L1, after: PT0S}\n",
        "",
        "ladder",
        "nobody",
    ),
    ("a desk that there is not", "policy", "to: L3", "to: L4", "L4", "among the desks"),
    ("a desk that is told twice", "policy", "{to: L3", "{to: L2", "PT1H", "told twice"),
    ("a zone that there is not", "policy", "default: Asia/Almaty", "default: Asia/Astana", "default: Asia", "IANA"),
    ("a region in a zone that there is not", "policy", "KZ-15: Asia/Aqtobe", "KZ-15: Aktobe", "KZ-15", "IANA"),
    ("a country without holidays", "policy", "country: KZ   ", "country: XX   ", "country: XX", "holidays"),
    (
        "an order that nothing ends",
        "policy",
        "derived_fact: order.expired",
        "derived_fact: order.issued",
        "derived",
        "ended_by",
    ),
    ("a risk in a field that there is not", "policy", "field: level", "field: height", "risk_state", "height"),
    ("a case closed by no fact", "policy", "closed_by: case.closed", "closed_by: case.ended", "case_end", "case.ended"),
]
REFUSALS = [Refusal(*row) for row in ROWS]
