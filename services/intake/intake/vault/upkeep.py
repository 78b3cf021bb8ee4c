"""What has to be done with the vault from time to time: wrap keys anew after a rotation, and let go what is over.

Each replica looks after its own partitions; everything is one change of one record and may be done twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from intake.domain import CaseClosed, CaseReopened, ConsentChanged
from intake.vault.access import Consent
from intake.vault.book import VaultBook
from intake.vault.classes import IDENTITY, OFFENDER
from intake.vault.opening import Locks
from intake.vault.records import VaultRecord, consented, rewrapped
from intake.vault.retention import marks_of, retained, tally
from qorgau.errors import NotFound, QorgauError
from qorgau.facts import Fact
from qorgau.front.reading import FactsOfCase
from qorgau.pausing import pause
from qorgau.retention import Retention

EVERY = timedelta(seconds=10)
AT_ONCE = 200
_log = logging.getLogger("qorgau.vault")

Forget = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """For one replica; `numbers` are its partitions, `forget` lets go of a case wherever people could be recognised."""

    book: VaultBook
    locks: Locks | None
    policy: Retention
    facts_of: FactsOfCase
    forget: Forget
    now: Callable[[], int]
    numbers: Callable[[], Collection[int]]

    async def run(self, stopping: asyncio.Event) -> None:
        """Look after it until it is time to stop; what fails is tried again."""
        well = True
        while not stopping.is_set():
            well = await self.look_at_keys(well)
            for task in (self.rewrap, self.retain):
                try:
                    await task()
                except QorgauError as error:
                    _log.warning("the vault could not be looked after: %s; trying again", error.title)
            await pause(stopping, EVERY)

    async def look_at_keys(self, well: bool) -> bool:
        """Whether the keys can be used as they stand; told when it is no longer as it was."""
        now = self.locks is None or await self.locks.provider.health()
        if well and not now:
            _log.error("the vault's keys cannot be used as they stand; look at the key file or the key server")
        elif now and not well:
            _log.warning("the vault's keys can be used again")
        return now

    async def rewrap(self) -> int:
        """Wrap the keys of cases under the current key where they are under another; how many that were."""
        if self.locks is None:
            return 0
        done, provider = 0, self.locks.provider
        # Asked each time: another rotation may have begun.
        while records := await self.book.wrapped_otherwise(self.numbers(), await provider.current(), AT_ONCE):
            for record in records:
                done += await self._rewrap(record, self.locks)
            if len(records) < AT_ONCE:
                break
        return done

    async def retain(self) -> int:
        """Let go what is over now; how many cases lost something."""
        now, before, after = self.now(), list[VaultRecord](), list[VaultRecord]()
        for record in await self.book.over(self.numbers(), now, AT_ONCE):
            before.append(record)
            after.append(await self._retain(record.case, now))
        done = tally(before, after)
        if done:
            _log.info("retention by %s %s: %s", self.policy.head.id, self.policy.head.version, done)
        return sum(one.kept != other.kept for one, other in zip(before, after, strict=True))

    async def heard(self, facts: Sequence[Fact]) -> None:
        """What the log tells that changes what may be read, or how long it is kept; in the order of the log."""
        for fact in facts:
            if fact.case is None:
                continue
            try:
                if fact.type in (CaseClosed.type, CaseReopened.type):
                    await self._retain(fact.case, self.now(), fact)
                elif fact.type == ConsentChanged.type:
                    await self.book.change(fact.case, partial(_consented, fact=fact))
            except NotFound:
                # A case that nobody told the vault of.
                continue

    async def _retain(self, case: str, now: int, *more: Fact) -> VaultRecord:
        facts = [*await self.facts_of(case), *more]

        def change(record: VaultRecord) -> tuple[VaultRecord, tuple[VaultRecord, VaultRecord]]:
            done = retained(self.policy, record, marks_of(facts), now)
            return done, (record, done)

        before, done = await self.book.change(case, change)
        if (before.kept - done.kept) & {IDENTITY, OFFENDER} or done.erased_at is not None:
            # A pair of whom one is no longer known is no pair any more.
            await self.forget(case)
        return done

    async def _rewrap(self, record: VaultRecord, locks: Locks) -> bool:
        if record.key is None:
            return False
        old = record.key.wrapped
        new = await locks.provider.rewrap(old, record.case)

        def change(known: VaultRecord) -> tuple[VaultRecord, bool]:
            # Erased, or wrapped by somebody else meanwhile: nothing is put back.
            if known.key is None or known.key.wrapped != old:
                return known, False
            return rewrapped(known, new), True

        done = await self.book.change(record.case, change)
        locks.data_keys.forget(record.case)
        return done


def _consented(record: VaultRecord, fact: Fact) -> tuple[VaultRecord, None]:
    consent = Consent(str(fact.data.get("consent")), fact.recorded, fact.source)
    sharing = consented(record.sharing, str(fact.data.get("agency")), consent)
    return replace(record, sharing=sharing), None
