"""What a case is written with: dice that keep their shares, the spans calls really take, and the facts told so far."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from qorgau.facts import Fact
from qorgau.instants import MINUTE, SECOND, format_instant
from qorgau.season.places import Place, World

MILLISECOND = SECOND // 1000
_Z90 = 1.2815515655446004
# Most systems note seconds; some note milliseconds, and the same system not always.
_WITH_MILLISECONDS = 0.3


class Dice:
    """Chance with a memory: of a hundred times that a share of 0.05 is asked for, five come true, in any season.

    With plain chance a rule that needs three rare things at once would stay silent in every other season.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self._asked: Counter[str] = Counter()
        self._phase: dict[str, float] = {}

    def share(self, name: str, share: float) -> bool:
        """Whether it happens this time; `name` says what it is a share of."""
        phase = self._phase.setdefault(name, self.random.random())
        before = self._asked[name]
        self._asked[name] += 1
        return math.floor((before + 1) * share + phase) > math.floor(before * share + phase)

    def span(self, median: float, p90: float, most: float = math.inf) -> int:
        """Microseconds of a skewed span, given in minutes: half are below the median, a tenth above p90."""
        sigma = math.log(p90 / median) / _Z90
        return round(min(self.random.lognormvariate(math.log(median), sigma), most) * MINUTE)

    def between(self, low: float, high: float, unit: int = MINUTE) -> int:
        """Microseconds of an even span, given in `unit`."""
        return round(self.random.uniform(low, high) * unit)

    def pick(self, weights: Mapping[str, float]) -> str:
        """One of the names, by weight."""
        return self.random.choices(list(weights), list(weights.values()))[0]

    def reference(self) -> str:
        """A random reference, as the system makes them."""
        return f"{self.random.getrandbits(64):016x}"

    def noted(self, at: int) -> int:
        """An instant as an agency writes it down: to the second, sometimes to the millisecond."""
        step = MILLISECOND if self.random.random() < _WITH_MILLISECONDS else SECOND
        return at - at % step


@dataclass(slots=True)
class Story:
    """One case while it is written. Facts get `recorded` = `time` here; how late they are told is for quirks.py.

    `channel`: by which the call came, None where chance decides. `last`: when something was last going on.
    `mistakes`: facts to be taken back, and after which time.
    """

    number: int
    case: str
    place: Place
    area: str
    begins: int
    pair: str
    dice: Dice
    world: World
    channel: str | None = None
    facts: list[Fact] = field(default_factory=list)
    mistakes: list[tuple[Fact, int]] = field(default_factory=list)
    last: int = 0

    def tell(self, kind: str, source: str, at: int, **data: Any) -> int:
        """One more fact, of a type, by an agency; returns the time it has. `from_` stands for the field `from`."""
        time = self.dice.noted(at)
        fields = {name.rstrip("_"): value for name, value in data.items() if value is not None}
        fact_id = f"{self.case}-{len(self.facts):02d}"
        region = {"region": self.place.region}
        self.facts.append(Fact(fact_id, source, kind, time, time, self.case, {**region, **fields}))
        self.last = max(self.last, time)
        return time

    def mistake(self, after: int) -> None:
        """The fact told last was an error, and is taken back that much later."""
        self.mistakes.append((self.facts[-1], self.facts[-1].time + after))

    def by(self, kind: str) -> str:
        """The code of the agency of that kind that has to do with this case."""
        match kind:
            case "police-unit":
                return self.place.unit(self.number)
            case "court":
                return f"court/{self.court}"
            case "helpline-150" | "helpline-111":
                return kind
            case _:
                return f"{kind}/{self.place.region}"

    @property
    def court(self) -> str:
        """The code of the court of this case."""
        return self.place.court(self.number)

    @property
    def locked_down(self) -> bool:
        """Whether it began in the lockdown."""
        return self.world.locked_down(self.begins)


def stamp(at: int) -> str:
    """An instant as a field of data."""
    return format_instant(at - at % SECOND)
