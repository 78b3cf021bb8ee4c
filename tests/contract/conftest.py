"""The one system of these files: what is said of the interface is held against services that run."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.stack import Stack, running


@pytest.fixture(scope="package")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A system whose clock is the real one."""
    async with running(tmp_path_factory.mktemp("contract")) as stack:
        yield stack
