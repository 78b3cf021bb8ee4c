"""What cannot have happened in the order in which it was posted: found and marked, never refused; pure.

A check is a row of a table that each service keeps (`state/findings.py`); what a finding means is in docs/state.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qorgau.facts import Fact
from qorgau.instants import MICROSECOND, MINUTE, format_instant
from qorgau.state.index import FactIndex, first_after, last_before
from qorgau.state.rows import Listed
from qorgau.state.values import instant, name_of, side
from qorgau.state.view import CaseView

FINDINGS = "findings"
# Each agency dates by its own clock, and a feed that is a minute late still counts as live (deadlines.md 10.1, 10.15):
# two facts so close together may stand in either order without anybody having made a mistake.
SLACK = MINUTE


@dataclass(frozen=True, slots=True)
class Check:
    """`fact` does not fit if none of `needs` happened before it; if one of `after` did and none of `unless` since; or
    if the instant in its field `not_later` lies after it, that in `not_earlier` before it. `scope`: the fields in which
    the two must agree; a fact without them is not checked."""

    code: str
    fact: str
    scope: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    not_later: str = ""
    not_earlier: str = ""


def finding_rows(view: CaseView, checks: Iterable[Check], derived: Sequence[Fact] = ()) -> Iterator[Listed]:
    """A row for each fact that does not fit, by check. `derived`: ends of orders that nobody posted."""
    around = FactIndex([*view.facts, *derived]) if derived else view
    for check in checks:
        for fact in view.of(check.fact):
            misfit, against = _judge(check, fact, around)
            if misfit:
                yield _finding(view, check, fact, against)


def _judge(check: Check, fact: Fact, around: FactIndex) -> tuple[bool, Fact | None]:
    """Whether the fact does not fit, and the other side if there is one."""
    if any(name not in fact.data for name in check.scope):
        return False, None
    if check.not_later or check.not_earlier:
        return _misdated(check, fact), None
    if check.needs:
        first = next(iter(around.like(fact, check.needs, check.scope)), None)
        return first is None or first.time > fact.time + SLACK, first
    before = last_before(around.like(fact, check.after, check.scope), fact.time - SLACK)
    if before is None or not check.unless:
        return before is not None, before
    # What happened at the same instant as the other lets the fact follow too.
    since = first_after(around.like(fact, check.unless, check.scope), before.time - MICROSECOND)
    return since is None or since.time > fact.time + SLACK, before


def _misdated(check: Check, fact: Fact) -> bool:
    later, earlier = instant(fact, check.not_later), instant(fact, check.not_earlier)
    return (later is not None and later > fact.time + SLACK) or (earlier is not None and earlier < fact.time - SLACK)


def _finding(view: CaseView, check: Check, fact: Fact, against: Fact | None) -> Listed:
    stamp = instant(fact, check.not_later or check.not_earlier)
    item = {
        "fact": side(fact),
        "known_at": format_instant(fact.known_at),
        "against": side(against),
        "stamp": None if stamp is None else format_instant(stamp),
    }
    return view.row(FINDINGS, f"{check.code}:{name_of(fact)}", check.code, [fact], item)
