"""`compile_policy`: a policy turned, once, into what each type of fact can start, stop, toll, raise, count and so on.

Everything here is decided before the first fact is seen; the working state of a case is elsewhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, TypeVar

from qorgau import rules
from qorgau.calendar import Calendar
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.heart.matching import Predicate, any_of, condition, key_of, where
from qorgau.heart.reactions import (
    CaseTerm,
    Family,
    FlagPlan,
    FlagRole,
    FlagRoleName,
    OrderGap,
    OrderTerms,
    OvertakenBy,
    RepeatOf,
    Role,
    Term,
    Version,
    WarnAt,
)
from qorgau.instants import DAY, HOUR, from_datetime

# A local date begins between 14 hours before and 12 hours after the same date in UTC; a zone may have moved.
_WIDEST_OFFSET = 26 * HOUR

Lines = Iterable[rules.Line]
_Who = TypeVar("_Who", Family, FlagPlan)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A compiled policy. `reactions` and `flag_reactions` say which rules and flags look at a type of fact;
    `risk_classes` are the conditions on risk by which terms differ; `kinds` the kinds of agency that have duties;
    `begins`: before this instant what another policy judged stays as it is."""

    policy: rules.Policy
    service: str | None
    fingerprint: str
    calendar: Calendar
    families: Mapping[str, Family]
    flags: Mapping[str, FlagPlan]
    reactions: Mapping[str, tuple[Family, ...]]
    flag_reactions: Mapping[str, tuple[FlagPlan, ...]]
    ladders: Mapping[str, tuple[tuple[str, int], ...]]
    wait: int
    tolerance: int
    closed_by: str
    reopened_by: str
    orders: OrderTerms | None
    risk_fact: str | None
    risk_classes: tuple[Predicate, ...]
    kinds: frozenset[str]
    begins: int | None = None

    def hold(self, fact: Fact) -> int:
        """Before this instant the fact raises nothing (section 5)."""
        return fact.known_at + self.wait if fact.recorded - fact.time > self.tolerance else fact.known_at

    def __reduce__(self) -> tuple[Any, ...]:
        """Compiled functions do not travel; a process of a pool compiles the policy again."""
        return compile_policy, (self.policy, self.service, self.begins)


def compile_policy(policy: rules.Policy, service: str | None = None, begins: int | None = None) -> Plan:
    """The plan of a policy, or only of the rules and flags of one service; in force from `begins` on, if it is said."""
    own = policy.for_service(service) if service is not None else policy
    frame = policy.policy
    flags = {flag.id: _flag(flag, frame) for flag in own.flags if not isinstance(flag, rules.APART)}
    watched = [(flag.id, flag.watches) for flag in own.flags if isinstance(flag, rules.Overtaken)]
    families = _families(own.rules, frame, watched)
    return Plan(
        policy=policy,
        service=service,
        fingerprint=policy.fingerprint,
        calendar=Calendar(frame.calendar, frame.zones),
        families=families,
        flags=flags,
        reactions=_by_type({family: family.roles for family in families.values()}),
        flag_reactions=_by_type({flag: flag.roles for flag in flags.values()}),
        ladders={severity: tuple((step.to, step.after) for step in steps) for severity, steps in frame.ladder.items()},
        wait=frame.settle.wait,
        tolerance=frame.settle.tolerance,
        closed_by=frame.case_end.closed_by,
        reopened_by=frame.case_end.reopened_by,
        orders=_orders(frame.order_term),
        risk_fact=frame.risk_state.fact if frame.risk_state else None,
        risk_classes=_risk_classes(own, frame),
        kinds=frozenset(kind for row in (*own.rules, *own.flags) for kind in row.duty_kinds),
        begins=begins,
    )


def _by_type(roles: Mapping[_Who, Iterable[str]]) -> dict[str, tuple[_Who, ...]]:
    found: defaultdict[str, list[_Who]] = defaultdict(list)
    for who, types in roles.items():
        for type in types:
            found[type].append(who)
    return {type: tuple(who) for type, who in found.items()}


def _families(
    rows: Iterable[rules.Rule], frame: rules.Frame, watched: Iterable[tuple[str, list[str]]]
) -> dict[str, Family]:
    by_id: defaultdict[str, list[rules.Rule]] = defaultdict(list)
    for row in rows:
        by_id[row.id].append(row)
    return {
        name: _family(name, sorted(versions, key=lambda row: row.effective_from, reverse=True), frame, watched)
        for name, versions in by_id.items()
    }


def _family(name: str, rows: list[rules.Rule], frame: rules.Frame, watched: Iterable[tuple[str, list[str]]]) -> Family:
    roles: defaultdict[str, list[Role]] = defaultdict(list)
    versions = tuple(_version(row, place, frame) for place, row in enumerate(rows))
    for row, version in zip(rows, versions, strict=True):
        for type, role in _roles(row, version):
            roles[type].append(role)
    return Family(
        rule=name,
        versions=versions,
        roles={type: tuple(listed) for type, listed in roles.items()},
        start_types=frozenset(line.fact for row in rows for line in row.starts),
        watched_by=tuple(flag for flag, names in watched if name in names),
        by_risk=any(version.by_risk for version in versions),
    )


def _version(row: rules.Rule, place: int, frame: rules.Frame) -> Version:
    warn = row.warn
    midnight = from_datetime(datetime.combine(row.effective_from, time(), tzinfo=UTC))
    term = Term(row.severity, row.within or 0, row.count or 0)
    return Version(
        rule=row.id,
        place=place,
        clock=row.clock,
        term=term,
        cases=tuple(_case_term(line, term, frame) for line in row.cases),
        by_risk=any(line.when is not None and line.when.case_risk is not None for line in row.cases),
        warning=WarnAt(warn.percent, warn.after, warn.last_day_at) if warn else None,
        toll_lines=len(row.tolled_by),
        days_field=row.extended_by.days_field if row.extended_by else "",
        most_granted=row.extended_by.max_days * DAY if row.extended_by else 0,
        window_passed_at_report=row.window_passed_at_report,
        recurring=row.recurring,
        continues=row.on_reopen == "continue",
        key=key_of(row.scope),
        effective=row.effective_from,
        surely_before=midnight - _WIDEST_OFFSET,
        surely_from=midnight + _WIDEST_OFFSET,
        duty_kinds=tuple(row.duty_kinds),
    )


def _case_term(line: rules.CaseLine, term: Term, frame: rules.Frame) -> CaseTerm:
    when = line.when or rules.When()
    risk = where({})
    if when.case_risk is not None and frame.risk_state is not None:
        risk = condition(frame.risk_state.field, when.case_risk)
    within = term.within if line.within is None else line.within
    return CaseTerm(where(when.start), risk, Term(line.severity or term.severity, within, line.count or term.count))


def _risk_classes(policy: rules.Policy, frame: rules.Frame) -> tuple[Predicate, ...]:
    wishes = [line.when.case_risk for row in policy.rules for line in row.cases if line.when]
    field = frame.risk_state.field if frame.risk_state else ""
    return tuple(condition(field, wish) for wish in wishes if wish is not None)


def _matchers(lines: Lines, scope: list[str]) -> list[tuple[str, bool, Predicate]]:
    """One predicate for each type and whether the key matters, so that no fact plays the same role twice."""
    merged: defaultdict[tuple[str, bool], list[Predicate]] = defaultdict(list)
    for line in lines:
        # Without a scope all keys are the same one, and "any" is no different from it.
        merged[line.fact, line.any_in_case and bool(scope)].append(where(line.where, line.where_any))
    return [(type, anywhere, any_of(predicates)) for (type, anywhere), predicates in merged.items()]


def _roles(row: rules.Rule, version: Version) -> Iterable[tuple[str, Role]]:
    for line in row.starts:
        yield line.fact, Role("start", version, where(line.where, line.where_any), at=line.at)
    for type, anywhere, matches in _matchers(row.stops, row.scope):
        yield type, Role("stop", version, matches, anywhere)
    for type, anywhere, matches in _matchers(row.cancels, row.scope):
        yield type, Role("cancel", version, matches, anywhere)
    for place, toll in enumerate(row.tolled_by):
        for type, anywhere, matches in _matchers([toll.begins], row.scope):
            yield type, Role("toll", version, matches, anywhere, line=place)
        for type, anywhere, matches in _matchers(toll.until, row.scope):
            yield type, Role("untoll", version, matches, anywhere, line=place)
    if row.extended_by:
        yield row.extended_by.fact, Role("extension", version, where({}))


def _flag(row: rules.Flag, frame: rules.Frame) -> FlagPlan:
    assert not isinstance(row, rules.APART)  # no part of a history
    roles: defaultdict[str, list[FlagRole]] = defaultdict(list)
    for name, lines in _flag_lines(row):
        for type, anywhere, matches in _matchers(lines, row.scope):
            roles[type].append(FlagRole(name, matches, anywhere))
    for name, type in [*_gap_types(row, frame), *_protection_types(row, frame)]:
        roles[type].append(FlagRole(name, where({})))
    return FlagPlan(
        id=row.id,
        kind=row.kind,
        severity=row.severity,
        key=key_of([row.key] if isinstance(row, rules.OrderGap) else row.scope),
        continues=row.on_reopen == "continue",
        duty_kinds=tuple(row.duty_kinds),
        roles={type: tuple(listed) for type, listed in roles.items()},
        amount=row.at_least if isinstance(row, rules.Count) else row.after if isinstance(row, rules.Stale) else 0,
        overtaken=_overtaken(row) if isinstance(row, rules.Overtaken) else None,
        repeat=_repeat(row) if isinstance(row, rules.Repeat) else None,
        gap=_gap(row, frame) if isinstance(row, rules.OrderGap) else None,
        protection=row if isinstance(row, rules.ProtectionGap) else None,
    )


def _flag_lines(row: rules.Flag) -> list[tuple[FlagRoleName, list[rules.Line]]]:
    if isinstance(row, rules.Instant):
        return [("begin", row.raised_by), ("end", row.cleared_by)]
    if isinstance(row, rules.Count):
        return [("begin", row.counts), ("end", row.reset_by)]
    if isinstance(row, rules.ProtectionGap):
        return [("begin", row.raised_by), ("end", row.cleared_by)]
    return [("end", row.cleared_by)] if isinstance(row, rules.Repeat) else []


def _gap_types(row: rules.Flag, frame: rules.Frame) -> Iterable[tuple[FlagRoleName, str]]:
    if not isinstance(row, rules.OrderGap) or frame.order_term is None:
        return
    yield "service", frame.order_term.begins
    for type in frame.order_term.ended_by:
        yield "order_end", type
    for type in row.when.none_since_service:
        yield "follow", type
    if frame.risk_state is not None:
        yield "look", frame.risk_state.fact


def _protection_types(row: rules.Flag, frame: rules.Frame) -> Iterable[tuple[FlagRoleName, str]]:
    if not isinstance(row, rules.ProtectionGap):
        return
    yield "date", row.dated_by.fact
    if row.undated_by is not None:
        yield "undate", row.undated_by.fact
    for type in row.none_since_service:
        yield "follow", type
    # Which orders there are and when they end is known elsewhere; it looks again when one of them changes.
    terms = _orders(frame.order_term)
    for type in sorted(terms.types) if terms is not None else ():
        yield "look", type


def _overtaken(row: rules.Overtaken) -> OvertakenBy:
    return OvertakenBy(row, where(row.items.where, row.items.where_any))


def _repeat(row: rules.Repeat) -> RepeatOf:
    counts = {type: matches for type, _, matches in _matchers(row.counts, [])}
    taken_out_by = {row.not_counted.fact} if row.not_counted else set()
    return RepeatOf(row, counts, frozenset({*counts, *taken_out_by, WITHDRAWAL}))


def _gap(row: rules.OrderGap, frame: rules.Frame) -> OrderGap:
    field = frame.risk_state.field if frame.risk_state else ""
    risk = condition(field, row.when.case_risk) if row.when.case_risk is not None else None
    return OrderGap(row.when, key_of([frame.order_term.key] if frame.order_term else []), risk)


def _orders(term: rules.OrderTerm | None) -> OrderTerms | None:
    if term is None:
        return None
    return OrderTerms(
        begins=term.begins,
        lasts=term.lasts,
        key_field=term.key,
        key=key_of([term.key]),
        extended_by=term.extended_by.fact if term.extended_by else None,
        days_field=term.extended_by.days_field if term.extended_by else "",
        most_granted=term.extended_by.max_days * DAY if term.extended_by else 0,
        ended_by=frozenset(term.ended_by),
        derived=term.derived_fact,
        types=frozenset({term.begins, *term.ended_by, *([term.extended_by.fact] if term.extended_by else [])}),
    )
