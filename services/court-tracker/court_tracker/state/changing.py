"""What changes of the hearings of a case, step by step as its facts became known. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from qorgau.facts import WITHDRAWAL
from qorgau.hearings.listing import STATES, hearing_rows, hearings_of
from qorgau.hearings.proceedings import DECIDED
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.state.changes import Change, Changing
from qorgau.state.rows import Listed
from qorgau.state.view import CaseView

CONCERNED = frozenset({*STATES, DECIDED, WITHDRAWAL})
# Of a history that is filed at once only the last steps are told one by one: each looks at the whole case.
MOST_STEPS = 50
WITHDRAWN = "withdrawn"
_TOLD = ("protocol_id", "hearing_id", "scheduled_for")


def changing(plan: Plan) -> Changing:
    """The changes of hearings under a policy: a hearing stands otherwise, or has another date."""

    def changes(record: CaseRecord, told: Mapping[str, Change]) -> list[Change]:
        stood, found = dict(told), list[Change]()
        for at in _steps(record, max((one.at for one in told.values()), default=None)):
            view = CaseView(replace(record, as_of=at), (), plan)
            rows = {row.key: row for row in hearing_rows(view, hearings_of(view))}
            new = [change for row in rows.values() if (change := _changed(row, at, stood.get(row.key)))]
            new += [_withdrawn(one, at) for one in stood.values() if one.key not in rows and one.state != WITHDRAWN]
            stood |= {one.key: one for one in new}
            found += new
        return found

    return changes


def _steps(record: CaseRecord, since: int | None) -> list[int]:
    """The instants at which a hearing may have changed since the last that was told. Where there is none, the instant
    of now: what was told may be of a judgement that somebody else's replaced."""
    if record.as_of is None:
        return []
    known = {fact.known_at for fact in record.facts if fact.type in CONCERNED and fact.known_at <= record.as_of}
    later = sorted(at for at in known if since is None or at > since)
    return later[-MOST_STEPS:] or ([record.as_of] if since is not None else [])


def _changed(row: Listed, at: int, last: Change | None) -> Change | None:
    item = {name: row.item[name] for name in _TOLD}
    if last is not None and (last.state, last.item["scheduled_for"]) == (row.state, item["scheduled_for"]):
        return None
    was, number = (None, 1) if last is None else (last.state, last.number + 1)
    return Change(row.key, number, at, row.state, was, row.region, row.court, item)


def _withdrawn(last: Change, at: int) -> Change:
    """Every fact of it was withdrawn: the court takes back that there is such a hearing."""
    return replace(last, number=last.number + 1, at=at, state=WITHDRAWN, was=last.state)
