"""`qorgau import` of every kind: what is written and told, that nothing of a person is, and broken input."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import court_tracker.domain
import police_dispatch.domain
from qorgau.facts import read_fact
from qorgau.front.door import Door, Sender
from qorgau.importing.reasons import DROPPED, NOTES, REASONS
from qorgau.importing.strict import LARGEST
from qorgau.instants import parse_instant
from tests.command_line import Ended, Shell
from tests.documents import examples, printed_by, says
from tests.http_stub import stub
from tests.imports import EXAMPLES, KEY, ROOT, admitted

KINDS = ("eido", "niem", "hmcts")
PAGE = ROOT / "docs/import.md"
CAME = ("--received", "2026-02-05T18:00:00+05:00")
# What the messages and the list say of people, places and official numbers.
SECRETS = (
    *("Invented", "Sample", "7270000000", "urn:emergency", "5501", "A-26-", "1980", "EXT/1", "example.org"),
    *("3-1002", "3-1006", "1700000000000001", "2000000002", "DC2", "Medeu", "B12"),
)
_COURT = ("court-tracker", court_tracker.domain.FACTS, "court/KZ-75-01")
DOORS = {
    "eido": ("police-dispatch", police_dispatch.domain.FACTS, "102/KZ-75"),
    **dict.fromkeys(("court", "niem", "hmcts"), _COURT),
}
LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>\n<l>&b;</l>'
BROKEN: dict[str, dict[str, str]] = {
    "eido": {"a.json": '{"a": 1,\n "a": 2}', "b.json": "[NaN]", "c.json": "{" * 10},
    "niem": {"a.xml": LAUGHS, "b.xml": "<a>\n<b></a>", "c.xml": "<a>" * 1_000},
    "hmcts": {"a.json": '{"x": Infinity}', "b.json": "[" * 1_000 + "]" * 1_000, "c.json": "no"},
}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QORGAU_IMPORT_KEY", KEY)
    monkeypatch.setenv("QORGAU_TOKEN", "a.b.c")


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


Importing = Callable[..., Ended]


@pytest.fixture(name="importing")
def an_import(shell: Shell) -> Importing:
    """Imports files or, without any, the examples of a kind."""

    def run(kind: str, *paths: object, more: tuple[str, ...] = ()) -> Ended:
        received = CAME if kind == "niem" else ()
        side = ("--rejected", str(shell.folder / "rejected.ndjson"))
        map_file = EXAMPLES / f"{kind}-map.yaml"
        return shell.run("import", kind, *(paths or [EXAMPLES / kind]), "--map", map_file, *side, *received, *more)

    return run


def rejected(shell: Shell) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (shell.folder / "rejected.ndjson").read_text(encoding="ascii").splitlines()]


def test_the_page_shows_what_the_examples_really_give(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (shell.folder / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(shell.folder)
    found = examples(PAGE, "qorgau import")
    assert {command.split()[2] for command, _ in found} == {"cad", "court", *KINDS}
    for command, expected in found:
        assert says(expected, printed_by(shell, command)), command


def test_the_page_explains_every_word_of_a_report() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not [name for name in (*REASONS, *NOTES, *DROPPED) if f"| `{name}` |" not in text]


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_is_used_or_not_for_a_reason_and_its_facts_pass_the_door(
    kind: str, shell: Shell, importing: Importing
) -> None:
    out = shell.folder / "facts.ndjson"
    ended = importing(kind, more=("--out", str(out)))
    (summary,) = ended.rows
    assert (ended.status, ended.err) == (0, "")
    assert summary["rows"] == summary["used"] + sum(summary["rejected"].values())
    facts = [read_fact(line) for line in out.read_bytes().splitlines()]
    assert sorted(admitted(facts)) == sorted(name for name, n in summary["facts"].items() for _ in range(n))
    written = out.read_bytes()
    importing(kind, more=("--out", str(out)))
    assert out.read_bytes() == written


@pytest.mark.parametrize("kind", ["court", *KINDS])
def test_the_door_of_the_service_admits_every_fact_that_is_posted(kind: str, importing: Importing) -> None:
    service, facts, agency = DOORS[kind]
    with stub() as posted:
        importing(kind, *([EXAMPLES / "court-list.csv"] if kind == "court" else []), more=("--to", posted.url))
    door = Door(service, facts, frozenset({"KZ-75"}), lambda: parse_instant("2026-02-12T00:00:00Z"), reference_key="")
    sender = Sender(agency, frozenset({"facts:write"}), frozenset({"KZ-75"}))
    assert len([door.admit(event, sender) for event in posted.events]) > 2


@pytest.mark.parametrize("kind", ["court", *KINDS])
def test_nothing_of_a_person_a_place_or_a_number_leaves(kind: str, shell: Shell, importing: Importing) -> None:
    paths = [EXAMPLES / "court-list.csv"] if kind == "court" else []
    with stub() as service:
        ended = importing(kind, *paths, more=("--to", service.url))
        assert (ended.status, len(service.events) > 0) == (0, True)
        told = [json.dumps(service.events), ended.out, ended.err]
    # A list's rejected rows stay whole with its owner; a message stays in its own file.
    told += [] if kind == "court" else [json.dumps([{**row, "file": ""} for row in rejected(shell)])]
    assert not [word for word in SECRETS for text in told if word in text]
    assert stat.S_IMODE((shell.folder / "rejected.ndjson").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_read_is_told_with_its_place_and_the_others_are_imported(
    kind: str, shell: Shell, importing: Importing
) -> None:
    folder = shell.folder / "feed"
    shutil.copytree(EXAMPLES / kind, folder)
    for name, text in BROKEN[kind].items():
        (folder / name).write_text(text, encoding="utf-8")
    (whole,) = importing(kind).rows
    ended = importing(kind, folder)
    (summary,) = ended.rows
    assert ended.status == 2
    assert summary["facts"] == whole["facts"]
    told = ended.err.splitlines()
    assert [line.partition(", line ")[0] for line in told] == [f"qorgau: {folder / name}" for name in BROKEN[kind]]
    assert all(", column " in line for line in told)
    reasons = {row["reason"] for row in rejected(shell) if Path(row["file"]).name in BROKEN[kind]}
    assert reasons <= {"message_unreadable", "message_too_deep", "entities_refused", "name_repeated", "number_refused"}


@pytest.mark.parametrize("kind", KINDS)
def test_ten_megabytes_are_refused_without_being_parsed(kind: str, shell: Shell, importing: Importing) -> None:
    ended = importing(kind, shell.file("large", "<a>" + " " * 10_000_000 + "</a>"))
    assert ended.status == 2
    assert "larger than is read" in ended.err
    assert ended.rows[0]["rejected"] == {"message_too_large": 1}


def test_lines_of_any_number_are_read_one_by_one_and_a_bad_one_spoils_no_other(
    shell: Shell, importing: Importing
) -> None:
    one = (EXAMPLES / "hmcts/hearings.ndjson").read_text(encoding="utf-8").splitlines()[0]
    lines = [one, "", "{", '{"x": "' + "y" * (2 * LARGEST) + '"}', one.replace("2000000002", "2000000003"), one]
    ended = importing("hmcts", shell.file("many.ndjson", "\n".join(lines)))
    assert ended.status == 0
    assert ended.rows[0]["used"] == 2
    assert [(row["line"], row["reason"]) for row in rejected(shell)] == [
        (3, "message_unreadable"),
        (4, "message_too_large"),
        (6, "repeated"),
    ]
    assert importing("hmcts", shell.folder / "many.ndjson", more=("--strict",)).status == 1


def test_a_file_may_hold_a_list_of_messages(shell: Shell, importing: Importing) -> None:
    lines = (EXAMPLES / "hmcts/hearings.ndjson").read_text(encoding="utf-8").splitlines()
    assert importing("hmcts", shell.file("list.json", f"[{','.join(lines)}, 7]")).rows[0]["rejected"] == {
        "message_unknown": 1
    }


def test_messages_that_came_together_keep_their_order(shell: Shell, importing: Importing) -> None:
    out = shell.folder / "facts.ndjson"
    importing("niem", more=("--out", str(out)))
    facts = [read_fact(line) for line in out.read_bytes().splitlines()]
    times = [fact.time for fact in facts]
    assert times == sorted(set(times))
    # Without --received a message came when its file was last changed.
    file = shell.folder / "one.xml"
    shutil.copyfile(EXAMPLES / "niem/1-added.xml", file)
    os.utime(file, ns=(1_770_000_000_000_000_000, 1_770_000_000_000_000_000))
    side = ("--rejected", str(shell.folder / "rejected.ndjson"))
    shell.run("import", "niem", file, "--map", EXAMPLES / "niem-map.yaml", "--out", out, *side)
    assert read_fact(out.read_bytes()).time == 1_770_000_000_000_000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("eido", "no-such-file.json"), "no-such-file.json: No such file"),
        (("niem", "-"), "--rejected"),
        (("niem", "-", "--rejected", "r.ndjson"), "--received"),
        (("niem", EXAMPLES / "niem", "--received", "yesterday"), "--received: not an ISO 8601"),
        (("hmcts", EXAMPLES / "hmcts", "--to", "nowhere"), "http://"),
        (("hmcts", EXAMPLES / "hmcts", "--out", EXAMPLES / "hmcts-map.yaml"), "all different files"),
    ],
)
def test_bad_use_ends_with_2_and_says_what_to_do(
    shell: Shell, arguments: tuple[object, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shell.folder)
    ended = shell.run("import", *arguments, "--map", EXAMPLES / f"{arguments[0]}-map.yaml")
    assert ended.status == 2
    assert told in ended.err
