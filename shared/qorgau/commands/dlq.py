"""`qorgau dlq`: what could not be read from the log, and putting it at the end of its topic once more."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from qorgau.arguments import add_kafka, add_servers, kafka_of, servers_of
from qorgau.commands import FAILED, OK, BadInput, Subparsers

if TYPE_CHECKING:
    from qorgau.brokers import Brokers
    from qorgau.bus import DeadLetter, Producer
    from qorgau.shell.remaking import Servers

# As many are told of in one entry of the audit chain.
_AT_ONCE = 500


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    group = subparsers.add_parser("dlq", help="records that could not be read from the log")
    commands = group.add_subparsers(metavar="ACTION", required=True)
    listing = commands.add_parser("list", help="the dead letters: where each stood, its hash, the reason")
    listing.add_argument("--topic", help="only of this topic, such as qorgau.police.facts; default: of all")
    listing.set_defaults(run=list_letters)
    replay = commands.add_parser(
        "replay",
        help="put what they tell of at the end of its topic again",
        description="Reads each record at its place and puts it at the end of the same topic; exit status 1 if one "
        "is no longer there. Do it when the reason is gone, as after an update: otherwise it comes back. The "
        "audit chain of the service tells of it before; therefore it needs the database too.",
    )
    replay.add_argument("--topic", required=True, help="the topic they stood in")
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument("--offset", type=int, metavar="N", help="those of this offset")
    which.add_argument("--all", action="store_true", help="all of them")
    replay.add_argument("--partition", type=int, metavar="N", help="only those of this partition")
    replay.set_defaults(run=replay_letters)
    add_kafka(listing)
    add_servers(replay)


def list_letters(arguments: argparse.Namespace) -> int:
    """Writes the dead letters as NDJSON, topic by topic."""
    from qorgau.output import write_rows

    async def work(address: "Brokers") -> int:
        # Every service that reads a topic tells of what it cannot read, and again when its database is made again.
        told = set()
        async for letter in _letters(address, arguments.topic):
            if letter not in told:
                write_rows([letter])
                told.add(letter)
        return OK

    return _run(arguments, work, "Kafka does not answer; is the address right, and is it running?")


def replay_letters(arguments: argparse.Namespace) -> int:
    """Puts records at the end of their topic again, which the audit chain tells of before; a row for each, `replayed`
    is its new offset or null."""
    from qorgau.bus import Producer
    from qorgau.output import write_rows
    from qorgau.telemetry import Metrics

    servers = servers_of(arguments)

    async def work(address: "Brokers") -> int:
        # A record that was read twice may have been told of twice.
        letters = {
            (letter.partition, letter.offset): letter
            async for letter in _letters(address, arguments.topic)
            if _meant(letter, arguments)
        }
        if not letters:
            raise BadInput("there is no such dead letter; `qorgau dlq list` shows which there are")
        producer = Producer(address, Metrics())
        status, left = OK, sorted(letters)
        try:
            while left:
                places, left = left[:_AT_ONCE], left[_AT_ONCE:]
                await _note(servers, arguments.topic, places)
                for place in places:
                    replayed = await _replay(address, producer, letters[place])
                    status = status if replayed is not None else FAILED
                    row = {"topic": arguments.topic, "partition": place[0], "offset": place[1], "replayed": replayed}
                    write_rows([row])
        finally:
            await producer.stop()
        return status

    return _run(arguments, work, "Kafka or the database does not answer; are the addresses right, are they running?")


def _run(arguments: argparse.Namespace, work: Callable[["Brokers"], Coroutine[Any, Any, int]], otherwise: str) -> int:
    from qorgau.errors import Unavailable

    brokers = kafka_of(arguments)
    try:
        return asyncio.run(work(brokers))
    except Unavailable:
        raise BadInput(otherwise) from None


async def _note(servers: "Servers", topic: str, places: Sequence[tuple[int, int]]) -> None:
    """Have the audit chain tell which records are about to be replayed, by their places."""
    from qorgau.audit.noting import note
    from qorgau.errors import NotFound
    from qorgau.shell.remaking import check_database, database_of
    from qorgau.vocabulary import owner_of

    service = owner_of(topic)
    try:
        await check_database(service, servers)
    except NotFound:
        raise BadInput(f"there is no database of {service} here; is the address right, did it ever run?") from None
    named = [f"{partition}/{offset}" for partition, offset in places]
    details = {"topic": topic, "count": str(len(named)), "places": named}
    async with database_of(service, servers) as database:
        await note(database, servers.kafka, service, servers.database, "dlq.replaying", details)


async def _letters(address: "Brokers", topic: str | None) -> AsyncIterator["DeadLetter"]:
    """The dead letters there are now, of one topic or of all."""
    from qorgau.bus import read_all, read_letter, topic_names
    from qorgau.vocabulary import dlq

    # The name of the dead letters of no topic is how all of their names end.
    names = [name for name in await topic_names(address) if name.endswith(dlq(""))]
    for name in names:
        if topic is None or name == dlq(topic):
            async for record in read_all(address, name):
                letter = read_letter(record)
                if letter is not None:
                    yield letter


def _meant(letter: "DeadLetter", arguments: argparse.Namespace) -> bool:
    offset = arguments.all or letter.offset == arguments.offset
    return offset and arguments.partition in (None, letter.partition)


async def _replay(address: "Brokers", producer: "Producer", letter: "DeadLetter") -> int | None:
    """The new offset of the record; None where it is no longer kept, or another stands in its place."""
    from qorgau.bus import Outgoing, read_at

    record = await read_at(address, letter.topic, letter.partition, letter.offset)
    if record is None or record.trouble or not letter.tells_of(record):
        return None
    again = Outgoing(record.topic, record.key or b"", record.value, record.headers)
    return (await producer.publish([again]))[0]
