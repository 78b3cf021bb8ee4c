"""Tables on the real database: one revision a day at most, the same for every replica, small numbers withheld."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import httpx2
import pytest

from intake.statistics.routes import statistics_router
from qorgau.auth import make_token
from qorgau.embedded.pair import Pair
from qorgau.errors import NotFound
from qorgau.instants import DAY, HOUR, parse_instant
from qorgau.service import Readiness, build_app
from qorgau.telemetry import Metrics
from tests.entry import access
from tests.surging import Replica, Service, a_service, report, reports, withdrawal

KEY = "a key of the tests that is long enough"


@pytest.fixture
async def service(pair: Pair) -> AsyncIterator[Service]:
    async with a_service(pair.mongo) as made:
        yield made


@pytest.fixture
async def published(service: Service) -> tuple[Service, Replica]:
    """April and a part of May: 30 by 102 and 4 by 150 in one region, more in another."""
    service.log.post(
        [
            *reports([3] * 10, "102"),
            *reports([1] * 4, "150"),
            *reports([4] * 10, "102", "KZ-75"),
            *reports([2] * 10, "150", "KZ-75"),
            *reports([0] * 24 + [9], "111"),
        ]
    )
    service.clock.at = parse_instant("2031-05-01T06:00:00+05:00")
    return service, await service.replica()


APRIL, MAY = date(2031, 4, 1), date(2031, 5, 1)


async def test_a_table_is_published_once_a_day_at_most_and_only_when_it_differs(
    published: tuple[Service, Replica],
) -> None:
    service, replica = published
    (first,) = await replica.months.publish(APRIL, service.clock.at)
    assert (first.number, first.as_of) == (1, service.clock.at)
    assert first.table["total", "total"] == 94
    assert first.table["KZ-33", "150"] is None
    # Withdrawn an hour later: the table of the day stays as it is, the one of the next day differs.
    gone = service.clock.at + HOUR
    service.log.post([withdrawal(report(0, 0), gone)])
    await service.caught_up(replica)
    assert await replica.months.publish(APRIL, gone + HOUR) == [first]
    other = await service.replica()
    next_day = first.as_of + DAY
    both = await asyncio.gather(*(of.months.publish(APRIL, next_day + HOUR) for of in (replica, other)))
    assert both[0] == both[1]
    assert [(one.number, one.as_of) for one in both[0]] == [(1, first.as_of), (2, next_day)]
    assert both[0][1].table["total", "total"] == 93
    assert both[0][1].table["KZ-33", "150"] is None
    assert await replica.months.publish(APRIL, next_day + 9 * DAY) == both[0]


async def test_months_before_the_first_report_or_to_come_have_no_table(published: tuple[Service, Replica]) -> None:
    service, replica = published
    for month in (date(2031, 2, 1), date(2031, 6, 1)):
        with pytest.raises(NotFound):
            await replica.months.publish(month, service.clock.at)
    assert not replica.months.is_over(MAY, service.clock.at)
    assert replica.months.is_over(APRIL, service.clock.at)


@pytest.fixture
async def client(published: tuple[Service, Replica]) -> AsyncIterator[httpx2.AsyncClient]:
    service, replica = published

    async def ready() -> Readiness:
        return Readiness(True)

    router = statistics_router(replica.months, service.clock.now, access(KEY))
    app = build_app("test", [router], ready=ready, metrics=Metrics())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        client.headers["authorization"] = f"Bearer {make_token(KEY, agency='court/KZ-75-01', scopes=['flags:read'])}"
        yield client


async def test_the_route_answers_in_both_forms_and_in_the_revision_of_an_instant(
    client: httpx2.AsyncClient, published: tuple[Service, Replica]
) -> None:
    service, replica = published
    answer = await client.get("/v1/statistics?month=2031-04")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["month"], body["status"], body["revision"]) == ("2031-04", "published", 1)
    cells = {(cell["region"], cell["channel"]): cell for cell in body["cells"]}
    assert cells["KZ-33", "150"] == {"region": "KZ-33", "channel": "150", "reports": None, "withheld": True}
    again = await client.get("/v1/statistics?month=2031-04", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    lines = await client.get("/v1/statistics?month=2031-04", headers={"accept": "text/csv"})
    assert lines.headers["content-type"].startswith("text/csv")
    assert lines.text.splitlines()[0] == "month,status,revision,as_of,region,channel,reports,withheld"
    assert lines.text.splitlines()[-1] == "2031-04,published,1,2031-05-01T01:00:00Z,total,total,94,no"
    assert lines.headers["etag"] != answer.headers["etag"]
    service.log.post([withdrawal(report(0, 0), service.clock.at + HOUR)])
    await service.caught_up(replica)
    service.clock.at += DAY
    newest = (await client.get("/v1/statistics?month=2031-04")).json()
    assert [one["revision"] for one in newest["revisions"]] == [1, 2]
    then = await client.get("/v1/statistics", params={"month": "2031-04", "as_of": body["as_of"]})
    assert then.json() == body
    before = await client.get("/v1/statistics", params={"month": "2031-04", "as_of": "2031-04-30T00:00:00Z"})
    assert before.status_code == 404


async def test_a_month_that_is_not_over_is_only_for_who_may_see_everything_and_no_revision(
    client: httpx2.AsyncClient, published: tuple[Service, Replica]
) -> None:
    service, _ = published
    assert (await client.get("/v1/statistics?month=2031-05")).status_code == 404
    assert (await client.get("/v1/statistics?month=2031-05&provisional=true")).status_code == 403
    service.clock.at = parse_instant("2031-05-02T12:00:00+05:00")
    token = make_token(KEY, agency="prosecutor", scopes=["cases:read"], regions=["*"])
    answer = await client.get(
        "/v1/statistics?month=2031-05&provisional=true", headers={"authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["status"], body["revision"], body["revisions"]) == ("provisional", None, [])
    assert body["as_of"] == "2031-05-02T01:00:00Z"
    assert answer.headers["cache-control"] == "no-store"
    assert await service.database["published"].count_documents({"month": "2031-05"}) == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("month=2031-13", 422),
        ("month=0001-01", 404),
        ("month=2031-01", 404),
        ("month=2031-04&as_of=soon", 422),
        ("month=2031-04&format=xml", 422),
        ("", 422),
    ],
)
async def test_what_cannot_be_asked_is_refused(client: httpx2.AsyncClient, query: str, status: int) -> None:
    assert (await client.get(f"/v1/statistics?{query}")).status_code == status
