"""The one system of these files."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.stack import Stack, running

# Before every fact of the scenarios and of the random histories.
BEFORE = "2019-06-01T00:00:00Z"


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A system whose clock stands still."""
    async with running(tmp_path_factory.mktemp("standing"), at=BEFORE) as stack:
        yield stack
