"""One running system for all fault tests: each has cases of its own, and leaves every service running as it was."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.stack import Stack, running

# A Monday morning: no deadline in working days is short because of a weekend.
BEGINS = "2026-03-02T05:00:00Z"


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with running(tmp_path_factory.mktemp("faults"), at=BEGINS) as stack:
        yield stack
