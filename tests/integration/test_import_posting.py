"""`qorgau import cad --to`: the real door, token and limits of a service behind a real port, with a log in memory."""

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn

import police_dispatch.domain
from qorgau.auth import make_token
from qorgau.cli import main
from qorgau.errors import Unavailable
from qorgau.facts import Fact, read_fact
from qorgau.front.door import Admitted, Door
from qorgau.front.posting import Posting, facts_router
from qorgau.instants import parse_instant
from qorgau.service import Readiness, build_app
from qorgau.telemetry import Metrics
from tests.entry import access, open_gate

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
KEY = "a key of the tests that is long enough"
NOW = parse_instant("2024-03-02T00:00:00Z")


@dataclass
class Log:
    """Takes facts, after it was away for a while."""

    facts: list[Fact] = field(default_factory=list)
    away: int = 0

    async def append(self, facts: Sequence[Fact]) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable
        self.facts += facts

    async def cases_of(self, digests: Collection[str]) -> Mapping[str, str]:
        return {}

    async def park(self, admitted: Sequence[Admitted]) -> None:
        raise AssertionError("no fact of an import waits for a reference")


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def service(log: Log) -> Iterator[str]:
    async def ready() -> Readiness:
        return Readiness(True)

    door = Door("police-dispatch", police_dispatch.domain.FACTS, frozenset({"KZ-75"}), lambda: NOW, KEY)
    posting = Posting(door, log, log, Metrics(), open_gate())
    app = build_app("test", [facts_router(posting, access(KEY))], ready=ready, metrics=posting.metrics, schemas={})
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        ends = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < ends
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QORGAU_IMPORT_KEY", KEY)
    token = make_token(KEY, agency="102/KZ-75", scopes=["facts:write"], regions=["KZ-75"])
    monkeypatch.setenv("QORGAU_TOKEN", token)


def run(folder: Path, *more: str) -> int:
    files = [str(EXAMPLES / "cad-export.csv"), "--map", str(EXAMPLES / "cad-map.yaml")]
    return main(["import", "cad", *files, "--rejected", str(folder / "rejected.ndjson"), *more])


def test_what_is_posted_is_what_a_file_has_but_recorded_now(tmp_path: Path, service: str, log: Log) -> None:
    out = tmp_path / "facts.ndjson"
    assert run(tmp_path, "--out", str(out)) == 0
    log.away = 1
    assert run(tmp_path, "--to", service) == 0
    written = [read_fact(line) for line in out.read_bytes().splitlines()]
    assert [(fact.id, fact.case, fact.type, fact.time, fact.data) for fact in log.facts] == [
        (fact.id, fact.case, fact.type, fact.time, fact.data) for fact in written
    ]
    assert {fact.recorded for fact in log.facts} == {NOW}


def test_a_token_of_another_agency_has_every_row_refused(
    tmp_path: Path, service: str, log: Log, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = make_token(KEY, agency="102/KZ-71", scopes=["facts:write"], regions=["KZ-75"])
    assert run(tmp_path, "--to", service, "--token", token, "--strict") == 1
    assert '"refused":22' in capsys.readouterr().out
    assert log.facts == []


def test_a_token_that_is_none_ends_the_import(tmp_path: Path, service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--to", service, "--token", "nonsense") == 2
    assert "the service answered 401: Send a valid token" in capsys.readouterr().err
