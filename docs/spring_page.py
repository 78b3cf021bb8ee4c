"""Writes docs/spring.md, what a spring without courts comes to, of its figures. Pure."""

from collections.abc import Sequence

from docs.spring_figures import REGIONS, SHOWN, Figures

from qorgau.instants import DAY, parse_duration

_PAGE = """# A spring without courts

Made by `python -m docs.spring` of [spring.ndjson](spring.ndjson), which `qorgau replay --summary` wrote; do not
edit it here.

In the spring of 2020 courts in Kazakhstan were stopped from 16 March to 11 May, people could not move, shelters took
nobody in without quarantine, and what was heard were breaches of quarantine. This page shows what the
[rules](policy.md) say of such a spring in {cases:,} cases in all 20 regions. **The cases are made up**: the days of
the stop are real, the spans from call to arrival are those of real calls, and everything after is invented. The
figures show what Qorgau counts and how fast, not what happened.

- Calls come from 1 March to 31 May, a quarter more of them while the emergency lasts, and police take a third
  longer to be sent.
- All courts of a region stop by one fact (`court.operations_limited`). In three of four regions an end is said and
  put off twice (15 April, 1 May, 11 May), in the others courts stop until further notice; in a fifth of the regions
  the terms run on meanwhile.
- Which hearings are suspended follows from that, as court-tracker says it: {hearings:,} of them.
- Courts post their quarantine cases, about four a day each; they are decided within two days, and F3 sees who is
  overtaken.
- Everything is judged as known at the end of 31 May in Almaty.

## What was flagged

{flags}

![Flags raised a week, by kind](pictures/spring-weeks.svg)

F1 and P19 come with the stop and go with it. F3 needs three quarantine cases decided in seven days. It falls when
the courts begin again, because the terms run on, and rises once more for whoever is not heard that day, until a week
after the last quarantine cases. P27 comes last: two months after the offence, for whom no new date was early enough.

## What the stop cost

{protocols:,} protocols lost {days:,.0f} days until their hearing or its new date, half of them more than
{median:.0f} days each and one {longest:.0f}; {waiting:,} had no new date when May ended. For {gaps:,} the protective
order ends, or has ended, before the hearing takes place (the protection gap). For {running_out:,} the limitation
term ends before the new date.

![Hearings hit and days lost, by region](pictures/spring-hearings.svg)

Where courts stopped until further notice (*) more hearings are without a date for longer, and more orders end first.

![Protection gaps and limitation terms that run out, by region](pictures/spring-gaps.svg)

{courts}

## Whose time it was

Each second from report to decision, charged to one [leg](attribution.md) and one kind of agency; the longest
twelve.

![Time by leg](pictures/spring-legs.svg)

## The run

```console
$ qorgau season spring --cases {cases} > spring.ndjson
$ time qorgau replay spring.ndjson --summary --as-of 2020-06-01T00:00:00+06:00 --jobs 2 > summary.ndjson
```

- {facts:,} facts, {size:,} MB; {machine}
- made in {made}
- replayed in {replayed}
- {load}
- memory of all processes together: {memory} at most

The numbers of F1, F2, F3, F9, P19 and P27, and all figures of the stop, court by court, equal those of a count that
shares no code with the heart (`tests/spring_count`, written from [deadlines.md](domain/deadlines.md)). `make test`
compares 300 cases, `.ci/run` 10,000 and `make night` all 100,000.

To make this page again: put the row that begins with `{{"kind":"run"` in front of the new summary as
docs/spring.ndjson, then `python -m docs.spring`.
"""


def spring_page(figures: Figures) -> str:
    """The whole page as Markdown."""
    whole, run = figures.whole, figures.run
    lost = whole["days_lost"]
    return _PAGE.format(
        cases=run["cases"],
        facts=run["facts"],
        size=run["megabytes"],
        made=run["made"],
        replayed=run["replayed"],
        machine=run["machine"],
        load=run["load"],
        memory=run["memory"],
        hearings=whole["hearings_hit"],
        protocols=whole["protocols_hit"],
        days=lost["sum"],
        median=lost["median"],
        longest=lost["longest"],
        waiting=whole["awaiting_date"],
        gaps=whole["protection_gaps"],
        running_out=whole["limitation_running_out"],
        flags=_flags(figures),
        courts=_courts(figures),
    )


def _flags(figures: Figures) -> str:
    lines = []
    for rule, level, words in SHOWN:
        row = figures.rules[rule]
        counts = row["levels"].get(level, {"raised": 0, "cleared": 0})
        late = "-" if row["p50"] is None else f"{parse_duration(row['p50']) / DAY:.1f} days"
        up = counts["raised"] - counts["cleared"]
        lines.append((rule, words, f"{counts['raised']:,}", f"{up:,}", late))
    return _table(("Rule", "It says", "Raised", "Still up", "Late by (median)"), lines)


def _courts(figures: Figures) -> str:
    heads = ("Court", "Region", "Hearings hit", "Protocols", "Days lost", "Median", "Longest", "Gaps", "Running out")
    lines = []
    for row in figures.impact:
        lost = row["days_lost"]
        days = (f"{lost['sum']:,.0f}", f"{lost['median']:.1f}", f"{lost['longest']:.1f}")
        ends = (f"{row['protection_gaps']:,}", f"{row['limitation_running_out']:,}")
        counts = (f"{row['hearings_hit']:,}", f"{row['protocols_hit']:,}")
        lines.append((row["court"], REGIONS[row["region"]], *counts, *days, *ends))
    return _table(heads, lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
