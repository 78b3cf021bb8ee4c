"""A policy file is read whole or refused whole: every kind of mistake, with the rule and the line it stands in."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from qorgau.calendar import data_version
from qorgau.policy import PolicyRefused, Problem, load_policy, parse_policy
from qorgau.policy_checks.fields import BOOLEANS, NUMBERS, TIMESTAMPS
from qorgau.vocabulary import FACT_TYPES
from tests.expected import POLICY
from tests.random_policies import policies
from tests.refused_policies import REFUSALS, Refusal

TEXT = POLICY.read_text(encoding="utf-8")
# Where each rule begins; what stands before the first one is the part that all share.
BEGIN = re.compile(r"^(?:  - id: (?P<rule>\S+)|rules:|policy:)$", re.MULTILINE)


def edited(rule: str, old: str, new: str) -> str:
    """The default policy with one change inside a rule."""
    begin, end = span(TEXT, rule)
    block = TEXT[begin:end]
    assert old in block
    return TEXT[:begin] + block.replace(old, new, 1) + TEXT[end:]


def span(text: str, rule: str) -> tuple[int, int]:
    found = list(BEGIN.finditer(text))
    place = next(n for n, match in enumerate(found) if (match["rule"] or match[0].rstrip(":")) == rule)
    return found[place].start(), found[place + 1].start() if place + 1 < len(found) else len(text)


def line_of(text: str, rule: str, at: str) -> int:
    return text.count("\n", 0, text.index(at, span(text, rule)[0])) + 1


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(PolicyRefused) as refused:
        parse_policy(text)
    return refused.value.problems


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_policy_is_refused_with_rule_and_line_for(refusal: Refusal) -> None:
    text = edited(refusal.rule, refusal.old, refusal.new)
    problems = problems_of(text)
    found = [problem for problem in problems if problem.rule == refusal.rule and refusal.says in problem.message]
    assert line_of(text, refusal.rule, refusal.at) in [problem.line for problem in found], problems


def test_the_default_policy_loads_whole() -> None:
    policy = load_policy(POLICY)
    assert len(policy.rules) == len(yaml.safe_load(TEXT)["rules"])
    assert len(policy.flags) == len(yaml.safe_load(TEXT)["flags"])
    assert policy.policy.id == "qorgau-default"


@given(made=policies(most_changes=19))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_policies_that_make_sense_load(made: dict[str, Any]) -> None:
    parse_policy(yaml.dump(made, sort_keys=False))


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = edited("P09", "PT24H", "P1M").replace("[P17, P18]", "[P17, P99]").replace("country: KZ   ", "country: XX   ")
    assert [problem.rule for problem in problems_of(text)] == ["policy", "P09", "F3"]


def test_the_message_of_the_refusal_names_each_line_and_rule() -> None:
    text = edited("P09", "PT24H", "P1M")
    with pytest.raises(PolicyRefused, match=rf"^line {line_of(text, 'P09', 'within')}: P09: within: not a duration"):
        parse_policy(text)


def test_an_id_of_a_flag_that_a_rule_has_is_refused() -> None:
    text = edited("F4", "id: F4", "id: P04")
    line = line_of(text, "F3", "- id: P04")
    assert Problem(line, "P04", "id: this id is taken") in problems_of(text)


def test_a_day_that_is_both_off_and_on_is_refused() -> None:
    text = TEXT.replace("extra_days_off: []", "extra_days_off: [2026-03-03]")
    text = text.replace("extra_working_days: []", "extra_working_days: [2026-03-03]")
    (problem,) = problems_of(text)
    assert (problem.line, problem.rule) == (line_of(text, "policy", "extra_working_days"), "policy")
    assert "2026-03-03" in problem.message


def test_a_week_without_a_working_day_is_refused() -> None:
    days = "monday, tuesday, wednesday, thursday, friday, saturday, sunday"
    (problem,) = problems_of(TEXT.replace("[saturday, sunday]", f"[{days}]"))
    assert "no working day" in problem.message


def versions(first: str, *changes: tuple[str, str]) -> str:
    """The default policy with a second version of a rule, changed so, after the first."""
    begin, end = span(TEXT, first)
    second = TEXT[begin:end]
    for old, new in changes:
        assert old in second
        second = second.replace(old, new)
    return TEXT[:end] + second + TEXT[end:]


LATER = ("effective_from: 2020-01-01", "effective_from: 2026-03-02")


def test_versions_of_a_rule_may_differ_in_their_term() -> None:
    policy = parse_policy(versions("P11", LATER, ("P7D", "P3D")))
    assert [rule.id for rule in policy.rules].count("P11") == 2


def test_two_versions_from_one_day_are_refused() -> None:
    text = versions("P11", ("P7D", "P3D"))
    (problem,) = problems_of(text)
    second = text.index("- id: P11", text.index("- id: P11") + 1)
    assert (problem.rule, problem.line) == ("P11", text.count("\n", 0, text.index("effective_from", second)) + 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("service: police-dispatch", "service: intake"), "one service"),
        (("    scope: [order_id]\n", ""), "one scope"),
    ],
)
def test_versions_that_cannot_follow_each_other_are_refused(change: tuple[str, str], says: str) -> None:
    (problem,) = problems_of(versions("P11", LATER, change))
    assert problem.rule == "P11"
    assert says in problem.message


TEXTS = [
    ("a tab where spaces belong", "policy:\n\tid: x\n", 2, "not YAML"),
    ("a bracket that nothing closes", "policy: {id: x\nrules: []\n", 2, "not YAML"),
    ("two documents in one file", "policy: {}\n---\nrules: []\n", 2, "not YAML"),
    ("a character that may not be there", "policy: {}\nrules: \x07\n", 2, "not YAML"),
    ("a date that does not exist", "policy: {}\nrules:\n  - effective_from: 2026-02-30\n", 3, "does not exist"),
    ("a map that is deeper than anybody reads", "policy: " + "[" * 5000 + "]" * 5000, 1, "not YAML"),
    ("nothing", "", 1, "a policy is a map"),
    ("a list", "- rules\n", 1, "a policy is a map"),
    ("rules that are no list", "policy: {}\nrules: {a: 1}\n", 2, "not a list"),
    ("a rule that is no map", "policy: {}\nrules:\n  - P01\n", 3, "dictionary"),
    ("a part that there is not", "policy: {}\nrules: []\nladders: {}\n", 3, "no such part"),
    ("no rules", "policy: {}\n", 1, "rules is missing"),
]


@pytest.mark.parametrize(("text", "line", "says"), [row[1:] for row in TEXTS], ids=[row[0] for row in TEXTS])
def test_a_text_that_is_no_policy_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    assert (line, True) in [(problem.line, says in problem.message) for problem in problems_of(text)]


def test_a_key_that_stands_twice_is_refused_where_it_stands_again() -> None:
    text = edited("P05", "    within: PT24H\n", "    within: PT24H\n    clock: elapsed\n")
    (problem,) = problems_of(text)
    again = text.index("clock: elapsed", text.index("within: PT24H", span(text, "P05")[0]))
    assert problem == Problem(text.count("\n", 0, again) + 1, "P05", "clock: stands here twice")


def test_a_part_of_itself_is_refused() -> None:
    assert problems_of("policy: &whole {policy: *whole}\nrules: []\n")


def test_parts_that_are_written_once_and_named_again_are_read() -> None:
    text = edited("P01", "warn: {percent: 80}", "warn: &usual {percent: 80}")
    assert parse_policy(text.replace("    warn: {percent: 80}\n", "    warn: *usual\n")).fingerprint


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"policy: \xff\xfe")
    with pytest.raises(PolicyRefused, match="UTF-8"):
        load_policy(path)


def test_the_fingerprint_goes_by_what_the_policy_says_and_not_how() -> None:
    known = parse_policy(TEXT).fingerprint
    assert parse_policy(TEXT.replace("PT5M", "PT300S") + "\n# a remark\n").fingerprint == known
    assert parse_policy(TEXT.replace("PT5M", "PT6M")).fingerprint != known


def test_the_fingerprint_goes_by_the_zones_and_holidays_too(monkeypatch: pytest.MonkeyPatch) -> None:
    known = parse_policy(TEXT).fingerprint
    monkeypatch.setattr("qorgau.policy.data_version", lambda: data_version() + " or later")
    assert parse_policy(TEXT).fingerprint != known


def schema_kind(schema: dict[str, Any]) -> str:
    """What a field of a model holds: the first of its alternatives that is not null."""
    alternatives = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    return "timestamp" if alternatives[0].get("format") == "date-time" else str(alternatives[0].get("type"))


def test_what_the_checks_believe_of_fields_is_what_the_services_accept() -> None:
    wanted = {**dict.fromkeys(BOOLEANS, "boolean"), **dict.fromkeys(NUMBERS, "integer")}
    seen = set()
    for domain in (intake.domain, police_dispatch.domain, court_tracker.domain):
        for model in domain.FACTS.values():
            for field, schema in model.model_json_schema(by_alias=True)["properties"].items():
                kind = schema_kind(schema)
                if field in TIMESTAMPS:
                    assert kind == "timestamp", (model, field)
                else:
                    assert (model, field, kind) == (model, field, wanted.get(field, "string"))
                seen.add(field)
    assert seen >= BOOLEANS | NUMBERS | TIMESTAMPS
    assert seen == {field for kind in FACT_TYPES.values() for field in kind.fields}
