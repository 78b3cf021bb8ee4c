"""The heart asked in the words of the tests: a policy, facts and instants as plain data in, printed rows out."""

from collections.abc import Iterable
from typing import Any

from qorgau import assess
from qorgau.facts import Fact, fact_from_json
from qorgau.instants import parse_instant
from qorgau.plan import Plan, compile_policy
from qorgau.rules import Policy

Row = dict[str, Any]


def plan_of(policy: Row, service: str | None = None) -> Plan:
    """A policy as YAML would give it, compiled."""
    return compile_policy(Policy.model_validate(policy), service)


def facts_of(rows: Iterable[Row]) -> list[Fact]:
    """Facts in the file format, read."""
    return [fact_from_json(row) for row in rows]


def flag_history(facts: Iterable[Row], plan: Plan, as_of: str | None, others: Iterable[Row] = ()) -> list[Row]:
    """The printed flag history."""
    until = None if as_of is None else parse_instant(as_of)
    return [row.to_json() for row in assess.flag_history(facts_of(facts), plan, until, facts_of(others))]


def deadline_rows(facts: Iterable[Row], plan: Plan, as_of: str | None) -> list[Row]:
    """The printed deadlines."""
    until = None if as_of is None else parse_instant(as_of)
    return [row.to_json() for row in assess.deadline_rows(facts_of(facts), plan, until)]
