"""Parity as metrics: the cells that are compared, each estimate with both ends of its interval, now and then."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from qorgau.errors import QorgauError
from qorgau.parity.comparing import Judged, judged
from qorgau.parity.reckoning import Reckoning
from qorgau.pausing import pause
from qorgau.telemetry import Metrics, Stored

EVERY = timedelta(minutes=1)
# The window moves on even where nothing comes.
AT_LEAST_EVERY = timedelta(hours=1)
PAUSE = timedelta(seconds=1)
# Reckoning never takes more than a twentieth of a processor.
_SHARE = 20
# Each has four series; with so many nobody looks at single ones any more.
MOST_CELLS = 500
DIFFERENCE, P = "qorgau_parity_difference_seconds", "qorgau_parity_p"
_log = logging.getLogger("qorgau.parity")


@dataclass(slots=True)
class ParityWatch:
    """Shows the cells of the units for which `mine` is true, so that replicas together show each cell once."""

    reckoning: Reckoning
    metrics: Metrics
    mine: Callable[[str], bool]
    heard: bool = True
    """Whether something came since it was reckoned last."""
    _looked: float = float("-inf")

    async def run(self, stopping: asyncio.Event) -> None:
        """Show until it is time to stop; what fails is tried again after a pause."""
        while not stopping.is_set():
            begun = time.monotonic()
            looked = await self.look()
            spent = timedelta(seconds=time.monotonic() - begun)
            await pause(stopping, max(EVERY, _SHARE * spent) if looked else PAUSE)

    async def look(self) -> bool:
        """Reckon anew where something came, and show it; whether it could be done."""
        now, before = time.monotonic(), self.heard
        if not before and now - self._looked < AT_LEAST_EVERY.total_seconds():
            return True
        self.heard = False
        try:
            found = await self.reckoning.anew()
        except QorgauError as error:
            self.heard = True
            _log.debug("parity was not reckoned: %s", error.title)
            return False
        self._looked = now
        self.metrics.show_stored(shown(judged(found.lines), self.mine), "parity")
        return True


def shown(found: Sequence[Judged], mine: Callable[[str], bool]) -> list[Stored]:
    """The cells of the units that are mine; of too many those with most calls."""
    compared = [one for one in found if one.line.medians is not None and mine(one.line.cell.unit)]
    compared.sort(key=lambda one: one.line.domestic.answered + one.line.regime.answered, reverse=True)
    return [row for one in compared[:MOST_CELLS] for row in _rows(one)]


def _rows(one: Judged) -> Iterable[Stored]:
    medians, labels = one.line.medians, tuple(one.line.cell)
    assert medians is not None
    assert one.holm_p is not None
    for bound in ("estimate", "lower", "upper"):
        yield Stored(DIFFERENCE, (*labels, bound), getattr(medians.difference, bound))
    yield Stored(P, labels, one.holm_p)
