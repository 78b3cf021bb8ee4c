"""The table of legs names what there is, agrees with the policy where both speak of one thing, and is that of docs."""

import pytest
from docs import legs

from qorgau.attribution.clocks import TOLLED_BY
from qorgau.attribution.leg import Ending, Leg
from qorgau.attribution.table import LEGS
from qorgau.policy import load_policy
from qorgau.rules import Line, Rule
from qorgau.vocabulary import FACT_TYPES, KINDS
from tests.expected import POLICY

RULES = {rule.id: rule for rule in load_policy(POLICY).rules}
BY_NAME = {leg.name: leg for leg in LEGS}


def facts(lines: list[Line] | tuple[Line, ...]) -> set[str]:
    return {line.fact for line in lines}


def done(leg: Leg) -> set[str]:
    return {line.fact for line in leg.ends if line.why == "done"}


@pytest.mark.parametrize("leg", LEGS, ids=lambda leg: leg.name)
def test_a_leg_names_facts_fields_words_and_kinds_that_there_are(leg: Leg) -> None:
    for line in (*leg.begins, *leg.ends):
        fields = FACT_TYPES[line.fact].fields
        for name, wish in [pair for way in (line.where, *line.where_any) for pair in way.items()]:
            words = fields[name]
            wished = wish if isinstance(wish, dict) else {"in": [wish]}
            assert words is None or set(wished.get("in", [wished.get("not")])) <= words
        assert set(line.same if isinstance(line, Ending) else ()) <= fields.keys()
    for line in leg.begins:
        # What never is in the fact that begins the wait would agree with nothing.
        assert {name for ending in leg.ends for name in ending.same} <= FACT_TYPES[line.fact].fields.keys()
    assert set(leg.duty) <= KINDS or leg.duty in (("start",), ("start.to",))


def test_every_leg_has_a_name_of_its_own_and_only_the_last_takes_what_is_left() -> None:
    assert len(BY_NAME) == len(LEGS)
    assert [leg.name for leg in LEGS if not leg.begins] == [LEGS[-1].name] == ["coordination"]


def test_the_clocks_are_tolled_by_the_lines_of_the_policy() -> None:
    for rule in (RULES["P17"], RULES["P18"]):
        assert tuple(rule.tolled_by) == TOLLED_BY


@pytest.mark.parametrize(
    ("rule", "leg"),
    [
        (RULES["P01"], "triage"),
        (RULES["P19"], "suspension"),
        (RULES["P14"], "to_court"),
        (RULES["P09"], "service"),
        (RULES["P06"], "risk"),
        (RULES["P08"], "order"),
        (RULES["P24"], "shelter"),
        (RULES["P26"], "contact"),
        (RULES["T01"], "transfer"),
        (RULES["P07"], "review"),
    ],
    ids=lambda value: value.id if isinstance(value, Rule) else value,
)
def test_a_wait_is_over_when_the_deadline_for_it_would_be_stopped(rule: Rule, leg: str) -> None:
    assert facts(rule.starts) == facts(BY_NAME[leg].begins)
    assert facts(rule.stops) <= done(BY_NAME[leg])
    scope = {name for line in BY_NAME[leg].ends if line.fact in facts(rule.stops) for name in line.same}
    assert scope == set(rule.scope)


def test_the_safety_clock_is_the_one_of_p19() -> None:
    rule, leg = RULES["P19"], BY_NAME["suspension"]
    assert facts(rule.stops) == done(leg) == facts(leg.ends)


def test_the_page_shows_the_table_as_it_is() -> None:
    text = legs.PAGE.read_text(encoding="utf-8")
    assert legs.page(text) == text, "run `python -m docs.legs`"
    assert all(f"| `{leg.name}` |" in text for leg in LEGS)
