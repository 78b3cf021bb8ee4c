"""What each case adds to the sums of a service: one document a case, written with it, read by region and month."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
from pymongo import InsertOne, ReplaceOne

from qorgau.measures.phases import Measured, Row
from qorgau.plan import Plan
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import deadline, write_all
from qorgau.state.rows import Seen
from qorgau.store import BATCH_DEADLINE


def nothing_measured(_: Plan) -> Measured:
    """A service whose cases add to no sums."""
    return lambda record, judged: ()


class MeasureBook:
    """The measures of one service in one edition; also a view. `measure`: the rows of a case, JSON values each with a
    kind, a region and a month."""

    def __init__(self, edition: Edition, measure: Measured) -> None:
        self._edition = edition
        self._measure = measure

    @property
    def _cases(self) -> Any:
        return self._edition.collection("measured")

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline(BATCH_DEADLINE):
            for name in ("regions", "months"):
                await self._cases.create_index([(name, 1)])

    async def show(self, seen: Sequence[Seen]) -> None:
        """Write what these cases add; a repeat changes nothing."""
        documents = [self._document(one) for one in seen]
        async with deadline(BATCH_DEADLINE):
            found = self._cases.find({"_id": {"$in": [one["_id"] for one in documents]}}, {"digest": 1})
            known = {document["_id"]: document["digest"] for document in await found.to_list(None)}
        writes = [_write(one, one["_id"] in known) for one in documents if known.get(one["_id"]) != one["digest"]]
        await write_all(self._cases, writes, BATCH_DEADLINE)

    async def rows(self, kind: str, region: str | None, month: str | None) -> list[Mapping[str, Any]]:
        """What of a kind all cases add to a region and a month; None: to any."""
        query = {name: value for name, value in (("regions", region), ("months", month)) if value is not None}
        async with deadline(BATCH_DEADLINE):
            cases = await self._cases.find(query, {f"rows.{kind}": 1}).to_list(None)
        rows = [row for case in cases if kind in case["rows"] for row in orjson.loads(case["rows"][kind])]
        return [row for row in rows if region in (None, row["region"]) and month in (None, row["month"])]

    def _document(self, seen: Seen) -> dict[str, Any]:
        rows = list(self._measure(seen.record, seen.judged))
        by_kind: dict[str, list[Row]] = {}
        for row in rows:
            by_kind.setdefault(row["kind"], []).append(row)
        texts = {kind: orjson.dumps(own, option=orjson.OPT_SORT_KEYS).decode() for kind, own in by_kind.items()}
        return {
            "_id": seen.record.case,
            "v": seen.version,
            "digest": sha256(orjson.dumps(texts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32],
            "regions": sorted({str(row["region"]) for row in rows}),
            "months": sorted({str(row["month"]) for row in rows}),
            "rows": texts,
        }


def _write(document: dict[str, Any], is_there: bool) -> Any:
    if is_there:
        return ReplaceOne({"_id": document["_id"], "v": {"$lte": document["v"]}}, document)
    return InsertOne(document)
