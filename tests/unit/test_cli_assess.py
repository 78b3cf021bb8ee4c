"""`qorgau assess`: the histories of the scenarios, the same however the facts are given; bad input."""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qorgau.facts import event_type
from tests.command_line import Shell
from tests.expected import DEADLINE, FLAG, POLICY, ROOT, SCENARIOS, load_scenario, normal_rows
from tests.oracle import deadline_rows, flag_history, load_policy

SCENARIO = [load_scenario(path) for path in SCENARIOS]
EVERYTHING = [fact for scenario in SCENARIO for fact in scenario["facts"]]
SLOW = next(scenario for scenario in SCENARIO if scenario["id"] == "S2")
ORDER = ("raised_at", "case", "rule", "key", "level")


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def as_event(fact: dict[str, Any]) -> dict[str, Any]:
    """The same fact as a CloudEvent."""
    event = {"specversion": "1.0", "datacontenttype": "application/json"}
    event |= {name: fact[name] for name in ("id", "source", "time", "data")}
    event |= {"type": event_type(fact["type"])}
    event |= {"recordedtime": fact["recorded"]} if "recorded" in fact else {}
    return event | ({"subject": fact["case"]} if "case" in fact else {})


@pytest.mark.parametrize("scenario", SCENARIO, ids=lambda scenario: scenario["id"])
def test_a_scenario_gives_exactly_the_expected_flags(shell: Shell, scenario: dict[str, Any]) -> None:
    ended = shell.run("assess", shell.facts(scenario["facts"]), "--as-of", scenario["as_of"][-1])
    assert (ended.status, ended.err) == (0, "")
    assert normal_rows(ended.rows, FLAG) == normal_rows(scenario["expect"]["flags"], FLAG)


@pytest.mark.parametrize("scenario", SCENARIO, ids=lambda scenario: scenario["id"])
def test_the_check_points_of_a_scenario_give_exactly_the_expected_deadlines(
    shell: Shell, scenario: dict[str, Any]
) -> None:
    facts = shell.facts(scenario["facts"])
    for check in scenario["expect"]["checkpoints"]:
        if "deadlines" in check:
            ended = shell.run("assess", facts, "--deadlines", "--as-of", check["as_of"])
            assert normal_rows(ended.rows, DEADLINE) == normal_rows(check["deadlines"], DEADLINE)


def test_a_file_of_many_cases_gives_what_the_oracle_gives_in_the_documented_order(shell: Shell) -> None:
    policy = load_policy(POLICY)
    facts = shell.facts(EVERYTHING)
    rows = shell.run("assess", facts).rows
    assert rows == flag_history(EVERYTHING, policy, None)
    assert [[row[name] for name in ORDER] for row in rows] == sorted([row[name] for name in ORDER] for row in rows)
    assert shell.run("assess", facts, "--deadlines").rows == deadline_rows(EVERYTHING, policy, None)


def test_the_rows_do_not_depend_on_the_order_of_the_lines_or_the_form_of_the_facts(shell: Shell) -> None:
    expected = shell.run("assess", shell.facts(EVERYTHING)).out
    assert expected
    assert shell.run("assess", shell.facts(reversed(EVERYTHING))).out == expected
    assert shell.run("assess", shell.facts(map(as_event, EVERYTHING))).out == expected


def test_a_row_has_the_fields_of_the_specification_and_no_others(shell: Shell) -> None:
    (first, *_) = shell.run("assess", shell.facts(SLOW["facts"])).rows
    fields = ["start_at", "due_at", "raised_at", "cleared_at", "late_by", "outcome", "escalations"]
    assert list(first) == ["case", "rule", "key", "level", "severity", *fields]


def test_ids_can_be_asked_for(shell: Shell) -> None:
    facts = shell.facts(SLOW["facts"])
    rows = shell.run("assess", facts, "--ids").rows
    assert len({row.pop("id") for row in rows}) == len(rows)
    assert rows == shell.run("assess", facts).rows


def test_the_rules_of_one_service_are_judged_alone(shell: Shell) -> None:
    facts = shell.facts(EVERYTHING)
    services = ("intake", "police-dispatch", "court-tracker")
    parts = [shell.run("assess", facts, "--service", service).rows for service in services]
    assert all(parts)
    whole = shell.run("assess", facts).rows
    assert sorted(map(json.dumps, whole)) == sorted(json.dumps(row) for part in parts for row in part)


def test_another_policy_gives_other_rows(shell: Shell) -> None:
    text = POLICY.read_text(encoding="utf-8").replace("{when: {start: {area: rural}}, within: PT20M}", "")
    assert shell.run("assess", shell.facts(SLOW["facts"]), "--policy", shell.file("broken.yaml", text)).status == 2
    text = POLICY.read_text(encoding="utf-8").replace("PT20M}", "PT2H}")
    ended = shell.run("assess", shell.facts(SLOW["facts"]), "--policy", shell.file("slow.yaml", text))
    assert (ended.status, ended.rows) == (0, [])


def test_facts_come_by_standard_input_too(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = shell.facts(EVERYTHING)
    expected = shell.run("assess", facts).out
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(facts.read_bytes())))
    assert shell.run("assess", "-").out == expected


def test_no_facts_give_no_rows(shell: Shell) -> None:
    for text in ("", "\n \n"):
        ended = shell.run("assess", shell.file("none.ndjson", text))
        assert (ended.status, ended.out, ended.err) == (0, "", "")


def test_what_no_door_would_admit_is_judged_all_the_same(shell: Shell) -> None:
    odd = {"id": "x", "source": "nobody", "type": "made.up", "time": "2026-02-10T22:06:00Z", "case": "c", "data": {}}
    lost = {"id": "y", "source": "nobody", "type": "report.received", "time": "2026-02-10T22:06:00Z", "case": "c"}
    ended = shell.run("assess", shell.facts([odd, lost]), "--as-of", "2026-02-11T00:00:00Z")
    assert [(row["rule"], row["key"], row["level"]) for row in ended.rows] == [
        ("P01", "", "warn"),
        ("P01", "", "breach"),
    ]


SECRET = "Aigerim"
GOOD = json.dumps(SLOW["facts"][0])
BAD_LINES = [
    ("no JSON", '{"id": "Aigerim"', "not a JSON object"),
    ("a list", '["Aigerim"]', "not a JSON object"),
    ("a time without an offset", GOOD.replace("+05:00", "", 1).replace("f01", SECRET), "time is not"),
    ("a date that does not exist", GOOD.replace("2026-02-10T22:06", "2026-02-30T22:06"), "time is a date"),
    ("no id", GOOD.replace('"id"', '"Aigerim"', 1), "id is missing"),
    ("data that are none", '{"id":"a","source":"b","type":"c","time":"2026-01-01T00:00:00Z","data":"Aigerim"}', "data"),
]


@pytest.mark.parametrize(("line", "says"), [row[1:] for row in BAD_LINES], ids=[row[0] for row in BAD_LINES])
@pytest.mark.parametrize("command", ["assess", "replay", "explain"])
def test_a_line_that_is_no_fact_ends_it_with_2_and_its_number(shell: Shell, command: str, line: str, says: str) -> None:
    path = shell.file("bad.ndjson", f"{GOOD}\n\n{line}\n{GOOD}\n")
    ended = shell.run(command, path, *(["--flag", "x"] if command == "explain" else []))
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"qorgau: {path}, line 3: ")
    assert says in ended.err
    assert SECRET not in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.ndjson"], "No such file"),
        (["."], "directory"),
        ([POLICY, "--as-of", "yesterday"], "--as-of is not"),
        ([POLICY, "--service", "notifier"], "--service is one of intake"),
    ],
)
def test_bad_use_ends_with_2_and_says_why(shell: Shell, arguments: list[object], says: str) -> None:
    ended = shell.run("assess", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err


def test_a_byte_order_mark_and_line_ends_of_another_system_are_no_part_of_a_fact(shell: Shell) -> None:
    facts = shell.facts(SLOW["facts"])
    expected = shell.run("assess", facts).out
    facts.write_bytes(b"\xef\xbb\xbf" + facts.read_bytes().replace(b"\n", b"\r\n"))
    assert shell.run("assess", facts).out == expected


def test_the_installed_command_reads_a_pipe_and_a_reader_that_goes_away_is_no_error(shell: Shell) -> None:
    facts = shell.facts(EVERYTHING)
    command = f"cat {facts} | {Path(sys.executable).parent / 'qorgau'} assess - | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == shell.run("assess", facts).rows[0]
