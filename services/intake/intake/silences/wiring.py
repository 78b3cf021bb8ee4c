"""How the silence of feeds is put together: one call from the composition root."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from intake.silences.telling import explain
from intake.silences.watch import SilenceWatch
from intake.statistics.current import Current
from intake.toldbook import ToldBook
from qorgau.calendar import Calendar
from qorgau.errors import NotFound
from qorgau.explaining.wording import LocalTime
from qorgau.identity.sender import Sender
from qorgau.rows import FlagRow
from qorgau.rules import Policy, Silence
from qorgau.shell.composition import Parts
from qorgau.shell.follower import Follower
from qorgau.shell.relay import Relay
from qorgau.starting import StartRefused
from qorgau.vocabulary import INTAKE


@dataclass(frozen=True, slots=True)
class Silences:
    """What intake's other parts need of them."""

    book: ToldBook
    rule: Silence | None
    calendar: Calendar
    now: Callable[[], int]

    async def explained(self, flag_id: str, sender: Sender) -> dict[str, Any]:
        """The explanation of a flag of F10 that this sender may see; raises NotFound."""
        if self.rule is None:
            raise NotFound
        row, evidence = await self.book.visible(flag_id, sender)
        local = LocalTime(self.calendar.zone(row.region), row.raised_at)
        return explain(row, evidence, self.rule, local, self.now())


def silence_book(parts: Parts) -> ToldBook:
    """What was told of silences, in the database of this service."""
    return ToldBook(parts.host.database, "silences", parts.store.partition, extra_of, parts.host.metrics)


def extra_of(rows: Sequence[FlagRow]) -> Mapping[str, Any]:
    """What the rows of a feed tell of it."""
    return {"agency": rows[0].agency, "region": rows[0].region}


def silences_of(parts: Parts, book: ToldBook, flags: Follower) -> Silences:
    """The silences of one process; adds to its host what must be prepared and done. `flags`: gives back to the book
    what was told and is not known. Raises StartRefused where the policy has two such rules."""
    host, plan, tracker = parts.host, parts.plan, parts.tracker
    rule = silence_rule(plan.policy)
    host.prepare.append(book.prepare)
    if rule is not None and tracker is not None:

        def numbers() -> frozenset[int]:
            return frozenset() if tracker.health.trouble or not flags.caught_up else tracker.numbers()

        async def reporting() -> Collection[str]:
            return await parts.cases.reported.reporting(range(host.settings.partitions)) if parts.cases.reported else ()

        current = Current(parts.feeds.follower, reporting)
        relay = Relay(INTAKE, book.store, host.producer, host.metrics)
        watch = SilenceWatch(rule, parts.feeds, current, book, relay, host.clock, host.metrics, numbers)
        host.work.append(watch.run)
    return Silences(book, rule, plan.calendar, host.clock.now)


def silence_rule(policy: Policy) -> Silence | None:
    """The silence flag of intake, None where the policy has none. Raises StartRefused."""
    found = [flag for flag in policy.flags if isinstance(flag, Silence) and flag.service == INTAKE]
    if len(found) > 1:
        raise StartRefused("A policy has one silence flag.")
    return found[0] if found else None
