"""What a service has made safe, and answered for, before it is in the log: the reports in the vault of intake."""

from collections.abc import Collection, Sequence
from typing import Protocol

from qorgau.facts import Fact


class Reported(Protocol):
    """Facts with an outbox of their own. Raises Unavailable where they cannot be looked at or told."""

    async def reporting(self, numbers: Collection[int]) -> Collection[str]:
        """The cases of these partitions with a fact that may not be in the log yet."""

    async def tell(self, numbers: Collection[int]) -> None:
        """Write what waits for these partitions into the log, then forget that it waits. Repeating it is safe."""

    async def of_case(self, case: str) -> Sequence[Fact]:
        """Every fact of a case that came this way, in the log or not."""
