"""Writes docs/policy.md, the order of service: each rule as a lawyer reads it, and what it makes of a season. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from docs.season_figures import ENDS, Figures

from qorgau.explaining.wording import length
from qorgau.instants import DAY, MINUTE, parse_duration, to_datetime
from qorgau.policy_words import deadline_in_words, flag_in_words, ladder_in_words
from qorgau.rules import Flag, Policy, Rule, Silence, Surge
from qorgau.season import BEGINS
from qorgau.titles import Titles, Words

Cells = Sequence[object]
_LABELS = {
    "starts": "It starts when",
    "stops": "It is met when",
    "cancels": "It falls away when",
    "counted": "Kept apart for",
    "term": "Term",
    "clock": "How it is counted",
    "repeats": "Repeated",
    "tolling": "Suspension",
    "extension": "Extension",
    "warning": "Warning",
    "over before the report": "Over before the report",
    "reopening": "Closing and reopening",
    "up": "It is up",
    "cleared": "It is cleared when",
    "compared": "Compared",
    "not shown": "Not shown",
}
# Whose flag it is where the policy names no kind of agency.
_ITSELF = "the agency itself"
# How the deadlines of a rule stand at the end of the season, in the order of the table.
_STATES = ("met", "closed_late", "missed", "breached", "cancelled", "window_passed", "tolled", "running")
_OPENING = """# Order of service

Made of [the policy](../policies/kz.yaml) and [its titles](../policies/titles.yaml) by `make docs`; do not edit it here.
It is for reading: what counts is the policy, by the exact semantics of [deadlines.md](domain/deadlines.md). The Russian
and Kazakh titles were written for this project and are no official translation. A running service answers the same with
`GET /v1/rules`.
"""
_READING = """## How to read it

- A term begins at the instant at which something happened, not at which it was recorded. Equality is in time; nothing
  is rounded.
- Closing a case ends every term of the case that still runs, without judging it.
- A *warning* says that a term is about to end, a *breach* that it has ended unmet. A *flag* of its own has no term.
- Where nothing else is said, all facts of a case count together; where a term is kept apart for each order or protocol,
  only those on the same one do.
- What stands behind a term, its *basis*, is one of: {bases}.
- The figures are of the bundled season, which is made up: {weeks} weeks from {begins}, {facts} facts in {cases} cases,
  judged at its end as `qorgau replay` does. They show what a rule does, not how any real agency works. *Late* is done
  late; p50 and p90 are of those, to the minute.
"""

_WARNED = (
    "Warnings go to the agency's own desk. A flag of its own goes to the first step of its severity and climbs no "
    "further.\n"
)


def policy_page(policy: Policy, titles: Titles, figures: Figures) -> str:
    """The whole page as Markdown."""
    parts = [
        *(_OPENING, _reading(titles, figures)),
        *("## All terms\n", _overview(policy, titles, figures)),
        *("## Who is told\n", _ladder(policy, titles)),
        "## Terms\n",
        *(_section(rule, policy, titles, _deadline_figures(rule, titles, figures)) for rule in policy.rules),
        "## Flags\n",
        *(_section(flag, policy, titles, _flag_figures(flag, figures)) for flag in policy.flags),
        *("## Words\n", *_words(titles)),
    ]
    return "\n".join(parts)


def _reading(titles: Titles, figures: Figures) -> str:
    bases = ", or ".join(words.en for words in titles.words["basis"].values())
    weeks, begins = (ENDS - BEGINS) // (7 * DAY), f"{to_datetime(BEGINS + DAY):%B %Y}"
    return _READING.format(bases=bases, weeks=weeks, begins=begins, facts=figures.facts, cases=figures.cases)


def _overview(policy: Policy, titles: Titles, figures: Figures) -> str:
    heads = ("Rule", "Title", "Term", "Severity", "Deadlines", "Met", "Late", "Missed or open", "Flags", "p50", "p90")
    rows: list[Cells] = []
    for rule in policy.rules:
        row = figures.rules[rule.id]
        states = row["deadlines"]
        told = (sum(states.values()), states.get("met", 0), row["late"], _unmet(states), row["raised"])
        term = deadline_in_words(rule, titles)["term"]
        rows.append((rule.id, rule.title, term, rule.severity, *told, _late(row["p50"]), _late(row["p90"])))
    return _table(heads, rows)


def _ladder(policy: Policy, titles: Titles) -> str:
    rows: list[Cells] = [
        (titles.words["severity"][severity].en, ladder_in_words(policy.policy, severity))
        for severity in policy.policy.ladder
    ]
    return f"{_table(('Severity', 'A breach is told to'), rows)}\n{_WARNED}"


def _section(row: Rule | Flag, policy: Policy, titles: Titles, figures: str) -> str:
    """One rule: its titles, its clauses, what stands behind it, and the figures."""
    known = titles.of_rule(row.id, row.title)
    since = [one.effective_from for one in policy.rules if isinstance(row, Rule) and one.id == row.id]
    dated = f", from {row.effective_from}" if isinstance(row, Rule) and len(since) > 1 else ""
    clauses = deadline_in_words(row, titles) if isinstance(row, Rule) else flag_in_words(row, titles)
    owed = row.duty if isinstance(row, Rule) else ""
    kinds = [titles.words["agency"][kind].en for kind in row.duty_kinds if kind in titles.words["agency"]]
    told = ladder_in_words(policy.policy, row.severity, first_only=not isinstance(row, Rule))
    lines = [
        f"- **Owed by**: {owed}" if owed else f"- **Concerns**: {', '.join(kinds) or _ITSELF}",
        *(f"- **{_LABELS[name]}**: {words}" for name, words in clauses.items()),
        f"- **Severity**: {row.severity}; told: {told}",
        f"- **Basis**: {titles.words['basis'][row.basis].en}. {row.source}",
        f"- **In the season**: {figures}",
    ]
    languages = "  \n".join(f"*{known[name]}* ({name})" for name in ("kk", "ru") if name in known)
    return f"### {row.id}. {row.title}{dated}\n\n{languages}\n\n" + "\n".join(lines) + "\n"


def _deadline_figures(rule: Rule, titles: Titles, figures: Figures) -> str:
    row = figures.rules[rule.id]
    states, levels = row["deadlines"], row["levels"]
    text = f"{sum(states.values())} deadlines"
    shown = [f"{titles.words['state'][state].en} {states[state]}" for state in _STATES if state in states]
    text += f" ({', '.join(shown)})" if shown else ""
    raised = [f"{titles.words['level'][level].en} {counts['raised']}" for level, counts in levels.items()]
    text += f"; {row['raised']} flags" + (f" ({', '.join(raised)})" if raised else "")
    return text + (f"; late by {_late(row['p50'])} (p50), {_late(row['p90'])} (p90)" if row["late"] else "")


def _flag_figures(flag: Flag, figures: Figures) -> str:
    if isinstance(flag, Surge):
        return f"up {figures.surges} times"
    if isinstance(flag, Silence):
        return "not judged: the season is of cases, and a feed of none"
    row = figures.rules[flag.id]
    return f"up {row['raised']} times, cleared {row['cleared']} times"


def _words(titles: Titles) -> Iterator[str]:
    """Every word that is not the title of a rule, in the three languages."""
    yield "### What happened\n"
    yield _translated(titles.facts)
    for field, codes in titles.words.items():
        yield f"### {_plain(field)}\n"
        yield _translated(codes)


def _translated(words: Mapping[str, Words]) -> str:
    rows: list[Cells] = [(f"`{code}`", one.en, one.ru, one.kk) for code, one in words.items()]
    return _table(("", "English", "Русский", "Қазақша"), rows)


def _table(heads: Cells, rows: Sequence[Cells]) -> str:
    lines: list[Cells] = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)


def _late(iso: str | None) -> str:
    """A lateness to the minute; a dash where nothing was late."""
    if iso is None:
        return "-"
    exact: Any = parse_duration(iso)
    return length((exact + MINUTE // 2) // MINUTE * MINUTE)


def _unmet(states: Mapping[str, int]) -> int:
    return states.get("missed", 0) + states.get("breached", 0)


def _plain(name: str) -> str:
    return name.replace("_", " ")
