"""A second, deliberately naive reading of docs/domain/deadlines.md, sharing no code with what it checks."""

from tests.oracle.history import deadline_rows, flag_history
from tests.oracle.values import load_policy

__all__ = ["deadline_rows", "flag_history", "load_policy"]
