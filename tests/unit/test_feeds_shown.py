"""What is uncertain as it is shown: in a case with its entity tag, in the list of flags, in sums; and the feeds."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2
import pytest

from notifier.listing import Asked, listed
from qorgau.auth import make_token
from qorgau.embedded.data import default_policy
from qorgau.feeds.certainty import Certainty, Doubts, doubts, stoppers
from qorgau.feeds.routes import feeds_router
from qorgau.feeds.silence import Feed
from qorgau.front.judging import PlanJudge
from qorgau.front.reading import Reading, Shown, cases_router, flag_item, flag_key
from qorgau.identity.sender import CASES_READ, Sender
from qorgau.instants import DAY, HOUR, format_instant
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, advance, learn
from qorgau.rows import FlagRow
from qorgau.service import Readiness, build_app
from qorgau.shell.census import tally
from qorgau.shell.documents import Stored, to_document
from qorgau.telemetry import Metrics
from qorgau.vocabulary import INTAKE
from tests.entry import access
from tests.unit.test_feeds_certainty import shelter_case

KEY = "a key of the tests that is long enough"
POLICY = load_policy(default_policy())
KNOWN = stoppers(POLICY)
NOW, REGION, SHELTER = 22_000 * DAY, "KZ-75", "shelter/KZ-75-1"
SPEAKS = Feed(SHELTER, REGION, NOW - HOUR, DAY, "learned", 90 * DAY)
SILENT = Feed(SHELTER, REGION, NOW - 3 * DAY, DAY, "set", 90 * DAY)


@dataclass
class World:
    """One case with a breach of P24, and feeds as they are told."""

    feeds: tuple[Feed, ...] | None = (SPEAKS,)
    record: CaseRecord = field(default_factory=lambda: shelter_case()[1])

    async def case(self, case: str) -> Shown | None:
        return Shown(self.record, "7.abc") if case == "c1" else None

    async def case_of_flag(self, flag_id: str) -> str | None:
        return None

    async def doubting(self) -> Doubts:
        return doubts(KNOWN, self.feeds, NOW)

    async def all(self) -> tuple[Feed, ...] | None:
        return self.feeds

    def now(self) -> int:
        return NOW


@asynccontextmanager
async def client(world: World, agency: str = "*", regions: Iterable[str] = ("*",)) -> AsyncIterator[httpx2.AsyncClient]:
    async def ready() -> Readiness:
        return Readiness(True)

    reading = Reading(INTAKE, world, PlanJudge(compile_policy(POLICY, INTAKE)), doubting=world.doubting)
    routers = [cases_router(reading, access(KEY)), feeds_router(cast(Any, world), access(KEY))]
    app = build_app("test", routers, ready=ready, metrics=Metrics())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as made:
        token = make_token(KEY, agency=agency, regions=list(regions), scopes=[CASES_READ])
        made.headers["authorization"] = f"Bearer {token}"
        yield made


async def test_a_case_shows_what_is_unknown_and_its_tag_changes_with_it_and_with_nothing_else() -> None:
    world = World()
    async with client(world) as asking:
        certain = await asking.get("/v1/cases/c1")
        (row,) = [one for one in certain.json()["deadlines"] if one["rule"] == "P24"]
        assert (row["state"], row["certainty"], row["unknown_since"]) == ("breached", "certain", None)
        assert certain.headers["etag"] == '"7.abc"'
        world.feeds = (SILENT,)
        known = {"if-none-match": certain.headers["etag"]}
        unknown = await asking.get("/v1/cases/c1", headers=known)
        assert unknown.status_code == 200
        for shown in (unknown.json()["deadlines"], unknown.json()["flags"]):
            (row,) = [one for one in shown if one["rule"] == "P24"]
            assert (row["certainty"], row["unknown_since"]) == ("unknown", format_instant(SILENT.heard))
        again = {"if-none-match": unknown.headers["etag"]}
        assert (await asking.get("/v1/cases/c1", headers=again)).status_code == 304
        world.feeds = (SPEAKS,)
        settled = await asking.get("/v1/cases/c1", headers=again)
        assert (settled.status_code, settled.json(), settled.headers["etag"]) == (200, certain.json(), '"7.abc"')
        world.feeds = (SPEAKS, Feed("court/KZ-31", "KZ-31", SILENT.heard, DAY, "set", 90 * DAY))
        assert (await asking.get("/v1/cases/c1", headers=known)).status_code == 304


async def test_while_feeds_are_not_read_what_they_could_stop_is_shown_as_unknown() -> None:
    async with client(World(feeds=None)) as asking:
        rows = (await asking.get("/v1/cases/c1")).json()["deadlines"]
        assert {(row["certainty"], row["unknown_since"]) for row in rows if row["state"] == "breached"} == {
            ("unknown", None)
        }
        assert (await asking.get("/v1/feeds")).status_code == 503


def flag(number: int, region: str = REGION, cleared: bool = False) -> tuple[str, dict[str, Any]]:
    at = NOW - DAY + number
    end = at + 1 if cleared else None
    row = FlagRow("c1", "P24", str(number), "breach", "high", at, at, at, end, region=region, agency=SHELTER)
    return flag_key(at, row.id), flag_item(row)


@dataclass
class Book:
    """Flags in memory, as the book of flags gives them."""

    rows: list[tuple[str, dict[str, Any]]]
    asked: list[Collection[str] | None] = field(default_factory=list)

    async def page(
        self,
        wanted: Mapping[str, str],
        since: int | None,
        sender: Sender,
        after: str,
        limit: int,
        open_in: Collection[str] | None = None,
    ) -> list[tuple[str, dict[str, Any]]]:
        self.asked.append(open_in)
        return [row for row in self.rows if row[0] > after][:limit]


async def keys(book: Book, certainty: Certainty | None, feeds: Iterable[Feed] | None, limit: int = 10) -> list[str]:
    asked = Asked({}, None, Sender("*", frozenset(), frozenset("*")), certainty)
    return [row["key"] for _, row in await listed(cast(Any, book), asked, doubts(KNOWN, feeds, NOW), "", limit)]


async def test_flags_are_listed_by_what_is_certain_and_cleared_ones_are() -> None:
    book = Book([flag(0), flag(1, "KZ-31"), flag(2, cleared=True), flag(3)])
    assert await keys(book, None, [SILENT]) == ["0", "1", "2", "3"]
    assert await keys(book, "unknown", [SILENT]) == ["0", "3"]
    assert await keys(book, "certain", [SILENT]) == ["1", "2"]
    assert book.asked == [None, frozenset({REGION}), None]
    assert await keys(book, "unknown", [SPEAKS]) == []
    assert await keys(book, "certain", [SPEAKS]) == ["0", "1", "2", "3"]
    assert await keys(book, "unknown", None) == ["0", "1", "3"]


async def test_a_page_of_what_is_rare_is_found_behind_many_others_and_goes_on_where_it_ended() -> None:
    book = Book([*(flag(number, "KZ-31") for number in range(1_200)), flag(1_200), flag(1_201), flag(1_202)])
    assert await keys(book, "unknown", [SILENT], 2) == ["1200", "1201"]
    asked = Asked({}, None, Sender("*", frozenset(), frozenset("*")), "unknown")
    rest = await listed(cast(Any, book), asked, doubts(KNOWN, [SILENT], NOW), flag(1_201)[0], 2)
    assert [row["key"] for _, row in rest] == ["1202"]


@pytest.mark.parametrize(
    ("feeds", "counted"),
    [
        ((SPEAKS,), {("P24", REGION, "certain"): 1}),
        ((SILENT,), {("P24", REGION, "unknown"): 1}),
        (None, {}),
    ],
)
def test_breaches_are_counted_apart_and_not_while_nothing_is_known_of_feeds(
    feeds: tuple[Feed, ...] | None, counted: Mapping[tuple[str, ...], int]
) -> None:
    document = to_document(Stored(shelter_case()[1]), 0, "1.x")
    found = tally([document], doubts(KNOWN, feeds, NOW))
    breaches = Counter({labels: count for (name, labels), count in found.items() if name == "qorgau_breaches"})
    assert breaches == counted
    assert found - tally([document]) == Counter({("qorgau_breaches", labels): 1 for labels in counted})


async def test_a_feed_is_shown_to_its_agency_and_to_who_supervises_its_region() -> None:
    gone = Feed("court/KZ-31", "KZ-31", NOW - 91 * DAY, DAY, "set", 90 * DAY)
    new = Feed("102", "KZ-31", NOW, None, None, 90 * DAY)
    world = World(feeds=(SILENT, gone, new))
    async with client(world) as asking:
        first = (await asking.get("/v1/feeds?limit=2")).json()
        rest = (await asking.get(f"/v1/feeds?limit=2&cursor={first['next']}")).json()
    rows = first["items"] + rest["items"]
    assert [(row["agency"], row["state"]) for row in rows] == [
        ("102", "unexpected"),
        ("court/KZ-31", "gone"),
        (SHELTER, "silent"),
    ]
    assert rows[2] == {
        "agency": SHELTER,
        "region": REGION,
        "heard_at": format_instant(SILENT.heard),
        "expected_within": "P1D",
        "basis": "set",
        "state": "silent",
        "silent_since": format_instant(SILENT.heard + DAY),
    }
    for agency, region, seen in (
        (SHELTER, REGION, [SHELTER]),
        ("shelter/KZ-75-2", REGION, []),
        ("coordinator/KZ-31", "KZ-31", ["102", "court/KZ-31"]),
    ):
        async with client(world, agency, [region]) as asking:
            items = (await asking.get("/v1/feeds")).json()["items"]
        assert [row["agency"] for row in items] == seen


def test_marks_change_nothing_that_is_judged() -> None:
    judge, record = shelter_case()
    again, _ = advance(learn(record, ()), record.as_of or 0, judge.plan)
    assert again == record
