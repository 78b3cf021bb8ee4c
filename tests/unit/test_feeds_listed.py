"""What somebody still has to do, in the lists of a service: each deadline with whether it is certain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx2
import jsonschema

from qorgau.auth import make_token
from qorgau.embedded.data import default_policy
from qorgau.feeds.certainty import Doubts, doubts, stoppers
from qorgau.feeds.silence import Feed
from qorgau.identity.sender import CASES_READ, Sender
from qorgau.instants import DAY, HOUR, format_instant
from qorgau.policy import load_policy
from qorgau.service import Readiness, build_app
from qorgau.state.book import Wanted
from qorgau.state.items import EVERY_ROW
from qorgau.state.routes import ListRoute, lists_router
from qorgau.telemetry import Metrics
from tests.entry import access

KEY = "a key of the tests that is long enough"
KNOWN = stoppers(load_policy(default_policy()))
NOW, REGION, CALLS, UNIT = 22_000 * DAY, "KZ-75", "102/KZ-75", "police-unit/KZ-75"
HEARD, DUE = NOW - 3 * DAY, NOW - 2 * DAY
# A call-out that waits for a unit, and an order (P10) whose clock stands.
WAITS: list[dict[str, Any]] = [{"rule": "P05", "due_at": format_instant(DUE)}, {"rule": "P10", "due_at": None}]


def feed(agency: str, heard: int, region: str = REGION) -> Feed:
    return Feed(agency, region, heard, DAY, "set", 90 * DAY)


@dataclass
class World:
    """A book of one row, and feeds as they are told."""

    feeds: tuple[Feed, ...] | None
    region: str | None = REGION

    async def page(
        self, kind: str, wanted: Wanted, sender: Sender, after: str, limit: int
    ) -> list[tuple[str, dict[str, Any]]]:
        row = {"case": "c1", "key": "f1", "state": "registered", "region": self.region, "agency": CALLS, "court": None}
        return [("1", row | {"due": DUE, "item": {"deadlines": WAITS, "case_closed": False}})]

    async def doubting(self) -> Doubts:
        return doubts(KNOWN, self.feeds, NOW)


@asynccontextmanager
async def client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async def ready() -> Readiness:
        return Readiness(True)

    lists = [ListRoute("responses", "police", "Call-outs", EVERY_ROW)]
    router = lists_router(lists, cast(Any, world), lambda: NOW, world.doubting, access(KEY))
    app = build_app("test", [router], ready=ready, metrics=Metrics())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as made:
        token = make_token(KEY, agency="*", regions=["*"], scopes=[CASES_READ])
        made.headers["authorization"] = f"Bearer {token}"
        yield made


async def marks(world: World) -> list[tuple[str, str | None]]:
    async with client(world) as asking:
        (row,) = (await asking.get("/v1/responses")).json()["items"]
    jsonschema.validate(row["deadlines"], EVERY_ROW["deadlines"])
    assert [(one["rule"], one["due_at"]) for one in row["deadlines"]] == [("P05", WAITS[0]["due_at"]), ("P10", None)]
    return [(one["certainty"], one["unknown_since"]) for one in row["deadlines"]]


async def test_each_deadline_of_a_row_is_marked_by_the_feeds_of_its_region_that_could_stop_it() -> None:
    since = format_instant(HEARD)
    silent, speaks = feed(CALLS, HEARD), feed(CALLS, NOW - HOUR)
    assert await marks(World((silent,))) == [("unknown", since), ("certain", None)]
    assert await marks(World((silent, feed(UNIT, HEARD)))) == [("unknown", since), ("unknown", since)]
    assert await marks(World((speaks, feed(UNIT, HEARD)))) == [("certain", None), ("unknown", since)]
    for certain in (World((speaks,)), World((silent,), "KZ-31"), World((silent,), None)):
        assert await marks(certain) == [("certain", None), ("certain", None)]
    assert await marks(World(None)) == [("unknown", None), ("unknown", None)]


async def test_the_tag_of_a_list_changes_when_a_feed_falls_silent_and_comes_back_when_it_speaks() -> None:
    world = World((feed(CALLS, NOW - HOUR),))
    async with client(world) as asking:
        tag = (await asking.get("/v1/responses")).headers["etag"]
        assert (await asking.get("/v1/responses", headers={"if-none-match": tag})).status_code == 304
        world.feeds = (feed(CALLS, HEARD),)
        assert (await asking.get("/v1/responses", headers={"if-none-match": tag})).status_code == 200
        world.feeds = (feed(CALLS, NOW - HOUR),)
        assert (await asking.get("/v1/responses", headers={"if-none-match": tag})).status_code == 304
