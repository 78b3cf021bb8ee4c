"""The reference of a pair on the real database: the same two people get the same one, however they were told."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import permutations
from typing import Any

import pytest

from intake.vault import pairs as module
from intake.vault.blind import IndexKeys, traces
from intake.vault.form import Personal, split
from intake.vault.pairs import Pairs
from qorgau.embedded.pair import Pair
from qorgau.shell import mongo
from qorgau.store import connect

KEYS = IndexKeys("i1", {"i1": b"i" * 32})
ROTATED = IndexKeys("i2", {"i1": b"i" * 32, "i2": b"j" * 32})
IIN, OTHER_IIN, HIS_IIN = "860412400123", "850101400120", "840201300126"
HER = {"name": "Айгүл Сейітова", "birth_date": "1986-04-12", "phone": "+77011234567"}
HIS = {"name": "Ерлан Сейітов", "birth_date": "1984-02-01", "phone": "+77017654321"}


def told(survivor: dict[str, Any], offender: dict[str, Any]) -> Personal | None:
    body = {"region": "KZ-75", "channel": "102", "area": "urban", "survivor": survivor, "alleged_offender": offender}
    return split(body).personal


@pytest.fixture
def name() -> str:
    return f"pairs_{uuid.uuid4().hex}"


async def referred(pairs: Pairs, case: str, personal: Personal | None, keys: IndexKeys, now: int) -> str | None:
    return await pairs.reference(case, traces(personal, keys), traces(personal, keys.newest()), now)


@pytest.fixture
async def pairs(pair: Pair, name: str) -> AsyncIterator[Pairs]:
    client = connect(pair.mongo)
    made = Pairs(client[name])
    await made.prepare()
    yield made
    await client.drop_database(name)
    client.close()


async def test_two_people_are_known_again_by_whatever_both_reports_told(pairs: Pairs) -> None:
    everything = told({**HER, "iin": IIN}, {**HIS, "iin": HIS_IIN})
    first = await referred(pairs, "c1", everything, KEYS, 1)
    assert first is not None
    assert await referred(pairs, "c2", told({"iin": IIN}, {"iin": HIS_IIN}), KEYS, 2) == first
    assert await referred(pairs, "c3", told(HER, HIS), KEYS, 3) == first
    assert await referred(pairs, "c4", told({"iin": IIN}, HIS), KEYS, 4) == first


async def test_other_people_and_the_same_two_the_other_way_round_are_other_pairs(pairs: Pairs) -> None:
    first = await referred(pairs, "c1", told({"iin": IIN}, {"iin": HIS_IIN}), KEYS, 1)
    assert await referred(pairs, "c2", told({"iin": HIS_IIN}, {"iin": IIN}), KEYS, 2) != first
    assert await referred(pairs, "c3", told({"iin": OTHER_IIN}, {"iin": HIS_IIN}), KEYS, 3) != first


async def test_one_name_date_and_phone_with_two_numbers_is_two_people(pairs: Pairs) -> None:
    first = await referred(pairs, "c1", told({**HER, "iin": IIN}, HIS), KEYS, 1)
    second = await referred(pairs, "c2", told({**HER, "iin": OTHER_IIN}, HIS), KEYS, 2)
    assert first != second
    assert await referred(pairs, "c3", told({**HER, "iin": OTHER_IIN}, HIS), KEYS, 3) == second
    assert await referred(pairs, "c4", told({"iin": IIN}, HIS), KEYS, 4) == first


async def test_a_name_alone_is_nobody(pairs: Pairs) -> None:
    assert await referred(pairs, "c1", told({"name": HER["name"]}, HIS), KEYS, 1) is None
    assert await referred(pairs, "c2", None, KEYS, 2) is None


async def test_reports_on_one_pair_at_one_instant_agree(pairs: Pairs) -> None:
    both = told({"iin": IIN}, {"iin": HIS_IIN})
    found = await asyncio.gather(*(referred(pairs, f"c{n}", both, KEYS, 1) for n in range(12)))
    assert len(set(found)) == 1


async def test_replicas_that_are_told_of_one_pair_at_one_instant_agree(pair: Pair, name: str, pairs: Pairs) -> None:
    client = connect(pair.mongo)
    others = [Pairs(client[name]) for _ in range(3)]
    both = told({**HER, "iin": IIN}, {**HIS, "iin": HIS_IIN})
    found = await asyncio.gather(
        *(referred(replica, f"c{n}-{m}", both, KEYS, 1) for n, replica in enumerate((pairs, *others)) for m in range(4))
    )
    client.close()
    assert len(set(found)) == 1
    for part in (told({"iin": IIN}, {"iin": HIS_IIN}), told(HER, HIS), told({"iin": IIN}, HIS)):
        assert await referred(pairs, "later", part, KEYS, 2) == found[0]


async def test_one_pair_that_another_replica_has_just_noted_keeps_none_of_the_others_waiting(
    pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, tried = mongo.insert_all, list[int]()

    async def slower(target: Any, documents: Sequence[Mapping[str, Any]], **how: Any) -> set[int]:
        if not tried:
            await target.insert_one({**documents[0], "pair_ref": "theirs", "cases": ["theirs"]})
        tried.append(len(documents))
        return await insert(target, documents, **how)

    monkeypatch.setattr(module, "insert_all", slower)
    each = [told({"iin": iin}, {"iin": other}) for iin, other in permutations((IIN, OTHER_IIN, HIS_IIN), 2)]
    found = await asyncio.gather(*(referred(pairs, f"c{n}", one, KEYS, 1) for n, one in enumerate(each)))
    assert (found.count("theirs"), len(set(found))) == (1, len(each))
    assert tried == [len(each), len(each) - 1]


async def test_two_people_of_one_name_told_of_at_one_instant_are_two(pairs: Pairs) -> None:
    each = [told({**HER, "iin": iin}, HIS) for iin in (IIN, OTHER_IIN, IIN, OTHER_IIN)]
    found = await asyncio.gather(*(referred(pairs, f"c{n}", one, KEYS, 1) for n, one in enumerate(each)))
    assert found[0] == found[2] != found[1] == found[3]


async def test_while_index_secrets_are_rotated_old_pairs_are_found_and_new_ones_noted_anew(pairs: Pairs) -> None:
    both = told({"iin": IIN}, {"iin": HIS_IIN})
    first = await referred(pairs, "c1", both, KEYS, 1)
    assert await referred(pairs, "c2", both, ROTATED, 2) == first
    only_new = IndexKeys("i2", {"i2": b"j" * 32})
    assert await referred(pairs, "c3", both, only_new, 3) == first


async def test_a_pair_is_forgotten_with_its_last_case(pairs: Pairs) -> None:
    both = told({"iin": IIN}, {"iin": HIS_IIN})
    first = await referred(pairs, "c1", both, KEYS, 1)
    await referred(pairs, "c2", both, KEYS, 2)
    await pairs.forget("c1")
    assert await referred(pairs, "c3", both, KEYS, 3) == first
    await pairs.forget("c2")
    await pairs.forget("c3")
    assert await referred(pairs, "c4", both, KEYS, 4) != first
