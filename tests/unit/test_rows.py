"""Ids of flags and of their events: receivers know them, so they are those of the standard for ever."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from qorgau.instants import format_instant
from qorgau.rows import NAMESPACE, FlagEvent, FlagRow


@given(st.text(), st.text(), st.integers(0, 2**51), st.integers(0, 2**51))
def test_ids_are_those_that_uuid5_gives(case: str, key: str, start: int, raised: int) -> None:
    row = FlagRow(case, "P2", key, "breach", "high", start, None, raised)
    name = "|".join((case, "P2", key, format_instant(start), "breach", format_instant(raised)))
    assert row.id == str(uuid5(NAMESPACE, name))
    assert FlagEvent("escalated", row, raised, 1, "region").id == str(uuid5(UUID(row.id), "escalated region"))
