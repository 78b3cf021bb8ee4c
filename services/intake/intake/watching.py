"""What the watches of intake share that tell of nobody's case: how they go on looking, and how they tell."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from intake.toldbook import ToldBook
from qorgau.errors import QorgauError, Unavailable
from qorgau.pausing import pause
from qorgau.shell.crash import crash_point
from qorgau.shell.documents import Stored
from qorgau.shell.relay import Relay
from qorgau.telemetry import Metrics


@dataclass(slots=True)
class Looking:
    """How one watch goes on: a look `every` so often, after one that failed `rest` later. `what` it judges, for the
    log; `trouble`: why the last look failed, empty where it did not."""

    what: str
    log: logging.Logger
    every: timedelta
    rest: timedelta = timedelta()
    trouble: str = ""

    async def run(self, look: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
        """Look until it is time to stop; what fails is tried again, from what is written."""
        while not stopping.is_set():
            try:
                await look()
                self.trouble = ""
            except QorgauError as error:
                if self.trouble != error.title:
                    self.log.warning("%s could not be judged: %s; trying again", self.what, error.title)
                self.trouble = error.title
                await pause(stopping, self.rest)
            await pause(stopping, self.every)


async def save_and_tell(changed: Sequence[Stored], book: ToldBook, relay: Relay, metrics: Metrics, rule: str) -> None:
    """Save these, tell them, and forget that they were to be told. Raises Unavailable where that is not finished."""
    kept, lost = await book.save(changed)
    crash_point("after-save")
    for stored in kept.values():
        for event in stored.outbox:
            metrics.flag_events.labels(event.type.split(".")[2], rule).inc()
    await relay.publish(list(kept.values()))
    if lost:
        # Somebody else judges the same; what is left of ours is found the next time.
        raise Unavailable
