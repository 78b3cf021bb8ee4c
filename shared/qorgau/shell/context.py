"""Facts that are about no case: the docket of a court, the calls of a precinct, what is limited and what is restored.

The first copy of each counts. They are found by what they are about and by what they withdraw.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from qorgau.facts import WITHDRAWAL, Fact
from qorgau.shell.documents import fact_document, fact_of_document
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import deadline, keep_once
from qorgau.store import BATCH_DEADLINE

# What such facts are about, besides their type: fields of their data.
_ABOUT = ("court", "region")


def about(type: str, field: str, value: object) -> str:
    """The name under which facts of a type are found that have a value in one of the fields they are about."""
    return f"{type} {field} {value}"


class ContextBook:
    """The facts about no case of one service, in one edition."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self._token = secrets.token_hex(6)

    @property
    def _facts(self) -> Any:
        return self.edition.collection("context")

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline(BATCH_DEADLINE):
            await self._facts.create_index([("names", 1)])
            await self._facts.create_index([("type", 1), ("time", 1)])

    async def keep(self, facts: Sequence[Fact]) -> None:
        """Keep these so that they survive a crash: their place in the log is taken as filed next."""
        first = {_name(fact.source, fact.id): fact for fact in reversed(facts)}
        documents = [{"_id": name, "names": _names(fact), **fact_document(fact)} for name, fact in first.items()]
        await keep_once(self._facts, documents, self._token, BATCH_DEADLINE)

    async def named(self, names: Iterable[str]) -> list[Fact]:
        """The facts that are about any of these (see `about`)."""
        return await self._find({"names": {"$in": sorted(set(names))}})

    async def withdrawn_by(self, withdrawals: Iterable[Fact]) -> list[Fact]:
        """The facts that these withdraw."""
        names = {_name(fact.source, str(fact.data.get("fact_id"))) for fact in withdrawals}
        return await self._find({"_id": {"$in": sorted(names)}})

    async def withdrawals_of(self, facts: Collection[Fact]) -> list[Fact]:
        """What withdraws any of these."""
        return await self.named(_gone(fact.source, fact.id) for fact in facts)

    async def dated(self, types: Sequence[str], begin: int, end: int) -> list[Fact]:
        """The facts of these types dated in [begin, end), in microseconds; withdrawals at any time from then on."""
        span, later = {"$gte": begin, "$lt": end}, {"$gte": begin}
        return await self._find({"$or": [{"type": one, "time": later if one == WITHDRAWAL else span} for one in types]})

    async def _find(self, query: dict[str, Any]) -> list[Fact]:
        async with deadline(BATCH_DEADLINE):
            return [fact_of_document(document) for document in await self._facts.find(query).to_list(None)]


def _name(source: str, id: str) -> str:
    return f"{source} {id}"


def _gone(source: str, id: str) -> str:
    return f"gone {source} {id}"


def _names(fact: Fact) -> list[str]:
    if fact.type == WITHDRAWAL:
        return [_gone(fact.source, str(fact.data.get("fact_id")))]
    return [about(fact.type, field, fact.data[field]) for field in _ABOUT if field in fact.data]
