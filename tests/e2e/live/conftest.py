"""The one system of these files."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.stack import Stack, running


@pytest.fixture(scope="package")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A system whose clock is the real one."""
    async with running(tmp_path_factory.mktemp("live")) as stack:
        yield stack
