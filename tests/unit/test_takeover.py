"""Taking partitions over: what the topic tells and the database does not know, and parked facts with room now."""

import json
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, cast

from qorgau.facts import Fact
from qorgau.instants import HOUR
from qorgau.record import CaseRecord
from qorgau.rows import FlagEvent, FlagRow
from qorgau.shell.corridor import CaseLimits
from qorgau.shell.documents import Stored, flag_event
from qorgau.shell.follower import LogRecord
from qorgau.shell.progress import Progress
from qorgau.shell.takeover import TakeOver
from qorgau.store import Store
from qorgau.surge.case import surge_case
from qorgau.vocabulary import COURT, POLICE

AT = 1_000 * HOUR
ROW = FlagRow("c1", "P03", "", "breach", "critical", AT, AT + HOUR, AT + HOUR, region="KZ-75", agency="102/KZ-75")


@dataclass
class Shelf:
    """A database and a flags topic of two partitions in memory, as far as a take-over looks at them."""

    log: list[LogRecord] = field(default_factory=list)
    cases: dict[str, Stored] = field(default_factory=dict)
    waiting: list[Fact] = field(default_factory=list)
    positions_of: dict[tuple[str, int], int] = field(default_factory=dict)

    async def ends(self) -> Sequence[int]:
        return [max((one.offset + 1 for one in self.log if one.partition == number), default=0) for number in (0, 1)]

    async def follow(self, offsets: Sequence[int]) -> AsyncGenerator[Sequence[LogRecord], None]:
        yield [one for one in self.log if one.offset >= offsets[one.partition]]

    async def positions(self, places: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
        return {place: self.positions_of.get(place, 0) for place in places}

    async def save(self, what: Any, judged: Collection[int] = ()) -> Any:
        """Positions, or cases."""
        if isinstance(what, dict):
            self.positions_of |= what
            return None
        self.cases |= {stored.record.case: replace(stored, version="1.x") for stored in what}
        return {}, set[str]()

    async def swept(self, fingerprint: str, number: int | None = None) -> set[int]:
        return {0, 1}

    def partition(self, case: str) -> int:
        return 0 if case.startswith(("c", "surge-")) else 1

    async def load(self, cases: Collection[str]) -> dict[str, Stored]:
        return {case: self.cases.get(case, Stored(CaseRecord(case))) for case in cases}

    change = Store.change

    async def parked(self) -> list[Fact]:
        return self.waiting

    async def unpark(self, facts: Sequence[Fact]) -> None:
        self.waiting = [fact for fact in self.waiting if fact not in facts]

    def take_over(self, facts: int = 9) -> TakeOver:
        store, progress = cast(Store, self), cast(Progress, self)
        return TakeOver(POLICE, self, store, progress, "print", CaseLimits(facts, facts))

    def tell(self, row: FlagRow, service: str = POLICE, partition: int = 0, **changed: Any) -> None:
        event = flag_event(FlagEvent("raised", row, row.raised_at, len(self.log) + 1), row.raised_at)
        value = json.dumps(json.loads(event.value) | changed).encode()
        self.log.append(LogRecord(partition, len(self.log), b"c1", event.headers(service, row.case), value))


async def test_what_was_told_and_is_not_known_keeps_the_record_silent() -> None:
    shelf = Shelf()
    shelf.tell(ROW)
    await shelf.take_over().begin(frozenset({0}))
    told = shelf.cases["c1"].told
    assert told is not None
    assert (told.at, told.seq, list(told.rows)) == (AT + HOUR, 1, [ROW.id])


async def test_what_the_positions_say_is_known_is_not_read_again() -> None:
    shelf = Shelf(positions_of={("qorgau.flags", 0): 1})
    shelf.tell(ROW)
    await shelf.take_over().begin(frozenset({0}))
    assert shelf.cases == {}


async def test_what_others_tell_and_what_is_no_flag_of_ours_changes_nothing_and_stops_nothing() -> None:
    shelf = Shelf()
    shelf.tell(ROW, service=COURT)
    shelf.tell(ROW, id=None)
    shelf.tell(ROW, escalations=[1])
    shelf.tell(ROW, raised_at="soon")
    shelf.tell(replace(ROW, case="elsewhere"))
    shelf.log.append(LogRecord(0, 5, None, [("ce_source", b"system/police-dispatch")], b"\xff"))
    await shelf.take_over().begin(frozenset({0}))
    assert shelf.cases == {}
    assert shelf.positions_of == {("qorgau.flags", 0): 6}


async def test_the_flags_of_a_surge_are_of_no_case_whose_history_could_lack_them() -> None:
    shelf = Shelf()
    shelf.tell(replace(ROW, case=surge_case("KZ-75", date(2031, 4, 20)), rule="F8", level="flag"))
    await shelf.take_over().begin(frozenset({0}))
    assert shelf.cases == {}
    assert shelf.positions_of == {("qorgau.flags", 0): 1}


async def test_parked_facts_are_filed_as_far_as_there_is_room_now() -> None:
    facts = [Fact(f"f{n}", "102/KZ-75", "police.dispatched", AT, AT, "c1", {"region": "KZ-75"}) for n in range(3)]
    full = Stored(CaseRecord("c1", tuple(facts[:1])), version="1.x", full=True)
    shelf = Shelf(cases={"c1": full}, waiting=facts[1:])
    await shelf.take_over(facts=2).begin(frozenset({0}))
    assert (len(shelf.cases["c1"].record.facts), shelf.cases["c1"].full, shelf.waiting) == (2, True, facts[2:])
    await shelf.take_over(facts=3).begin(frozenset({0}))
    assert (len(shelf.cases["c1"].record.facts), shelf.cases["c1"].full, shelf.waiting) == (3, False, [])
