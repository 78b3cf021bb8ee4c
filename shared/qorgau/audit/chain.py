"""What an audit entry is, and how entries are linked: each carries the hash of the one before it. Pure.

A hash is SHA-256 over the canonical JSON (RFC 8785) of everything else in the entry. Instants are text there, because
a JSON number is safe only up to 2^53. An entry holds codes only: what is no code is named by its digest.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import rfc8785

from qorgau.instants import format_instant

Detail = str | Sequence[str]
Linked = Mapping[str, Any]
"""An entry in its place: `seq`, `prev` and `hash` beside what it says."""

_CODE = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._:/@*+-]{0,127}")
_ORIGIN = "qorgau.audit.v1"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: the agency and the subject of their token."""

    agency: str
    subject: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done, not yet in its place. The same `entry_id` is the same entry, however often it comes;
    `at` in microseconds UTC; `details` are names and codes, never what somebody wrote."""

    entry_id: str
    at: int
    kind: str
    actor: Actor
    case: str | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain; `seq` 0 is the beginning, before the first one."""

    service: str
    seq: int
    hash: str


def genesis(service: str, deployment: str) -> Head:
    """The beginning of a chain, another one for every service and deployment: no chain passes for another."""
    origin = {"chain": _ORIGIN, "deployment": deployment, "service": service}
    return Head(service, 0, _sha256(origin))


def append(head: Head, entries: Sequence[Entry]) -> list[Linked]:
    """The entries as they follow this head."""
    linked: list[Linked] = []
    for entry in entries:
        last = _after(head, entry)
        linked.append(last)
        head = head_of(last)
    return linked


def head_of(last: Linked) -> Head:
    """The head of a chain that ends with this entry."""
    return Head(str(last.get("service")), int(last["seq"]), str(last.get("hash")))


def digest(linked: Linked) -> str | None:
    """The hash that an entry must have for what is in it; None where nobody can have written it so."""
    try:
        return _sha256({name: value for name, value in linked.items() if name != "hash"})
    except (rfc8785.CanonicalizationError, RecursionError):
        return None


def code(text: str) -> str:
    """The text where it is a code; otherwise its digest, so that nothing personal gets in and nothing is lost."""
    if _CODE.fullmatch(text):
        return text
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"


def _after(head: Head, entry: Entry) -> Linked:
    body = {
        "seq": head.seq + 1,
        "at": format_instant(entry.at),
        "service": head.service,
        "kind": code(entry.kind),
        "actor": {"agency": code(entry.actor.agency), "subject": code(entry.actor.subject)},
        "case": None if entry.case is None else code(entry.case),
        "details": {code(name): _coded(value) for name, value in entry.details.items()},
        "entry_id": code(entry.entry_id),
        "prev": head.hash,
    }
    return body | {"hash": _sha256(body)}


def _coded(value: Detail) -> str | list[str]:
    return code(value) if isinstance(value, str) else [code(one) for one in value]


def _sha256(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(dict(value))).hexdigest()
