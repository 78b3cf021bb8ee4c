"""Where a report is safe before anybody is told: the case, the report fact and what must be told of it in one write.

Kafka may be away; the report then waits in the case's own document until the relay finds it.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

from qorgau.errors import QorgauError, Unavailable
from qorgau.facts import Fact
from qorgau.record import CaseRecord, learn
from qorgau.shell.documents import Stored
from qorgau.shell.relay import Relay
from qorgau.store import Store

# Two requests for one case at one instant are rare; more than a few rounds of losing mean that something is wrong.
TRIES = 5


class CaseVault:
    """The `Vault` of reports.py, on intake's database."""

    def __init__(self, store: Store, relay: Relay) -> None:
        self._store = store
        self._relay = relay
        self._telling: set[asyncio.Task[None]] = set()

    async def open_case(self, fact: Fact) -> Fact:
        """Write the case with this fact; return the fact as stored, an older one where the case has it already."""
        assert fact.case is not None
        edition = self._store.edition
        for _ in range(TRIES):
            number = edition.number
            stored = (await self._store.load({fact.case}))[fact.case]
            known = _same(stored, fact)
            if known is not None:
                return known
            saved, _ = await self._store.save([_with_report(stored, fact)])
            # Asked after the write: an edition that is still in force was not yet searched for reports to keep.
            if await edition.is_over(timedelta()):
                edition.move()
            if fact.case in saved and edition.number == number:
                self._tell(saved[fact.case])
                return fact
        raise Unavailable

    async def close(self) -> None:
        """Wait for what is being told; what could not be told is found by the relay."""
        if self._telling:
            await asyncio.wait(self._telling)

    def _tell(self, stored: Stored) -> None:
        # Not part of the answer: the report is safe, and Kafka may take its time.
        task = asyncio.create_task(self._publish(stored))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _publish(self, stored: Stored) -> None:
        try:
            await self._relay.publish([stored])
        except QorgauError:
            return


def _same(stored: Stored, fact: Fact) -> Fact | None:
    return next((one for one in (*stored.reports, *stored.record.facts) if one.identity == fact.identity), None)


def _with_report(stored: Stored, fact: Fact) -> Stored:
    """The report is filed at once, so that it can be read before it comes back from the log; it is judged only then."""
    record = learn(stored.record if stored.version else CaseRecord(str(fact.case)), [fact])
    return replace(stored, record=record, reports=(*stored.reports, fact))
