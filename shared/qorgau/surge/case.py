"""The case that the flag events of a surge are told under: F8 is about a region and a day and about nobody's case."""

from datetime import date
from uuid import UUID, uuid5

# Drawn once; another one would give old surges new names.
_SURGES = UUID("7c605069-80ae-4c23-b3d5-28115ecff1fe")


def surge_case(region: str, day: date) -> str:
    """The same id for the same region and day (of a week: its first day), in the form of a case id."""
    return f"surge-{uuid5(_SURGES, f'{region}|{day.isoformat()}')}"
