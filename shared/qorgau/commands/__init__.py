"""The commands of `qorgau`, a module each: it has `register(subparsers)` and imports what is slow only when it runs.

`cli.py` finds every module here. A command sets `run=` to a function from its arguments to an exit status.
"""

import argparse
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from qorgau.brokers import Brokers

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

OK, FAILED, REFUSED = 0, 1, 2


class BadInput(Exception):
    """Bad use or bad input: told on stderr, exit status 2. The message says where, and repeats nothing of the input."""


def kafka_of(arguments: argparse.Namespace) -> "Brokers":
    """The brokers that `--kafka` or the environment names, spoken to as the environment says. Raises BadInput."""
    from qorgau.brokers import brokers_of_environment

    try:
        found = brokers_of_environment(arguments.kafka)
    except ValueError as error:
        raise BadInput(str(error)) from None
    if found is None:
        raise BadInput("say where Kafka is: --kafka, or QORGAU_KAFKA")
    return found
