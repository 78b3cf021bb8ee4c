"""A service process from start to end: it answers, stops in order and in time, and its status says how it went."""

import asyncio
import os
import signal
import socket
import sys
import textwrap
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from qorgau.activation import InForce
from qorgau.embedded.data import default_policy
from qorgau.policy import load_policy
from qorgau.shell.policies import PolicyChanged
from qorgau.shell.running import DONE, bind, run, serve, together
from qorgau.starting import StartRefused

SHORT = timedelta(seconds=1)
LONG = 30


def application(stopping: asyncio.Event, polite: bool = True) -> FastAPI:
    app = FastAPI()

    async def stream() -> AsyncIterator[bytes]:
        yield b"data: begun\n\n"
        await (stopping if polite else asyncio.Event()).wait()
        yield b"data: ended\n\n"

    @app.get("/stream")
    async def get_stream() -> StreamingResponse:
        return StreamingResponse(stream(), media_type="text/event-stream")

    return app


@asynccontextmanager
async def served(app: FastAPI, stopping: asyncio.Event) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """The address of a free port on which `app` answers, and the server."""
    bound = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    server = asyncio.create_task(serve(app, bound, stopping, answers_within=SHORT))
    try:
        yield url, server
    finally:
        stopping.set()
        await asyncio.wait({server}, timeout=LONG)
        assert server.done()


async def test_an_answer_in_several_parts_does_not_wait_for_the_acknowledgement_of_the_first() -> None:
    at_once: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_once.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(connected, sock=bind("127.0.0.1", 0)) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(at_once, LONG)
        writer.close()


async def test_it_answers_on_a_free_port_and_no_longer_when_it_has_stopped() -> None:
    stopping = asyncio.Event()
    async with served(application(stopping), stopping) as (url, server), httpx2.AsyncClient() as client:
        assert (await client.get(f"{url}/openapi.json")).status_code == 200
        stopping.set()
        await asyncio.wait_for(server, LONG)
        with pytest.raises(httpx2.ConnectError):
            await client.get(f"{url}/openapi.json")


async def test_an_open_stream_ends_with_its_last_event_when_the_process_stops() -> None:
    stopping = asyncio.Event()
    async with served(application(stopping), stopping) as (url, server), httpx2.AsyncClient() as client:
        async with client.stream("GET", f"{url}/stream") as answer:
            chunks = answer.aiter_bytes()
            assert await anext(chunks) == b"data: begun\n\n"
            stopping.set()
            assert await anext(chunks) == b"data: ended\n\n"
        await asyncio.wait_for(server, LONG)


async def test_a_stream_that_does_not_end_is_cut_off() -> None:
    stopping = asyncio.Event()
    async with served(application(stopping, polite=False), stopping) as (url, server), httpx2.AsyncClient() as client:
        async with client.stream("GET", f"{url}/stream") as answer:
            chunks = answer.aiter_bytes()
            await anext(chunks)
            stopping.set()
            with pytest.raises(httpx2.RemoteProtocolError):
                await anext(chunks)
        await asyncio.wait_for(server, LONG)


async def test_a_port_that_is_taken_refuses_the_start_and_names_it() -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartRefused, match=f"Port {port} .*QORGAU_PORT"):
            bind("127.0.0.1", port)


async def test_an_application_that_cannot_start_refuses_the_start() -> None:
    @asynccontextmanager
    async def broken(_: FastAPI) -> AsyncIterator[None]:
        raise ValueError("a secret")
        yield

    with pytest.raises(StartRefused):
        await serve(FastAPI(lifespan=broken), bind("127.0.0.1", 0), asyncio.Event())


class Parts:
    """Parts of a process that note how they ended."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.ended: list[str] = []

    async def until_asked(self) -> None:
        await self.stopping.wait()
        await asyncio.sleep(0.01)
        self.ended.append("in order")

    async def failing(self) -> None:
        raise ValueError("broken")

    async def together(self, *parts: Coroutine[Any, Any, None]) -> None:
        async with asyncio.timeout(LONG):
            await together(self.stopping, self.until_asked(), *parts)


async def test_when_one_part_fails_the_others_end_in_order_and_the_failure_is_raised() -> None:
    parts = Parts()
    with pytest.raises(ValueError, match="broken"):
        await parts.together(parts.failing())
    assert parts.ended == ["in order"]


async def test_a_part_that_ends_unasked_stops_the_others_and_is_a_failure() -> None:
    parts = Parts()
    with pytest.raises(RuntimeError, match="sleep ended although nobody asked"):
        await parts.together(asyncio.sleep(0))
    assert parts.ended == ["in order"]


async def test_parts_that_end_when_asked_are_no_failure() -> None:
    parts = Parts()
    asyncio.get_running_loop().call_soon(parts.stopping.set)
    await parts.together(parts.until_asked())
    assert parts.ended == ["in order", "in order"]


async def ended(work: str, *signals: signal.Signals) -> tuple[int, str]:
    """How a process ends that does this work, says `up`, and gets these signals; its status and its log."""
    program = (
        "import asyncio, sys, time\nfrom datetime import timedelta\nfrom qorgau.shell.running import main, run\n"
        f"from qorgau.starting import StartRefused\n{textwrap.dedent(work)}\n"
        "sys.exit(run(work, grace=timedelta(seconds=1), last=timedelta(seconds=1)))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE, stderr=PIPE)
    try:
        assert process.stdout is not None
        for number in signals:
            await asyncio.wait_for(process.stdout.readline(), LONG)
            process.send_signal(number)
        _, said = await asyncio.wait_for(process.communicate(), LONG)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_the_work_end_in_order_with_status_0(number: signal.Signals) -> None:
    work = """
        async def work(stopping):
            print("up", flush=True)
            await stopping.wait()
            await asyncio.sleep(0.1)
            print("saved", file=sys.stderr)
    """
    assert await ended(work, number) == (0, "saved\n")


async def test_work_that_does_not_end_in_its_grace_is_cut_off_with_status_1() -> None:
    work = """
        async def work(stopping):
            print("up", flush=True)
            try:
                await asyncio.sleep(60)
            finally:
                print("cleaned up", file=sys.stderr)
    """
    status, said = await ended(work, signal.SIGTERM)
    assert status == 1
    assert "did not end within 1 s" in said
    assert "cleaned up" in said


@pytest.mark.parametrize("hanging", ["time.sleep(60)", "await asyncio.to_thread(time.sleep, 60)"])
async def test_a_process_ends_whatever_hangs_in_it(hanging: str) -> None:
    work = f"""
        async def work(stopping):
            print("up", flush=True)
            await stopping.wait()
            await asyncio.sleep(0.05)
            {hanging}
    """
    assert (await ended(work, signal.SIGTERM))[0] == 1


async def test_a_failure_has_status_1_and_its_text_stays_out_of_the_log() -> None:
    work = """
        async def work(stopping):
            raise ValueError("Aigerim")
    """
    status, said = await ended(work)
    assert status == 1
    assert "ValueError at <string>:" in said
    assert "Aigerim" not in said


async def test_an_error_that_a_library_logs_is_scrubbed_of_its_text() -> None:
    work = """
        import logging
        async def work(stopping):
            try:
                raise ValueError("Aigerim")
            except ValueError:
                logging.getLogger("uvicorn.error").exception("in an application")
    """
    status, said = await ended(work)
    assert status == 0
    assert "in an application\nValueError at <string>:" in said
    assert "Aigerim" not in said


async def test_a_refused_start_has_status_2_and_says_why() -> None:
    work = """
        async def work(stopping):
            raise StartRefused("Kafka does not answer.")
    """
    status, said = await ended(work)
    assert status == 2
    assert "cannot start: Kafka does not answer." in said


async def test_settings_that_are_wrong_have_status_2_and_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QORGAU_PORT", "seven")
    work = """
        from intake.settings import Settings
        sys.argv = ["intake"]
        async def nothing(settings, stopping): ...
        sys.exit(main(Settings, nothing))
    """
    status, said = await ended(work)
    assert status == 2
    assert "intake: " in said
    assert "QORGAU_PORT" in said


def test_a_service_is_begun_again_under_another_policy_but_not_once_it_was_asked_to_end() -> None:
    changed = PolicyChanged(InForce(load_policy(default_policy()), (1, 0)))

    async def change(_: asyncio.Event) -> None:
        raise changed

    async def change_while_ending(stopping: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stopping.wait()
        raise changed

    with pytest.raises(PolicyChanged):
        run(change, grace=SHORT)
    assert run(change_while_ending, grace=SHORT) == DONE
