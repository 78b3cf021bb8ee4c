"""What every kind of test may ask for: the embedded pair, started once a session and only if needed. And which tests
run one after the other where there are several workers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from qorgau.embedded.pair import Pair, embedded_pair
from qorgau.embedded.progress import on_stderr

ROOT = Path(__file__).parents[1]


class ByWhatTheyShare(LoadScopeScheduling):  # type: ignore[misc]
    """Tests that share what their folder's `conftest.py` starts go to one worker; others do so by file."""

    def _split_scope(self, nodeid: str) -> str:
        file = ROOT / nodeid.partition("::")[0]
        shares = file.parent.parent != ROOT and (file.parent / "conftest.py").exists()
        return str(file.parent if shares else file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByWhatTheyShare:
    """Instead of one of the plugin's own ways to distribute tests."""
    return ByWhatTheyShare(config, log)


@pytest.fixture(scope="session")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Apache Kafka and the database, shared by the session: use topics, groups and databases of your own."""
    with on_stderr() as progress:
        async with embedded_pair(tmp_path_factory.mktemp("pair"), progress) as started:
            yield started
