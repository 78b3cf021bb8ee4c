"""One call as a whole case: which of the ways it goes, who else is told, and how it is closed, or forgotten."""

from qorgau.instants import DAY, HOUR, MINUTE
from qorgau.season import care, justice, protection, response
from qorgau.season.places import in_daytime
from qorgau.season.response import Report, Visit
from qorgau.season.story import Story

_TRANSFERS = {"crisis-centre": 0.6, "shelter": 0.25, "prosecutor": 0.15}
_REFERRALS = {"clinic": 0.5, "crisis-centre": 0.4, "forensic": 0.1}


def write_case(story: Story, *, repeated: bool) -> None:
    """Fill the story from the report to the closing. `repeated`: the pair is known from an earlier case."""
    told = response.report(story)
    if story.dice.share("reported twice", 0.04):
        _second_report(story, told)
    visit = response.respond(story, told)
    if visit is not None:
        _after_the_visit(story, visit)
    elif not told.needs_police:
        care.contact(story, told.triaged, "standard")
    if visit is None and (told.injury or told.sexual):
        care.examination(story, told.triaged, told)
    if story.dice.share("shelter", 0.14):
        care.shelter(story, visit.arrived if visit else told.triaged)
    elif story.dice.share("referral in the wrong case", 0.012):
        care.wrong_referral(story, told.triaged)
    if repeated and story.dice.share("repeated, and reviewed", 0.8):
        care.review(story, story.begins + DAY)
    _others(story)
    _close(story, visit)


def _second_report(story: Story, told: Report) -> None:
    """The same incident is called in once more and merged."""
    dice = story.dice
    at, report_id = told.at + dice.between(2, 25), dice.reference()
    data = {"report_id": report_id, "channel": "102", "area": story.area, "pair_ref": story.pair}
    at = story.tell("report.received", story.by("102"), at, **data)
    at += dice.between(6, 40) if dice.share("merged late", 0.1) else dice.between(0.5, 4.5)
    story.tell("report.merged", story.by("102"), at, report_id=report_id, into_report_id=told.report_id)


def _after_the_visit(story: Story, visit: Visit) -> None:
    dice = story.dice
    detained = None
    danger = 0.45 if visit.risk == "high" else 0.15
    if visit.finding == "offence" and dice.share(f"detained {danger}", danger):
        detained = justice.detain(story, visit.arrived)
    again = protection.order(story, visit)
    if visit.injury or visit.sexual:
        care.examination(story, visit.arrived, visit)
    if detained is not None or (visit.finding == "offence" and dice.share("protocol", 0.8)):
        justice.prosecute(story, visit.arrived, visit.occurred, detained)
        outcome = "protocol_drawn_up"
    else:
        outcome = "order_issued" if visit.finding == "offence" else visit.finding
    if again is not None:
        justice.prosecute(story, again, again - HOUR, again, article="461")
    left = story.tell(
        "police.outcome_recorded", story.by("102"), visit.arrived + dice.span(95, 170, 240), outcome=outcome
    )
    care.contact(story, left, visit.risk)
    if visit.risk == "high":
        care.review(story, visit.arrived + 3 * HOUR)


def _others(story: Story) -> None:
    """Who takes over, who helps as well, and what supervision finds."""
    dice = story.dice
    if dice.share("transfer", 0.07):
        to, transfer_id = story.by(dice.pick(_TRANSFERS)), dice.reference()
        at = in_daytime(story.place, story.begins + dice.between(8, 50, HOUR))
        offers = story.facts[-1].source
        at = story.tell("case.transfer_offered", offers, at, transfer_id=transfer_id, to=to)
        at = in_daytime(story.place, at + dice.between(1, 20, HOUR))
        if dice.share("transfer declined", 0.25):
            reason = dice.pick({"no_capacity": 0.6, "not_competent": 0.3, "other": 0.1})
            story.tell("case.transfer_declined", to, at, transfer_id=transfer_id, reason=reason)
        else:
            story.tell("case.transfer_accepted", to, at, transfer_id=transfer_id)
    if dice.share("referred", 0.05):
        at = in_daytime(story.place, story.begins + dice.between(2, 40, HOUR))
        agency = story.by(dice.pick(_REFERRALS))
        story.tell("case.referred", story.facts[-1].source, at, referral_id=dice.reference(), agency=agency)
    if dice.share("supervision", 0.04):
        at = in_daytime(story.place, story.begins + dice.between(3, 12, DAY))
        story.tell("case.supervision_note", story.by("prosecutor"), at, code=dice.random.choice(("S1", "S2", "S4")))


def _close(story: Story, visit: Visit | None) -> None:
    """Closed some days after the last thing that happened; some are forgotten, some are opened again."""
    dice, coordinator = story.dice, story.by("coordinator")
    if dice.share("forgotten", 0.06):
        return
    at = in_daytime(story.place, story.last + dice.between(1, 7, DAY))
    reasons = {"decided": 0.75, "handed_over": 0.1, "survivor_withdrew": 0.15}
    reason = dice.pick(reasons) if visit else dice.pick({"no_contact": 0.5, "handed_over": 0.4, "error": 0.1})
    at = story.tell("case.closed", coordinator, at, reason=reason)
    if dice.share("opened again", 0.05):
        at = in_daytime(story.place, at + dice.between(1, 8, DAY))
        reason = dice.pick({"new_report": 0.4, "new_facts": 0.5, "error": 0.1})
        at = story.tell("case.reopened", coordinator, at, reason=reason)
        story.tell("survivor.contacted", story.by("crisis-centre"), at + dice.between(2, 40, HOUR))
        at = in_daytime(story.place, at + dice.between(4, 9, DAY) + MINUTE)
        story.tell("case.closed", coordinator, at, reason="decided")
