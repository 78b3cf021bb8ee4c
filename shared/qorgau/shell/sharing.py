"""Facts that rules of other cases look at: each such case is sent a copy, by the log, under its own key.

Which cases share a value (the pair of a report) is kept in a projection of its own. A case says that it shares the
value, and only then asks who else does: of two that do so at the same time at least one sees the other, and sends both
ways. A copy that comes twice changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from qorgau.bus import Outgoing, Producer
from qorgau.facts import Fact
from qorgau.front.envelope import to_kafka
from qorgau.heart.matching import key_part
from qorgau.plan import Plan
from qorgau.shell.mongo import deadline, write_all
from qorgau.store import BATCH_DEADLINE, Store
from qorgau.vocabulary import copies_topic

# Of a pair with more reports than that, every window of every rule is full many times over.
MOST_CASES, MOST_FACTS = 100, 200


class Crossing:
    """What a plan's repeat flags look at beyond their case. Pure."""

    def __init__(self, plan: Plan) -> None:
        self._repeats = [(flag.id, flag.repeat) for flag in plan.flags.values() if flag.repeat]

    def travels(self, fact: Fact) -> bool:
        """Whether other cases that share something with its case must hear of a fact: it is counted there, or takes
        what is counted out again."""
        for _, repeat in self._repeats:
            if fact.type in repeat.types and (fact.type not in repeat.counts or repeat.row.same_field in fact.data):
                return True
        return False

    def shared(self, fact: Fact) -> Iterator[str]:
        """The names under which a fact makes its case share something."""
        for flag, repeat in self._repeats:
            if fact.type in repeat.counts and repeat.row.same_field in fact.data:
                yield f"{flag} {key_part(fact.data, repeat.row.same_field)}"


class Sharing:
    """Sends the copies of one service's cases. Repeating it is safe."""

    def __init__(self, service: str, plan: Plan, store: Store, producer: Producer) -> None:
        self.crossing = Crossing(plan)
        self._topic = copies_topic(service)
        self._store = store
        self._producer = producer

    @property
    def _shared(self) -> Any:
        return self._store.edition.collection("shared", flushed=True)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline(BATCH_DEADLINE):
            for name in ("name", "case"):
                await self._shared.create_index([(name, 1)])

    def concerns(self, fact: Fact) -> bool:
        """Whether other cases must hear of a fact."""
        return self.crossing.travels(fact)

    async def follow_up(self, by_case: Mapping[str, Sequence[Fact]], _: Sequence[Fact] = ()) -> bool:
        """Send copies of these facts, which are saved in their cases, to the cases that share something with them, and
        to each case that shares something since now what the others have. Whether there was anything to send."""
        travelling = {
            case: own
            for case, facts in by_case.items()
            if (own := [fact for fact in facts if fact.case == case and self.crossing.travels(fact)])
        }
        if not travelling:
            return False
        joining = {
            case: {name for fact in facts for name in self.crossing.shared(fact)} for case, facts in travelling.items()
        }
        await self._join(joining)
        names = await self._names_of(travelling)
        cases_of = await self._cases_of({name for own in names.values() for name in own})
        copies: dict[tuple[str, str | None, str, str], Outgoing] = {}
        for case, facts in travelling.items():
            others = {other for name in names.get(case, ()) for other in cases_of[name]} - {case}
            of_others = await self._facts_of(others) if joining[case] and others else ()
            hearing = [
                *((other, fact) for other in sorted(others) for fact in facts),
                *((case, fact) for fact in of_others),
            ]
            copies |= {(who, fact.case, *fact.identity): copy_for(who, fact, self._topic) for who, fact in hearing}
        await self._producer.publish(list(copies.values()))
        return bool(copies)

    async def _join(self, joining: Mapping[str, Iterable[str]]) -> None:
        writes = [
            UpdateOne({"_id": f"{name} {case}"}, {"$setOnInsert": {"name": name, "case": case}}, upsert=True)
            for case, names in joining.items()
            for name in names
        ]
        await write_all(self._shared, writes, BATCH_DEADLINE)

    async def _names_of(self, cases: Iterable[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        async with deadline(BATCH_DEADLINE):
            for document in await self._shared.find({"case": {"$in": sorted(cases)}}).to_list(None):
                found.setdefault(document["case"], set()).add(document["name"])
        return found

    async def _cases_of(self, names: Iterable[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in names}
        async with deadline(BATCH_DEADLINE):
            for document in await self._shared.find({"name": {"$in": sorted(found)}}).to_list(None):
                found[document["name"]].append(document["case"])
        return {name: sorted(cases)[:MOST_CASES] for name, cases in found.items()}

    async def _facts_of(self, cases: Iterable[str]) -> list[Fact]:
        loaded = await self._store.load(sorted(cases))
        own = [fact for stored in loaded.values() for fact in stored.record.facts if self.crossing.travels(fact)]
        return sorted(own, key=lambda fact: fact.known_at)[-MOST_FACTS:]


def copy_for(receiver: str, fact: Fact, topic: str) -> Outgoing:
    """A fact as a case hears of it that is not its own."""
    _, value, headers = to_kafka(fact)
    return Outgoing(topic, receiver.encode(), value, headers)
