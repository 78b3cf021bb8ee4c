"""What every kind of test may ask for: the embedded pair, started once a session and only if needed."""

from collections.abc import AsyncIterator

import pytest

from qorgau.embedded.pair import Pair, embedded_pair
from qorgau.embedded.progress import on_stderr


@pytest.fixture(scope="session")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Apache Kafka and the database, shared by the session: use topics, groups and databases of your own."""
    with on_stderr() as progress:
        async with embedded_pair(tmp_path_factory.mktemp("pair"), progress) as started:
            yield started
