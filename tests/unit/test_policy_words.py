"""A policy in words: each term, condition and switch of a rule is said, for any policy that a loader accepts."""

import re

import pytest
import yaml
from hypothesis import given, settings

from qorgau.embedded.data import default_policy, default_titles
from qorgau.policy import load_policy, parse_policy
from qorgau.policy_words import deadline_in_words, flag_in_words, ladder_in_words
from qorgau.rules import Line, Rule
from qorgau.titles import load_titles
from tests.random_policies import Policy as Raw
from tests.random_policies import policies

TITLES = load_titles(default_titles())
POLICY = load_policy(default_policy())


def rule(name: str) -> Rule:
    return next(one for one in POLICY.rules if one.id == name)


def flag(name: str) -> dict[str, str]:
    return flag_in_words(next(one for one in POLICY.flags if one.id == name), TITLES)


@pytest.mark.parametrize(
    ("name", "clause", "words"),
    [
        ("P01", "term", "within 5 minutes"),
        ("P02", "starts", "a report is triaged (needs police: yes, channel: not 102)"),
        (
            "P03",
            "term",
            "within 15 minutes (area: urban); within 20 minutes (area: rural); otherwise within 15 minutes",
        ),
        ("P03", "cancels", "police cancel the call; or police give the call another priority"),
        ("P07", "term", "within 3 working days"),
        ("P07", "warning", "at 09:00 local time on the last working day"),
        ("P11", "repeats", "what stops it starts the next term"),
        ("P12", "stops", "the risk is assessed (level: standard or medium), whatever it refers to in the case"),
        ("P17", "term", "by the end of the same day"),
        (
            "P18",
            "tolling",
            "from when a hearing is suspended (tolls term: yes, legal basis: given) until a suspended hearing is "
            "resumed; or a hearing is held",
        ),
        ("P18", "extension", "when the court extends the term: by the days granted, 15 in all at most"),
        ("P20", "starts", "police arrive (injury: yes or sexual: yes)"),
        ("P21", "over before the report", "noted, not counted as late"),
        ("P21", "starts", 'counted from the time it gives as "occurred at"'),
        ("P26", "term", "within 1 day (risk last known: high); otherwise within 3 days"),
        ("P27", "term", "within 2 months"),
        ("P27", "warning", "45 days after the start"),
        ("P27", "counted", "each protocol"),
    ],
)
def test_a_clause_says_what_the_row_says(name: str, clause: str, words: str) -> None:
    assert words in deadline_in_words(rule(name), TITLES)[clause]


def test_a_clause_that_a_rule_does_not_have_is_not_there() -> None:
    assert {"cancels", "tolling", "extension", "repeats", "counted", "over before the report"} & deadline_in_words(
        rule("P06"), TITLES
    ).keys() == set()
    assert "warning" not in deadline_in_words(rule("T02"), TITLES)


def test_closing_and_reopening_is_said_of_each_rule() -> None:
    assert deadline_in_words(rule("P09"), TITLES)["reopening"] != deadline_in_words(rule("P08"), TITLES)["reopening"]
    assert "goes on" in deadline_in_words(rule("P09"), TITLES)["reopening"]


def test_a_flag_says_while_what_it_is_up() -> None:
    assert flag("F1")["up"] == "from when a hearing is suspended"
    assert "P17 or P18" in flag("F3")["up"]
    assert "at least 3 times in the last 7 days" in flag("F3")["up"]
    assert flag("F4")["up"].startswith("once this has happened 2 times: a hearing is postponed")
    assert "2 times within 30 days or 3 times within 365 days" in flag("F5")["up"]
    assert "risk last known: high" in flag("F6")["up"]
    assert "14 days" in flag("F7")["up"]
    assert flag("F8")["not shown"] == "counts below 5"


def test_the_ladder_says_desk_and_delay_and_a_flag_does_not_climb() -> None:
    said = ladder_in_words(POLICY.policy, "high")
    assert said == "agency desk at once; regional supervisor after 4 hours"
    assert ladder_in_words(POLICY.policy, "high", first_only=True) == "agency desk at once"


def lines(one: Rule) -> list[Line]:
    tolls = [line for toll in one.tolled_by for line in (toll.begins, *toll.until)]
    return [*one.starts, *one.stops, *one.cancels, *tolls]


@settings(max_examples=40, deadline=None)
@given(policies())
def test_every_fact_and_every_length_of_any_policy_is_in_its_words(raw: Raw) -> None:
    policy = parse_policy(yaml.safe_dump(raw, allow_unicode=True))
    for one in policy.rules:
        clauses = deadline_in_words(one, TITLES)
        said = " ".join(clauses.values())
        for line in lines(one):
            assert TITLES.facts[line.fact].en in said
        assert len(one.cases or [one]) == len(clauses["term"].split("; "))
        if one.clock != "day_end":
            assert len(re.findall(r"\d+(?:\.\d+)?", clauses["term"])) >= len(one.cases or [one])
    for other in policy.flags:
        assert flag_in_words(other, TITLES)["up"]
