"""Which cases wait before which court, or in whatever queue an overtaken flag (F3) compares; and in which region.

A case joins when a fact that starts a watched deadline is filed, before anything is judged; it leaves when none of its
watched deadlines waits any more. A fact that is withdrawn and a case that is reopened make it join again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne

from qorgau.facts import WITHDRAWAL, Fact
from qorgau.heart.matching import key_part
from qorgau.plan import Plan
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import deadline, write_all
from qorgau.state.rows import UNENDED, Seen
from qorgau.store import BATCH_DEADLINE, Store

_REGION = "region"


@dataclass(frozen=True, slots=True)
class Watch:
    """What the overtaken flags of a plan watch: rules, the types of fact that start them, the field that names the
    queue, and what may make a case wait again."""

    rules: frozenset[str]
    starts: frozenset[str]
    field: str
    again: frozenset[str]

    def starting(self, facts: Iterable[Fact]) -> list[Fact]:
        """The facts that put their case into a queue."""
        return [fact for fact in facts if fact.type in self.starts and self.field in fact.data]


def watch_of(plan: Plan) -> Watch | None:
    """What the first overtaken flag of a plan watches; None where it has none."""
    for flag in plan.flags.values():
        if flag.overtaken is not None:
            row = flag.overtaken.row
            rules = frozenset(row.watches)
            starts = {line.fact for rule in plan.policy.rules if rule.id in rules for line in rule.starts}
            return Watch(rules, frozenset(starts), row.same_field, frozenset({WITHDRAWAL, plan.reopened_by}))
    return None


def queue_name(field: str, value: object) -> str:
    """The name of a queue: `court KZ-75-02`, `region KZ-75`."""
    return f"{field} {value}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case in a queue, and since when."""

    case: str
    since: int


class Queues:
    """The queues of one service, in one edition; also a view, by which cases leave."""

    def __init__(self, edition: Edition, store: Store, watch: Watch) -> None:
        self.watch = watch
        self._edition = edition
        self._store = store

    @property
    def _waiting(self) -> Any:
        return self._edition.collection("waiting", flushed=True)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline(BATCH_DEADLINE):
            for name in ("name", "case"):
                await self._waiting.create_index([(name, 1)])

    async def join(self, by_case: Mapping[str, Sequence[Fact]]) -> dict[str, list[Fact]]:
        """Put the cases of these facts, which are saved, into their queues; the starts of those that join, now or
        again."""
        joining = {case: self.watch.starting(_own(case, facts)) for case, facts in by_case.items()}
        again = [case for case, facts in by_case.items() if any(fact.type in self.watch.again for fact in facts)]
        if again:
            known = await self._store.load(again)
            joining |= {case: self.watch.starting(stored.record.facts) for case, stored in known.items()}
        joining = {case: starts for case, starts in joining.items() if starts}
        writes = [
            UpdateOne({"_id": f"{name} {case}"}, {"$set": {"name": name, "case": case, "since": since}}, upsert=True)
            for case, starts in joining.items()
            for name, since in self._names(starts).items()
        ]
        await write_all(self._waiting, writes, BATCH_DEADLINE)
        return joining

    async def waiting(self, names: Iterable[str]) -> dict[str, list[Waiting]]:
        """The cases in each of these queues."""
        found: dict[str, list[Waiting]] = {name: [] for name in names}
        async with deadline(BATCH_DEADLINE):
            for document in await self._waiting.find({"name": {"$in": sorted(found)}}).to_list(None):
                found[document["name"]].append(Waiting(document["case"], document["since"]))
        return found

    async def show(self, seen: Sequence[Seen]) -> None:
        """Take out those whose watched deadlines have all ended."""
        done = [one.record.case for one in seen if self._is_done(one)]
        if done:
            async with deadline(BATCH_DEADLINE):
                await self._waiting.delete_many({"case": {"$in": done}})

    def _is_done(self, seen: Seen) -> bool:
        states = [one.row.state for one in seen.judged if one.row.rule in self.watch.rules]
        return bool(states) and not UNENDED.intersection(states)

    def _names(self, starts: Iterable[Fact]) -> dict[str, int]:
        """The queues into which these facts put their case, with the time of the earliest."""
        found: dict[str, int] = {}
        for fact in starts:
            for field in (self.watch.field, _REGION):
                if field in fact.data:
                    name = queue_name(field, key_part(fact.data, field))
                    found[name] = min(fact.time, found.get(name, fact.time))
        return found


def _own(case: str, facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.case == case]
