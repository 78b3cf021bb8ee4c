"""Instants, lengths, facts and conditions in English, in the local time of a region. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, MINUTE, SECOND, to_datetime
from qorgau.rules import CaseLine

_UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"))


def length(span: int) -> str:
    """`1 day, 3 hours and 5 minutes`; never rounded."""
    parts = []
    for unit, name in _UNITS:
        count, span = divmod(span, unit)
        if count:
            parts.append(plural(count, name))
    if span or not parts:
        seconds = f"{span / SECOND:.6f}".rstrip("0").rstrip(".")
        parts.append("1 second" if seconds == "1" else f"{seconds} seconds")
    return listed(parts)


def plural(count: int, name: str) -> str:
    """`1 day`, `2 days`."""
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def offset(zone: ZoneInfo, at: int) -> str:
    """`UTC+5`, `UTC+5:45`."""
    minutes = (to_datetime(at).astimezone(zone).utcoffset() or timedelta()) // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


class LocalTime:
    """Instants in the local time of one zone; where the offset is not that of the first instant, it is said."""

    def __init__(self, zone: ZoneInfo, first: int) -> None:
        self.zone, self._usual = zone, offset(zone, first)

    def __call__(self, at: int) -> str:
        """`10 February 2026 at 22:10`, to the microsecond where that is not zero."""
        local = to_datetime(at).astimezone(self.zone)
        clock = f"{local:%H:%M}"
        if local.second or local.microsecond:
            clock += f":{local:%S}" + (f".{local.microsecond:06}".rstrip("0") if local.microsecond else "")
        here = offset(self.zone, at)
        return f"{local.day} {local:%B %Y} at {clock}" + ("" if here == self._usual else f" ({here})")

    def iso(self, at: int) -> str:
        """The instant with its local offset, for machines."""
        return to_datetime(at).astimezone(self.zone).isoformat()


def called(fact: Fact) -> str:
    """How a fact is called in a sentence."""
    if not fact.id:
        return f"{fact.type} (which follows from the term of the order)"
    return f"{fact.type} (fact {fact.id} of {fact.source})"


def condition(line: CaseLine) -> str:
    """A condition of `cases` in words."""
    when = line.when
    parts = [f"{field} is {_wish(wish)} in the start fact" for field, wish in when.start.items()] if when else []
    if when is not None and when.case_risk is not None:
        parts.append(f"the risk is {_wish(when.case_risk)}")
    return listed(parts)


def _wish(wish: object) -> str:
    if not isinstance(wish, dict):
        return _word(wish)
    parts = [f"one of {', '.join(map(_word, wish['in']))}"] if "in" in wish else []
    parts += [f"not {_word(wish['not'])}"] if "not" in wish else []
    return listed(parts) or "given"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
