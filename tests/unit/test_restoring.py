"""Records that were made again: silent until they have passed what was told, then every difference and nothing else."""

from dataclasses import replace

from qorgau.front.reading import flag_item
from qorgau.record import CaseRecord
from qorgau.rows import FlagRow
from qorgau.shell.documents import Stored
from qorgau.shell.restoring import ToldEvent, reconciled, remember

ROW = FlagRow("c1", "P03", "", "breach", "critical", 10, 20, 20, region="KZ-75", agency="102/KZ-75")
MET = replace(ROW, cleared_at=30, outcome="closed_late", late_by=5)
OTHER = replace(ROW, rule="P04", severity="high")


def told(row: FlagRow, seq: int, at: int) -> ToldEvent:
    return ToldEvent(at, flag_item(row) | {"seq": seq, "emitted_at": "2026-01-01T00:00:00Z"})


def stored(*rows: FlagRow, seq: int = 0, as_of: int | None = None) -> Stored:
    return Stored(CaseRecord("c1", flags=rows, seq=seq, as_of=as_of))


def test_what_the_record_knows_changes_nothing() -> None:
    record = stored(ROW, seq=2, as_of=25)
    assert remember(record, [told(ROW, 1, 20), told(ROW, 2, 21)]) is record


def test_a_record_made_again_is_silent_until_it_has_passed_what_was_told() -> None:
    empty = remember(stored(), [told(ROW, 1, 20), told(MET, 2, 30)])
    assert empty.next_due == 30
    half = replace(empty, record=replace(empty.record, flags=(ROW,), as_of=20))
    assert reconciled(half, 29) == (half, ())
    whole = replace(empty, record=replace(empty.record, flags=(MET,), as_of=30, seq=2))
    after, events = reconciled(whole, 30)
    assert (events, after.told, after.record.seq) == ((), None, 2)


def test_every_row_that_differs_is_told_with_numbers_that_go_on() -> None:
    before = remember(stored(), [told(ROW, 7, 20)])
    made = replace(before, record=replace(before.record, flags=(MET, OTHER), as_of=30, seq=3))
    after, events = reconciled(made, 40)
    assert [(e.change, e.flag.rule, e.seq) for e in events] == [("cleared", "P03", 8), ("raised", "P04", 9)] or [
        (e.change, e.flag.rule, e.seq) for e in events
    ] == [("raised", "P04", 8), ("cleared", "P03", 9)]
    assert {event.flag for event in events} == {MET, OTHER}
    assert after.record.seq == 9


def test_an_open_flag_that_the_history_lacks_is_taken_back() -> None:
    before = remember(stored(), [told(ROW, 1, 20)])
    after, events = reconciled(replace(before, record=replace(before.record, as_of=20)), 40)
    assert [(e.change, e.flag.id, e.flag.outcome, e.flag.cleared_at) for e in events] == [
        ("cleared", ROW.id, "void", 20)
    ]
    assert after.told is None


def test_a_flag_that_was_told_as_cleared_and_is_up_is_raised_again_under_its_old_id() -> None:
    before = remember(stored(), [told(ROW, 1, 20), told(MET, 2, 30)])
    _, events = reconciled(replace(before, record=replace(before.record, flags=(ROW,), as_of=30)), 30)
    assert [(e.change, e.flag) for e in events] == [("raised", ROW)]


def test_a_restored_copy_compares_with_what_it_had_told_itself() -> None:
    # The copy knows the first event; the second was told after the copy was made.
    before = remember(stored(ROW, seq=1, as_of=20), [told(ROW, 1, 20), told(MET, 2, 30)])
    assert before.told is not None
    _, events = reconciled(replace(before, record=replace(before.record, flags=(MET,), as_of=30)), 30)
    assert events == ()
