"""The commands of `qorgau`, a module each: it has `register(subparsers)` and imports what is slow only when it runs.

`cli.py` finds every module here. A command sets `run=` to a function from its arguments to an exit status.
"""

import argparse
from typing import TypeAlias

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

OK, FAILED, REFUSED = 0, 1, 2


class BadInput(Exception):
    """Bad use or bad input: told on stderr, exit status 2. The message says where, and repeats nothing of the input."""
