"""From the protocol to the decision: detention, hearings that are held, postponed or suspended, and terms that stop."""

from dataclasses import dataclass

from qorgau.instants import DAY, HOUR
from qorgau.season.places import in_daytime
from qorgau.season.story import Story, stamp

_DAY_LIMIT = 24 * HOUR


@dataclass(frozen=True, slots=True)
class _Suit:
    """A protocol in court."""

    protocol_id: str
    registered: int
    eligible: bool
    occurred: int


def detain(story: Story, arrived: int) -> int:
    """The offender is taken along; returns since when the 24 hours run."""
    return story.tell("offender.detained", story.by("police-unit"), arrived + story.dice.between(20, 70))


def prosecute(story: Story, since: int, occurred: int, detained: int | None, article: str = "73") -> int:
    """A protocol and its way through court; returns when it was decided."""
    suit = _file(story, since, occurred, detained is not None, article)
    decided = _hear(story, suit)
    if detained is not None:
        _release(story, detained, decided)
    return decided


def _file(story: Story, since: int, occurred: int, held: bool, article: str) -> _Suit:
    dice, protocol_id = story.dice, story.dice.reference()
    eligible = held or dice.share("can lead to arrest", 0.25)
    wait = dice.between(40, 150) if eligible else dice.between(3, 26, HOUR)
    drawn = in_daytime(story.place, since + wait, weekends=True)
    drawn = story.tell(
        "protocol.drawn_up",
        story.by("police-unit"),
        drawn,
        protocol_id=protocol_id,
        article=article,
        arrest_eligible=eligible,
        occurred_at=stamp(occurred),
    )
    if eligible:
        late = dice.share("late in court, arrest", 0.05)
        registered = drawn + (dice.between(3.3, 8, HOUR) if late else dice.between(25, 165))
    else:
        late = dice.share("late in court", 0.04)
        registered = in_daytime(story.place, drawn + dice.between(4, 20, HOUR), weekends=True)
        registered = drawn + dice.between(74, 120, HOUR) if late else registered
    data = {"protocol_id": protocol_id, "court": story.court, "arrest_eligible": eligible}
    registered = story.tell("court.case_registered", story.by("court"), registered, **data)
    return _Suit(protocol_id, registered, eligible, occurred)


def _hear(story: Story, suit: _Suit) -> int:
    dice = story.dice
    if suit.eligible:
        at = suit.registered + dice.between(60, 200)
    else:
        at = in_daytime(story.place, suit.registered + dice.between(2, 9, DAY))
        at = _term(story, suit, at)
    told = suit.registered + dice.between(10, 40)
    hearing = _schedule(story, suit, told, at)
    if story.court in story.world.ends:
        at, hearing = _stand(story, suit, told, at, hearing)
    elif story.world.court_limited(story.court, at):
        at, hearing = _suspend(story, suit, max(story.world.limited_courts[story.court][0], told), at, hearing)
    elif story.world.locked_down(at) and dice.share("suspended elsewhere", 0.05):
        at, hearing = _suspend(story, suit, at - dice.between(10, 40), at, hearing)
    elif dice.share("hearing moved", 0.05):
        data = {"protocol_id": suit.protocol_id, "hearing_id": hearing, "reason": "other"}
        story.tell("court.hearing_cancelled", story.by("court"), told + dice.between(5, 15), **data)
        hearing = _schedule(story, suit, told + dice.between(16, 30), at)
    at, hearing = _postpone(story, suit, at, hearing)
    return _decide(story, suit, at, hearing)


def _schedule(story: Story, suit: _Suit, told: int, at: int) -> str:
    hearing = story.dice.reference()
    mode = "remote" if story.world.locked_down(at) and story.dice.share("remote", 0.5) else "in_person"
    data = {"protocol_id": suit.protocol_id, "hearing_id": hearing, "scheduled_for": stamp(at), "mode": mode}
    story.tell("court.hearing_scheduled", story.by("court"), told, **data)
    return hearing


def _suspend(story: Story, suit: _Suit, told: int, at: int, hearing: str) -> tuple[int, str]:
    """The hearing stands; later it goes on or gets another date. Returns when it is held then, and which it is."""
    dice, court = story.dice, story.by("court")
    data = {"protocol_id": suit.protocol_id, "hearing_id": hearing}
    limited = story.world.court_limited(story.court, at)
    basis = "state_of_emergency" if limited else None
    told = story.tell("court.hearing_suspended", court, told, **data, tolls_term=limited, legal_basis=basis)
    soon = dice.share("suspended for days only", 0.55)
    until = told + (dice.between(12, 68, HOUR) if soon else dice.between(5, 40, DAY))
    until = in_daytime(story.place, until, weekends=soon)
    if dice.share("resumed", 0.5):
        until = story.tell("court.hearing_resumed", court, until, **data)
        return max(at, until + dice.between(1, 4, HOUR)), hearing
    at = max(at, in_daytime(story.place, until + dice.between(1, 3, DAY)))
    return at, _schedule(story, suit, until, at)


def _stand(story: Story, suit: _Suit, told: int, at: int, hearing: str) -> tuple[int, str]:
    """What becomes of a hearing that stands because its court stopped, which nobody posts hearing by hearing; a new
    date may be hit again. Returns when it is held then, and which it is."""
    dice, world = story.dice, story.world
    while world.court_limited(story.court, at):
        if dice.share("heard all the same", 0.12):
            return at, hearing
        begins, ends = world.limited_courts[story.court]
        since = max(begins, told)
        # A date given before anybody knows when courts work again stands at once.
        until_then = 0.3 if len(world.ends[story.court]) > 1 else 0.85
        wait = dice.pick({"days": 0.6 * (1 - until_then), "weeks": 0.4 * (1 - until_then), "until it ends": until_then})
        if wait == "until it ends":
            backlog = (
                dice.between(6, 35, DAY) if dice.share("forgotten in the backlog", 0.2) else dice.between(0, 6, DAY)
            )
            told = in_daytime(story.place, max(since, ends) + backlog)
        else:
            told = since + (dice.between(5, 70, HOUR) if wait == "days" else dice.between(4, 25, DAY))
            told = in_daytime(story.place, told, weekends=True)
        at = in_daytime(story.place, max(told, world.said_end(story.court, told)) + dice.between(0.5, 24, DAY))
        hearing = _schedule(story, suit, told, at)
    return at, hearing


def _postpone(story: Story, suit: _Suit, at: int, hearing: str) -> tuple[int, str]:
    dice = story.dice
    times = 0
    if dice.share("postponed", 0.07):
        times = 2 if dice.share("postponed again", 0.4) else 1
    for _ in range(times):
        reason = dice.pick({"party_absent": 0.45, "evidence_missing": 0.25, "docket_priority": 0.2, "other": 0.1})
        data = {"protocol_id": suit.protocol_id, "hearing_id": hearing, "reason": reason}
        told = story.tell("court.hearing_postponed", story.by("court"), at, **data)
        at = in_daytime(story.place, at + (dice.between(18, 26, HOUR) if suit.eligible else dice.between(2, 5, DAY)))
        hearing = _schedule(story, suit, told + dice.between(5, 30), at)
    return at, hearing


def _term(story: Story, suit: _Suit, at: int) -> int:
    """The 15 days are stopped, extended or exceeded; returns when the hearing is."""
    dice, court, protocol = story.dice, story.by("court"), {"protocol_id": suit.protocol_id}
    if dice.share("expert asked", 0.05):
        stopped = in_daytime(story.place, suit.registered + dice.between(1, 2, DAY))
        stopped = story.tell("court.term_suspended", court, stopped, **protocol, legal_basis="expert_examination")
        resumed = in_daytime(story.place, stopped + dice.between(4, 9, DAY))
        resumed = story.tell("court.term_resumed", court, resumed, **protocol)
        return max(at, in_daytime(story.place, resumed + dice.between(1, 3, DAY)))
    if dice.share("term extended", 0.05):
        given = in_daytime(story.place, suit.registered + dice.between(9, 13, DAY))
        story.tell("court.term_extended", court, given, **protocol, days=dice.random.choice((5, 7, 10, 15)))
        return in_daytime(story.place, given + dice.between(1, 6, DAY))
    if dice.share("over the 15 days", 0.05):
        return in_daytime(story.place, suit.registered + dice.between(16, 24, DAY))
    return at


def _decide(story: Story, suit: _Suit, at: int, hearing: str) -> int:
    dice, court = story.dice, story.by("court")
    old = suit.occurred < story.begins - 30 * DAY
    if old and dice.share("limitation runs out", 0.5):
        at = max(at, in_daytime(story.place, suit.occurred + dice.between(62, 66, DAY)))
    elif suit.eligible and dice.share("not heard the same day", 0.05):
        at = in_daytime(story.place, at + dice.between(18, 50, HOUR), weekends=True)
    held = story.tell("court.hearing_held", court, at, protocol_id=suit.protocol_id, hearing_id=hearing)
    sanctions = {"warning": 0.35, "fine": 0.25, "community_service": 0.2, "terminated": 0.15}
    late = {"arrest": 0.55} if suit.eligible else {"reclassified_criminal": 0.05}
    sanction = dice.pick(sanctions | late)
    days = dice.random.randint(3, 15) if sanction == "arrest" else None
    hours = dice.random.choice((20, 40, 60, 100)) if sanction == "community_service" else None
    data = {"protocol_id": suit.protocol_id, "sanction": sanction, "days": days, "hours": hours}
    decided = story.tell("court.decision_issued", court, held + dice.between(8, 45), **data)
    if dice.share("special requirements at once", 0.06):
        months = dice.random.choice((3, 6, 12))
        at = decided + dice.between(1, 5)
        story.tell("court.special_requirements_set", court, at, months=months, protocol_id=suit.protocol_id)
    return decided


def _release(story: Story, detained: int, decided: int) -> None:
    """Whoever is not judged within 24 hours has to be let go, and nearly always is."""
    dice = story.dice
    if decided - detained < _DAY_LIMIT and dice.share("judged while detained", 0.6):
        return
    late = dice.share("held too long", 0.25)
    at = detained + (dice.between(25, 40, HOUR) if late else dice.between(3, 22, HOUR))
    story.tell("offender.released", story.by("police-unit"), at)
