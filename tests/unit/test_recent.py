"""Cases that need not be loaded: what is remembered of them, and what is not."""

from qorgau.facts import Fact
from qorgau.record import CaseRecord, learn
from qorgau.shell.documents import Event, Stored
from qorgau.shell.recent import Recent


def stored(case: str, facts: int = 1, version: str = "1.x") -> Stored:
    filed = [Fact(f"f{n}", "102", "police.dispatched", n, n, case, {}) for n in range(facts)]
    return Stored(learn(CaseRecord(case), filed), version)


def test_a_case_is_remembered_as_it_was_saved_last() -> None:
    recent = Recent()
    recent.keep(stored("a"))
    recent.keep(stored("a", 2, "2.x"))
    assert recent.get("a") == stored("a", 2, "2.x")
    assert recent.get("b") is None


def test_a_case_with_something_left_to_tell_is_not_remembered_not_even_as_it_was() -> None:
    recent = Recent()
    recent.keep(stored("a"))
    told = Stored(stored("a").record, "2.x", outbox=(Event("e", 1, "t", 1, "{}"),))
    recent.keep(told)
    assert recent.get("a") is None


def test_the_cases_that_were_not_needed_for_longest_make_room() -> None:
    recent = Recent(most=9)
    for case in ("a", "b", "c"):
        recent.keep(stored(case, 2))
    assert recent.get("a") is not None
    recent.keep(stored("d", 2))
    assert [case for case in "abcd" if recent.get(case)] == ["a", "c", "d"]


def test_a_case_larger_than_all_room_is_not_remembered_and_leaves_the_room_free() -> None:
    recent = Recent(most=5)
    recent.keep(stored("large", 10))
    recent.keep(stored("a", 4))
    assert recent.get("large") is None
    assert recent.get("a") is not None


def test_what_is_dropped_or_forgotten_makes_room() -> None:
    recent = Recent(most=4)
    recent.keep(stored("a", 3))
    recent.drop("a")
    recent.keep(stored("b", 3))
    assert recent.get("b") is not None
    recent.forget()
    assert recent.get("b") is None
    recent.keep(stored("c", 3))
    assert recent.get("c") is not None
