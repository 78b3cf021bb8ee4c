"""A court that stops: how long until every hearing listed there is suspended, against as many facts of its own."""

import asyncio
import time
from collections.abc import Iterable, Iterator

from benchmarks.bare import PATIENCE
from benchmarks.figures import Figure, say
from benchmarks.rig import Rig, rig
from qorgau.bus import Outgoing, Topic
from qorgau.facts import Fact
from qorgau.front.envelope import to_kafka
from qorgau.instants import DAY, HOUR, MINUTE, format_instant
from qorgau.vocabulary import COURT, facts_topic

NAME = "stops"
REGION = "KZ-75"
_LOOK_EVERY = 0.05


def run(short: bool) -> list[Figure]:
    """One fact that suspends all hearings of a court, and a court that posts the suspension of each itself."""
    return asyncio.run(_run(*((300, 1) if short else (10_000, 3))))


async def _run(hearings: int, rounds: int) -> list[Figure]:
    said, ours, other = [], [], []
    async with rig(COURT) as servers, servers.tracking():
        for number in range(rounds):
            courts = [f"{REGION}-{2 * number + place:02}" for place in (1, 2)]
            for court in courts:
                say(f"stops: round {number + 1} of {rounds}, {hearings:,} hearings are listed before {court}")
                await servers.produce(list(map(_record, _listed(court, hearings))))
                await _shown(servers, court, "listed", hearings)
            told, shown = await _timed(servers, courts[0], hearings, [_stop(courts[0])])
            said.append(told)
            ours.append(shown)
            other.append((await _timed(servers, courts[1], hearings, list(_suspended(courts[1], hearings))))[1])
    name, each = f"{hearings:,} hearings suspended", "a fact of the court for each, shown in its list"
    return [
        Figure(NAME, name, "s", "one fact of the court, all said in the log", each, said, other, "ours < 10 s"),
        Figure(NAME, name, "s", "one fact of the court, all shown in its list", each, ours, other),
    ]


async def _timed(servers: Rig, court: str, hearings: int, facts: Iterable[Fact]) -> tuple[float, float]:
    """Seconds from the first fact in the log to the last suspension in it, and to the last that is shown."""
    records, topic = list(map(_record, facts)), Topic(servers.pair.kafka, facts_topic(COURT))
    before = sum(await topic.ends())
    begun = time.perf_counter()
    await servers.produce(records)
    while sum(await topic.ends()) < before + hearings:
        _in_time(begun)
        await asyncio.sleep(_LOOK_EVERY)
    told = time.perf_counter() - begun
    await _shown(servers, court, "suspended", hearings)
    return told, time.perf_counter() - begun


async def _shown(servers: Rig, court: str, state: str, number: int) -> None:
    rows = servers.database()["listed"]
    begun = time.perf_counter()
    while await rows.count_documents({"kind": "hearings", "court": court, "state": state}) < number:
        _in_time(begun)
        await asyncio.sleep(_LOOK_EVERY)


def _in_time(begun: float) -> None:
    if time.perf_counter() - begun > 10 * PATIENCE:
        raise TimeoutError("the tracker does not get on")


def _stop(court: str) -> Fact:
    data = {"court": court, "legal_basis": "state_of_emergency", "tolls_term": True}
    return _fact(court, "s", "operations_limited", _now(), None, **data)


def _listed(court: str, hearings: int) -> Iterator[Fact]:
    now = _now()
    for number in range(hearings):
        case, protocol = f"{court}-{number}", {"protocol_id": f"p{number}"}
        registered = {**protocol, "court": court, "arrest_eligible": False}
        yield _fact(court, "r", "case_registered", now - HOUR, case, **registered)
        date = {"hearing_id": f"h{number}", "scheduled_for": format_instant(now + 10 * DAY)}
        yield _fact(court, "l", "hearing_scheduled", now - MINUTE, case, **protocol, **date)


def _suspended(court: str, hearings: int) -> Iterator[Fact]:
    now = _now()
    for number in range(hearings):
        data = {"protocol_id": f"p{number}", "hearing_id": f"h{number}", "legal_basis": "state_of_emergency"}
        yield _fact(court, "s", "hearing_suspended", now, f"{court}-{number}", tolls_term=True, **data)


def _fact(unit: str, id: str, type: str, at: int, case: str | None, **data: object) -> Fact:
    return Fact(id, f"court/{unit}", f"court.{type}", at, at, case, {"region": REGION, **data})


def _record(fact: Fact) -> Outgoing:
    return Outgoing(facts_topic(COURT), *to_kafka(fact))


def _now() -> int:
    return time.time_ns() // 1_000
