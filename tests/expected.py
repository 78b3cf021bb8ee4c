"""Expected rows, as scenario files and worked examples write them, compared with the rows somebody computed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.oracle.values import duration, instant, iso, iso_duration

ROOT = Path(__file__).parents[1]
POLICY = ROOT / "policies" / "kz.yaml"
SCENARIOS = sorted((ROOT / "tests" / "scenarios").glob("*.yaml"))

FLAG = ("rule", "key", "level", "due_at", "raised_at", "cleared_at", "outcome", "late_by", "escalations")
OPEN = ("rule", "key", "level")
DEADLINE = ("rule", "key", "start_at", "due_at", "state", "late_by", "remaining")
MISSING: dict[str, Any] = {"key": "", "escalations": {}}

Row = dict[str, Any]


def load_scenario(path: Path) -> dict[str, Any]:
    """A scenario file as plain data."""
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def normal(row: Row, fields: Iterable[str]) -> Row:
    """The fields of a row with instants in UTC; a missing key is empty, missing escalations are none, the rest null."""
    values = {field: row.get(field, MISSING.get(field)) for field in fields}
    return {field: _plain(field, value) for field, value in values.items()}


def _plain(field: str, value: Any) -> Any:
    if value is None:
        return None
    if field.endswith("_at"):
        return iso(instant(value))
    if field in ("late_by", "remaining"):
        return iso_duration(duration(value))
    if field == "escalations":
        return {step: iso(instant(at)) for step, at in value.items()}
    return value


def normal_rows(rows: Iterable[Row], fields: Iterable[str]) -> list[Row]:
    """All rows so, in an order of their own: two lists of rows are the same history if these are equal."""
    return sorted((normal(row, tuple(fields)) for row in rows), key=repr)


def open_rows(rows: Iterable[Row]) -> list[Row]:
    """9.5: the flags with outcome `open`."""
    return [row for row in rows if row["outcome"] == "open"]
