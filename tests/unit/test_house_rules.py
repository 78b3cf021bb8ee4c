"""House rules that hold for the whole tree: what the core may import, and that services know nothing of each other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "shared" / "qorgau"
SERVICES = {
    "intake": ROOT / "services/intake/intake",
    "police_dispatch": ROOT / "services/police-dispatch/police_dispatch",
    "court_tracker": ROOT / "services/court-tracker/court_tracker",
    "notifier": ROOT / "services/notifier/notifier",
}
IO_MODULES = {"aiokafka", "asyncio", "fastapi", "motor", "pymongo", "random", "secrets", "socket", "threading", "time"}
# What the heart is made of; it stands on the ground, and nothing else of ours.
GROUND = [
    "facts",
    "instants",
    "rows",
    "calendar",
    *(f"rules/{name}" for name in ("parts", "deadlines", "flags", "frame")),
]
HEART = [
    *["plan", "record", "assess", "protection"],
    *sorted(f"heart/{path.stem}" for path in (SHARED / "heart").glob("*.py") if path.stem != "__init__"),
]
SURGE = sorted(f"surge/{path.stem}" for path in (SHARED / "surge").glob("*.py") if path.stem != "__init__")
MEASURES = sorted(f"measures/{path.stem}" for path in (SHARED / "measures").glob("*.py") if path.stem != "__init__")
PARITY = [f"parity/{name}" for name in ("samples", "bootstrap", "holm", "comparing", "answering")]
FEEDS = [f"feeds/{name}" for name in ("case", "certainty", "expecting", "marking", "posters", "silence")]
AUDIT = ["audit/chain", "audit/checking", "audit/checkpoint", "audit/founding"]
EXPLAINING = ["explain", *(f"explaining/{name}" for name in ("deadline", "flag", "form"))]
ATTRIBUTION = sorted(f"attribution/{path.stem}" for path in (SHARED / "attribution").glob("[a-z]*.py"))
WORDS = ["titles", *(f"policy_words/{name}" for name in ("lines", "deadlines", "flags"))]
# What lists are made of; how rows are kept and read is `state/book.py`'s and `state/routes.py`'s.
STATE = [f"state/{name}" for name in ("rows", "index", "values", "view", "protection", "checks", "items")]
HEARINGS = sorted(f"hearings/{path.stem}" for path in (SHARED / "hearings").glob("[a-z]*.py"))
JUDGED = [*GROUND, *HEART, "policy", *EXPLAINING, *SURGE, *FEEDS, *PARITY, *MEASURES, *ATTRIBUTION]
PURE = [*JUDGED, *WORDS, *AUDIT, *STATE, *HEARINGS]
CLOCKS_AND_LOTS = re.compile(r"\.(now|today|utcnow)\(|\buuid[14]\b|\b(async|await|print)\b")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def python_files(*roots: Path) -> list[Path]:
    return sorted(path for root in roots for path in root.rglob("*.py"))


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_imports_another(name: str) -> None:
    others = set(SERVICES) - {name}
    for path in python_files(SERVICES[name]):
        assert not {module.split(".")[0] for module in imports(path)} & others, path


def test_what_every_service_stands_on_imports_no_service() -> None:
    for path in python_files(SHARED):
        assert not {module.split(".")[0] for module in imports(path)} & set(SERVICES), path


@pytest.mark.parametrize("name", PURE)
def test_what_judges_does_no_io_reads_no_clock_and_draws_no_lots(name: str) -> None:
    path = SHARED / f"{name}.py"
    assert not {module.split(".")[0] for module in imports(path)} & IO_MODULES
    assert not CLOCKS_AND_LOTS.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["police_dispatch", "court_tracker"])
def test_what_a_service_lists_of_a_case_follows_from_its_facts_alone(name: str) -> None:
    paths = python_files(SERVICES[name] / "state")
    assert paths
    for path in paths:
        assert not {module.split(".")[0] for module in imports(path)} & IO_MODULES, path
        assert not CLOCKS_AND_LOTS.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("name", HEART)
def test_the_heart_stands_on_nothing_that_is_not_pure(name: str) -> None:
    own = {module for module in imports(SHARED / f"{name}.py") if module.split(".")[0] == "qorgau"}
    assert own - {"qorgau"} <= {"qorgau.rules", *(f"qorgau.{other.replace('/', '.')}" for other in [*GROUND, *HEART])}
