"""The notifier goes by the policy in force without beginning again: who could have stopped what is read from it."""

import asyncio
from typing import Any, cast

from notifier.policies import follow
from qorgau.activation import InForce, value_of
from qorgau.embedded.data import default_feeds
from qorgau.feeds.certainty import Stoppers, stoppers
from qorgau.feeds.expecting import load_expectations
from qorgau.feeds.following import Feeds
from qorgau.instants import HOUR
from qorgau.policy import parse_policy
from tests.unit.test_activation import AT, POLICY, TEXT, Log, Standing, watching

# By this one only the shelter can say that what P24 counts is over.
NARROWER = TEXT.replace("      - {fact: shelter.survivor_withdrew}\n    clock", "    clock")
OTHER = parse_policy(NARROWER)


async def until(found: Any) -> None:
    async with asyncio.timeout(5):
        while not found():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_what_could_have_been_stopped_and_by_whom_changes_with_the_policy_and_back() -> None:
    assert stoppers(OTHER) != stoppers(POLICY)
    log, clock, stopping = Log(), Standing(), asyncio.Event()
    policies = watching(log, clock)
    feeds = Feeds(load_expectations(default_feeds()), {"P24": Stoppers(frozenset())}, frozenset(), cast(Any, None), int)
    running = asyncio.create_task(follow(policies, feeds, stopping))
    log.values.append(value_of(NARROWER, AT + HOUR, OTHER))
    await asyncio.sleep(0.01)
    assert feeds.regions == frozenset()
    clock.at = AT + HOUR
    await until(lambda: feeds.stoppers == stoppers(OTHER))
    assert feeds.regions == frozenset(OTHER.policy.zones.regions)
    assert policies.current == InForce(OTHER, (AT + HOUR, 0))
    log.values.append(value_of(TEXT, AT + HOUR, POLICY))
    await until(lambda: feeds.stoppers == stoppers(POLICY))
    stopping.set()
    await asyncio.wait_for(running, 5)
