"""`qorgau explain`, and the examples of docs/command-line.md: every command prints what stands under it."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.command_line import Shell
from tests.expected import POLICY, ROOT, SCENARIOS, load_scenario

DOCUMENT = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
SLOW = next(path for path in SCENARIOS if path.stem.startswith("s02"))
PRETTY = " | python3 -m json.tool"
# A line of three points stands for any lines.
LEFT_OUT = re.compile(r"^ *\.\.\.\n", re.MULTILINE)
# It changes with the installed zone and holiday data.
FINGERPRINT = re.compile("[0-9a-f]{64}")


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def examples() -> list[tuple[str, str]]:
    """The commands of the page and what is printed under each."""
    blocks = re.findall(r"^```console\n(.*?)^```$", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
    found = [re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:] for block in blocks]
    return [(command, printed) for parts in found for command, printed in zip(parts[::2], parts[1::2], strict=True)]


def printed_by(shell: Shell, command: str) -> str:
    """What a command of the page prints; of `sed` and `export` only what the page needs."""
    if command.startswith("sed "):
        _, change, source, _, target = shlex.split(command)
        _, old, new, _ = change.split("/")
        text = Path(source).read_text(encoding="utf-8")
        assert old in text
        Path(target).write_text(text.replace(old, new), encoding="utf-8")
        return ""
    ended = shell.run(*shlex.split(command.removesuffix(PRETTY))[1:])
    if not command.endswith(PRETTY):
        return ended.out + ended.err
    return json.dumps(ended.rows[0], indent=4) + "\n"


def test_the_examples_print_what_the_page_says(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("docs", "policies"):
        (shell.folder / name).symlink_to(ROOT / name)
    monkeypatch.chdir(shell.folder)
    commands = {command.partition(" -")[0] for command, _ in examples()}
    assert len(commands) >= 7
    for command, expected in examples():
        pattern = "(?:.*\n)+".join(re.escape(part) for part in LEFT_OUT.split(FINGERPRINT.sub("FINGERPRINT", expected)))
        assert re.fullmatch(pattern, FINGERPRINT.sub("FINGERPRINT", printed_by(shell, command))), command


def test_the_example_is_the_scenario(shell: Shell) -> None:
    text = (ROOT / "docs/examples/slow-rural-police.ndjson").read_text(encoding="utf-8")
    assert [json.loads(line) for line in text.splitlines()] == load_scenario(SLOW)["facts"]


def test_every_flag_that_has_an_id_is_explained(shell: Shell) -> None:
    facts = shell.facts(fact for path in SCENARIOS[1:4] for fact in load_scenario(path)["facts"])
    for row in shell.run("assess", facts, "--ids").rows:
        ended = shell.run("explain", facts, "--flag", row["id"])
        (story,) = ended.rows
        assert (ended.status, ended.err) == (0, "")
        assert {name: story["flag"][name] for name in row} == row
        assert story["steps"][-1]["step"] in ("outcome", "cleared", "raised")


def test_a_flag_is_explained_as_it_was_at_an_earlier_instant(shell: Shell) -> None:
    facts = shell.facts(load_scenario(SLOW)["facts"])
    at = ["--as-of", "2026-02-10T22:45:00+05:00"]
    name = next(row["id"] for row in shell.run("assess", facts, "--ids", *at).rows if row["level"] == "breach")
    (story,) = shell.run("explain", facts, "--flag", name, *at).rows
    assert story["sentence"].endswith("nothing had answered it by 10 February 2026 at 22:45.")
    (story,) = shell.run("explain", facts, "--flag", name).rows
    assert story["sentence"].endswith("35 minutes late.")


def test_a_flag_that_never_was_is_bad_use(shell: Shell) -> None:
    facts = shell.facts(load_scenario(SLOW)["facts"])
    for arguments in ([facts], [shell.facts([], "none.ndjson"), "--policy", POLICY]):
        ended = shell.run("explain", *arguments, "--flag", "3b0a6b8b-0000-5000-8000-000000000000")
        assert (ended.status, ended.out) == (2, "")
        assert "no flag with this id" in ended.err
