"""`qorgau up` around services that only answer: what it starts, says, keeps, makes good and leaves behind."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from qorgau.clock import read_clock, wall_ticks
from qorgau.embedded.kept import is_real
from qorgau.identity.keyset import KeySet
from qorgau.identity.sender import SCOPES
from qorgau.identity.sources import source_of
from qorgau.identity.tokens import SharedKeyTokens, SignedTokens
from qorgau.instants import HOUR, SECOND, parse_instant
from qorgau.vocabulary import SERVICES
from tests.running import eventually, fakes, running, start, up


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return fakes(tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def asked(url: str) -> Any:
    """The environment of the fake service that answers there."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        return (await client.get(url, timeout=10)).json()


def children(pid: int) -> list[int]:
    """The processes that one has started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


async def test_one_line_says_where_everything_is_and_every_service_got_its_settings(
    data: Path, env: dict[str, str]
) -> None:
    async with up(data, env=env) as run:
        line = run.line
        assert list(line) == ["ready", "services", "kafka", "mongo", "token", "pids", "clock"]
        assert line["ready"] is True
        assert (line["kafka"], line["mongo"]) == ("broker.example:9092", "mongodb://db.example")
        assert list(line["services"]) == list(line["pids"]) == list(SERVICES)
        settings = {service: await asked(url) for service, url in line["services"].items()}
        key = settings["intake"]["QORGAU_TOKEN_KEY"]
        for service, url in line["services"].items():
            own = settings[service]
            assert url == f"http://127.0.0.1:{own['QORGAU_PORT']}"
            assert own["QORGAU_INSTANCE"] == f"{service}-1"
            assert (own["QORGAU_KAFKA"], own["QORGAU_MONGO"]) == (line["kafka"], line["mongo"])
            assert (own["QORGAU_CLOCK"], own["QORGAU_TOKEN_KEY"]) == (line["clock"], key)
        assert await everything_is_allowed(settings["intake"]["QORGAU_JWKS"], line["token"])
        assert len({own["QORGAU_JWKS"] for own in settings.values()}) == 1
        for own in settings.values():
            # Whose tokens count is the run's own affair.
            assert (own["QORGAU_ISSUER"], own["QORGAU_AUDIENCE"]) == ("", "")
            assert own["QORGAU_REVOKED"] == str(data / "revoked-agencies")
        assert is_real(read_clock(Path(line["clock"])))
        assert parse_instant(read_clock(Path(line["clock"])).content()["at"]) <= wall_ticks()


async def everything_is_allowed(jwks: str, token: str) -> bool:
    """Whether a token may do everything, as a service reads it."""
    sender = await SignedTokens(KeySet(source_of(jwks))).read(token)
    return sender.agency == "*" and sender.scopes == SCOPES


async def test_with_a_key_of_ones_own_tokens_are_signed_with_it(data: Path, env: dict[str, str]) -> None:
    given = {"QORGAU_TOKEN_KEY": "k" * 32, "QORGAU_JWKS": "https://id.example/certs"}
    async with up(data, env=env | given) as run:
        own = await asked(run.line["services"]["court-tracker"])
        assert (own["QORGAU_TOKEN_KEY"], own["QORGAU_JWKS"]) == ("k" * 32, "")
        assert (await SharedKeyTokens("k" * 32).read(run.line["token"])).scopes == SCOPES
        assert not (data / "identity").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_all_it_started_in_order_with_status_0(
    data: Path, env: dict[str, str], number: signal.Signals
) -> None:
    async with up(data, env=env) as run:
        assert all(running(pid) for pid in run.pids)
        assert await run.stop(number) == (0, "")
        assert not any(running(pid) for pid in run.pids)
    for service in SERVICES:
        assert (data / "logs" / f"{service}-1.log").read_text(encoding="utf-8") == "ended in order\n"


async def test_a_killed_run_leaves_nothing_and_the_next_has_the_same_addresses_and_key(
    data: Path, env: dict[str, str]
) -> None:
    async with up(data, env=env) as first:
        key = (await asked(first.line["services"]["intake"]))["QORGAU_TOKEN_KEY"]
        token = first.line["token"]
        first.process.kill()
        await eventually(lambda: not any(running(pid) for pid in first.pids))
    async with up(data, env=env) as second:
        assert second.line["services"] == first.line["services"]
        assert second.line["clock"] == first.line["clock"]
        settings = await asked(second.line["services"]["intake"])
        assert settings["QORGAU_TOKEN_KEY"] == key
        assert await everything_is_allowed(settings["QORGAU_JWKS"], token)
        assert not set(second.pids) & set(first.pids)


async def test_a_service_that_is_killed_is_started_again_where_it_was(data: Path, env: dict[str, str]) -> None:
    async with up(data, env=env) as run:
        url, (pid,) = run.line["services"]["court-tracker"], run.line["pids"]["court-tracker"]
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while True:
                try:
                    settings = await asked(url)
                    break
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
        assert settings["QORGAU_INSTANCE"] == "court-tracker-1"
        assert not running(pid)
        assert await run.stop() == (0, "")


async def test_replicas_have_names_and_ports_of_their_own(data: Path, env: dict[str, str]) -> None:
    async with up(data, "--replicas", "police-dispatch=3", env=env) as run:
        assert len(set(run.line["pids"]["police-dispatch"])) == 3
        assert len(set(run.pids)) == 6
        assert {file.name for file in (data / "logs").glob("police*")} == {
            f"police-dispatch-{number}.log" for number in (1, 2, 3)
        }
        assert (await asked(run.line["services"]["police-dispatch"]))["QORGAU_INSTANCE"] == "police-dispatch-1"
        await run.stop()
        assert not any(running(pid) for pid in run.pids)


async def test_the_notifier_is_told_where_flags_are_explained(data: Path, env: dict[str, str]) -> None:
    async with up(data, env=env) as run:
        told = (await asked(run.line["services"]["notifier"]))["QORGAU_OWNERS"]
        assert all(f'"{name}": "{run.line["services"][name]}"' in told for name in SERVICES if name != "notifier")


async def test_nothing_is_said_to_be_ready_before_every_service_is(
    tmp_path: Path, data: Path, env: dict[str, str]
) -> None:
    (tmp_path / "unready").touch()
    process = await start(data, env=env)
    try:
        assert process.stdout is not None
        await eventually(lambda: len(list((data / "logs").glob("*.log"))) == 4)
        said = asyncio.ensure_future(process.stdout.readline())
        await asyncio.wait({said}, timeout=1)
        assert not said.done()
        (tmp_path / "unready").unlink()
        assert b'"ready":true' in await asyncio.wait_for(said, 30)
        process.terminate()
        await process.communicate()
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()


async def test_a_service_that_cannot_start_ends_it_with_its_last_words_and_status_1(
    tmp_path: Path, data: Path, env: dict[str, str]
) -> None:
    (tmp_path / "broken-notifier-1").touch()
    process = await start(data, env=env)
    out, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert out == b""
    assert b"notifier-1 ended while it was starting" in said
    assert b"a reason to end" in said


async def test_a_folder_that_is_in_use_is_refused(data: Path, env: dict[str, str]) -> None:
    async with up(data, env=env) as run:
        second = await start(data, env=env)
        _, said = await asyncio.wait_for(second.communicate(), 60)
        assert second.returncode == 1
        assert f"in use by process {run.process.pid}".encode() in said
        assert all(running(pid) for pid in run.pids)


@pytest.mark.parametrize("wrong", ["nobody=2", "intake", "intake=0", "intake=two", "intake=13", "intake=²"])
async def test_replicas_that_cannot_be_are_refused_as_bad_use(
    tmp_path: Path, data: Path, env: dict[str, str], wrong: str
) -> None:
    process = await start(data, "--replicas", wrong, env=env)
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"NAME=N" in said
    assert "data" not in os.listdir(tmp_path)


async def test_a_season_begins_on_its_first_day_and_goes_on_where_it_was_stopped(
    data: Path, env: dict[str, str]
) -> None:
    async with up(data, "--feed", env=env) as run:
        assert running(run.line["pids"]["feed"][0])
        clock = read_clock(Path(run.line["clock"]))
        assert clock.content()["at"] == "2020-02-29T18:00:00Z"
        assert clock.factor == 10_000
        assert clock.wall <= wall_ticks() + 6 * SECOND
        await eventually(lambda: clock.instant(wall_ticks()) > clock.at + HOUR)
        await run.stop()
        assert not running(run.line["pids"]["feed"][0])
    stood = clock.instant(wall_ticks())
    async with up(data, "--feed", env=env) as run:
        again = read_clock(Path(run.line["clock"]))
        assert clock.at + HOUR < again.at <= stood
        assert again.factor == 10_000


async def test_a_signal_while_it_is_starting_stops_what_runs_already(
    tmp_path: Path, data: Path, env: dict[str, str]
) -> None:
    (tmp_path / "unready").touch()
    process = await start(data, env=env)
    logs = [data / "logs" / f"{service}-1.log" for service in SERVICES]
    await eventually(lambda: all(log.exists() for log in logs))
    started = children(process.pid)
    assert len(started) == 4
    process.terminate()
    assert (await asyncio.wait_for(process.communicate(), 60))[0] == b""
    assert process.returncode == 0
    assert not any(running(pid) for pid in started)


async def test_the_view_is_shown_beside_it_and_leaves_stdout_to_programs(data: Path, env: dict[str, str]) -> None:
    async with up(data, "--watch", env=env) as run:
        log = data.with_suffix(".log")
        await eventually(lambda: len(log.read_text(encoding="utf-8").partition("stops everything")[2].split()) > 3)
        assert await run.stop() == (0, "")


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "file").touch()
    process = await start(tmp_path / "file", env=env)
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert str(tmp_path / "file").encode() in said
    assert b"Traceback" not in said
