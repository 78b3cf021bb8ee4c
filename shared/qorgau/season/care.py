"""Beside police and court: the examination, a shelter place, the conversation afterwards, the agencies together."""

from qorgau.instants import DAY, HOUR, MINUTE
from qorgau.season.places import in_daytime
from qorgau.season.response import Report, Visit
from qorgau.season.story import Story, stamp

_DESKS = {"helpline-150": 0.45, "helpline-111": 0.1, "crisis-centre": 0.45}


def examination(story: Story, since: int, hurt: Report | Visit) -> None:
    """Whoever was hurt is offered an examination, also without police; in the lockdown many cannot get to it."""
    dice, exam_id = story.dice, story.dice.reference()
    by_police = isinstance(hurt, Visit) and dice.share("police ask", 0.75)
    asks = story.by("police-unit" if by_police else "crisis-centre")
    late = dice.share("examination offered late", 0.04)
    asked = since + (dice.between(6.5, 20, HOUR) if late else dice.span(110, 240, 345))
    if dice.share("examination declined", 0.17):
        story.tell("exam.declined", asks, asked, exam_id=exam_id)
        return
    asked = story.tell("exam.requested", asks, asked, exam_id=exam_id, consent="given")
    blocked = 0.03 if not story.locked_down else 0.4 if story.area == "rural" else 0.2
    if dice.share(f"blocked {blocked}", blocked):
        again = _blocked(story, asked + dice.between(1, 6, HOUR), exam_id)
        if again is None:
            return
        asked = again
    _examined(story, hurt, asked, exam_id)


def _blocked(story: Story, at: int, exam_id: str) -> int | None:
    """It cannot take place; returns when there is a new date, None where only another record is made."""
    dice = story.dice
    reasons = {"movement_restrictions": 0.6, "transport": 0.2, "no_expert": 0.1, "facility_closed": 0.1}
    reason = dice.pick(reasons if story.locked_down else {"no_expert": 0.7, "transport": 0.3})
    blocked = story.tell("exam.blocked", story.by("forensic"), at, exam_id=exam_id, reason=reason)
    late = dice.share("blocked for long", 0.3)
    answered = blocked + (dice.between(13, 45, HOUR) if late else dice.between(1.5, 11, HOUR))
    if dice.share("record made elsewhere", 0.45):
        records = story.by(dice.pick({"clinic": 0.8, "shelter": 0.2}))
        story.tell("exam.alt_documented", records, answered, exam_id=exam_id)
        return None
    return answered


def _examined(story: Story, hurt: Report | Visit, asked: int, exam_id: str) -> None:
    dice, centre = story.dice, story.by("forensic")
    planned = asked + dice.between(3, 22, HOUR)
    if dice.share("examined too late", 0.04):
        planned = max(planned, hurt.occurred + dice.between(74, 100, HOUR))
    told = asked + dice.between(15, 80)
    story.tell("exam.scheduled", centre, told, exam_id=exam_id, scheduled_for=stamp(planned))
    if hurt.sexual:
        late = dice.share("evidence too late", 0.1)
        at = max(planned, hurt.occurred + dice.between(121, 140, HOUR)) if late else planned + dice.between(5, 25)
        story.tell("exam.evidence_collected", centre, at, exam_id=exam_id)
    done = story.tell("exam.completed", centre, planned + dice.between(30, 70), exam_id=exam_id)
    at = in_daytime(story.place, done + dice.between(2, 8, DAY))
    story.tell("exam.report_issued", centre, at, exam_id=exam_id)


def shelter(story: Story, since: int) -> None:
    """The search for a place, with quarantine in the lockdown."""
    dice, place = story.dice, story.by("shelter")
    asks = story.by(dice.pick({**_DESKS, "police-unit": 0.6}))
    asked = story.tell("shelter.referral_requested", asks, since + dice.span(40, 200, 360))
    found = asked + (dice.between(6.3, 20, HOUR) if dice.share("no place for long", 0.12) else dice.span(120, 280, 345))
    locked_down = story.world.locked_down(asked)
    if dice.share("shelter declines", 0.45 if locked_down else 0.12):
        reason = "no_intake_quarantine" if locked_down else dice.pick({"full": 0.7, "not_suitable": 0.2, "other": 0.1})
        story.tell("shelter.declined", place, asked + (found - asked) // 2, reason=reason)
    if dice.share("survivor withdraws", 0.1):
        story.tell("shelter.survivor_withdrew", place, found)
        return
    if not locked_down:
        admitted = story.tell("shelter.admitted", place, found)
    else:
        started = story.tell("shelter.quarantine_started", place, found)
        late = dice.share("long quarantine", 0.12)
        ended = started + (dice.between(14.2, 17, DAY) if late else dice.between(13, 13.9, DAY))
        to = dice.pick({"admitted": 0.85, "medical": 0.07, "left": 0.08})
        admitted = story.tell("shelter.quarantine_ended", place, ended, to=to)
        if to != "admitted":
            return
        admitted = story.tell("shelter.admitted", place, admitted + dice.between(5, 60))
    story.tell("shelter.discharged", place, in_daytime(story.place, admitted + dice.between(4, 25, DAY)))


def wrong_referral(story: Story, since: int) -> None:
    """A place is asked for in the wrong case, which nobody notices before it is overdue."""
    asks = story.by(story.dice.pick(_DESKS))
    story.tell("shelter.referral_requested", asks, since + story.dice.between(1, 5, HOUR))
    story.mistake(after=story.dice.between(6.5, 30, HOUR))


def contact(story: Story, since: int, risk: str) -> None:
    """A conversation with the survivor; now and then one is noted in the wrong case and taken back."""
    dice = story.dice
    desk = story.by(dice.pick(_DESKS))
    if dice.share(f"late contact {risk}", 0.03):
        wait = dice.between(26, 50, HOUR) if risk == "high" else dice.between(74, 110, HOUR)
    else:
        wait = dice.span(10 * 60, 19 * 60, 23 * 60) if risk == "high" else dice.span(18 * 60, 48 * 60, 70 * 60)
    if dice.share("contact noted in the wrong case", 0.02):
        story.tell("survivor.contacted", desk, since + wait // 3)
        story.mistake(after=dice.between(4, 30, HOUR))
    story.tell("survivor.contacted", desk, since + wait)
    if dice.share("consent", 0.12):
        agency = story.by(dice.pick({"crisis-centre": 0.5, "shelter": 0.3, "police-unit": 0.2}))
        story.tell("case.consent_changed", desk, since + wait + 5 * MINUTE, agency=agency, consent="given")
        if dice.share("consent withdrawn", 0.2):
            at = since + wait + dice.between(2, 9, DAY)
            story.tell("case.consent_changed", desk, at, agency=agency, consent="withdrawn")


def review(story: Story, since: int) -> None:
    """The agencies go through a dangerous case together, mostly on one of the next two working days."""
    dice = story.dice
    late = dice.share("late review", 0.1)
    at = since + (dice.between(6, 9, DAY) if late else dice.between(6, 44, HOUR))
    story.tell("coordination.reviewed", story.by("coordinator"), in_daytime(story.place, at))
