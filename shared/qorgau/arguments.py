"""What several commands are given alike: policies, instants, files of facts, where the servers are. What is wrong with
it is bad use."""

import os
import shutil
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from qorgau.commands import FAILED, BadInput

if TYPE_CHECKING:
    from qorgau.brokers import Brokers
    from qorgau.policy import PolicyRefused
    from qorgau.replay.casefile import CaseFile
    from qorgau.retention import Retention
    from qorgau.rules import Policy
    from qorgau.shell.remaking import Servers

STANDARD = "-"
_Loaded = TypeVar("_Loaded")


def read_policy(path: str | None) -> "Policy":
    """The policy in a file; without one the default of QORGAU_POLICY or else the bundled one. Raises BadInput."""
    from qorgau.embedded.data import default_policy
    from qorgau.policy import load_policy

    return _loaded(load_policy, Path(path or os.environ.get("QORGAU_POLICY") or default_policy()))


def refused(error: "PolicyRefused") -> int:
    """The exit status for a policy that cannot be right, after a row for each of its problems."""
    from qorgau.output import show_table, write_rows

    rows = [{"line": found.line, "rule": found.rule, "message": found.message} for found in error.problems]
    write_rows(rows)
    show_table("refused", ("line", "rule", "message"), [list(row.values()) for row in rows])
    return FAILED


def read_retention(path: str | None) -> "Retention":
    """The policy of retention in a file; without one that of QORGAU_RETENTION or else the bundled one. Raises
    BadInput."""
    from qorgau.embedded.data import default_retention
    from qorgau.retention import load_retention

    return _loaded(load_retention, Path(path or os.environ.get("QORGAU_RETENTION") or default_retention()))


def _loaded(load: Callable[[Path], _Loaded], found: Path) -> _Loaded:
    from qorgau.policy import PolicyRefused

    try:
        return load(found)
    except PolicyRefused as refused:
        raise BadInput(f"{found} is refused\n" + "\n".join(map(str, refused.problems))) from None
    except OSError as error:
        raise BadInput(f"{found}: {error.strerror}") from None


def read_instant(option: str, text: str | None) -> int | None:
    """An instant given as an option, None if it is not given. Raises BadInput."""
    from qorgau.instants import parse_instant

    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise BadInput(f"{option} is {error}") from None


def check_service(name: str | None) -> str | None:
    """The name of a service that judges cases, or None. Raises BadInput."""
    from qorgau.vocabulary import NOTIFIER, SERVICES

    if name is not None and (name not in SERVICES or name == NOTIFIER):
        raise BadInput(f"--service is one of {', '.join(service for service in SERVICES if service != NOTIFIER)}")
    return name


def named(path: str) -> str:
    """How a file is called in a message."""
    return "standard input" if path == STANDARD else path


@contextmanager
def regular_file(path: str) -> Iterator[Path]:
    """The file itself, or a copy of what can be read only once, such as standard input. Raises BadInput."""
    if path != STANDARD and Path(path).is_file():
        yield Path(path)
        return
    with tempfile.NamedTemporaryFile(prefix="qorgau-", suffix=".ndjson") as copy:
        try:
            if path == STANDARD:
                shutil.copyfileobj(sys.stdin.buffer, copy)
            else:
                with Path(path).open("rb") as source:
                    shutil.copyfileobj(source, copy)
        except OSError as error:
            raise BadInput(f"{named(path)}: {error.strerror}") from None
        copy.flush()
        yield Path(copy.name)


@contextmanager
def case_file(path: str, policies: "Iterable[Policy]") -> Iterator["CaseFile"]:
    """A file of facts, read once. Raises BadInput with the line of what is no fact."""
    from qorgau.replay.casefile import BadLine, CaseFile, Ties

    with regular_file(path) as found:
        try:
            read = CaseFile(found, Ties.of(policies))
        except BadLine as error:
            raise BadInput(f"{named(path)}, {error}") from None
        except OSError as error:
            raise BadInput(f"{named(path)}: {error.strerror}") from None
        yield read


def add_facts(command: ArgumentParser) -> None:
    """The arguments of the commands that judge a file."""
    command.add_argument("facts", metavar="FACTS.ndjson", help="a fact or CloudEvent a line; - is standard input")
    command.add_argument("--as-of", metavar="TIME", help="judge as of then (the last instant at which a fact is known)")


def add_rules(command: ArgumentParser) -> None:
    """Which rules a file is judged by."""
    command.add_argument("--policy", metavar="FILE", help="the rules to judge by; otherwise the default policy")
    add_service(command)


def add_service(command: ArgumentParser) -> None:
    """Whose rules."""
    command.add_argument("--service", metavar="NAME", help="only the rules of one service")


def add_kafka(command: ArgumentParser) -> None:
    """Where Kafka is."""
    command.add_argument("--kafka", metavar="ADDRESS", help="where Kafka is; default: QORGAU_KAFKA")


def add_servers(command: ArgumentParser) -> None:
    """Where Kafka and the database are."""
    add_kafka(command)
    add_mongo(command)


def add_mongo(command: ArgumentParser) -> None:
    """Where the database is."""
    command.add_argument("--mongo", metavar="URI", help="where the database is; default: QORGAU_MONGO")


def kafka_of(arguments: Namespace) -> "Brokers":
    """The brokers that `--kafka` or the environment names, spoken to as the environment says. Raises BadInput."""
    from qorgau.brokers import brokers_of_environment

    try:
        found = brokers_of_environment(arguments.kafka)
    except ValueError as error:
        raise BadInput(str(error)) from None
    if found is None:
        raise BadInput("say where Kafka is: --kafka, or QORGAU_KAFKA")
    return found


def servers_of(arguments: Namespace) -> "Servers":
    """The brokers and the databases that the options of `add_servers` or the environment name. Raises BadInput."""
    kafka, mongo = kafka_of(arguments), mongo_of(arguments)
    if mongo is None:
        raise BadInput("say where the database is: --mongo, or QORGAU_MONGO")

    from qorgau.shell.remaking import Servers

    return Servers(kafka, mongo, deployment())


def mongo_of(arguments: Namespace) -> str | None:
    """The address of the database that `--mongo` or the environment names, if one of them does."""
    return arguments.mongo or os.environ.get("QORGAU_MONGO") or None


def deployment() -> str:
    """The name of the deployment, with which the names of its databases begin."""
    from qorgau.vocabulary import DEPLOYMENT

    return os.environ.get("QORGAU_DATABASE") or DEPLOYMENT
