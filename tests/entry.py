"""The way into an application under test: tokens of one secret key, and a gate to which no case is known."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from qorgau.facts import Fact
from qorgau.front.gate import Gate
from qorgau.front.limits import Limiter
from qorgau.identity.access import Access
from qorgau.identity.tokens import SharedKeyTokens
from qorgau.telemetry import Metrics


def access(key: str, limiter: Limiter | None = None) -> Access:
    """What lets tokens of this key in."""
    return Access(SharedKeyTokens(key), limiter or Limiter(), Metrics())


@dataclass
class KnownFacts:
    """The facts of cases, as a service knows them."""

    facts: dict[str, Sequence[Fact]] = field(default_factory=dict)
    asked: int = 0

    async def facts_of(self, cases: Collection[str]) -> Mapping[str, Sequence[Fact]]:
        self.asked += 1
        return {case: self.facts[case] for case in cases if case in self.facts}


def open_gate() -> Gate:
    """A gate to which every case is new."""
    return Gate(KnownFacts())
