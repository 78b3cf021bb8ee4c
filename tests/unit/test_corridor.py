"""One round of one case: filed without being judged, judged, parked; what is written down is what is told."""

from dataclasses import replace

from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.instants import HOUR, MINUTE, parse_instant
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord
from qorgau.shell.corridor import CaseLimits, room_for, step
from qorgau.shell.documents import Stored
from qorgau.vocabulary import POLICE

PLAN = compile_policy(load_policy(default_policy()), POLICE)
AT = parse_instant("2026-03-02T05:00:00Z")
DATA = {"region": "KZ-75", "priority": "immediate", "area": "urban"}


def fact(number: int, source: str = "102/KZ-75", at: int = AT) -> Fact:
    return Fact(f"f{number}", source, "police.incident_registered", at, at, "c1", DATA)


def case(*facts: Fact) -> Stored:
    return step(Stored(CaseRecord("c1")), facts, AT + MINUTE, AT, PLAN, CaseLimits()).after


def test_while_nothing_may_be_judged_facts_are_filed_and_the_case_is_due_at_once() -> None:
    one = step(Stored(CaseRecord("c1")), [fact(1)], None, AT, PLAN, CaseLimits())
    assert (one.after.record.as_of, one.after.next_due, one.changes) == (None, AT, ())
    assert one.changed


def test_a_copy_of_a_fact_changes_nothing_and_need_not_be_saved() -> None:
    before = case(fact(1))
    assert not step(before, [fact(1)], None, AT, PLAN, CaseLimits()).changed


def test_every_change_of_a_flag_is_written_down_with_the_case() -> None:
    one = step(case(fact(1)), [], AT + HOUR, AT + HOUR, PLAN, CaseLimits())
    assert [change.change for change in one.changes][:2] == ["raised", "cleared"]
    assert [event.seq for event in one.after.outbox] == [change.seq for change in one.changes]
    assert [event.id for event in one.after.outbox] == [change.id for change in one.changes]


def test_a_full_case_parks_what_is_new_and_is_still_judged() -> None:
    before = case(fact(1), fact(2))
    one = step(before, [fact(2), fact(3)], AT + HOUR, AT, PLAN, CaseLimits(facts=2))
    assert [parked.id for parked in one.parked] == ["f3"]
    assert one.after.full
    assert one.changes


def test_one_source_cannot_fill_a_case_for_the_others() -> None:
    record = case(fact(1), fact(2)).record
    fitting, parked = room_for(record, [fact(3), fact(4, "102/KZ-71")], CaseLimits(facts=4, of_source=2))
    assert ([one.id for one in fitting], [one.id for one in parked]) == (["f4"], ["f3"])


def test_of_a_batch_as_much_is_taken_as_there_is_room_for() -> None:
    fitting, parked = room_for(CaseRecord("c1"), [fact(n) for n in (1, 2, 2, 3, 4)], CaseLimits(facts=3))
    assert [one.id for one in fitting] == ["f1", "f2", "f2", "f3"]
    assert [one.id for one in parked] == ["f4"]


def test_facts_of_others_are_kept_apart_from_those_of_the_case() -> None:
    other = replace(fact(2), case="c2")
    after = step(Stored(CaseRecord("c1")), [fact(1), other], None, AT, PLAN, CaseLimits()).after
    assert (after.record.facts, after.record.others) == ((fact(1),), (other,))
