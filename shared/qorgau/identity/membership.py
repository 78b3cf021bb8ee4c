"""Which cases are an agency's own: told by the facts of the case, so that every service finds the same. Pure.

An agency is part of a case with a fact of its own in it (it opened it, took it up, or accepted its transfer), that was
referred to it or to its kind in its region, or whose reference it registered (which the facts do not tell; see
`front/registering.py`). How it comes to its first fact: `may_add`.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from qorgau.facts import WITHDRAWAL, Fact
from qorgau.identity.sender import EVERY, Reach, Sender

# They say that the agency has nothing to do with the case, or no longer.
_NO_PART = frozenset({"case.transfer_declined", WITHDRAWAL})
# They name an agency. A referral makes it part of the case; an offer lets it answer, and only the answer does.
_REFERRED: Mapping[str, str] = {"case.referred": "agency"}
_ASKED: Mapping[str, str] = {**_REFERRED, "case.transfer_offered": "to"}
# No character of a kind or a region.
_IN = "@"


def may_read(sender: Sender, facts: Iterable[Fact]) -> bool:
    """Whether the facts of a case make it the sender's own, or one of the regions it looks after."""
    known = tuple(facts)
    if any(sender.supervises(fact.data.get("region")) for fact in known):
        return True
    return sender.reach in (Reach.OWN, Reach.REGION) and is_part(sender.agency, sender.has_region, known)


def is_part(agency: str, in_region: Callable[[str | None], bool], facts: Iterable[Fact]) -> bool:
    """Whether an agency is part of a case with these facts; `in_region`: whether a region is one of its own.
    Supervisors of a region are not: they look in from outside."""
    known, here = parts(facts), agency.partition("/")[0] + _IN
    return agency in known or any(in_region(part.removeprefix(here) or None) for part in known if part.startswith(here))


def parts(facts: Iterable[Fact]) -> frozenset[str]:
    """Who is part of a case with these facts: agencies by their code, and whoever is of a `kind@region`."""
    known = tuple(facts)
    # What was withdrawn counts as never posted.
    gone = {(fact.source, fact.data.get("fact_id")) for fact in known if fact.type == WITHDRAWAL}
    found: set[str] = set()
    for fact in known:
        if fact.identity in gone:
            continue
        if fact.type not in _NO_PART:
            found.add(fact.source)
        if fact.type in _REFERRED:
            found.add(str(fact.data.get(_REFERRED[fact.type])))
        for kind in referred_to(fact):
            found |= {f"{kind}{_IN}{fact.data.get('region') or ''}", f"{kind}{_IN}{EVERY}"}
    return frozenset(found)


def parts_of(agency: str, regions: Iterable[str]) -> frozenset[str]:
    """The parts (as above) of which one makes a case an agency's own that works in these regions."""
    kind = agency.partition("/")[0]
    return frozenset({agency, *(f"{kind}{_IN}{region}" for region in regions)})


def may_add(fact: Fact, known: Iterable[Fact]) -> bool:
    """Whether a fact counts at once in a case with these facts. A case nobody knows is opened by it. In another its
    source must be one of the case already, or named by an offer or a referral, or act in a region in which the case is:
    there, whoever has the reference was given it, and a duty that is done must not count as missed for want of a
    referral."""
    facts = tuple(known)
    region = fact.data.get("region")
    return not facts or any(
        one.source == fact.source or one.data.get("region") == region or _named(one, fact.source, _ASKED)
        for one in facts
    )


def may_register(sender: Sender, kinds: Container[str], facts: Iterable[Fact]) -> bool:
    """Whether the sender may say which official number a case with these facts has: any agency of the case, and those
    of the region whose kind acts in it; a case that nobody knows has no number yet."""
    known = tuple(facts)
    if sender.agency == EVERY:
        return True
    here = sender.kind in kinds and any(sender.has_region(fact.data.get("region")) for fact in known)
    return here or is_part(sender.agency, sender.has_region, known)


def referred_to(fact: Fact) -> frozenset[str]:
    """The kinds of agency a fact asks to act in its region."""
    asks = REFERS.get(fact.type, frozenset())
    if fact.type == "report.triaged":
        return asks if fact.data.get("needs_police") is True else _TALKS
    return asks


def _named(fact: Fact, agency: str, by: Mapping[str, str]) -> bool:
    """Whether a fact of one of these types names the agency, in the field that goes with the type."""
    return fact.type in by and fact.data.get(by[fact.type]) == agency


def shown_to(sender: Sender, value: Any) -> Any:
    """An answer as this sender may see it."""
    return codes_only(value) if sender.reach is Reach.CODES else value


def codes_only(value: Any) -> Any:
    """An answer without what points at a person or a pair: for those who see codes everywhere. The key of a flag is the
    pair's reference for some rules, so no key is shown."""
    if isinstance(value, Mapping):
        return {
            name: "" if name == "key" else codes_only(inner) for name, inner in value.items() if name not in _POINTERS
        }
    return [codes_only(inner) for inner in value] if isinstance(value, list | tuple) else value


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Random, but the same for each report on the pair; the others describe the person, for counting only (facts.md).
_POINTERS = _of("pair_ref district age_band sex relation")
_TALKS = _of("helpline-150 helpline-111 crisis-centre")
_EXAMINES = _of("forensic clinic")
# What a fact asks of whom; the duties that begin with it are in the policy. Supervisors are asked nothing here: they
# see their regions anyway.
REFERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "report.triaged": _of("102 police-unit"),
        "shelter.referral_requested": _of("shelter"),
        "police.incident_registered": _of("police-unit"),
        "police.arrived": _of("police-unit"),
        "police.outcome_recorded": _TALKS,
        "order.violation_reported": _of("102 police-unit"),
        "exam.requested": _EXAMINES,
        "exam.blocked": _EXAMINES,
        "protocol.drawn_up": _of("court"),
        "offender.detained": _of("court"),
    }
)
