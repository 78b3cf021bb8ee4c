"""Supervision of processes: what is started again, what is stopped, what nobody may leave behind. No servers."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from qorgau.embedded.process import HEALTHY_AFTER, LOG_KEPT, Pauses, Probe, Process, StartRefused
from qorgau.embedded.supervisor import Supervisor, until_signal

SHORT = timedelta(milliseconds=200)
LONG = timedelta(seconds=20)
STUBBORN = "trap '' TERM; while :; do sleep 0.05; done"


def running(pid: int) -> bool:
    """A zombie that nobody has collected yet is not running."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to hold")


class Workshop:
    """Makes processes out of shell scripts in a folder, and leaves none behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[Process] = []

    def process(self, script: str, name: str = "sleeper", probe: Probe | None = None) -> Process:
        command = ["/bin/sh", "-c", script]
        log_file = self.folder / "logs" / f"{name}.log"
        process = Process(
            name, command, log_file=log_file, cwd=self.folder, probe=probe, grace=SHORT, ready_within=SHORT
        )
        self.made.append(process)
        return process

    def probe(self, file: str) -> Probe:
        async def exists() -> bool:
            return (self.folder / file).exists()

        return exists


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    shop = Workshop(tmp_path)
    yield shop
    for process in shop.made:
        await process.kill()


def test_the_pause_doubles_to_ten_seconds_and_begins_anew_after_a_healthy_life() -> None:
    pauses = Pauses()
    dying = [pauses.after(timedelta()).total_seconds() for _ in range(8)]
    assert dying == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]
    assert pauses.after(HEALTHY_AFTER).total_seconds() == 0.2
    assert pauses.after(HEALTHY_AFTER - timedelta(microseconds=1)).total_seconds() == 0.4


async def test_what_dies_unexpectedly_is_started_again_and_ready_only_when_it_answers(workshop: Workshop) -> None:
    process = workshop.process("touch up; exec sleep 60", probe=workshop.probe("up"))
    await process.start()
    first = process.pid
    assert first is not None
    (workshop.folder / "up").unlink()
    os.kill(first, signal.SIGKILL)
    await until(lambda: not process.ready)
    await process.wait_ready(LONG)
    assert process.pid not in (None, first)
    assert process.restarts == 1
    assert (workshop.folder / "up").exists()


async def test_what_was_killed_on_purpose_stays_down_until_it_is_started(workshop: Workshop) -> None:
    process = workshop.process("exec sleep 60")
    await process.start()
    await process.kill()
    await asyncio.sleep(0.3)
    assert process.pid is None
    assert not process.ready
    await process.start()
    assert process.pid is not None


async def test_a_crash_is_made_good_like_any_other_death(workshop: Workshop) -> None:
    process = workshop.process("exec sleep 60")
    await process.start()
    await process.crash()
    assert not process.ready
    await process.wait_ready(LONG)
    assert process.restarts == 1


async def test_a_first_start_that_fails_is_refused_with_the_end_of_its_log(workshop: Workshop) -> None:
    process = workshop.process("echo the port is taken; exit 3", probe=workshop.probe("never"))
    with pytest.raises(StartRefused) as refused:
        await process.start()
    assert "the port is taken" in str(refused.value)
    assert str(process.log_file) in str(refused.value)
    assert process.restarts == 0


async def test_a_command_that_does_not_exist_is_refused(workshop: Workshop) -> None:
    missing = Process(
        "ghost", [str(workshop.folder / "ghost")], log_file=workshop.folder / "log", probe=workshop.probe("x")
    )
    with pytest.raises(StartRefused, match="ghost ended while it was starting"):
        await missing.start()


async def test_what_never_answers_is_refused_and_does_not_stay(workshop: Workshop) -> None:
    process = workshop.process("echo $$ > pid; exec sleep 60", probe=workshop.probe("never"))
    with pytest.raises(StartRefused, match="did not answer"):
        await process.start()
    assert not running(int((workshop.folder / "pid").read_text()))


async def test_a_probe_that_is_refused_a_connection_is_asked_again(workshop: Workshop) -> None:
    asked = 0

    async def probe() -> bool:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise ConnectionRefusedError
        return True

    await workshop.process("exec sleep 60", probe=probe).start()
    assert asked == 3


async def test_an_orderly_stop_lets_the_process_finish_what_it_does(workshop: Workshop) -> None:
    finishing = "trap 'echo saved; exit 0' TERM; touch up; while :; do sleep 0.02; done"
    process = workshop.process(finishing, probe=workshop.probe("up"))
    await process.start()
    await process.stop()
    assert process.log_file.read_text() == "saved\n"
    assert process.pid is None


async def test_what_does_not_end_in_its_grace_is_killed_with_all_it_started(workshop: Workshop) -> None:
    process = workshop.process(f"sleep 60 & echo $! > child; {STUBBORN}", probe=workshop.probe("child"))
    await process.start()
    pid, child = process.pid, int((workshop.folder / "child").read_text())
    assert pid is not None
    await process.stop()
    await until(lambda: not running(pid) and not running(child))


async def test_what_a_process_started_does_not_outlive_it(workshop: Workshop) -> None:
    process = workshop.process("sleep 60 & echo $! > child; wait", probe=workshop.probe("child"))
    await process.start()
    child = int((workshop.folder / "child").read_text())
    await process.stop()
    await until(lambda: not running(child))


async def test_ctrl_c_does_not_reach_a_process_because_it_has_a_session_of_its_own(
    workshop: Workshop,
) -> None:
    process = workshop.process("exec sleep 60")
    await process.start()
    assert process.pid is not None
    assert os.getsid(process.pid) == process.pid != os.getsid(0)


async def test_a_supervisor_stops_in_reverse_order_and_touches_nothing_else(workshop: Workshop) -> None:
    bystander = workshop.process("exec sleep 60", "bystander")
    await bystander.start()
    script = "trap 'echo {0} >> stopped; exit 0' TERM; touch {0}; while :; do sleep 0.02; done"
    names = ("store", "service", "feed")
    ordered = [workshop.process(script.format(name), name, workshop.probe(name)) for name in names]
    async with Supervisor() as supervisor:
        for process in ordered:
            await supervisor.start(process)
        assert list(supervisor) == ordered
    assert (workshop.folder / "stopped").read_text().split() == ["feed", "service", "store"]
    assert bystander.ready


async def test_when_one_of_several_cannot_start_the_others_are_stopped(workshop: Workshop) -> None:
    good = workshop.process("exec sleep 60", "good")
    with pytest.raises(StartRefused, match="bad ended"):
        async with Supervisor() as supervisor:
            await supervisor.start(good, workshop.process("exit 1", "bad", workshop.probe("never")))
    assert good.pid is None


async def test_a_signal_ends_the_work_and_lets_it_clean_up_whatever_comes_after(workshop: Workshop) -> None:
    steps = []

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.05)
            steps.append("cleaned up")

    await until_signal(work())
    assert steps == ["cleaned up"]


async def test_work_that_fails_is_not_hidden_by_the_wait_for_signals() -> None:
    async def work() -> None:
        raise StartRefused("for a reason")

    with pytest.raises(StartRefused, match="for a reason"):
        await until_signal(work())


SUPERVISING = """
import asyncio, sys
from pathlib import Path
from qorgau.embedded.process import Process
async def main():
    script = "trap '' TERM HUP; while :; do sleep 0.05; done"
    child = Process("child", ["/bin/sh", "-c", script], log_file=Path(sys.argv[1]))
    await child.start()
    print(child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the leash is Linux's")
async def test_a_supervisor_that_is_killed_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISING, str(tmp_path / "log")]
    supervisor = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    child = int(await supervisor.stdout.readline())
    # The leash is put on by the child itself, a moment after its pid is known.
    await until(lambda: b"leash.py" not in Path(f"/proc/{child}/cmdline").read_bytes())
    assert running(child)
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not running(child))


async def test_a_long_log_is_begun_anew_and_the_last_one_kept(workshop: Workshop) -> None:
    process = workshop.process("echo new; touch up; exec sleep 60", probe=workshop.probe("up"))
    process.log_file.parent.mkdir()
    with process.log_file.open("wb") as old:
        old.truncate(LOG_KEPT + 1)
    await process.start()
    assert process.log_file.read_text() == "new\n"
    assert process.log_file.with_name("sleeper.log.1").stat().st_size == LOG_KEPT + 1
