"""Who gives an official number to a case is written down before it is given, and the number is not."""

from collections.abc import Sequence
from typing import Any

import pytest

from qorgau.audit.chain import Entry
from qorgau.audit.hosted import references_in
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.front.references import digest
from qorgau.front.registering import Registry
from qorgau.identity.sender import Sender

SECRET = "a key of the tests that is long enough"
FACT = Fact("f1", "102/KZ-75", "police.arrived", 1, 2, "c1", {"region": "KZ-75"})
SENDER = Sender("102/KZ-75", frozenset({"facts:write"}), frozenset({"KZ-75"}), subject="desk-3")


class World:
    """The audit, the topic, the room and the cases; it remembers what happened in which order."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Any]] = []
        self.known: dict[str, str] = {}
        self.away = False

    async def append(self, entries: Sequence[Entry]) -> None:
        if self.away:
            raise Unavailable
        self.done += [("audit", entry) for entry in entries]

    async def announce(self, name: str, value: bytes) -> int:
        self.done.append(("topic", name))
        return 0

    async def cases_of(self, names: set[str]) -> dict[str, str]:
        return {name: self.known[name] for name in names & self.known.keys()}

    async def register(self, name: str, case: str, offset: int, agency: str | None) -> str:
        return self.known.setdefault(name, case)

    async def facts_of(self, case: str) -> tuple[Fact, ...]:
        return (FACT,)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def registry(world: World) -> Registry:
    anything: Any = world
    return Registry(anything, anything, world.facts_of, SECRET, {"102"}, references_in(anything, lambda: 7))


async def test_it_is_in_the_chain_before_it_is_in_the_topic_and_not_again(world: World, registry: Registry) -> None:
    assert await registry.register("erdr", "25-1234", "c1", SENDER)
    assert not await registry.register("erdr", "25-1234", "c1", SENDER)
    name = digest(SECRET, "erdr", "25-1234")
    (first, entry), second = world.done
    assert (first, second) == ("audit", ("topic", name))
    assert (entry.kind, entry.case, entry.at) == ("reference.registering", "c1", 7)
    assert (entry.actor.agency, entry.actor.subject) == ("102/KZ-75", "desk-3")
    assert dict(entry.details) == {"reference": name}
    assert "25-1234" not in str(entry)


async def test_what_cannot_be_written_down_is_not_done(world: World, registry: Registry) -> None:
    world.away = True
    with pytest.raises(Unavailable):
        await registry.register("erdr", "25-1234", "c1", SENDER)
    assert (world.done, world.known) == ([], {})


async def test_repeated_it_is_the_same_entry_and_of_another_sender_another_one(
    world: World, registry: Registry
) -> None:
    other = Sender("102/KZ-75", frozenset({"facts:write"}), frozenset({"KZ-75"}), subject="desk-4")
    for sender in (SENDER, SENDER, other):
        world.known.clear()
        await registry.register("erdr", "25-1234", "c1", sender)
    ids = [entry.entry_id for what, entry in world.done if what == "audit"]
    assert ids[0] == ids[1] != ids[2]
