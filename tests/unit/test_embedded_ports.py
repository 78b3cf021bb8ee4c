"""What a data folder keeps for its next run: its ports, and that only one program uses it."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from qorgau.embedded.pair import held
from qorgau.embedded.ports import CHOICE, LOOPBACK, is_free, stable_ports
from qorgau.embedded.process import StartRefused


async def test_a_folder_keeps_its_ports_below_the_range_of_outgoing_connections(tmp_path: Path) -> None:
    file = tmp_path / "new" / "ports.json"
    first = await stable_ports(file, ("broker", "controller"))
    assert len(set(first.values())) == 2
    assert all(port in CHOICE and is_free(port) for port in first.values())
    assert await stable_ports(file, ("broker", "controller")) == first


async def test_a_port_that_somebody_else_has_taken_is_chosen_anew_and_written_down(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = await stable_ports(file, ("broker", "controller"))
    with socket.create_server((LOOPBACK, first["broker"])):
        second = await stable_ports(file, ("broker", "controller"))
    assert second["broker"] != first["broker"]
    assert second["controller"] == first["controller"]
    assert await stable_ports(file, ("broker", "controller")) == second


async def test_a_predecessor_that_lets_go_of_its_port_a_moment_later_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = await stable_ports(file, ("server",))
    with socket.create_server((LOOPBACK, first["server"])) as server:
        asyncio.get_running_loop().call_later(0.2, server.close)
        assert await stable_ports(file, ("server",)) == first


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"server": "x"}', '{"server": 0}', '{"server": 70000}'])
async def test_a_damaged_file_of_ports_is_written_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ports.json"
    file.write_text(content, encoding="utf-8")
    assert (await stable_ports(file, ("server",)))["server"] in CHOICE


def test_a_data_folder_serves_one_program_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(StartRefused, match=f"in use by process {os.getpid()}"), held(tmp_path):
        pass
    with held(tmp_path) as folder:
        assert folder == tmp_path
