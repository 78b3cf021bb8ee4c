"""Which hearings of a case stand suspended because their court stopped, as facts of the system; pure.

What should be there is computed of all that was posted, whatever came first; what is missing is said, and what is there
and should not be is withdrawn. So a limit that comes late, ends early or was entered in error, and a hearing that is
listed while a limit is in force, all come out right by the same way.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from qorgau.facts import WITHDRAWAL, Fact
from qorgau.hearings.limits import Limit, limits_on
from qorgau.instants import format_instant, parse_instant

SOURCE = "system/court-tracker"
REGISTERED, SCHEDULED = "court.case_registered", "court.hearing_scheduled"
SUSPENDED, RESUMED = "court.hearing_suspended", "court.hearing_resumed"
# After one of these a hearing is no longer listed as it was; a decision ends those of its protocol.
_DECIDED = "court.decision_issued"
_ENDED = frozenset({"court.hearing_held", "court.hearing_cancelled"})
_OVER = _ENDED | {"court.hearing_postponed", SCHEDULED}
# Fixed for ever: what was said once must be recognised.
_NAMESPACE = UUID("6f1c9f5c-8f0e-5a53-9d0b-3f1a1d1f0c52")


@dataclass(frozen=True, slots=True)
class Listing:
    """A hearing with a date: the fact that lists it, its court and since when that is known, for when it is, and the
    fact by which something else became of it (None: nothing did)."""

    fact: Fact
    court: str
    region: str
    known_at: int
    scheduled_for: int
    over: Fact | None

    @property
    def protocol(self) -> str:
        """The protocol it is about."""
        return str(self.fact.data.get("protocol_id"))

    @property
    def hearing(self) -> str:
        """Its own reference."""
        return str(self.fact.data.get("hearing_id"))


def places(facts: Iterable[Fact]) -> frozenset[tuple[str, str]]:
    """The courts before which a case is, each with its region."""
    return frozenset((court, region) for court, region, _ in _courts(_counting(facts)).values())


def to_say(case: str, facts: Sequence[Fact], context: Sequence[Fact]) -> list[Fact]:
    """What the system has to say of a case with these facts, where `context` is what is limited and restored in its
    courts and regions: suspensions, their ends (dated ahead where the limit says how long), and withdrawals of what is
    not so. Each is known when all it follows from is known, however late it is said: time is the log's."""
    posted = [fact for fact in facts if fact.source != SOURCE]
    gone = frozenset(str(fact.data.get("fact_id")) for fact in facts if _takes_back(fact))
    said = {fact.id: fact for fact in facts if fact.source == SOURCE and fact.type != WITHDRAWAL}
    wanted = {fact.id: fact for fact in _wanted(case, posted, context, gone)}
    missing = [fact for id, fact in wanted.items() if id not in said]
    no_longer = [said[id] for id in sorted(said.keys() - wanted.keys() - gone)]
    return missing + [_withdrawal(case, fact, _since(case, fact, posted, context, gone)) for fact in no_longer]


def said_in_time(case: str, facts: Sequence[Fact], context: Sequence[Fact]) -> list[Fact]:
    """All that a running service says of a case as it learns these facts, one after the other, in no copies: what it
    said and had to take back is there as well."""
    of_courts = [fact for fact in facts if fact.type.startswith("court.") or fact.type == WITHDRAWAL]
    said: list[Fact] = []
    for at in sorted({fact.recorded for fact in (*of_courts, *context)}):
        posted = [fact for fact in of_courts if fact.recorded <= at]
        said += to_say(case, [*posted, *said], [fact for fact in context if fact.recorded <= at])
    return said


def _takes_back(fact: Fact) -> bool:
    return fact.type == WITHDRAWAL and fact.source == SOURCE


def _since(case: str, said: Fact, posted: Sequence[Fact], context: Sequence[Fact], gone: frozenset[str]) -> int:
    """Since when it is known that something said is not so."""
    instants = sorted({fact.known_at for fact in (*posted, *context) if fact.known_at > said.recorded})
    for at in instants:
        by_then = _wanted(case, _known(posted, at), _known(context, at), gone)
        if all(fact.id != said.id for fact in by_then):
            return at
    return said.recorded


def _known(facts: Iterable[Fact], at: int) -> list[Fact]:
    return [fact for fact in facts if fact.known_at <= at]


def _wanted(case: str, posted: Sequence[Fact], context: Sequence[Fact], gone: frozenset[str]) -> Iterator[Fact]:
    for listing in _listings(_counting(posted)):
        for limit in limits_on(listing.court, listing.region, context):
            at = _suspended_at(listing, limit)
            if at is not None:
                yield from _said_of(case, listing, limit, at, gone)
                # It stands suspended already: another limit adds nothing to it.
                break


def _suspended_at(listing: Listing, limit: Limit) -> int | None:
    """Since when a listed hearing stands suspended by a limit; None where it does not."""
    at = max(limit.start, listing.fact.time + 1)
    hit = limit.lies_in(listing.scheduled_for) and limit.lies_in(at)
    return at if hit and (listing.over is None or at < listing.over.time) else None


def _said_of(case: str, listing: Listing, limit: Limit, at: int, gone: frozenset[str]) -> Iterator[Fact]:
    about = {
        "region": listing.region,
        "protocol_id": listing.protocol,
        "hearing_id": listing.hearing,
    }
    basis = {"tolls_term": limit.fact.data.get("tolls_term"), "legal_basis": limit.fact.data.get("legal_basis")}
    known = max(limit.fact.known_at, listing.fact.known_at, listing.known_at)
    name = f"{case}|{' '.join(limit.fact.identity)}|{' '.join(listing.fact.identity)}|{format_instant(at)}"
    yield Fact(_id(f"{name}|suspended", gone), SOURCE, SUSPENDED, at, known, case, {**about, **basis})
    if limit.end is not None and not _ended_before(listing, limit.end):
        ended = f"{name}|resumed {format_instant(limit.end)}"
        yield Fact(_id(ended, gone), SOURCE, RESUMED, limit.end, max(known, limit.known_at), case, about)


def _ended_before(listing: Listing, at: int) -> bool:
    over = listing.over
    return over is not None and over.time <= at and (over.type in _ENDED or over.type == _DECIDED)


def _id(name: str, gone: frozenset[str]) -> str:
    """The id of something said: the next one where it was withdrawn, for a withdrawal is final."""
    number = 0
    while (id := str(uuid5(_NAMESPACE, f"{name}|{number}"))) in gone:
        number += 1
    return id


def _withdrawal(case: str, fact: Fact, at: int) -> Fact:
    data = {"region": fact.data.get("region"), "fact_id": fact.id, "reason": "wrong_data"}
    return Fact(str(uuid5(_NAMESPACE, f"withdrawn|{fact.id}")), SOURCE, WITHDRAWAL, at, at, case, data)


def _listings(facts: Sequence[Fact]) -> list[Listing]:
    courts = _courts(facts)
    found = []
    for fact in facts:
        if fact.type != SCHEDULED:
            continue
        place = courts.get(str(fact.data.get("protocol_id")))
        try:
            scheduled_for = parse_instant(fact.data.get("scheduled_for"))
        except ValueError:
            continue
        if place is not None:
            found.append(Listing(fact, *place, scheduled_for, _over(fact, facts)))
    return found


def _courts(facts: Iterable[Fact]) -> dict[str, tuple[str, str, int]]:
    """The court of each protocol, with the region and since when it is known: the last one that registered it."""
    registered = sorted((fact for fact in facts if fact.type == REGISTERED), key=lambda fact: fact.order)
    return {
        str(fact.data.get("protocol_id")): (str(fact.data.get("court")), str(fact.data.get("region")), fact.known_at)
        for fact in registered
    }


def _over(listing: Fact, facts: Iterable[Fact]) -> Fact | None:
    """The first fact by which something else became of a listed hearing."""
    protocol, hearing = listing.data.get("protocol_id"), listing.data.get("hearing_id")
    later = (
        fact
        for fact in facts
        if fact.data.get("protocol_id") == protocol
        and fact.order > listing.order
        and (fact.type == _DECIDED or (fact.type in _OVER and fact.data.get("hearing_id") == hearing))
    )
    return min(later, key=lambda fact: fact.order, default=None)


def _counting(facts: Iterable[Fact]) -> list[Fact]:
    known = list(facts)
    gone = {(fact.source, fact.data.get("fact_id")) for fact in known if fact.type == WITHDRAWAL}
    return [fact for fact in known if fact.type != WITHDRAWAL and fact.identity not in gone]
