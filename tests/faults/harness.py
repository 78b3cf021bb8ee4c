"""More than `up` starts: further replicas, single roles, and a look into a service's database past the service."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any

from pymongo.errors import PyMongoError

from qorgau.embedded.ports import stable_ports
from qorgau.embedded.process import Process
from qorgau.embedded.services import GRACE, READY_WITHIN, is_ready
from qorgau.shell.documents import NOTHING, Stored, from_document
from qorgau.store import connect
from tests.e2e.stack import Stack


async def another(stack: Stack, service: str, name: str, **environment: str) -> Process:
    """One more process of a service, not started, with QORGAU_ variables of its own; `name` is its instance too."""
    folder = stack.system.backing.folder
    port = (await stable_ports(folder / f"port-{name}.json", [name]))[name]
    own = {"QORGAU_PORT": str(port), "QORGAU_INSTANCE": name}
    given = {f"QORGAU_{setting.upper()}": value for setting, value in environment.items()}
    return Process(
        name,
        [sys.executable, "-m", f"{service.replace('-', '_')}.main"],
        log_file=folder / "logs" / f"{name}.log",
        env={**stack.process(service).env, **own, **given},
        probe=partial(is_ready, port),
        grace=GRACE,
        ready_within=READY_WITHIN,
    )


@asynccontextmanager
async def started_as(process: Process, **environment: str) -> AsyncIterator[None]:
    """Start a process anew with these settings, and in the end anew without them."""
    given = {f"QORGAU_{setting.upper()}": value for setting, value in environment.items()}
    before = dict(process.env)
    await process.stop()
    process.env.update(given)
    try:
        await process.start()
        yield
    finally:
        await process.stop()
        process.env = before
        await process.start()


@contextmanager
def armed(process: Process, where: str) -> Iterator[None]:
    """The process dies there, once it is started the next time."""
    process.env["QORGAU_CRASH_AT"] = where
    try:
        yield
    finally:
        process.env.pop("QORGAU_CRASH_AT", None)


@asynccontextmanager
async def database(stack: Stack, service: str) -> AsyncIterator[Any]:
    """The database of a service."""
    client = connect(stack.system.backing.mongo)
    try:
        yield client[f"qorgau_{service.replace('-', '_')}"]
    finally:
        client.close()


async def stored(stack: Stack, service: str, prefix: str) -> dict[str, Stored]:
    """The cases of a service whose names begin so, as they lie in its database."""
    async with database(stack, service) as cases:
        found = await cases["cases"].find({"_id": {"$gte": prefix, "$lt": prefix + "~"}}).to_list(None)
    return {document["_id"]: from_document(document) for document in found}


async def until_judged(stack: Stack, service: str, prefix: str, facts: int, until: int, patience: float) -> None:
    """Returns when the cases with such names hold so many facts, are judged to the end and have told everything."""
    which = {"_id": {"$gte": prefix, "$lt": prefix + "~"}}
    given_up = time.monotonic() + patience
    async with database(stack, service) as content:
        cases = content["cases"]
        state: object = "not counted yet"
        while True:
            # A server that is busy with ten thousand cases may keep whoever counts waiting too long.
            with suppress(PyMongoError):
                counted = await cases.aggregate([{"$match": which}, _FACTS]).to_list(None)
                due = await cases.count_documents({**which, "next_due": {"$lte": until}})
                pending = await cases.count_documents({**which, "pending": {"$ne": NOTHING}})
                state = (counted[0]["facts"] if counted else 0, due, pending)
            if state == (facts, 0, 0):
                return
            assert time.monotonic() < given_up, (
                f"facts, cases due and cases with events: {state}, expected {facts}, 0, 0"
            )
            # Not often: whoever counts takes the time of those who are counted.
            await asyncio.sleep(1)


_FACTS = {"$group": {"_id": None, "facts": {"$sum": {"$size": "$facts"}}}}


async def copied(stack: Stack, service: str) -> dict[str, list[dict[str, Any]]]:
    """Everything in the database of a service that has been stopped."""
    async with database(stack, service) as content:
        return {name: await content[name].find({}).to_list(None) for name in await content.list_collection_names()}


async def put_back(stack: Stack, service: str, copy: dict[str, list[dict[str, Any]]]) -> None:
    """The database of a stopped service as it was once; indexes are made at the next start."""
    async with database(stack, service) as content:
        await content.client.drop_database(content.name)
        for name, documents in copy.items():
            if documents:
                await content[name].insert_many(documents)
