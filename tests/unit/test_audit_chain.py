"""The audit chain: whatever is done to it is found, and named as what it is."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qorgau.audit import checking
from qorgau.audit.chain import Actor, Entry, Head, append, code, digest, genesis, head_of
from qorgau.audit.checking import Finding
from tests.audited import verify

SERVICE, DEPLOYMENT = "intake", "qorgau"
START = genesis(SERVICE, DEPLOYMENT)
AT = 1_776_000_000_123_456
Body = dict[str, Any]


def entry(number: int, **changes: Any) -> Entry:
    made = Entry(
        f"c{number % 3}.{number}",
        AT + number,
        "person.read",
        Actor("102/KZ-75", "officer-7"),
        f"c{number % 3}",
        {"purpose": "emergency_response", "fields": ("name", "phone")},
    )
    return replace(made, **changes)


def chain(length: int, head: Head = START, first: int = 1) -> list[Body]:
    return [dict(linked) for linked in append(head, [entry(number) for number in range(first, first + length)])]


def anchor(body: Body) -> Head:
    return head_of(body)


def found(bodies: list[Body], anchors: list[Head] | None = None) -> list[tuple[str, int, int]]:
    return [(one.kind, one.first, one.last) for one in verify(SERVICE, DEPLOYMENT, stored(bodies), anchors or [])]


def stored(bodies: list[Body]) -> list[tuple[object, Body]]:
    """Each under its number, as in the database; under that of its place where it has lost its own."""
    return [(body["seq"] if type(body["seq"]) is int else at, body) for at, body in enumerate(bodies, 1)]


def relinked(body: Body) -> Body:
    """A forger's entry: its own hash is right."""
    return body | {"hash": digest(body)}


def test_a_chain_that_nobody_touched_is_clean_with_every_anchor() -> None:
    bodies = chain(9)
    assert found(bodies, [anchor(body) for body in bodies]) == []
    assert found(chain(4) + chain(3, anchor(chain(4)[-1]), 5)) == []
    assert found([], []) == []


def test_an_entry_is_hashed_as_anybody_with_a_json_library_can_do_it() -> None:
    first, second = chain(2)
    assert second["prev"] == first["hash"]
    body = {name: value for name, value in second.items() if name != "hash"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == second["hash"]
    assert first["at"] == "2026-04-12T13:20:00.123457Z"
    assert set(first) == {"seq", "at", "service", "kind", "actor", "case", "details", "entry_id", "prev", "hash"}


def test_every_service_and_deployment_has_its_own_beginning() -> None:
    beginnings = {genesis(service, name).hash for service in ("intake", "notifier") for name in ("qorgau", "other")}
    assert len(beginnings) == 4


def test_what_is_no_code_is_named_by_its_digest() -> None:
    (linked,) = append(START, [entry(1, actor=Actor("102/KZ-75", "Айгүл Серікқызы"), details={"why": "she asked"})])
    assert "Айгүл" not in str(linked)
    assert linked["actor"] == {"agency": "102/KZ-75", "subject": code("Айгүл Серікқызы")}
    assert linked["details"] == {"why": code("she asked")}
    assert code("she asked").startswith("sha256:")


def test_without_the_link_in_it_a_hash_is_another_one() -> None:
    """A check of the other tests: they would not notice entries that are only hashed one by one."""
    (one,), (other,) = append(START, [entry(1)]), append(genesis("intake", "other"), [entry(1)])
    assert {name: one[name] for name in ("seq", "at", "entry_id")} == {
        name: other[name] for name in ("seq", "at", "entry_id")
    }
    assert one["hash"] != other["hash"]
    assert digest({**one, "prev": other["prev"]}) == other["hash"]


@pytest.mark.parametrize("name", ["at", "service", "kind", "actor", "case", "details", "entry_id", "prev", "hash"])
def test_an_edit_of_any_field_is_found(name: str) -> None:
    bodies = chain(6)
    bodies[3] = bodies[3] | {name: "other"}
    assert found(bodies) == [("edited", 4, 4)]


@pytest.mark.parametrize("strange", [None, 1.5, float("nan"), 2**60, b"bytes", {"deep": [object()]}])
def test_what_nobody_can_have_written_is_an_edit(strange: object) -> None:
    bodies = chain(3)
    bodies[1] = bodies[1] | {"details": strange}
    assert found(bodies) == [("edited", 2, 2)]


def test_an_entry_without_anything_in_it_is_an_edit() -> None:
    first, _, last = chain(3)
    (finding,) = verify(SERVICE, DEPLOYMENT, [(1, first), (2, {}), (3, last)], [])
    assert (finding.kind, finding.first) == ("edited", 2)


def test_an_edit_with_its_own_hash_made_anew_is_found_by_the_next_entry() -> None:
    bodies = chain(6)
    bodies[3] = relinked(bodies[3] | {"case": "other"})
    assert found(bodies) == [("edited", 4, 4)]
    bodies = chain(6)
    bodies[0] = relinked(bodies[0] | {"case": "other"})
    assert found(bodies) == [("edited", 1, 1)]


def test_an_edit_of_the_last_entry_with_its_hash_is_found_by_its_anchor_only() -> None:
    bodies = chain(6)
    anchors = [anchor(body) for body in bodies]
    bodies[5] = relinked(bodies[5] | {"case": "other"})
    assert found(bodies) == []
    assert found(bodies, anchors) == [("forked", 6, 6)]


def test_deleted_entries_are_a_gap() -> None:
    bodies = chain(9)
    assert found(bodies[:2] + bodies[3:]) == [("deleted", 3, 3)]
    assert found(bodies[4:]) == [("deleted", 1, 4)]
    assert found(bodies[:1] + bodies[3:6] + bodies[8:]) == [("deleted", 2, 3), ("deleted", 7, 8)]
    assert found(bodies[::2]) == [("deleted", n, n) for n in (2, 4, 6, 8)]


def test_a_truncated_tail_is_found_through_an_anchor() -> None:
    bodies = chain(9)
    anchors = [anchor(bodies[n]) for n in (2, 7, 5)]
    assert found(bodies[:5]) == []
    assert found(bodies[:5], anchors) == [("truncated", 6, 8)]
    assert found([], anchors) == [("truncated", 1, 8)]


def test_entries_in_each_others_place_are_reordered() -> None:
    bodies = chain(9)
    assert found([*bodies[:3], bodies[4], bodies[3], *bodies[5:]]) == [("reordered", 5, 5)]
    far = [*bodies[:2], bodies[6], *bodies[3:6], bodies[2], *bodies[7:]]
    assert {kind for kind, _, _ in found(far)} == {"reordered"}
    assert found([*bodies[:3], bodies[6], *bodies[3:6], *bodies[7:]]) == [("reordered", 7, 7)]
    assert found([*bodies[:3], *bodies[4:7], bodies[3], *bodies[7:]]) == [("reordered", 4, 4)]


@pytest.mark.parametrize("number", [1, 3, 5, 8, 99])
def test_an_entry_that_was_put_in_is_found_whatever_number_it_takes(number: int) -> None:
    bodies = chain(9)
    forged = relinked(bodies[3] | {"seq": number, "entry_id": "forged", "prev": bodies[3]["hash"]})
    assert found([*bodies[:4], forged, *bodies[4:]]) == [("inserted", number, number)]
    unlinked = relinked(forged | {"prev": "0" * 64})
    assert found([*bodies[:4], unlinked, *bodies[4:]]) == [("inserted", number, number)]


def test_an_entry_that_stands_there_twice_was_put_in() -> None:
    bodies = chain(6)
    assert found([*bodies[:4], bodies[3], *bodies[4:]]) == [("inserted", 4, 4)]
    assert found([*bodies, bodies[1]]) == [("inserted", 2, 2)]


def test_an_entry_or_a_chain_of_another_service_or_deployment_is_foreign() -> None:
    bodies = chain(6)
    other = [dict(linked) for linked in append(genesis("notifier", DEPLOYMENT), [entry(n) for n in range(1, 7)])]
    assert found([*bodies[:4], other[4], *bodies[4:]]) == [("foreign", 5, 5)]
    assert set(found([*bodies[:4], other[4], *bodies[5:]])) == {("foreign", 5, 5), ("deleted", 5, 5)}
    assert {kind for kind, _, _ in found(other)} == {"foreign"}
    elsewhere = [dict(linked) for linked in append(genesis(SERVICE, "other"), [entry(1), entry(2)])]
    assert found(elsewhere) == [("foreign", 1, 1)]


def test_a_history_written_anew_is_found_through_anchors() -> None:
    bodies = chain(9)
    anchors = [anchor(body) for body in bodies]
    forged = bodies[:3] + chain(6, anchor(bodies[2]), 50)
    assert found(forged) == []
    assert found(forged, anchors) == [("forked", 4, 9)]
    # An older copy of the database, with which the service went on: shorter than it was, and later longer.
    assert found(forged[:6], anchors) == [("forked", 4, 6), ("truncated", 7, 9)]
    assert found(forged, [anchors[2]]) == []


def test_anchors_that_contradict_each_other_are_a_fork() -> None:
    bodies = chain(5)
    assert found(bodies, [anchor(bodies[3]), Head(SERVICE, 4, "0" * 64)]) == [("forked", 4, 4)]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "REMEMBERED", 3)
    bodies = chain(60)
    assert found(bodies[::2]) == [("deleted", n, n) for n in range(2, 60, 2)]


Damage = Callable[[random.Random, list[Body]], tuple[list[Body], set[str]]]


def edit(lots: random.Random, bodies: list[Body]) -> tuple[list[Body], set[str]]:
    at = lots.randrange(len(bodies))
    name = lots.choice(sorted(bodies[at]))
    bodies[at][name] = lots.choice([None, "x", 1.5, {"a": "b"}, ["c"]])
    return bodies, {"edited"}


def rewrite(lots: random.Random, bodies: list[Body]) -> tuple[list[Body], set[str]]:
    at = lots.randrange(len(bodies) - 1)
    bodies[at] = relinked(bodies[at] | {"kind": "nothing.done"})
    return bodies, {"edited"}


def delete(lots: random.Random, bodies: list[Body]) -> tuple[list[Body], set[str]]:
    first = lots.randrange(len(bodies) - 1)
    last = lots.randrange(first + 1, len(bodies))
    return bodies[:first] + bodies[last:], {"deleted"}


def swap(lots: random.Random, bodies: list[Body]) -> tuple[list[Body], set[str]]:
    one, other = lots.sample(range(len(bodies)), 2)
    bodies[one], bodies[other] = bodies[other], bodies[one]
    return bodies, {"reordered"}


def move(lots: random.Random, bodies: list[Body]) -> tuple[list[Body], set[str]]:
    one, to = lots.sample(range(len(bodies)), 2)
    bodies.insert(to, bodies.pop(one))
    return bodies, {"reordered"}


def insert(lots: random.Random, bodies: list[Body]) -> tuple[list[Body], set[str]]:
    at = lots.randrange(1, len(bodies))
    number = lots.choice([at + 1, at, lots.randrange(1, 2 * len(bodies))])
    forged = bodies[at - 1] | {"seq": number, "prev": lots.choice([bodies[at - 1]["hash"], "0" * 64])}
    return [*bodies[:at], relinked(forged | {"entry_id": "forged"}), *bodies[at:]], {"inserted"}


def truncate(lots: random.Random, bodies: list[Body]) -> tuple[list[Body], set[str]]:
    return bodies[: lots.randrange(len(bodies))], {"truncated"}


def strange(lots: random.Random, bodies: list[Body]) -> tuple[list[Body], set[str]]:
    at = lots.randrange(len(bodies))
    other = append(genesis("notifier", DEPLOYMENT), [entry(n) for n in range(len(bodies))])
    return [*bodies[:at], dict(other[at]), *bodies[at:]], {"foreign"}


def fork(lots: random.Random, bodies: list[Body]) -> tuple[list[Body], set[str]]:
    at = lots.randrange(len(bodies))
    head = anchor(bodies[at - 1]) if at else START
    return bodies[:at] + chain(len(bodies) - at + lots.randrange(3), head, 100), {"forked"}


DAMAGES: list[Damage] = [edit, rewrite, delete, swap, move, insert, truncate, strange, fork]
# Seen beside it: an anchor names an entry by its number, and finds another one there.
BESIDE = {"edited": {"forked"}, "inserted": {"forked"}, "foreign": set(), "deleted": set(), "reordered": set()}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@given(length=st.integers(3, 30), seed=st.integers(0, 2**32))
def test_any_damage_anywhere_is_found_and_named(damage: Damage, length: int, seed: int) -> None:
    bodies = chain(length)
    anchors = [anchor(body) for body in bodies]
    damaged, expected = damage(random.Random(seed), [dict(body) for body in bodies])
    assert damaged != bodies
    kinds = {one.kind for one in verify(SERVICE, DEPLOYMENT, stored(damaged), anchors)}
    assert expected <= kinds <= expected | BESIDE.get(next(iter(expected)), set())


@given(length=st.integers(1, 20), seeds=st.lists(st.integers(0, 2**32), min_size=1, max_size=4))
def test_no_mixture_of_damages_goes_unseen_or_breaks_the_check(length: int, seeds: list[int]) -> None:
    bodies = chain(length + 2)
    anchors = [anchor(body) for body in bodies]
    damaged = [dict(body) for body in bodies]
    for seed in seeds:
        lots = random.Random(seed)
        if len(damaged) > 2 and all(isinstance(body["seq"], int) for body in damaged):
            damaged, _ = lots.choice(DAMAGES[:-1])(lots, damaged)
    findings: list[Finding] = verify(SERVICE, DEPLOYMENT, stored(damaged), anchors)
    assert bool(findings) == (damaged != bodies)
