"""The one system of these files: its services write their spans into files."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, running

PLANTED = Path(__file__).with_name("planted")
CHECKOUT = Path(__file__).parents[3]


@pytest.fixture(scope="package")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A system whose clock is the real one."""
    folder = tmp_path_factory.mktemp("vault")
    traced = {
        "PYTHONPATH": ":".join(filter(None, (str(PLANTED), str(CHECKOUT), os.environ.get("PYTHONPATH")))),
        "QORGAU_TEST_SPANS": str(folder / "data" / "logs"),
    }
    async with running(folder, environment=traced) as stack:
        yield stack
