"""Every example ("Ex.") of docs/domain/deadlines.md, and readings of what it leaves open, as rows of one table."""

from typing import Any

from tests.expected import Row, normal
from tests.worked import history, protection, readings, starts, terms
from tests.worked.form import Example, local

__all__ = ["EXAMPLES", "Example", "as_of", "check_rows", "tweaked"]

EXAMPLES: list[Example] = [
    *starts.EXAMPLES,
    *terms.EXAMPLES,
    *history.EXAMPLES,
    *protection.EXAMPLES,
    *readings.READINGS,
]
IDENTITY = ("rule", "key", "level", "raised_at", "start_at")


def as_of(example: Example) -> str:
    """The instant of the example with its offset."""
    return local(example.as_of)


def tweaked(example: Example, policy: dict[str, Any]) -> dict[str, Any]:
    """The policy of the example; changes the policy it is given."""
    if example.tweak:
        example.tweak(policy)
    return policy


def check_rows(example: Example, kind: str, computed: list[Row]) -> None:
    """Fails unless the rows of the example's rules are those of its `flags` or `deadlines`, in all that these name."""
    rows: list[Row] | None = getattr(example, kind)
    if rows is None:
        return
    identity = [field for field in IDENTITY if field != ("start_at" if kind == "flags" else "raised_at")]

    def place(row: Row) -> list[str]:
        return [str(value) for value in normal(row, identity).values()]

    own = sorted((row for row in computed if row["rule"] in example.rules), key=place)
    expected = sorted(rows, key=place)
    assert [place(row) for row in own] == [place(row) for row in expected]
    for is_row, should in zip(own, expected, strict=True):
        assert normal(is_row, should) == normal(should, should)
