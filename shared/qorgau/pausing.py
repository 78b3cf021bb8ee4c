"""Waiting that ends early when it is time to stop."""

import asyncio
from contextlib import suppress
from datetime import timedelta


async def pause(stopping: asyncio.Event, span: timedelta) -> None:
    """Return after so long, or as soon as it is time to stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(span.total_seconds()):
            await stopping.wait()
