"""`qorgau policy` and `qorgau token`, and what every command does with bad use."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from qorgau.identity.tokens import SharedKeyTokens
from tests.command_line import Shell
from tests.expected import POLICY, ROOT

TEXT = POLICY.read_text(encoding="utf-8")
KEY = "a key that is long enough for tests"


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def test_a_policy_that_can_be_right_is_told_with_its_fingerprint(shell: Shell) -> None:
    ended = shell.run("policy", "check", POLICY)
    (row,) = ended.rows
    assert ended.status == 0
    assert (row["policy"], row["rules"], row["flags"]) == ("qorgau-default", 29, 10)
    assert len(row["fingerprint"]) == 64


def test_a_policy_that_cannot_be_right_fails_with_a_row_for_each_problem(shell: Shell) -> None:
    path = shell.file("bad.yaml", TEXT.replace("within: PT5M", "within: P1M").replace("[P17, P18]", "[P17, P99]"))
    ended = shell.run("policy", "check", path)
    assert ended.status == 1
    assert [row["rule"] for row in ended.rows] == ["P01", "F3"]
    assert ended.rows[0]["line"] == TEXT.count("\n", 0, TEXT.index("within: PT5M")) + 1


@pytest.mark.parametrize("command", [["policy", "check"], ["policy", "diff", POLICY], ["policy", "diff"]])
def test_a_policy_that_is_not_there_is_bad_use(shell: Shell, command: list[object]) -> None:
    ended = shell.run(*command, shell.folder / "none.yaml", *([POLICY] if command == ["policy", "diff"] else []))
    assert (ended.status, ended.out) == (2, "")
    assert "No such file" in ended.err


def test_a_policy_does_not_differ_from_itself_written_otherwise(shell: Shell) -> None:
    other = shell.file("other.yaml", "# a remark\n" + TEXT.replace("PT1H", "PT60M"))
    assert shell.run("policy", "diff", POLICY, other).rows == []


def test_what_differs_between_two_policies_is_told_rule_by_rule(shell: Shell) -> None:
    text = TEXT.replace("within: PT10M", "within: PT20M").replace("KZ-15: Asia/Aqtobe", "KZ-15: Asia/Almaty")
    text = text[: text.index("  - id: F7")] + text[text.index("  - id: F8") :]
    rows = shell.run("policy", "diff", POLICY, shell.file("other.yaml", text)).rows
    assert [(row["rule"], row["change"], row["field"], row["before"], row["after"]) for row in rows] == [
        ("policy", "changed", "zones.regions.KZ-15", "Asia/Aqtobe", "Asia/Almaty"),
        ("P02", "changed", "within", "PT10M", "PT20M"),
        ("F7", "removed", None, "An open case in which nothing was recorded for 14 days", None),
    ]


def test_a_new_version_of_a_rule_is_an_added_one(shell: Shell) -> None:
    begin, end = TEXT.index("  - id: P11"), TEXT.index("  - id: P12")
    later = TEXT[begin:end].replace("2020-01-01", "2026-03-02")
    (row,) = shell.run("policy", "diff", POLICY, shell.file("other.yaml", TEXT[:end] + later + TEXT[end:])).rows
    assert (row["rule"], row["effective_from"], row["change"]) == ("P11", "2026-03-02", "added")


def test_a_refused_policy_is_bad_input_to_any_other_command(shell: Shell) -> None:
    path = shell.file("bad.yaml", TEXT.replace("within: PT5M", "within: P1M"))
    for command in (["policy", "diff", POLICY, path], ["assess", shell.facts([]), "--policy", path]):
        ended = shell.run(*command)
        assert (ended.status, ended.out) == (2, "")
        assert "P01: within" in ended.err


async def test_a_token_speaks_for_whom_it_was_made(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QORGAU_TOKEN_KEY", KEY)
    ended = shell.run("token", "--agency", "102/KZ-75", "--scope", "facts:write", "--region", "KZ-75")
    sender = await SharedKeyTokens(KEY).read(ended.out.strip())
    assert (sender.agency, *sender.scopes, *sender.regions) == ("102/KZ-75", "facts:write", "KZ-75")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--scope", "everything"], "a scope that does not exist"),
        (["--agency", "nobody/1"], "KIND or KIND/UNIT"),
        (["--lifetime", "P1M"], "duration"),
        (["--lifetime", "PT0S"], "lifetime"),
    ],
)
def test_a_token_that_nobody_could_use_is_not_made(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, options: list[str], says: str
) -> None:
    monkeypatch.setenv("QORGAU_TOKEN_KEY", KEY)
    ended = shell.run("token", *options)
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err


@pytest.mark.parametrize("key", [None, "short"])
def test_without_a_good_key_there_is_no_token(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str | None
) -> None:
    monkeypatch.delenv("QORGAU_TOKEN_KEY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if key:
        monkeypatch.setenv("QORGAU_TOKEN_KEY", key)
    ended = shell.run("token")
    assert (ended.status, ended.out) == (2, "")
    assert "32 bytes" in ended.err
    assert not key or key not in ended.err


@pytest.mark.parametrize("arguments", [[], ["policy"], ["guess"], ["assess"], ["policy", "check", "a", "b"]])
def test_bad_use_ends_with_2_and_writes_nothing_on_stdout(shell: Shell, arguments: list[str]) -> None:
    ended = shell.run(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert "usage: qorgau" in ended.err


def test_help_names_every_command(shell: Shell) -> None:
    ended = shell.run("--help")
    assert ended.status == 0
    assert all(f" {command} " in ended.out for command in ("assess", "replay", "explain", "policy", "token"))


def test_the_command_is_installed_and_checks_the_default_policy() -> None:
    command = [str(Path(sys.executable).parent / "qorgau"), "policy", "check", str(POLICY.relative_to(ROOT))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["policy"] == "qorgau-default"


def test_the_command_line_starts_without_what_only_services_need() -> None:
    code = "import sys, qorgau.cli; qorgau.cli.parser(); print([name for name in sys.argv[1:] if name in sys.modules])"
    heavy = ["aiokafka", "fastapi", "holidays", "motor", "pydantic", "rich", "yaml", "secantus"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
