"""A rule flag in English: while what it is up, and what takes it down. Pure."""

from typing import assert_never

from qorgau.explaining.wording import length, listed, plural
from qorgau.policy_words.lines import Clauses, each, fact_in_words, one_of, plain, reopening, wish_in_words
from qorgau.rules import Count, Flag, Instant, OrderGap, Overtaken, ProtectionGap, Repeat, Silence, Stale, Surge
from qorgau.titles import Titles

_SILENT = (
    "while nothing has come from an agency in a region for longer than was set for it, or follows from its history"
)


def flag_in_words(flag: Flag, titles: Titles) -> Clauses:
    """The clauses of a rule flag (deadlines.md 8)."""
    clauses = _by_kind(flag, titles) | {"counted": each(flag.scope)}
    # Of the others a closing of the case, or their own window, is the end.
    if isinstance(flag, Instant | Count | ProtectionGap | Repeat):
        clauses["reopening"] = reopening(flag.on_reopen)
    return {name: words for name, words in clauses.items() if words}


def _by_kind(flag: Flag, titles: Titles) -> Clauses:
    match flag:
        case Instant():
            return {"up": f"from when {one_of(flag.raised_by, titles)}", "cleared": one_of(flag.cleared_by, titles)}
        case Count():
            times = plural(flag.at_least, "time")
            up = f"once this has happened {times}: {one_of(flag.counts, titles)}"
            return {"up": up, "cleared": one_of(flag.reset_by, titles)}
        case Overtaken():
            return {"up": _overtaken(flag, titles)}
        case Repeat():
            return {"up": _repeat(flag, titles), "cleared": one_of(flag.cleared_by, titles)}
        case OrderGap():
            return {"up": _order_gap(flag, titles)}
        case ProtectionGap():
            return {"up": _protection_gap(flag, titles), "cleared": one_of(flag.cleared_by, titles)}
        case Stale():
            return {"up": f"while the case is open and nothing was recorded in it for {length(flag.after)}"}
        case Surge():
            return _surge(flag, titles)
        case Silence():
            return {"up": _SILENT}
        case _:
            assert_never(flag)


def _overtaken(flag: Overtaken, titles: Titles) -> str:
    items = fact_in_words(flag.items.fact, titles, flag.items.where, flag.items.where_any)
    states = ", ".join(
        known.en if (known := titles.code("state", state)) is not None else plain(state) for state in flag.in_states
    )
    return (
        f"while a term of {' or '.join(flag.watches)} is in one of these states: {states}; and this has happened at "
        f"least {plural(flag.at_least, 'time')} in the last {length(flag.in_last)}, with the same "
        f"{plain(flag.same_field)} and registered later than this case: {items}"
    )


def _repeat(flag: Repeat, titles: Titles) -> str:
    windows = " or ".join(f"{plural(one.at_least, 'time')} within {length(one.in_last)}" for one in flag.windows)
    text = f"when, over all cases with the same {plain(flag.same_field)}, {one_of(flag.counts, titles)} {windows}"
    if flag.not_counted is not None:
        text += f"; not counted once {fact_in_words(flag.not_counted.fact, titles)}"
    return text


def _order_gap(flag: OrderGap, titles: Titles) -> str:
    when = flag.when
    parts = [f"once {fact_in_words(when.order_ended_by, titles)}", "no order is in force"]
    if when.none_since_service:
        facts = listed([fact_in_words(fact, titles) for fact in when.none_since_service])
        parts.append(f"since the order was served this has not happened: {facts}")
    if when.case_risk is not None:
        parts.append(wish_in_words("risk last known", when.case_risk, titles))
    return "; ".join([*parts, "the case is open"])


def _protection_gap(flag: ProtectionGap, titles: Titles) -> str:
    text = (
        f"after {one_of(flag.raised_by, titles)}, when the order that ends last ends before the new date "
        f"({plain(flag.dated_by.field)}), or has ended while there is no new date"
    )
    if flag.none_since_service:
        facts = listed([fact_in_words(fact, titles) for fact in flag.none_since_service])
        text += f"; since the order was served this has not happened: {facts}"
    return text


def _surge(flag: Surge, titles: Titles) -> Clauses:
    text = f"when this happens more often than is usual for the same {listed([plain(one) for one in flag.group_by])}: "
    text += one_of(flag.counts, titles)
    if flag.not_counted is not None:
        text += f"; not counted once {fact_in_words(flag.not_counted.fact, titles)}"
    methods = [f"{name} by {plain(str(how.get('method', '')))}" for name, how in _methods(flag) if how]
    return {"up": text, "compared": listed(methods), "not shown": f"counts below {flag.suppress_below}"}


def _methods(flag: Surge) -> tuple[tuple[str, dict[str, object]], ...]:
    return ("daily", flag.daily), ("weekly", flag.weekly)
