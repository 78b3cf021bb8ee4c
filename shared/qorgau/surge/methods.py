"""The methods by name, and what each says of a series, a row a day or week."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from qorgau.surge.counts import Reading, Series, weeks
from qorgau.surge.cusum import cusum
from qorgau.surge.ears import c1, c2, c3
from qorgau.surge.farrington import farrington


class Judging(Protocol):
    """Judges each period of a series by those before it, or only the last so many of them, which comes to the same."""

    def __call__(self, counts: Sequence[int | None], *, last: int | None = None) -> tuple[Reading | None, ...]: ...


METHODS: dict[str, Judging] = {
    "c1": c1,
    "c2": c2,
    "c3": c3,
    "farrington": farrington,
    "cusum": cusum,
}
# The others take the periods as they come; the seasons of this one are weeks.
WEEKLY = frozenset({"farrington"})


@dataclass(frozen=True, slots=True)
class Judged:
    """A period and what a method says of it; `reading` is None where it or its baseline was not counted."""

    date: date
    count: int | None
    method: str
    reading: Reading | None

    def row(self) -> dict[str, object]:
        """As JSON: `expected` and `statistic` with six decimals, `p` with four digits."""
        found = self.reading
        return {
            "date": self.date.isoformat(),
            "count": self.count,
            "method": self.method,
            "expected": None if found is None else round(found.expected, 6),
            "statistic": None if found is None else round(found.statistic, 6),
            "p": None if found is None else float(f"{found.p:.4g}"),
            "alarm": found is not None and found.alarm,
        }


def judge(counted: Series, methods: Iterable[str]) -> Iterator[Judged]:
    """Every period by one method after the other. Days are summed to whole weeks for what judges weeks."""
    for method in methods:
        taken = weeks(counted) if method in WEEKLY else counted
        if taken is None:
            continue
        for at, reading in enumerate(METHODS[method](taken.counts)):
            yield Judged(taken.first_day(at), taken.counts[at], method, reading)
