"""Following which policy is in force, for one service process: it ends its work when another comes into force, and
begins again under that one (`running.py`). Which one it is, is `activation.py`'s."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta

from qorgau.activation import FILE, Activation, InForce, NotAnActivation, newest, next_change, read_activation
from qorgau.clock import Clock
from qorgau.errors import QorgauError
from qorgau.instants import format_instant
from qorgau.pausing import pause
from qorgau.policy import parse_policy
from qorgau.policy_checks.document import PolicyRefused
from qorgau.shell.follower import PAUSE, LogRecord, TopicLog, until
from qorgau.starting import StartRefused

# How long after its instant a policy may come into force here. Nothing is judged by the old one meanwhile.
LOOK_EVERY = timedelta(milliseconds=250)
_log = logging.getLogger("qorgau")


class PolicyChanged(Exception):
    """Another policy is in force; everything that was built under the one before must end."""

    def __init__(self, in_force: InForce) -> None:
        self.in_force = in_force
        super().__init__("another policy is in force")


@dataclass(slots=True)
class PolicyWatch:
    """Follows the topic of policies; `current` is what the process judges by."""

    log: TopicLog
    clock: Clock
    current: InForce
    _known: list[Activation] = field(default_factory=list)
    _at: int = 0

    async def check(self) -> None:
        """Read what is in the topic now. Raises PolicyChanged where another policy is in force, StartRefused where this
        program cannot judge by it, Unavailable."""
        (end,) = await self.log.ends()
        if self._at < end:
            async with aclosing(self.log.follow((self._at,))) as batches:
                async for records in batches:
                    self._learn(records)
                    if self._at >= end:
                        break
        self._compare()

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow until it is time to stop. Raises as `check` does; what fails is tried again after a pause."""
        while not stopping.is_set():
            try:
                async with aclosing(until(stopping, self.log.follow((self._at,)))) as batches:
                    async for records in batches:
                        self._learn(records)
                        self._compare()
            except QorgauError as error:
                _log.warning("which policy is in force is not known: %s; trying again", error.title)
                await pause(stopping, PAUSE)

    def judged_until(self, instant: int) -> int | None:
        """The last instant up to this one that the current policy judges; None where it judges nothing yet."""
        begins, change = self.current.begins, next_change(self._known, self.current.order)
        last = instant if change is None else min(instant, change - 1)
        return last if begins is None or last >= begins else None

    def _learn(self, records: Sequence[LogRecord]) -> None:
        for record in records:
            try:
                self._known.append(read_activation(record.value, record.offset))
            except NotAnActivation as error:
                _log.warning("a record of the policies, offset %d, says nothing: %s", record.offset, error)
            self._at = record.offset + 1

    def _compare(self) -> None:
        found = newest(self._known, self.clock.now())
        if found is None or found.order <= self.current.order:
            return
        since = format_instant(found.begins)
        try:
            policy = parse_policy(found.text)
        except PolicyRefused:
            raise StartRefused(
                f"This program cannot judge by the policy in force since {since}: update it, or activate another."
            ) from None
        was = "that of the file" if self.current.order == FILE else "an earlier one"
        _log.info("policy %s %s is in force since %s, not %s", policy.policy.id, policy.policy.version, since, was)
        raise PolicyChanged(InForce(policy, found.order))
