"""What follows from a court that stops: facts of the system, in the log, for every case that waits there.

A limit is kept first and then asks which cases wait; a case joins its queue first and then asks what is limited. Of the
two at least one sees the other. What is said has an id derived from its causes, so saying it twice says it once.
"""

from collections.abc import Iterable, Mapping, Sequence

from qorgau.bus import FactsLog
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.hearings.deriving import REGISTERED, SCHEDULED, SOURCE, places, to_say
from qorgau.hearings.limits import LIMITED, RESTORED
from qorgau.shell.context import about
from qorgau.shell.queues import queue_name
from qorgau.shell.tracking import Deriving

_STOPS = (LIMITED, RESTORED)
# So many cases are loaded, and spoken of, at once.
AT_ONCE = 250


class Stops:
    """Says what follows from limits on courts. Repeating it is safe."""

    def __init__(self, parts: Deriving, log: FactsLog) -> None:
        self._parts = parts
        self._log = log

    async def prepare(self) -> None:
        """Queues and context, on which it stands, have indexes of their own."""

    def concerns(self, fact: Fact) -> bool:
        """Whether it sets or lifts a limit, or lists a hearing."""
        if fact.case is None:
            return fact.type in _STOPS or fact.type == WITHDRAWAL
        return fact.type in (REGISTERED, SCHEDULED)

    async def follow_up(self, by_case: Mapping[str, Sequence[Fact]], context: Sequence[Fact]) -> bool:
        """Say what follows from what the courts post of their hearings, and from limits, whatever came first."""
        cases = await self._under_limits(by_case)
        stops = await self._stops_in(context)
        if stops:
            names = {queue_name(field, stop.data[field]) for stop in stops for field in _about(stop)}
            for waiting in (await self._parts.queues.waiting(names)).values():
                cases |= {one.case for one in waiting}
        listed, said = sorted(cases), 0
        for start in range(0, len(listed), AT_ONCE):
            said += await self._say(listed[start : start + AT_ONCE])
        return said > 0

    async def _under_limits(self, by_case: Mapping[str, Sequence[Fact]]) -> set[str]:
        """The cases of which a court posts something, in regions in which anything was ever limited."""
        regions = {
            case: {str(fact.data.get("region")) for fact in facts if _matters(fact, case)}
            for case, facts in by_case.items()
        }
        asked = {region for of_case in regions.values() for region in of_case}
        names = {about(LIMITED, "region", region) for region in asked}
        limited = {fact.data.get("region") for fact in await self._parts.context.named(names)} if names else set()
        return {case for case, of_case in regions.items() if of_case & limited}

    async def _stops_in(self, context: Sequence[Fact]) -> list[Fact]:
        withdrawals = [fact for fact in context if fact.type == WITHDRAWAL]
        withdrawn = await self._parts.context.withdrawn_by(withdrawals) if withdrawals else []
        return [fact for fact in (*context, *withdrawn) if fact.type in _STOPS]

    async def _say(self, cases: Iterable[str]) -> int:
        facts = await self._parts.store.facts(list(cases))
        where = {case: places(own) for case, own in facts.items()}
        stops = await self._stops_at({place for of_case in where.values() for place in of_case})
        said = [
            fact
            for case, own in facts.items()
            if stops or any(fact.source == SOURCE for fact in own)
            for fact in to_say(case, own, stops)
        ]
        await self._log.append(said)
        return len(said)

    async def _stops_at(self, places: Iterable[tuple[str, str]]) -> list[Fact]:
        """Every limit and its lifting in these courts and their regions, with what withdraws it."""
        pairs = {pair for court, region in places for pair in (("court", court), ("region", region))}
        names = {about(type, field, value) for type in _STOPS for field, value in pairs}
        found = await self._parts.context.named(names) if names else []
        return [*found, *(await self._parts.context.withdrawals_of(found) if found else ())]


def _about(stop: Fact) -> tuple[str, ...]:
    """What a limit is about: its court, or where it names none its region."""
    return ("court",) if "court" in stop.data else ("region",)


def _matters(fact: Fact, case: str) -> bool:
    """Whether a fact may change what is to be said of its case; what the system said itself does not."""
    of_courts = fact.type.startswith("court.") or fact.type == WITHDRAWAL
    return fact.case == case and of_courts and fact.source != SOURCE
