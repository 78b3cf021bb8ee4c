"""House rules of the vault: which of it is pure, and that nothing in it can print, log or trace what it holds."""

import re
from pathlib import Path

import pytest

import intake.vault
from tests.unit.test_house_rules import CLOCKS_AND_LOTS, IO_MODULES, imports

VAULT = Path(intake.vault.__file__).parent
PURE = [
    *("access", "blind", "canonical", "classes", "dealing", "duplicates", "form", "people", "records", "retention"),
    "versions",
]
# Pure but for the nonce they draw, which can be handed in.
SEALING = ["packing", "sealing"]
# Says what a run did: how many cases lost which class.
COUNTING = {"upkeep"}
TELLING = {"logging", "structlog", "opentelemetry", "prometheus_client", "warnings", "traceback", "pickle"}


@pytest.mark.parametrize("name", [*PURE, *SEALING, "storing"])
def test_what_decides_in_the_vault_does_no_io_and_reads_no_clock(name: str) -> None:
    path = VAULT / f"{name}.py"
    assert not {module.split(".")[0] for module in imports(path)} & IO_MODULES
    assert not CLOCKS_AND_LOTS.search(path.read_text(encoding="utf-8"))
    assert ("os" in imports(path)) == (name in SEALING)


@pytest.mark.parametrize("path", sorted(VAULT.glob("*.py")), ids=lambda path: path.stem)
def test_no_module_of_the_vault_can_tell_what_it_holds(path: Path) -> None:
    allowed = {"logging"} if path.stem in COUNTING else set()
    assert not {module.split(".")[0] for module in imports(path)} & TELLING - allowed
    assert not re.search(r"\bprint\(", path.read_text(encoding="utf-8"))
