"""`qorgau policy activate`: a policy comes into force for all services at an instant; before that, what it changes."""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from qorgau.arguments import add_servers, kafka_of, read_instant, read_policy, refused, servers_of
from qorgau.commands import OK, BadInput

if TYPE_CHECKING:
    from qorgau.activation import Activation
    from qorgau.brokers import Brokers
    from qorgau.rules import Policy
    from qorgau.shell.remaking import Servers

_COLUMNS = ("rule", "title", "open", "raised", "cleared")


def add_activate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to those of `qorgau policy`."""
    words = (
        "Lists by rule how many of the flags that are up now would be cleared and how many would come up, then writes "
        "the policy to the log. Every service judges by it from the instant on, open cases anew; what was told stays "
        "told. The audit chain of each service tells of it before."
    )
    command = commands.add_parser("activate", help="put a policy in force for all services", description=words)
    command.add_argument("policy", metavar="FILE")
    command.add_argument("--from", dest="begins", metavar="TIME", required=True, help="from when it is in force")
    command.add_argument("--dry-run", action="store_true", help="only list what it would change")
    add_servers(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """A row for each rule, then one that says what was put in force; status 1 for a policy that cannot be right."""
    from qorgau.activation import LONGEST
    from qorgau.errors import Unavailable
    from qorgau.policy import PolicyRefused, parse_policy

    begins = read_instant("--from", arguments.begins)
    assert begins is not None
    try:
        text = Path(arguments.policy).read_text(encoding="utf-8-sig")
        policy = parse_policy(text)
    except PolicyRefused as error:
        return refused(error)
    except OSError as error:
        raise BadInput(f"{arguments.policy}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{arguments.policy}: not a text in UTF-8") from None
    if len(text.encode()) > LONGEST:
        raise BadInput(f"{arguments.policy}: longer than {LONGEST} bytes")
    brokers = kafka_of(arguments)
    servers = None if arguments.dry_run else servers_of(arguments)
    try:
        return asyncio.run(_activate(brokers, servers, text, policy, begins))
    except Unavailable:
        raise BadInput("Kafka or the database does not answer; are the addresses right, are they running?") from None


async def _activate(brokers: "Brokers", servers: "Servers | None", text: str, policy: "Policy", begins: int) -> int:
    from qorgau.activation import newest
    from qorgau.policy import parse_policy

    known = await _known(brokers)
    now = _now()
    current = newest(known, now)
    if current is not None and begins < current.begins:
        raise BadInput("a policy that was activated for a later instant is in force already; --from lies before it")
    before = read_policy(None) if current is None else parse_policy(current.text)
    await _list_effect(brokers, (before, policy), now)
    return OK if servers is None else await _put_in_force(brokers, servers, text, policy, begins)


async def _known(brokers: "Brokers") -> "list[Activation]":
    """What was activated until now. Raises BadInput where no service ever ran."""
    from qorgau.activation import NotAnActivation, read_activation
    from qorgau.bus import read_all, topic_names
    from qorgau.vocabulary import POLICIES_TOPIC

    if POLICIES_TOPIC not in await topic_names(brokers):
        raise BadInput("there is no topic of policies here; is the address right, did a service ever run?")
    known = []
    async with aclosing(read_all(brokers, POLICIES_TOPIC)) as records:
        async for record in records:
            try:
                known.append(read_activation(record.value, record.offset))
            except NotAnActivation:
                sys.stderr.write(f"qorgau: the record {record.offset} of {POLICIES_TOPIC} is no activation\n")
    return known


def _now() -> int:
    """Logical time, as the services of this environment have it."""
    from qorgau.clock import read_clock, wall_ticks
    from qorgau.starting import StartRefused

    file = os.environ.get("QORGAU_CLOCK")
    try:
        return read_clock(Path(file)).instant(wall_ticks()) if file else wall_ticks()
    except StartRefused as error:
        raise BadInput(str(error)) from None


async def _list_effect(brokers: "Brokers", policies: "tuple[Policy, Policy]", now: int) -> None:
    from qorgau.arguments import case_file
    from qorgau.output import progress, show_table, write_rows
    from qorgau.replay.batch import Job, judge_all
    from qorgau.replay.effect import Effect, effect_on

    effect = Effect()
    with tempfile.TemporaryDirectory(prefix="qorgau-") as folder, progress("cases") as bar:
        path = Path(folder) / "facts.ndjson"
        await _write_facts(brokers, path)
        with case_file(str(path), policies) as file:
            for done, one in enumerate(judge_all(file, Job(effect_on, policies, now)), 1):
                effect.add(one)
                bar(done, len(file))
    rows = list(effect.rows(policies))
    write_rows(rows)
    changed = [row for row in rows if row["raised"] or row["cleared"]]
    show_table("open flags it changes", _COLUMNS, [[row[column] for column in _COLUMNS] for row in changed])


async def _write_facts(brokers: "Brokers", path: Path) -> None:
    """The whole log of facts as a file; what cannot be read is no fact."""
    import orjson

    from qorgau.bus import read_all
    from qorgau.errors import DeadLettered
    from qorgau.facts import fact_to_json
    from qorgau.shell.logged import read_logged
    from qorgau.vocabulary import FACTS_TOPICS

    with path.open("wb") as file:
        for topic in FACTS_TOPICS:
            async with aclosing(read_all(brokers, topic)) as records:
                async for record in records:
                    try:
                        fact = read_logged(record.headers, record.value)
                    except DeadLettered:
                        continue
                    file.write(orjson.dumps(fact_to_json(fact)) + b"\n")


async def _put_in_force(brokers: "Brokers", servers: "Servers", text: str, policy: "Policy", begins: int) -> int:
    """Write it down in the chain of each service that judges, then into the log."""
    from qorgau.activation import value_of
    from qorgau.audit.noting import note
    from qorgau.bus import Outgoing, Producer
    from qorgau.front.envelope import JSON
    from qorgau.instants import format_instant
    from qorgau.output import write_rows
    from qorgau.shell.remaking import database_of
    from qorgau.telemetry import Metrics
    from qorgau.vocabulary import POLICIES_TOPIC

    frame = policy.policy
    about = {"policy": frame.id, "version": frame.version, "fingerprint": policy.fingerprint}
    details = {**about, "from": format_instant(begins)}
    services = await _judging(servers)
    for service in services:
        async with database_of(service, servers) as database:
            await note(database, servers.kafka, service, servers.database, "policy.activating", details)
    producer = Producer(brokers, Metrics())
    try:
        headers = [("content-type", JSON.encode())]
        record = Outgoing(POLICIES_TOPIC, frame.id.encode(), value_of(text, begins, policy), headers)
        (offset,) = await producer.publish([record])
    finally:
        await producer.stop()
    write_rows([{"kind": "activated", **details, "number": offset, "services": services}])
    return OK


async def _judging(servers: "Servers") -> Sequence[str]:
    """The services that judge by a policy. Raises BadInput where one has no database: nothing is activated half."""
    from qorgau.errors import NotFound
    from qorgau.shell.remaking import check_database
    from qorgau.vocabulary import COURT, INTAKE, POLICE

    services = (INTAKE, POLICE, COURT)
    for service in services:
        try:
            await check_database(service, servers)
        except NotFound:
            raise BadInput(f"there is no database of {service} here; is the address right, did it ever run?") from None
    return services
