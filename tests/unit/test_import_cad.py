"""`qorgau import cad`: what is written, posted, counted and told, and with which status it ends."""

import json
import os
import stat
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

import police_dispatch.domain
from qorgau.cli import main
from qorgau.facts import read_fact
from qorgau.front.door import Door, Sender
from qorgau.importing.reasons import DROPPED, NOTES, REASONS
from tests.http_stub import Stub, stub

ROOT = Path(__file__).parents[2]
EXPORT, MAP = ROOT / "docs/examples/cad-export.csv", ROOT / "docs/examples/cad-map.yaml"
HEAD, *ROWS = EXPORT.read_text(encoding="utf-8").splitlines(keepends=True)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QORGAU_IMPORT_KEY", "a key of the tests that is long enough")
    monkeypatch.setenv("QORGAU_TOKEN", "a.b.c")


@pytest.fixture
def service() -> Iterator[Stub]:
    with stub() as served:
        yield served


class Run:
    """Runs the command in a folder of its own and keeps what came of it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.out = folder / "facts.ndjson"
        self.side = folder / "rejected.ndjson"
        self._capsys = capsys
        self.summary: dict[str, Any] = {}
        self.error = ""

    def __call__(self, *more: str, export: str | bytes | None = None, map_text: str | None = None) -> int:
        file, map_file = self.folder / "export.csv", self.folder / "map.yaml"
        file.write_bytes(export.encode() if isinstance(export, str) else export or EXPORT.read_bytes())
        map_file.write_text(map_text or MAP.read_text(encoding="utf-8"), encoding="utf-8")
        status = main(["import", "cad", str(file), "--map", str(map_file), "--rejected", str(self.side), *more])
        told = self._capsys.readouterr()
        self.summary = json.loads(told.out) if told.out else {}
        self.error = told.err
        return status

    @property
    def lines(self) -> list[bytes]:
        return self.out.read_bytes().splitlines()

    @property
    def rejected(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.side.read_text(encoding="ascii").splitlines()]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(tmp_path, capsys)


def balanced(summary: dict[str, Any]) -> bool:
    return bool(summary["rows"] == summary["used"] + sum(summary["rejected"].values()) + summary["unsettled"])


def test_every_row_of_the_example_is_used_or_rejected_for_a_reason(run: Run) -> None:
    assert run("--out", str(run.out)) == 0
    assert run.summary["rows"] == len(ROWS) == 31
    assert balanced(run.summary)
    assert run.summary["unsettled"] == 0
    reasons = [line["reason"] for line in run.rejected]
    assert {reason: reasons.count(reason) for reason in reasons} == run.summary["rejected"]
    assert sum(run.summary["facts"].values()) == len(run.lines)
    assert run.error == ""


def test_the_documentation_shows_what_the_example_really_gives_and_explains_every_reason(run: Run) -> None:
    text = (ROOT / "docs/import.md").read_text(encoding="utf-8")
    run("--out", str(run.out))
    assert json.dumps(run.summary, separators=(",", ":")) in text
    assert not [name for name in (*REASONS, *NOTES, *DROPPED) if f"| `{name}` |" not in text]


def test_importing_twice_gives_the_same_bytes_and_the_order_of_rows_changes_no_fact(run: Run) -> None:
    run("--out", str(run.out))
    first = run.lines
    run("--out", str(run.out))
    assert run.lines == first
    run("--out", str(run.out), export=HEAD + "".join(sorted(ROWS[:18])))
    assert set(run.lines) <= set(first)


def test_every_fact_passes_the_door_of_police_dispatch(run: Run, service: Stub) -> None:
    assert run("--to", service.url) == 0
    now = read_fact(b'{"id":"x","source":"s","type":"t","time":"2024-03-02T00:00:00Z"}').time
    door = Door("police-dispatch", police_dispatch.domain.FACTS, frozenset({"KZ-75"}), lambda: now, reference_key="")
    sender = Sender("102/KZ-75", frozenset({"facts:write"}), frozenset({"KZ-75"}))
    admitted = [door.admit(event, sender) for event in service.events]
    assert len(admitted) == sum(run.summary["facts"].values()) > 50


def test_nothing_of_the_export_is_in_a_fact_or_told_to_people(run: Run, service: Stub) -> None:
    run("--out", str(run.out))
    assert b"N24003" not in run.out.read_bytes()
    assert b"DOMESTIC VIOL" not in run.out.read_bytes()
    run("--to", service.url)
    assert "N24003" not in json.dumps(service.events) + json.dumps(run.summary) + run.error


def test_the_side_file_is_for_its_owner_and_holds_rows_that_somebody_must_look_at(run: Run) -> None:
    run.side.touch(mode=0o644)
    run()
    assert stat.S_IMODE(run.side.stat().st_mode) == 0o600
    by_reason = {line["reason"]: line for line in run.rejected}
    assert by_reason["number_missing"]["cells"][1] == "DOMESTIC VIOL NO INJ"
    assert (by_reason["number_missing"]["row"], by_reason["number_missing"]["line"]) == (17, 18)
    assert "cells" not in by_reason["not_selected"]


def test_without_a_destination_rows_are_only_counted(run: Run) -> None:
    assert run() == 0
    assert run.summary["used"] == 22
    assert not run.out.exists()


def test_without_a_side_file_named_it_is_put_beside_the_export(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_bytes(EXPORT.read_bytes())
    assert main(["import", "cad", str(file), "--map", str(MAP)]) == 0
    assert (tmp_path / "calls.csv.rejected.ndjson").stat().st_size > 0


def test_bad_rows_fail_a_strict_import_and_rows_not_selected_or_repeated_do_not(run: Run) -> None:
    assert run("--strict") == 1
    assert run("--strict", export=HEAD + ROWS[0] + ROWS[1] + ROWS[0]) == 0
    assert run.summary["rejected"] == {"not_selected": 1, "repeated": 1}


def test_rows_that_are_not_csv_are_counted_and_the_rows_after_them_are_read(run: Run) -> None:
    broken = 'N1,"a "stray" quote",2' + "," * 12 + "\n"
    assert run("--out", str(run.out), export=HEAD + broken + "\n" + ROWS[0]) == 0
    assert run.summary["rejected"] == {"row_unreadable": 1}
    assert (run.summary["rows"], run.summary["used"]) == (2, 1)


def test_an_export_of_windows_with_semicolons_and_quoted_line_ends_is_read(run: Run) -> None:
    map_text = MAP.read_text(encoding="utf-8").replace('delimiter: ","', 'delimiter: ";"')
    map_text = map_text.replace("utf-8-sig", "windows-1251").replace('"CURFEW*"', '"ШЛЮЗ*"')
    row = ROWS[10].replace("CURFEW VIOLATION", '"шлюз\r\nшлюз"').replace(",", ";")
    assert (
        run("--out", str(run.out), export=(HEAD.replace(",", ";") + row).encode("windows-1251"), map_text=map_text) == 0
    )
    assert run.summary["used"] == 1
    assert json.loads(run.lines[0])["data"]["category"] == "emergency_regime"


def test_bytes_that_are_no_text_spoil_only_the_cells_that_are_needed(run: Run) -> None:
    spoilt = [ROWS[0].replace(old, "\xff").encode("latin-1") for old in ("Phone", "N2400301")]
    assert run(export=HEAD.encode() + b"".join(spoilt)) == 0
    assert (run.summary["used"], run.summary["rejected"]) == (1, {"text_unreadable": 1})
    assert run.rejected[0]["cells"][0] == "\udcff"


def test_facts_can_go_to_standard_output_and_the_export_come_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(EXPORT.read_bytes())))
    side = str(tmp_path / "rejected.ndjson")
    assert main(["import", "cad", "-", "--map", str(MAP), "--out", "-", "--rejected", side]) == 0
    told = capsysbinary.readouterr()
    assert {read_fact(line).source for line in told.out.splitlines()} == {"102/KZ-75"}
    assert json.loads(told.err)["used"] == 22


def test_from_standard_input_the_side_file_has_to_be_named() -> None:
    assert main(["import", "cad", "-", "--map", str(MAP)]) == 2


def test_rows_stay_together_in_batches_and_refused_ones_are_rejected(run: Run, service: Stub) -> None:
    def refuse_some(events: list[dict[str, Any]]) -> Any:
        problem = {"title": "Forbidden", "detail": "The token is for other regions.", "field": "data.region"}
        results: list[dict[str, Any]] = [{"id": event["id"], "status": "accepted"} for event in events]
        for place in (1, 11, 12):
            results[place] = {"id": events[place]["id"], "status": "rejected", "problem": problem}
        return 207, {}, {"results": results}

    service.answers.append(refuse_some)
    rows = "".join(ROWS[0].replace("N2400301", f"N{n}") for n in range(300))
    assert run("--to", service.url, export=HEAD + rows) == 0
    assert [len(batch) for batch in service.batches] == [500, 500, 200]
    assert run.summary["rejected"] == {"refused": 3}
    assert run.summary["facts"]["police.arrived"] == 297
    # A row has the three facts of its case and the anonymous one.
    assert [line["row"] for line in run.rejected] == [1, 3, 4]
    assert run.rejected[0]["advice"] == "The token is for other regions."


def test_a_service_that_refuses_the_token_ends_the_import_and_the_ledger_says_what_is_open(
    run: Run, service: Stub
) -> None:
    service.answers.append((403, {"content-type": "application/problem+json"}, {"detail": "It lacks a scope."}))
    assert run("--to", service.url) == 2
    assert "403: It lacks a scope." in run.error
    assert run.summary["unsettled"] == 22
    assert balanced(run.summary)


def test_posting_twice_posts_the_same_ids(run: Run, service: Stub) -> None:
    run("--to", service.url)
    run("--to", service.url)
    first, second = service.batches
    assert first == second


@pytest.mark.parametrize(
    ("more", "export", "old", "new", "told"),
    [
        ((), None, "zone: Asia/Almaty", "zone: Mars", "map.yaml, line 10: zone: not a zone"),
        ((), None, "arrived: arrive", "arrived: onscene", "export.csv, line 1: the header needs the column onscene"),
        ((), "", "", "", "export.csv, line 1: there is no header"),
        (("--to", "nowhere"), None, "", "", "http://"),
        (("--out", "/"), None, "", "", "/"),
    ],
)
def test_bad_use_ends_with_2_and_says_where(
    run: Run, more: tuple[str, ...], export: str | None, old: str, new: str, told: str
) -> None:
    map_text = MAP.read_text(encoding="utf-8").replace(old, new) if old else None
    export_bytes = b"\n" if export == "" else None
    assert run(*more, export=export_bytes, map_text=map_text) == 2
    assert told in run.error
    assert run.summary == {}


def test_a_missing_token_or_key_that_is_too_short_ends_with_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QORGAU_TOKEN")
    assert run("--to", "http://127.0.0.1:9") == 2
    assert "QORGAU_TOKEN" in run.error
    monkeypatch.setenv("QORGAU_IMPORT_KEY", "short")
    assert run() == 2
    assert "QORGAU_IMPORT_KEY" in run.error


@pytest.mark.parametrize("taken", ["export.csv", "map.yaml", "rejected.ndjson"])
def test_no_output_overwrites_what_is_read_or_written(run: Run, taken: str) -> None:
    assert run("--out", str(run.folder / taken)) == 2
    assert "different files" in run.error
    assert (run.folder / "export.csv").read_bytes() == EXPORT.read_bytes()


def test_an_import_that_fails_leaves_no_half_file_of_facts(run: Run) -> None:
    encoded = (HEAD + ROWS[0]).encode("utf-16") + b"x"
    map_text = MAP.read_text(encoding="utf-8").replace("utf-8-sig", "utf-16")
    assert run("--out", str(run.out), export=encoded, map_text=map_text) == 2
    assert "not text in the encoding" in run.error
    assert sorted(os.listdir(run.folder)) == ["export.csv", "map.yaml", "rejected.ndjson"]
