"""Calls that came too late, counted twice: by the rules from imported facts, and from the export with csv and datetime.

Once on an export made here with every oddity of real ones, and once on a real export where there is one.
"""

import csv
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from qorgau.assess import flag_history
from qorgau.cli import main
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact, read_fact
from qorgau.instants import from_datetime, to_datetime
from qorgau.plan import compile_policy
from qorgau.policy import load_policy

# Beside the project, not in it: whose data it is has not said that it may be handed on.
REAL = Path(__file__).parents[3] / "shared" / "data" / "cad_calls_2025_w35_41.csv"
ZONE = ZoneInfo("America/New_York")
MAP = """
system: trial
zone: America/New_York
columns: {number: inc_id, start: start, dispatched: dispatch, arrived: arrive}
region: KZ-75
area: AREA
priority: {column: Priority_Number, words: {1: immediate, 2: immediate, 3: prompt, 4: prompt}}
categories:
  column: Problem
  kinds:
    - {match: "DOMESTIC VIOL*", category: domestic_violence}
    - {match: "*", makes: []}
"""
TERMS = {"urban": timedelta(minutes=15), "rural": timedelta(minutes=20)}
PROMPT = timedelta(hours=1)
# A flag by its rule and the start of its call.
Late = Counter[tuple[str, datetime]]


def by_the_rules(export: Path, folder: Path, area: str, as_of: datetime) -> Late:
    map_file = folder / "map.yaml"
    map_file.write_text(MAP.replace("AREA", area), encoding="utf-8")
    return imported(export, map_file, folder, as_of)


def imported(export: Path, map_file: Path, folder: Path, as_of: datetime) -> Late:
    out = folder / "facts.ndjson"
    side = str(folder / "rejected.ndjson")
    assert main(["import", "cad", str(export), "--map", str(map_file), "--out", str(out), "--rejected", side]) == 0
    plan = compile_policy(load_policy(default_policy()))
    late: Late = Counter()
    for facts in cases(out):
        rows = flag_history(facts, plan, as_of=from_datetime(as_of))
        late.update(
            (row.rule, to_datetime(row.start_at))
            for row in rows
            if row.rule in ("P03", "P04") and row.level == "breach" and row.start_at is not None
        )
    return late


def cases(out: Path) -> Iterator[list[Fact]]:
    by_case: dict[str | None, list[Fact]] = {}
    for line in out.read_bytes().splitlines():
        fact = read_fact(line)
        by_case.setdefault(fact.case, []).append(fact)
    yield from by_case.values()


def by_hand(export: Path, area: str, as_of: datetime) -> Late:
    """Late is: due by then, and nobody who arrived at or after the start had arrived by the due."""
    late: Late = Counter()
    calls = set()
    with export.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (
                not row["Problem"].startswith("DOMESTIC VIOL")
                or not row["inc_id"]
                or row["Priority_Number"] not in "1234"
            ):
                continue
            start = utc(row["start"], None)
            if start is None or (row["inc_id"], start.replace(microsecond=0)) in calls:
                continue
            calls.add((row["inc_id"], start.replace(microsecond=0)))
            arrived = utc(row["arrive"], start)
            rule, term = ("P03", TERMS[area]) if row["Priority_Number"] in "12" else ("P04", PROMPT)
            in_time = arrived is not None and start <= arrived <= start + term
            if start + term <= as_of and not in_time:
                late[rule, start] += 1
    return late


def utc(text: str, start: datetime | None) -> datetime | None:
    if not text:
        return None
    local = datetime.fromisoformat(text)
    first, second = (local.replace(tzinfo=ZONE, fold=fold).astimezone(UTC) for fold in (0, 1))
    return second if start is not None and first < start <= second else first


def last_instant(export: Path) -> datetime:
    with export.open(encoding="utf-8", newline="") as file:
        found = [utc(row[name], None) for row in csv.DictReader(file) for name in ("start", "dispatch", "arrive")]
    return max(instant for instant in found if instant is not None)


def written(moment: datetime | None, chance: random.Random) -> str:
    """A local time as such systems write it: milliseconds come and go."""
    if moment is None:
        return ""
    local = moment.astimezone(ZONE).replace(tzinfo=None)
    return local.isoformat(" ", chance.choice(["seconds", "milliseconds"]))


def odd_export(path: Path, seed: int) -> None:
    """Calls around both changes of clocks with everything that real exports have."""
    chance = random.Random(seed)
    changes = [datetime(2025, 11, 2, 6, tzinfo=UTC), datetime(2026, 3, 8, 7, tzinfo=UTC)]
    rows = []
    for number in range(300):
        start = chance.choice(changes) + timedelta(seconds=chance.randint(-9000, 9000))
        limit = chance.choice([900, 1200, 3600])
        arrive = chance.choice([None, start, start + timedelta(seconds=limit), start - timedelta(seconds=90)])
        if chance.random() < 0.6:
            arrive = start + timedelta(milliseconds=chance.randint(0, 5_000_000))
        dispatch = chance.choice([start, start + timedelta(seconds=chance.randint(0, 4000))])
        row = [
            f"N{number // 2 if chance.random() < 0.1 else number}",
            chance.choice(["DOMESTIC VIOL NO INJ"] * 4 + ["FIRE"]),
        ]
        row += [chance.choice("12341234x"), *(written(moment, chance) for moment in (start, dispatch, arrive))]
        rows.append(row)
        if chance.random() < 0.1:
            rows.append(row)
    rows[7][0] = rows[9][3] = ""
    # Of a clock that nobody had put forward.
    rows += [
        [f"G{n}", "DOMESTIC VIOL DELAY", "1", "2026-03-08 01:59:00", "", f"2026-03-08 02:{n:02d}:00"] for n in range(30)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerows([["inc_id", "Problem", "Priority_Number", "start", "dispatch", "arrive"], *rows])


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QORGAU_IMPORT_KEY", "a key of the tests that is long enough")


@pytest.mark.parametrize("area", ["urban", "rural"])
@pytest.mark.parametrize("seed", [1, 2])
def test_late_calls_of_an_odd_export_are_those_counted_by_hand(tmp_path: Path, area: str, seed: int) -> None:
    export = tmp_path / "export.csv"
    odd_export(export, seed)
    for as_of in (last_instant(export), datetime(2025, 11, 2, 6, 40, tzinfo=UTC)):
        late = by_the_rules(export, tmp_path, area, as_of)
        assert late == by_hand(export, area, as_of)
        assert {rule for rule, _ in late} == {"P03", "P04"}


def test_the_odd_export_has_every_oddity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = tmp_path / "export.csv"
    odd_export(export, 1)
    by_the_rules(export, tmp_path, "urban", last_instant(export))
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == told["used"] + sum(told["rejected"].values())
    assert {"repeated", "priority_unknown", "number_missing", "start_missing", "not_selected"} == set(told["rejected"])
    odd = {"no_arrival", "arrived_before_start", "arrived_before_dispatched", "local_time_twice", "local_time_skipped"}
    assert odd <= set(told["notes"])


def test_the_documentation_says_how_many_calls_of_the_example_came_too_late(tmp_path: Path) -> None:
    docs = Path(__file__).parents[2] / "docs"
    export, map_file = docs / "examples/cad-export.csv", docs / "examples/cad-map.yaml"
    late = Counter(
        rule for rule, _ in imported(export, map_file, tmp_path, datetime(2024, 3, 2, tzinfo=UTC)).elements()
    )
    said = f"P03 was breached by {late['P03']} of these calls and P04 by {late['P04']}."
    assert said in (docs / "import.md").read_text(encoding="utf-8")


@pytest.mark.skipif(not REAL.is_file(), reason="no real export beside the project; the odd one above stands in for it")
@pytest.mark.parametrize("area", ["urban", "rural"])
def test_late_calls_of_a_real_export_are_those_counted_by_hand(tmp_path: Path, area: str) -> None:
    as_of = last_instant(REAL)
    late = by_the_rules(REAL, tmp_path, area, as_of)
    assert late == by_hand(REAL, area, as_of)
    assert late.total() > 50
