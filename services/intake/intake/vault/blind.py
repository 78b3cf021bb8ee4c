"""Blind indexes: keyed digests by which the same person, pair, phone or building is found without plaintext. Pure.

HMAC-SHA-256 (RFC 2104) of the canonical form, under keys that HKDF (RFC 5869) derives from an index secret, one for
each kind, so that a phone's index tells nothing of a person's. The secret is none of the keys that wrap data keys.
An index is `KEY:KIND:DIGEST`; it stays in the vault, as no form of an IIN, hashed or not, may stand in a fact.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, product
from typing import Any

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from intake.vault.canonical import iin_holds, name_key, place_key
from intake.vault.form import Personal
from intake.vault.people import Address, Person

ROOT_BYTES = 32
IIN, NAME, PHONE, PLACE, PAIR, BODY = "iin", "name", "phone", "place", "pair", "body"

_INFO = b"qorgau-index-1 "
_NAME_LENGTH = 16

Indexes = frozenset[str]


@dataclass(frozen=True, slots=True)
class IndexKeys:
    """Index secrets by their ids. New indexes are made under the current one; during a rotation all are searched."""

    current: str
    roots: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.roots:
            raise ValueError("the current index secret is none of the secrets")
        for name, root in self.roots.items():
            if not (name.isascii() and name.isalnum() and len(name) <= _NAME_LENGTH):
                raise ValueError(f"an index secret's id is 1 to {_NAME_LENGTH} letters and digits")
            if len(root) < ROOT_BYTES:
                raise ValueError(f"an index secret has at least {ROOT_BYTES} bytes")

    def newest(self) -> "IndexKeys":
        """The current secret alone: what is stored is made under it."""
        return IndexKeys(self.current, {self.current: self.roots[self.current]})

    def index(self, name: str, kind: str, *parts: str) -> str:
        """The index of something under one of the secrets."""
        told = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        digest = hmac.digest(_derived(self.roots[name], kind), told, "sha256")
        return f"{name}:{kind}:{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


@dataclass(frozen=True, slots=True)
class Traces:
    """What can be compared of one report: who (by every index that was told), which pair, whose phones, where."""

    survivor: Indexes = frozenset()
    offender: Indexes = frozenset()
    pair: Indexes = frozenset()
    phones: Indexes = frozenset()
    places: Indexes = frozenset()

    @property
    def all(self) -> Indexes:
        """Every index, to search by."""
        return self.survivor | self.offender | self.pair | self.phones | self.places


def traces(personal: Personal | None, keys: IndexKeys) -> Traces:
    """The traces of a report under each of the secrets: `keys.newest()` to store, all of them to search."""
    if personal is None:
        return Traces()
    each = [_traces(personal, name, keys) for name in keys.roots]
    return Traces(
        survivor=_union(made.survivor for made in each),
        offender=_union(made.offender for made in each),
        pair=_union(made.pair for made in each),
        phones=_union(made.phones for made in each),
        places=_union(made.places for made in each),
    )


def same_pair(one: Traces, other: Traces) -> bool:
    """Whether two reports are about the same survivor and alleged offender. The roles count: the same two people the
    other way round are another pair. Two different IINs are two people, whatever else agrees."""
    return (
        not one.pair.isdisjoint(other.pair)
        and not contradict(one.survivor, other.survivor)
        and not contradict(one.offender, other.offender)
    )


def contradict(one: Indexes, other: Indexes) -> bool:
    """Whether two people cannot be the same one: each has an IIN, and not the same."""
    ours, theirs = _iins(one), _iins(other)
    comparable = ours.keys() & theirs.keys()
    return bool(comparable) and all(ours[name].isdisjoint(theirs[name]) for name in comparable)


def body_digest(body: Mapping[str, Any], keys: IndexKeys) -> str:
    """A keyed digest of a request's body, whatever the order of its names: the same request is known again without
    keeping what it said."""
    return keys.index(keys.current, BODY, _canonical(body))


def is_same_body(digest: str, body: Mapping[str, Any], keys: IndexKeys) -> bool:
    """Whether a digest is of this body, also when it was made under an older secret that is still kept."""
    name = digest.partition(":")[0]
    return name in keys.roots and hmac.compare_digest(digest, keys.index(name, BODY, _canonical(body)))


def _traces(personal: Personal, name: str, keys: IndexKeys) -> Traces:
    survivor, caller = personal.survivor, personal.caller
    told_of = [each for each in (survivor, caller) if each is not None]
    phones = [each.phone for each in told_of if each.phone is not None]
    places = [place for each in told_of if (place := _place(each.address))]
    persons = [frozenset(_person(each, name, keys)) for each in (survivor, personal.alleged_offender)]
    return Traces(
        survivor=persons[0],
        offender=persons[1],
        # Every combination, so that a pair told once by numbers and once by names is found by whatever both told.
        pair=frozenset(keys.index(name, PAIR, *both) for both in product(*persons)),
        phones=frozenset(keys.index(name, PHONE, phone) for phone in phones),
        places=frozenset(keys.index(name, PLACE, place) for place in places),
    )


def _union(indexes: Iterable[Indexes]) -> Indexes:
    return frozenset(chain.from_iterable(indexes))


def _person(person: Person | None, name: str, keys: IndexKeys) -> Iterable[str]:
    """Each index by which a person can be known again. A name alone is none: too many share it."""
    if person is None:
        return
    # A number with a wrong control digit would link strangers who were mistyped alike.
    if person.iin is not None and iin_holds(person.iin):
        yield keys.index(name, IIN, person.iin)
    called = name_key(person.name or "")
    if called and person.birth_date is not None and person.phone is not None:
        yield keys.index(name, NAME, called, person.birth_date, person.phone)


def _iins(indexes: Indexes) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for index in indexes:
        name, kind, _ = index.split(":")
        if kind == IIN:
            found.setdefault(name, set()).add(index)
    return found


def _place(address: Address | None) -> str:
    if address is None:
        return ""
    return place_key([address.settlement or "", address.street or "", address.building or ""])


def _canonical(body: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(body), option=orjson.OPT_SORT_KEYS).decode()


@lru_cache(maxsize=64)
def _derived(root: bytes, kind: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=_INFO + kind.encode()).derive(root)
