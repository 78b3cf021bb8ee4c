"""How far a service is with each partition of the log, in its database: positions, and when it was judged last.

Also what is fixed for a deployment: how many partitions there are, and which policies have been in force, in order.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne

from qorgau.activation import FILE, Order
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import collection, deadline, write_all
from qorgau.starting import StartRefused
from qorgau.telemetry import Metrics

Place = tuple[str, int]
"""A topic and the number of a partition."""

# A tracker says that it judges once a second; after ten of them nobody knows what the log holds.
SILENT_AFTER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Judging:
    """How it is with the cases of one partition: `made`: they are all there, which is not so from when they are made
    again until they are judged; `now`: somebody judges them."""

    made: bool
    now: bool


class Progress:
    """The positions of one service in one edition, and what is fixed for all of them."""

    def __init__(self, edition: Edition, metrics: Metrics) -> None:
        self.edition = edition
        self._deployment = collection(edition.database, "deployment")
        self._metrics = metrics
        # Editions and partitions of them that were found made.
        self._made: set[tuple[int, int]] = set()

    @property
    def _positions(self) -> Any:
        return self.edition.collection("positions")

    async def positions(self, places: Collection[Place]) -> dict[Place, int]:
        """The next offset to read at each place; one that is missing counts as 0."""
        numbers = sorted({number for _, number in places})
        async with deadline():
            documents = await self._positions.find({"_id": {"$in": numbers}}).to_list(None)
        known = {(topic, d["_id"]): offset for d in documents for topic, offset in d.get("offsets", {}).items()}
        return {place: known.get((_field(place[0]), place[1]), 0) for place in places}

    async def save(self, positions: Mapping[Place, int], judged: Collection[int] = ()) -> None:
        """Note positions, whatever they were, and which partitions have just been judged."""
        now = time.time_ns() // 1_000
        changes: dict[int, dict[str, int]] = {number: {"judged": now} for number in judged}
        for (topic, number), offset in positions.items():
            changes.setdefault(number, {})[f"offsets.{_field(topic)}"] = offset
        writes = [UpdateOne({"_id": number}, {"$set": fields}, upsert=True) for number, fields in changes.items()]
        if writes:
            self._metrics.store_commands.inc()
            await write_all(self._positions, writes)

    async def judging(self, number: int) -> Judging:
        """How it is with the cases of a partition now."""
        async with deadline():
            document = await self._positions.find_one({"_id": number})
        judged = int((document or {}).get("judged", 0))
        silent = time.time_ns() // 1_000 - judged
        return Judging(self.edition.number == 0 or judged > 0, silent <= SILENT_AFTER // timedelta(microseconds=1))

    async def unmade(self, numbers: Collection[int]) -> set[int]:
        """Those of these partitions whose cases are not all there yet. What is made stays so as long as the edition."""
        edition = self.edition.number
        if edition == 0:
            return set()
        asked = [number for number in numbers if (edition, number) not in self._made]
        if asked:
            query = {"_id": {"$in": sorted(asked)}, "judged": {"$gt": 0}}
            self._metrics.store_commands.inc()
            async with deadline():
                found = await self._positions.find(query, {"_id": 1}).to_list(None)
            self._made |= {(edition, document["_id"]) for document in found}
        return {number for number in asked if (edition, number) not in self._made}

    async def fix_partitions(self, count: int) -> None:
        """Keep the number of partitions at the first start; raises StartRefused where it is another one now."""
        kept = await self._once("partitions", {"count": count})
        if kept["count"] != count:
            raise StartRefused(
                f"This database belongs to a log of {kept['count']} partitions, QORGAU_PARTITIONS asks for {count}. "
                "The number is fixed for a deployment, because the partition of a case follows from it."
            )

    async def activate(self, fingerprint: str, order: Order = FILE) -> list[str]:
        """Put a policy in force: one that was activated later than the newest known so far, also if it was in force
        before; and one that never was, unless a later one is known. All that ever were, the one in force last."""
        known = await self._once("policies", {"fingerprints": []})
        newest = known.get("begins", FILE[0]), known.get("number", FILE[1])
        if order > newest:
            await self._put_in_force(fingerprint, order, known)
        elif order == newest and fingerprint not in known["fingerprints"]:
            async with deadline():
                await self._deployment.update_one(
                    {"_id": "policies", "fingerprints": {"$ne": fingerprint}}, {"$push": {"fingerprints": fingerprint}}
                )
        else:
            return list(known["fingerprints"])
        async with deadline():
            document = await self._deployment.find_one({"_id": "policies"})
        return list(document["fingerprints"])

    async def _put_in_force(self, fingerprint: str, order: Order, known: Mapping[str, Any]) -> None:
        """As the last of all; once, whoever else does the same."""
        begins, number = order
        before = {"number": known["number"]} if "number" in known else {"number": {"$exists": False}}
        names = [*(name for name in known["fingerprints"] if name != fingerprint), fingerprint]
        async with deadline():
            # It may have been in force once; what another policy judged since is judged anew.
            await self._deployment.delete_one({"_id": f"swept {fingerprint}"})
            await self._deployment.update_one(
                {"_id": "policies", **before}, {"$set": {"fingerprints": names, "begins": begins, "number": number}}
            )

    async def swept(self, fingerprint: str, number: int | None = None) -> set[int]:
        """The partitions whose cases have all been judged anew under a policy; `number` is noted as one of them."""
        name = f"swept {fingerprint}"
        await self._once(name, {"partitions": []})
        if number is not None:
            async with deadline():
                await self._deployment.update_one({"_id": name}, {"$addToSet": {"partitions": number}})
        async with deadline():
            document = await self._deployment.find_one({"_id": name})
        return set(document["partitions"])

    async def _once(self, name: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The document of this name, made with these fields if it is not there."""
        await write_all(self._deployment, [UpdateOne({"_id": name}, {"$setOnInsert": dict(fields)}, upsert=True)])
        async with deadline():
            document: Mapping[str, Any] = await self._deployment.find_one({"_id": name})
        return document


def _field(topic: str) -> str:
    """A topic as the name of a field, in which a point would mean a level."""
    return topic.replace(".", "/")
