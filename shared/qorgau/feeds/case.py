"""The case that the flag events of a silence are told under: it is about a feed and about nobody's case. Pure."""

from uuid import UUID, uuid5

from qorgau.surge.case import is_surge

_PREFIX = "silence-"
# Drawn once; another one would give old silences new names.
_SILENCES = UUID("c2d85b20-30b5-4cd5-92b1-8f99ce9c1b87")


def silence_case(agency: str, region: str) -> str:
    """The same id for the same feed, in the form of a case id."""
    return f"{_PREFIX}{uuid5(_SILENCES, f'{agency}|{region}')}"


def is_silence(case: str) -> bool:
    """Whether a case is one of these."""
    return case.startswith(_PREFIX)


def is_nobodys(case: str) -> bool:
    """Whether what is told under a case is about nobody's case (a surge, a silence): no fact can be posted to it, and
    no history lacks what it tells."""
    return is_surge(case) or is_silence(case)
