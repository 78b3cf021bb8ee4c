"""What follows from facts once they are saved: copies for other cases, and facts that the system derives."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from qorgau.facts import Fact


class FollowUp(Protocol):
    """Something that follows. What it sends goes into the log, so nothing is saved here of what follows."""

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""

    def concerns(self, fact: Fact) -> bool:
        """Whether anything may follow from a fact, so that it is filed before anything is judged."""

    async def follow_up(self, by_case: Mapping[str, Sequence[Fact]], context: Sequence[Fact]) -> bool:
        """Send what follows from facts of cases and of none, which are saved, copies among them; whether there was
        anything to send. Raises Unavailable, and repeating it is safe."""
