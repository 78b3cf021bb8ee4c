"""Blind indexes: the same pair is found however it was told, others are not, and nothing can be read from them."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.vault.blind import (
    BODY,
    IIN,
    NAME,
    PAIR,
    IndexKeys,
    Traces,
    body_digest,
    contradict,
    is_same_body,
    same_pair,
    traces,
)
from intake.vault.form import Personal, split

ROOT, NEXT = bytes(range(32)), bytes(range(50, 82))
KEYS = IndexKeys("i1", {"i1": ROOT})
ROTATING = IndexKeys("i2", {"i1": ROOT, "i2": NEXT})
# Control digits fit; the numbers are made up.
HERS, HIS, ANOTHER = "860412400123", "000000000101", "000000000209"
SHE = {"name": "Смағұлова Айгүл", "birth_date": "1986-04-12", "phone": "+7 701 123 45 67"}
HE = {"name": "Canary Offender", "birth_date": "1980-01-01", "phone": "8 702 000 00 00"}


def personal(survivor: dict[str, Any] | None = None, offender: dict[str, Any] | None = None, **more: Any) -> Personal:
    body = {"survivor": survivor, "alleged_offender": offender, **more}
    told = split({name: value for name, value in body.items() if value is not None}).personal
    assert told is not None
    return told


def test_an_index_is_the_hmac_of_the_canonical_form_under_a_key_of_its_kind() -> None:
    # RFC 5869 by hand: extract with a salt of zeros, expand by one block.
    extracted = hmac.new(bytes(32), ROOT, hashlib.sha256).digest()
    derived = hmac.new(extracted, b"qorgau-index-1 iin\x01", hashlib.sha256).digest()
    told = (12).to_bytes(4, "big") + HERS.encode()
    digest = urlsafe_b64encode(hmac.new(derived, told, hashlib.sha256).digest()).decode().rstrip("=")
    assert traces(personal({"iin": HERS}), KEYS).survivor == {f"i1:iin:{digest}"}


def test_the_same_person_has_one_index_by_number_and_one_by_name_birth_date_and_phone() -> None:
    found = traces(personal({**SHE, "iin": HERS}), KEYS).survivor
    assert sorted(index.split(":")[1] for index in found) == [IIN, NAME]
    typed = {"name": "айгул смагулова Сериковна", "birth_date": "1986-04-12", "phone": "87011234567"}
    assert traces(personal(typed), KEYS).survivor < found


@pytest.mark.parametrize("left_out", ["name", "birth_date", "phone"])
def test_a_person_without_number_name_birth_date_or_phone_has_no_index(left_out: str) -> None:
    told = {name: value for name, value in SHE.items() if name != left_out}
    assert traces(personal(told), KEYS).survivor == frozenset()


def test_two_people_of_one_name_never_match_by_it() -> None:
    one = traces(personal(SHE, HE), KEYS)
    for other in ({"birth_date": "1990-01-01"}, {"phone": "+77770000000"}):
        assert one.survivor.isdisjoint(traces(personal({**SHE, **other}, HE), KEYS).survivor)
    assert traces(personal({"name": SHE["name"]}, {"name": HE["name"]}), KEYS) == Traces()


def test_a_number_with_a_wrong_control_digit_is_no_index() -> None:
    assert traces(personal({"iin": "860412400124"}), KEYS).survivor == frozenset()


def test_a_pair_is_found_by_every_combination_of_what_was_told() -> None:
    everything = traces(personal({**SHE, "iin": HERS}, {**HE, "iin": HIS}), KEYS)
    assert len(everything.pair) == 4
    for she in ({"iin": HERS}, SHE):
        for he in ({"iin": HIS}, HE):
            other = traces(personal(she, he), KEYS)
            assert len(other.pair) == 1
            assert same_pair(everything, other)
            assert same_pair(other, everything)
    assert {index.split(":")[1] for index in everything.pair} == {PAIR}


def test_another_offender_or_the_other_way_round_is_another_pair() -> None:
    pair = traces(personal({"iin": HERS}, {"iin": HIS}), KEYS)
    assert not same_pair(pair, traces(personal({"iin": HERS}, {"iin": ANOTHER}), KEYS))
    assert not same_pair(pair, traces(personal({"iin": HIS}, {"iin": HERS}), KEYS))
    assert not same_pair(pair, traces(personal({"iin": HERS}), KEYS))
    assert not same_pair(Traces(), Traces())


def test_two_numbers_are_two_people_though_name_birth_date_and_phone_agree() -> None:
    one = traces(personal({**SHE, "iin": HERS}, {"iin": HIS}), KEYS)
    other = traces(personal({**SHE, "iin": ANOTHER}, {"iin": HIS}), KEYS)
    assert not one.pair.isdisjoint(other.pair)
    assert contradict(one.survivor, other.survivor)
    assert not same_pair(one, other)


def test_during_a_rotation_both_secrets_are_searched_and_the_newest_alone_is_stored() -> None:
    told = personal({**SHE, "iin": HERS}, HE, caller={"phone": "+77070000000"})
    old, search, new = traces(told, KEYS), traces(told, ROTATING), traces(told, ROTATING.newest())
    assert search.all == old.all | new.all
    assert same_pair(old, search)
    assert same_pair(new, search)
    assert old.all.isdisjoint(new.all)
    assert not same_pair(old, new)
    # Numbers under different secrets cannot be compared, so they contradict nothing.
    assert not contradict(old.survivor, traces(personal({"iin": ANOTHER}), ROTATING.newest()).survivor)
    assert contradict(search.survivor, traces(personal({"iin": ANOTHER}), KEYS).survivor)


def test_phones_and_places_are_those_of_survivor_and_caller() -> None:
    home = {"settlement": "Алматы", "street": "ул. Абая", "building": "12", "flat": "5"}
    neighbour = {"phone": "87070000000", "address": {"settlement": "Almaty", "street": "Абая", "building": "12"}}
    found = traces(personal({"phone": SHE["phone"], "address": home}, HE, caller=neighbour), KEYS)
    assert (len(found.phones), len(found.places)) == (2, 2)
    same_house = {**neighbour, "address": {**home, "flat": "77"}}
    assert traces(personal(caller=same_house), KEYS).places < found.places
    assert traces(personal({"address": {"street": "Абая"}}), KEYS).places == frozenset()


def test_indexes_of_different_kinds_tell_nothing_of_one_another() -> None:
    indexes = {KEYS.index("i1", kind, "same").split(":")[2] for kind in ("iin", "name", "phone", "place", "pair")}
    assert len(indexes) == 5
    assert KEYS.index("i1", NAME, "ab", "c") != KEYS.index("i1", NAME, "a", "bc")


def test_an_index_shows_nothing_of_what_it_was_made_from() -> None:
    found = traces(personal({**SHE, "iin": HERS}, {**HE, "iin": HIS}), KEYS).all
    text = " ".join(found).lower()
    assert not [part for part in (HERS, HIS, "1986", "701", "canary", "смаг") if part in text]
    assert str(ROOT) not in repr(KEYS)


def test_without_a_personal_part_there_is_nothing_to_compare() -> None:
    assert traces(None, KEYS) == traces(personal(narrative="x"), KEYS) == Traces()


@pytest.mark.parametrize(
    ("current", "roots", "says"),
    [
        ("i2", {"i1": ROOT}, "none of the secrets"),
        ("i1", {"i1": ROOT[:31]}, "at least 32 bytes"),
        ("i:1", {"i:1": ROOT}, "letters and digits"),
        ("", {"": ROOT}, "letters and digits"),
    ],
)
def test_secrets_that_are_none_are_refused(current: str, roots: dict[str, bytes], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        IndexKeys(current, roots)


json = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(max_size=5), json, max_size=4)


@given(bodies, bodies)
def test_a_request_is_known_again_by_what_it_says_not_by_the_order_of_its_fields(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    digest = body_digest(one, KEYS)
    assert digest.startswith(f"i1:{BODY}:")
    assert is_same_body(digest, dict(reversed(one.items())), KEYS)
    # JSON's true is no 1, though Python's is.
    assert is_same_body(digest, other, KEYS) == (repr_of(one) == repr_of(other))


def repr_of(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{name!r}:{repr_of(value[name])}" for name in sorted(value)) + "}"
    return f"[{','.join(map(repr_of, value))}]" if isinstance(value, list) else repr(value)


def test_a_request_is_known_again_while_its_secret_is_kept() -> None:
    digest = body_digest({"a": 1}, KEYS)
    assert is_same_body(digest, {"a": 1}, ROTATING)
    assert not is_same_body(digest, {"a": 2}, ROTATING)
    assert not is_same_body(digest, {"a": 1}, IndexKeys("i2", {"i2": NEXT}))
