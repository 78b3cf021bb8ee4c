"""Which policy is in force at an instant: a policy comes into force by an event of its own (ADR 14). Pure.

Reading the topic and acting on it are `shell/policies.py`'s.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from qorgau.instants import format_instant, parse_instant
from qorgau.rules import Policy

EVENT = "qorgau.policy.activated.v1"
SOURCE = "system/command"
# A policy of ten times as many rules has a tenth of it; a record of Kafka cannot be much longer.
LONGEST = 512 * 1024
# Before every instant that can be written.
ALWAYS = -(2**62)

Order = tuple[int, int]
"""From when a policy is in force, and its number: of two, the greater is in force."""

FILE: Order = (ALWAYS, -1)
"""The policy of a file is in force until the first one was activated."""


class NotAnActivation(ValueError):
    """A record of the topic is no activation; the message says why and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Activation:
    """The text of a policy that is in force from `begins` on; `number` is its offset in the topic."""

    begins: int
    number: int
    text: str

    @property
    def order(self) -> Order:
        return self.begins, self.number


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy and since when it is in force."""

    policy: Policy
    order: Order = FILE

    @property
    def begins(self) -> int | None:
        """None where nobody activated it."""
        return None if self.order == FILE else self.order[0]


def newest(activations: Iterable[Activation], now: int) -> Activation | None:
    """The one in force at `now`; None where none is yet."""
    begun = [one for one in activations if one.begins <= now]
    return max(begun, key=lambda one: one.order) if begun else None


def next_change(activations: Iterable[Activation], order: Order) -> int | None:
    """When another policy than that of `order` comes into force, None where none is to."""
    return min((one.begins for one in activations if one.order > order), default=None)


def value_of(text: str, begins: int, policy: Policy) -> bytes:
    """The value of a record that puts this policy in force; `policy` is what the text says."""
    frame = policy.policy
    about = {"id": frame.id, "version": frame.version, "fingerprint": policy.fingerprint}
    return orjson.dumps({"from": format_instant(begins), **about, "policy": text})


def read_activation(value: bytes | None, number: int) -> Activation:
    """The activation in the value of a record; raises NotAnActivation. Whether the policy can be right is not looked
    at: that depends on the program."""
    try:
        content: Any = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        raise NotAnActivation("it is not JSON") from None
    if not isinstance(content, dict) or not all(isinstance(content.get(name), str) for name in ("from", "policy")):
        raise NotAnActivation("it lacks from or policy")
    try:
        return Activation(parse_instant(content["from"]), number, content["policy"])
    except ValueError:
        raise NotAnActivation("from is no instant") from None
