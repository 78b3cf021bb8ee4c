"""What is sealed: the form byte by byte, against a second implementation, and every attack on the ciphertext."""

import struct

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from intake.vault.sealing import KEY_BYTES, NONCE_BYTES, Unsealable, seal, unseal, unwrap_key, wrap_key

KEY = bytes(range(32))
NONCE = bytes(range(100, 112))
# Made once with the raw cipher: an upgrade that could not read what is stored would fail here.
KNOWN = (
    "010264316465666768696a6b6c6d6e6f481bde6aa9798627eed18e6b0adebb7142c2060a8b6cf372a7d1ac48fba3a548"
    "94e940c04c129b04fdf3783ffd42cacf1b5b98e7204a4128faf1acd6ef81a58a39b771dbe91a7cd277c8b4538d38e3e8"
)
texts = st.text(max_size=40)
key_ids = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)


def lengthened(*pieces: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(piece)) + piece for piece in pieces)


def sealed_by_hand(case: str, field: str, plaintext: bytes, key_id: str) -> bytes:
    """The form as sealing.py documents it, written a second time."""
    bound = lengthened(b"qorgau-field-1", case.encode(), field.encode(), key_id.encode())
    told = struct.pack(">I", len(plaintext)) + plaintext
    for length in (64, 128, 256, 512, *range(1024, 40 * 1024, 1024)):
        if len(told) <= length:
            told += b"\0" * (length - len(told))
            break
    return b"\x01" + bytes([len(key_id)]) + key_id.encode() + NONCE + AESGCM(KEY).encrypt(NONCE, told, bound)


def fixed_nonce(length: int) -> bytes:
    assert length == NONCE_BYTES
    return NONCE


@given(texts, texts, st.binary(max_size=3000), key_ids)
def test_a_second_implementation_of_the_form_gives_the_same_bytes(
    case: str, field: str, plaintext: bytes, key_id: str
) -> None:
    assert seal(case, field, plaintext, KEY, key_id, fixed_nonce) == sealed_by_hand(case, field, plaintext, key_id)


def test_a_known_seal_still_opens() -> None:
    known = bytes.fromhex(KNOWN)
    assert unseal("c1", "survivor.name", known, KEY, "d1") == "Айгуль".encode()
    assert seal("c1", "survivor.name", "Айгуль".encode(), KEY, "d1", fixed_nonce) == known


@given(texts, texts, st.binary(max_size=3000), key_ids)
def test_what_was_sealed_opens_again(case: str, field: str, plaintext: bytes, key_id: str) -> None:
    assert unseal(case, field, seal(case, field, plaintext, KEY, key_id), KEY, key_id) == plaintext


def test_two_seals_of_the_same_are_different() -> None:
    assert len({seal("c1", "f", b"yes", KEY, "d1") for _ in range(100)}) == 100


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_short_fields_are_all_as_long_as_one_another(one: bytes, other: bytes) -> None:
    assert len(seal("c1", "f", one, KEY, "d1")) == len(seal("c1", "f", other, KEY, "d1"))


@pytest.mark.parametrize(("plain", "padded"), [(0, 64), (60, 64), (61, 128), (508, 512), (509, 1024), (1021, 2048)])
def test_lengths_come_in_few_sizes(plain: int, padded: int) -> None:
    assert len(seal("c1", "f", b"x" * plain, KEY, "d1")) == 2 + 2 + 12 + padded + 16


@given(st.data())
def test_every_changed_bit_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(seal("c1", "f", b"a text", KEY, "d1"))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unsealable):
        unseal("c1", "f", bytes(sealed), KEY, "d1")


def test_every_cut_and_every_addition_is_noticed() -> None:
    sealed = seal("c1", "f", b"a text", KEY, "d1")
    for length in range(len(sealed)):
        with pytest.raises(Unsealable):
            unseal("c1", "f", sealed[:length], KEY, "d1")
    for more in (b"\0", b"\0" * 64, sealed):
        with pytest.raises(Unsealable):
            unseal("c1", "f", sealed + more, KEY, "d1")


@pytest.mark.parametrize(
    ("case", "field", "key_id"),
    [("c2", "f", "d1"), ("c1", "g", "d1"), ("c1", "f", "d2"), ("c1f", "", "d1"), ("", "c1f", "d1"), ("c1", "fd", "1")],
)
def test_a_field_moved_to_another_place_does_not_open(case: str, field: str, key_id: str) -> None:
    sealed = seal("c1", "f", b"a text", KEY, "d1")
    with pytest.raises(Unsealable):
        unseal(case, field, sealed, KEY, key_id)


@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_no_two_places_are_bound_to_the_same_bytes(one: tuple[str, str], other: tuple[str, str]) -> None:
    sealed = seal(*one, b"", KEY, "d1")
    if one != other:
        with pytest.raises(Unsealable):
            unseal(*other, sealed, KEY, "d1")


def test_another_key_or_a_key_of_another_length_does_not_open() -> None:
    sealed = seal("c1", "f", b"a text", KEY, "d1")
    for key in (bytes(32), KEY[:16], b"", KEY + b"\0"):
        with pytest.raises(Unsealable):
            unseal("c1", "f", sealed, key, "d1")
    with pytest.raises(Unsealable):
        seal("c1", "f", b"a text", KEY[:16], "d1")


def test_the_id_of_a_key_that_was_renamed_in_the_header_does_not_open() -> None:
    sealed = seal("c1", "f", b"a text", KEY, "d1")
    with pytest.raises(Unsealable):
        unseal("c1", "f", sealed.replace(b"d1", b"d2", 1), KEY, "d2")


@pytest.mark.parametrize("key_id", ["", "k" * 256])
def test_a_key_needs_an_id_that_fits(key_id: str) -> None:
    with pytest.raises(ValueError, match="1 to 255 bytes"):
        seal("c1", "f", b"", KEY, key_id)
    with pytest.raises(Unsealable):
        unseal("c1", "f", b"\x01\x00" + bytes(100), KEY, key_id)


def test_a_padding_that_claims_more_than_there_is_does_not_open() -> None:
    bound = lengthened(b"qorgau-field-1", b"c1", b"f", b"d1")
    forged = AESGCM(KEY).encrypt(NONCE, struct.pack(">I", 1000) + bytes(60), bound)
    with pytest.raises(Unsealable):
        unseal("c1", "f", b"\x01\x02d1" + NONCE + forged, KEY, "d1")


def test_every_refusal_says_the_same_and_holds_nothing() -> None:
    sealed = seal("c1", "f", b"canary", KEY, "d1")
    told = set()
    for attempt in (sealed[:5], sealed[:-1] + b"\0", sealed.replace(b"d1", b"d2", 1), b""):
        with pytest.raises(Unsealable) as refused:
            unseal("c1", "f", attempt, KEY, "d1")
        told.add((str(refused.value), str(refused.value.problem()), refused.value.__cause__))
    assert told == {("A sealed field cannot be opened", told.copy().pop()[1], None)}
    assert "canary" not in str(told)


def test_a_wrapped_data_key_opens_only_with_its_key_its_name_and_its_case() -> None:
    kek, data_key = bytes(32), bytes(range(32, 64))
    wrapped = wrap_key(data_key, kek, "k1", "c1")
    assert unwrap_key(wrapped, kek, "k1", "c1") == data_key
    by_hand = AESGCM(kek).decrypt(wrapped[:12], wrapped[12:], lengthened(b"qorgau-wrap-1", b"k1", b"c1"))
    assert by_hand == data_key
    assert len(data_key) == KEY_BYTES
    for attempt in (
        (wrapped, KEY, "k1", "c1"),
        (wrapped, kek, "k2", "c1"),
        (wrapped, kek, "k1", "c2"),
        (wrapped[:-1], kek, "k1", "c1"),
        (wrapped + b"\0", kek, "k1", "c1"),
        (bytes(len(wrapped)), kek, "k1", "c1"),
        (b"", kek, "k1", "c1"),
    ):
        with pytest.raises(Unsealable):
            unwrap_key(*attempt)
