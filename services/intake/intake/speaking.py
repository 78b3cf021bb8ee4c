"""Facts that intake posts for a sender, through its own door: of a report, a consent, a referral."""

from collections.abc import Mapping
from typing import Any

from qorgau.facts import Fact, event_type
from qorgau.front.door import EVERY, WRITE, Door, Sender


def speaker(sender: Sender, otherwise: str) -> Sender:
    """Whoever sends, as the agency that posts facts; `otherwise`: which one a development token speaks for."""
    agency = otherwise if sender.agency == EVERY else sender.agency
    return Sender(agency, frozenset({WRITE}), sender.regions, subject=sender.subject)


def posted(door: Door, by: Sender, case: str, type: str, id: str, time: object, data: Mapping[str, Any]) -> Fact:
    """What its agency says of a case, as a stamped fact. Raises what `Door.admit` raises."""
    event = {
        "specversion": "1.0",
        "id": id,
        "source": by.agency,
        "type": event_type(type),
        "subject": case,
        "time": time,
        "data": dict(data),
    }
    return door.admit(event, by).fact
