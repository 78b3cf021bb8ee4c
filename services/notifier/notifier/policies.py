"""Following which policy is in force, for who judges nothing: nothing begins again under another one, only who could
have stopped what is read from it."""

import asyncio

from qorgau.feeds.following import Feeds
from qorgau.shell.policies import PolicyChanged, PolicyWatch


async def follow(policies: PolicyWatch, feeds: Feeds, stopping: asyncio.Event) -> None:
    """Follow until it is time to stop. Raises StartRefused where this program cannot read the policy in force."""
    while not stopping.is_set():
        try:
            await policies.run(stopping)
        except PolicyChanged as changed:
            policies.current = changed.in_force
            feeds.go_by(changed.in_force.policy)
