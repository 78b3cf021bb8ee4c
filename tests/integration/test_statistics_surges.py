"""Counts and surges on the real database: once however often, told after a crash, the same when made again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from intake.statistics.counting import Report
from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.front.envelope import from_kafka
from qorgau.front.flagbook import flag_entry
from qorgau.heart.tolls import FOREVER
from qorgau.instants import DAY, HOUR, format_instant
from qorgau.shell.edition import begin_next
from tests.surging import (
    PARTITIONS,
    SURGING,
    Service,
    a_service,
    day,
    merge,
    number_of,
    ready,
    report,
    reports,
    withdrawal,
)


@pytest.fixture
async def service(pair: Pair) -> AsyncIterator[Service]:
    async with a_service(pair.mongo) as made:
        yield made


async def test_whatever_comes_first_and_however_often_each_report_counts_once(service: Service) -> None:
    one, two, three = report(0, 0), report(0, 1), report(0, 2)
    gone, merged = withdrawal(one, ready(0)), merge(two, ready(0))
    service.log.post([gone, merged, one, two, three, three, two, one, replace(three, time=three.time + DAY), gone])
    replica = await service.replica()
    again = await service.replica()
    for of in (replica, again):
        found = await of.watch.counted.of_region("KZ-33", 0, FOREVER)
        assert sorted(found, key=lambda report: report.time) == [
            report_of(one, gone.known_at),
            report_of(two, merged.known_at),
            report_of(three, FOREVER),
        ]
    assert await service.database["counted"].count_documents({"known": {"$exists": True}}) == 4


def report_of(fact: Fact, until: int) -> Report:
    return Report("KZ-33", "102", fact.time, ((fact.known_at, until),))


async def test_a_surge_is_told_at_its_instant_and_a_second_replica_and_a_second_look_change_nothing(
    service: Service,
) -> None:
    service.log.post(reports(SURGING))
    first, second = await service.replica(), await service.replica()
    service.clock.at = ready(10) - 1
    await first.watch.look()
    assert service.events() == []
    service.clock.at = ready(11) - 1
    for _ in range(2):
        await asyncio.gather(first.watch.look(), second.watch.look(), return_exceptions=True)
    assert set(service.events()) == {("raised", day(10), 1)}
    (flag, *_) = service.items()
    assert (flag["raised_at"], flag["region"], flag["key"]) == (format_instant(ready(10)), "KZ-33", "102")
    service.clock.at = ready(12)
    for _ in range(2):
        await asyncio.gather(first.watch.look(), second.watch.look(), return_exceptions=True)
    assert set(service.events()) == {("raised", day(10), 1), ("cleared", day(10), 2)}
    assert service.items()[-1]["cleared_at"] == format_instant(ready(11))
    assert await second.watch.book.untold(range(PARTITIONS)) == []


async def test_only_who_has_its_partition_tells_of_a_day(service: Service) -> None:
    service.log.post(reports([*SURGING[:11], 60, 200]))
    service.clock.at = ready(12)
    replica = await service.replica()
    replica.mine = frozenset({0, 1})
    await replica.watch.look()
    mine = {int(number_of(record.key.decode())) for record in service.kafka.told}
    told = len(service.kafka.told)
    assert mine <= {0, 1}
    other = await service.replica()
    other.mine = frozenset({2, 3})
    await other.watch.look()
    assert {number_of(record.key.decode()) for record in service.kafka.told[told:]} <= {2, 3}
    assert sorted(service.events()) == [("raised", day(number), 1) for number in (10, 11, 12)]


async def test_what_was_saved_and_not_told_is_told_by_the_next_one(service: Service) -> None:
    service.log.post(reports(SURGING))
    service.clock.at = ready(10)
    first = await service.replica()
    service.kafka.away = True
    with pytest.raises(Unavailable):
        await first.watch.look()
    service.kafka.away = False
    assert service.events() == []
    second = await service.replica()
    await second.watch.look()
    await second.watch.look()
    assert service.events() == [("raised", day(10), 1)]


async def test_late_facts_withdrawals_and_merges_change_what_is_up_at_the_instant_they_are_known(
    service: Service,
) -> None:
    service.log.post(reports([*SURGING[:10], 8]))
    replica = await service.replica()
    service.clock.at = ready(10) + HOUR
    await replica.watch.look()
    at = ready(10) + 2 * HOUR
    service.log.post([withdrawal(report(10, 0), at), merge(report(10, 1), at)])
    service.clock.at = at + HOUR
    await service.caught_up(replica)
    await replica.watch.look()
    assert service.events() == [("raised", day(10), 1), ("cleared", day(10), 2)]
    late = [replace(report(10, number), recorded=at + 2 * HOUR) for number in (8, 9)]
    service.log.post(late)
    await service.caught_up(replica)
    service.clock.at = at + 3 * HOUR
    await replica.watch.look()
    assert service.events()[2:] == [("raised", day(10), 3)]
    assert [item["raised_at"] for item in service.items()[2:]] == [format_instant(at + 2 * HOUR)]
    # Known before what was judged already: it counts right after.
    judged = service.clock.at
    service.log.post([withdrawal(report(10, number), at) for number in range(2, 10)])
    await service.caught_up(replica)
    service.clock.at += HOUR
    await replica.watch.look()
    assert service.items()[-1]["cleared_at"] == format_instant(judged + 1)


async def test_a_merge_whose_withdrawal_was_known_before_it_takes_nothing_out(service: Service) -> None:
    service.log.post(reports([*SURGING[:10], 8]))
    at = ready(10) + HOUR
    # In either order in the log. Two reports fewer would be no surge.
    one, other = merge(report(10, 0), at + HOUR), merge(report(10, 1), at + HOUR)
    service.log.post([withdrawal(one, at), one, other, withdrawal(other, at)])
    replica = await service.replica()
    service.clock.at = at + 2 * HOUR
    await replica.watch.look()
    assert service.events() == [("raised", day(10), 1)]
    found = await replica.watch.counted.of_region("KZ-33", 0, FOREVER)
    assert len(found) == sum(SURGING[:10]) + 8
    assert all(counting.spans == ((counting.time, FOREVER),) for counting in found)


async def test_counts_that_are_made_again_neither_lose_nor_repeat_a_flag(service: Service) -> None:
    service.log.post(reports(SURGING))
    replica = await service.replica()
    service.clock.at = ready(10)
    await replica.watch.look()
    await begin_next(service.database)
    async with asyncio.timeout(20):
        while replica.follower.edition.number == 0:
            # While they are made again nothing is judged of what is not whole.
            await replica.watch.look()
            await asyncio.sleep(0.01)
    await service.caught_up(replica)
    for at in (ready(10) + HOUR, ready(11), ready(12)):
        service.clock.at = at
        await replica.watch.look()
    assert service.events() == [("raised", day(10), 1), ("cleared", day(10), 2)]


async def test_a_lost_database_is_taken_over_from_the_topic_and_nothing_is_told_again(service: Service) -> None:
    service.log.post(reports(SURGING))
    replica = await service.replica()
    service.clock.at = ready(10)
    await replica.watch.look()
    told = [flag_entry(from_kafka(record.headers, record.value)) for record in service.kafka.told]
    for name in ("surges", "surges_judged", "counted", "followed"):
        await service.database.drop_collection(name)
    fresh = await service.replica()
    await fresh.watch.book.remember(told)
    service.clock.at = ready(12)
    await fresh.watch.look()
    assert service.events() == [("raised", day(10), 1), ("cleared", day(10), 2)]


async def test_the_metrics_show_how_it_compares_and_never_counts_that_are_not_published(service: Service) -> None:
    service.log.post([*reports(SURGING[:11]), *reports([1] * 11, "150")])
    service.clock.at = ready(10)
    replica = await service.replica()
    await replica.watch.look()
    text = replica.metrics.text().decode()
    assert 'qorgau_reports_to_usual_ratio{channel="102",period="day",region="KZ-33"} 4.0' in text
    assert 'qorgau_reports_to_usual_p{channel="102",period="day",region="KZ-33"}' in text
    assert 'qorgau_surge_alarms{channel="102",period="day",region="KZ-33"} 1.0' in text
    assert 'qorgau_flags_open{level="flag",region="KZ-33",rule="F8",severity="medium"} 1.0' in text
    assert 'channel="150"' not in text
    service.clock.at = ready(12)
    await replica.watch.look()
    assert "qorgau_surge_alarms{" not in replica.metrics.text().decode()
