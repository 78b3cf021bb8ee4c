"""`qorgau explain`, and the examples of docs/command-line.md: every command prints what stands under it."""

import json
import re
from pathlib import Path

import pytest

from tests.command_line import Shell
from tests.documents import examples, printed_by, says
from tests.expected import POLICY, ROOT, SCENARIOS, load_scenario

DOCUMENT = ROOT / "docs/command-line.md"
SLOW = next(path for path in SCENARIOS if path.stem.startswith("s02"))
# It changes with the installed zone and holiday data.
FINGERPRINT = re.compile("[0-9a-f]{64}")


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def test_the_examples_print_what_the_page_says(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("docs", "policies"):
        (shell.folder / name).symlink_to(ROOT / name)
    monkeypatch.chdir(shell.folder)
    monkeypatch.setenv("QORGAU_IMPORT_KEY", "a key of the tests that is long enough")
    commands = {command.partition(" -")[0] for command, _ in examples(DOCUMENT)}
    assert len(commands) >= 7
    for command, expected in examples(DOCUMENT):
        told = FINGERPRINT.sub("FINGERPRINT", printed_by(shell, command))
        assert says(FINGERPRINT.sub("FINGERPRINT", expected), told), command


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
