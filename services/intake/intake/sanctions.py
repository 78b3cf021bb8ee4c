"""What came of cases: decisions by sanction, withdrawn ones, and reports of the same pair after each. Pure.

Intake counts them: it has the facts of all services in a case, and copies of the reports of its pair in other cases.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from qorgau import rules
from qorgau.facts import Fact, region_of
from qorgau.heart.known import KnownFacts
from qorgau.instants import DAY
from qorgau.measures.figures import UNKNOWN, published
from qorgau.measures.phases import REPORT, Row, month_of
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.surge.suppression import BELOW, TOTAL, Cell
from qorgau.vocabulary import FACT_TYPES

DECISION, WITHDREW = "sanction", "withdrew"
# Within so many days of a decision the same pair is looked for.
WINDOWS = (90, 365)
_ISSUED = "court.decision_issued"
SANCTIONS = tuple(sorted(FACT_TYPES[_ISSUED].fields["sanction"] or ()))


def outcomes(plan: Plan) -> Callable[[CaseRecord], Iterator[Row]]:
    """The rows of a case: one for each decision, with how long after it (microseconds) the pair was reported again
    (None: not yet), and one if it was closed because she withdrew."""

    def rows(record: CaseRecord) -> Iterator[Row]:
        known = KnownFacts(record.facts, record.as_of)
        reported = _reported(known, KnownFacts(record.others, record.as_of))
        for fact in sorted(known.of(_ISSUED), key=lambda fact: fact.order):
            again = min((at - fact.time for at in reported if at > fact.time), default=None)
            sanction = fact.data.get("sanction")
            yield _row(DECISION, fact, plan, sanction=sanction if sanction in SANCTIONS else None, again=again)
        closed = max(known.of(plan.closed_by), key=lambda fact: fact.order, default=None)
        stays = closed is not None and all(fact.time < closed.time for fact in known.of(plan.reopened_by))
        if closed is not None and stays and closed.data.get("reason") == "survivor_withdrew":
            yield _row(WITHDREW, closed, plan)

    return rows


def _row(kind: str, fact: Fact, plan: Plan, **data: Any) -> Row:
    region = region_of(fact)
    return {"kind": kind, "region": region, "month": month_of(fact.time, region, plan.calendar), **data}


def _reported(own: KnownFacts, others: KnownFacts) -> list[int]:
    """When the pair of the case was reported, here or in another case; a report merged into another is none."""
    merged = {fact.data.get("report_id") for known in (own, others) for fact in known.of("report.merged")}
    pairs = {fact.data["pair_ref"] for fact in own.of(REPORT) if isinstance(fact.data.get("pair_ref"), str)}
    reports = [*own.of(REPORT), *others.of(REPORT)]
    return [
        fact.time for fact in reports if fact.data.get("pair_ref") in pairs and fact.data.get("report_id") not in merged
    ]


def sanctions(
    decided: Iterable[Row],
    withdrew: Iterable[Row],
    followed: Mapping[int, bool],
    policy: rules.Policy,
    by: Sequence[Literal["region"]] = (),
    below: int = BELOW,
) -> dict[str, Any]:
    """The tables of one month, also by region if asked for. `followed`: for each of WINDOWS whether it is over for
    every decision of the month; before that nobody is told how many were reported again, because the number grows with
    every report."""
    rows, closed, names = list(decided), list(withdrew), [*by, "sanction"]
    levels = _levels(names, rows, policy)
    counts = Counter(_cell(row, names) for row in rows)
    tables: dict[str, Mapping[Cell, int]] = {"decisions": published(counts, levels, below)}
    for days, over in followed.items():
        again = Counter(_cell(row, names) for row in rows if row["again"] is not None and row["again"] <= days * DAY)
        tables[f"repeat_within_{days}"] = published(again, levels, below) if over else {}
    shown = sorted({cell for table in tables.values() for cell in table}, key=_sums_last)
    gone = published(Counter(_cell(row, by) for row in closed), _levels(by, closed, policy), below)
    return {
        "followed": {str(days): over for days, over in followed.items()},
        "decisions": [
            {**dict(zip(names, cell, strict=True)), **{name: table.get(cell) for name, table in tables.items()}}
            for cell in shown
        ],
        "withdrew": [
            {**dict(zip(by, cell, strict=True)), "cases": gone[cell]} for cell in sorted(gone, key=_sums_last)
        ],
    }


def _cell(row: Row, names: Sequence[str]) -> Cell:
    return tuple(row[name] or UNKNOWN for name in names)


def _levels(names: Sequence[str], rows: Sequence[Row], policy: rules.Policy) -> list[list[str]]:
    known: Mapping[str, Iterable[str]] = {"region": policy.policy.zones.regions, "sanction": SANCTIONS}
    return [sorted({*known[name], *(row[name] or UNKNOWN for row in rows)}) for name in names]


def _sums_last(cell: Cell) -> list[tuple[bool, str]]:
    return [(name == TOTAL, name) for name in cell]
