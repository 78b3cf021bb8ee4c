"""What every kind of test may ask for: the embedded pair, started once a session and only if needed. And which tests
run one after the other where there are several workers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qorgau.embedded.pair import Pair, embedded_pair
from qorgau.embedded.progress import on_stderr

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what their folder's `conftest.py` starts go to one worker; others do so by file."""
    for item in items:
        shares = item.path.parent != HERE and (item.path.parent / "conftest.py").exists()
        together = item.path.parent if shares else item.path
        item.add_marker(pytest.mark.xdist_group(str(together.relative_to(HERE))))


@pytest.fixture(scope="session")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Apache Kafka and the database, shared by the session: use topics, groups and databases of your own."""
    with on_stderr() as progress:
        async with embedded_pair(tmp_path_factory.mktemp("pair"), progress) as started:
            yield started
