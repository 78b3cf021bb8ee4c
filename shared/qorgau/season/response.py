"""From the report to the moment police have left: triage, hand-over, dispatch, arrival, risk, outcome.

The spans are those measured on real calls for service: received to dispatched median 5.1 min, a tenth above 31.5;
dispatched to arrived 5.8 and 13.6; a fifth dispatched at the second of their creation; 4 % without an arrival.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from qorgau.instants import DAY, HOUR, MINUTE, SECOND
from qorgau.season.story import Story, stamp

_CHANNELS = {"102": 58.0, "150": 15.0, "111": 8.0, "crisis_centre": 9.0, "clinic": 6.0, "web": 4.0}
_DESK = {"102": "102", "150": "helpline-150", "111": "helpline-111", "clinic": "clinic"}
_TYPES = {"physical_assault": 60.0, "psychological_abuse": 30.0, "denial_of_resources": 7.0, "forced_marriage": 3.0}
# With the fifth that is dispatched at once they give the measured median and the measured tenth.
_UNTIL_DISPATCH = (7.57, 37.1)
_ON_THE_SPOT, _NO_ARRIVAL = 0.2, 0.04
_TRAVEL = (5.8, 13.6)


@dataclass(frozen=True, slots=True)
class Report:
    """What the desk was told, and whether police have to come."""

    channel: str
    desk: str
    at: int
    triaged: int
    occurred: int
    injury: bool
    sexual: bool
    needs_police: bool
    report_id: str


@dataclass(frozen=True, slots=True)
class Visit:
    """Police were there: when, what they found, and what they made of it."""

    arrived: int
    occurred: int
    injury: bool
    sexual: bool
    finding: str
    risk: str


def report(story: Story) -> Report:
    """The report and its triage."""
    dice, at = story.dice, story.begins
    channel = story.channel or dice.pick(_CHANNELS)
    injury, sexual = dice.share("injury", 0.33), dice.share("sexual violence", 0.08)
    occurred = _occurred(story, injury or sexual)
    told = story.tell(
        "report.received",
        story.by(_DESK.get(channel, "crisis-centre")),
        at,
        report_id=(report_id := dice.reference()),
        channel=channel,
        area=story.area,
        occurred_at=stamp(occurred) if injury or sexual or dice.share("time is known", 0.6) else None,
        gbv_type=("rape" if dice.share("rape", 0.5) else "sexual_assault") if sexual else dice.pick(_TYPES),
        injury=injury,
        sexual=sexual,
        pair_ref=story.pair,
        age_band=dice.pick({"18-29": 30, "30-44": 45, "45-59": 18, "60+": 7}),
        sex="female" if dice.share("female", 0.92) else "male",
        relation=dice.pick({"spouse": 60, "former_spouse": 15, "partner": 15, "parent": 10}),
    )
    needs_police = channel == "102" or dice.share("police are needed", 0.75)
    # A clinic and a web form have no desk of their own.
    desk = story.by(_DESK[channel] if channel in ("102", "150", "111") else "crisis-centre")
    late = dice.share("late triage", 0.02)
    triaged = told + (dice.between(5.5, 25) if late else dice.span(1.2, 2.6, 4.7))
    return Report(channel, desk, told, triaged, occurred, injury, sexual, needs_police, report_id)


def respond(story: Story, told: Report) -> Visit | None:
    """What 102 does about a report; None where nobody arrives, or nobody has to."""
    dice = story.dice
    wait, travel = _measured(story)
    priority = _priority(story, wait + (travel or 0))
    triage = {"report_id": told.report_id, "channel": told.channel, "needs_police": told.needs_police}
    story.tell("report.triaged", told.desk, told.triaged, **triage, priority=priority if told.needs_police else None)
    if not told.needs_police:
        return None
    if told.channel == "102":
        registered = told.triaged + dice.between(2, 10, SECOND)
    else:
        late = dice.share("late hand-over", 0.04)
        registered = told.triaged + (dice.between(12, 45) if late else dice.span(3, 6, 9.5))
    registered = _register(story, told, registered, wait, priority)
    if travel is None:
        _nobody_comes(story, registered)
        return None
    story.tell("police.dispatched", story.by("102"), registered + wait)
    return _arrive(story, told, registered + max(wait + travel, SECOND))


def arrive_at_violation(story: Story, at: int) -> int:
    """Police answer a reported violation of an order; returns when they were there."""
    return story.tell("police.arrived", story.by("102"), at, response="order_violation", injury=False, sexual=False)


def _occurred(story: Story, hurt: bool) -> int:
    dice = story.dice
    if hurt and dice.share("told days later", 0.05):
        return story.begins - dice.between(3.2, 7, DAY)
    if not hurt and dice.share("told weeks later", 0.04):
        return story.begins - dice.between(38, 57, DAY)
    return story.begins - dice.span(25, 150, 20 * 60)


def _measured(story: Story) -> tuple[int, int | None]:
    """Received to dispatched, and dispatched to arrived (None: nobody came; below zero: written down later)."""
    dice = story.dice
    wait = 0 if dice.share("dispatched on the spot", _ON_THE_SPOT) else dice.span(*_UNTIL_DISPATCH)
    wait = round(wait * story.world.slower) if story.locked_down else wait
    if dice.share("no arrival", _NO_ARRIVAL):
        return wait, None
    if wait > MINUTE and dice.share("arrived before dispatch", 0.03):
        return wait, -min(wait // 2, dice.between(0.2, 3))
    return wait, dice.span(*_TRAVEL)


def _priority(story: Story, total: int) -> str:
    """The urgency of a call that took that long: whoever waits long mostly could, which keeps the measured spans."""
    if total <= 14 * MINUTE:
        weights: Mapping[str, float] = {"immediate": 0.62, "prompt": 0.38}
    elif total <= 55 * MINUTE:
        weights = {"immediate": 0.07, "prompt": 0.81, "scheduled": 0.12}
    else:
        weights = {"immediate": 0.03, "prompt": 0.15, "scheduled": 0.82}
    return story.dice.pick(weights)


def _register(story: Story, told: Report, at: int, wait: int, priority: str) -> int:
    """The call becomes an incident, sometimes first with another priority; a few scheduled ones wait for days."""
    first = "prompt" if priority != "prompt" else "scheduled"
    again = wait > 3 * MINUTE and story.dice.share("another priority", 0.08)
    registered = story.tell(
        "police.incident_registered",
        story.by("102"),
        at,
        priority=first if again else priority,
        area=story.area,
        report_id=told.report_id,
    )
    if again:
        at = registered + story.dice.between(0.5, 2.5)
        story.tell("police.reprioritised", story.by("102"), at, priority=priority, area=story.area)
    if priority == "scheduled" and story.dice.share("forgotten for a day", 0.08):
        return registered + story.dice.between(25, 40, HOUR)
    return registered


def _nobody_comes(story: Story, registered: int) -> None:
    dice = story.dice
    if dice.share("call cancelled", 0.55):
        reason = dice.pick({"duplicate": 0.4, "false_call": 0.2, "caller_withdrew": 0.4})
        story.tell("police.call_cancelled", story.by("102"), registered + dice.span(12, 50), reason=reason)
    else:
        story.tell("police.dispatched", story.by("102"), registered + dice.span(20, 90))


def _arrive(story: Story, told: Report, at: int) -> Visit:
    dice = story.dice
    injury = told.injury or dice.share("hurt, as police see", 0.05)
    finding = dice.pick({"offence": 0.84, "talk_held": 0.09, "no_offence": 0.04, "no_access": 0.03})
    if told.sexual and dice.share("a crime", 0.6):
        finding = "handed_to_investigation"
    hurt = injury or told.sexual
    arrived = story.tell(
        "police.arrived",
        story.by("102"),
        at,
        response="incident",
        injury=injury,
        sexual=told.sexual,
        occurred_at=stamp(told.occurred) if hurt else None,
    )
    risk = dice.pick({"standard": 0.44, "medium": 0.36, "high": 0.2}) if finding != "no_access" else "standard"
    late = dice.share("late risk form", 0.03)
    assessed = arrived + (dice.between(4.2 * 60, 30 * 60) if late else dice.span(70, 150, 225))
    tool = dice.pick({"dash": 0.7, "odara": 0.15, "lap": 0.1, "danger_assessment": 0.05})
    story.tell("risk.assessed", story.by("police-unit"), assessed, level=risk, tool=tool)
    return Visit(arrived, told.occurred, injury, told.sexual, finding, risk)
