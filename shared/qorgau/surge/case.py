"""The case that the flag events of a surge are told under: F8 is about a region and a day and about nobody's case."""

from datetime import date
from uuid import UUID, uuid5

_PREFIX = "surge-"
# Drawn once; another one would give old surges new names.
_SURGES = UUID("7c605069-80ae-4c23-b3d5-28115ecff1fe")


def surge_case(region: str, day: date) -> str:
    """The same id for the same region and day (of a week: its first day), in the form of a case id."""
    return f"{_PREFIX}{uuid5(_SURGES, f'{region}|{day.isoformat()}')}"


def is_surge(case: str) -> bool:
    """Whether a case is one of these; nobody can post a fact to such a case."""
    return case.startswith(_PREFIX)
