"""The bundled season judged: most goes well, and each rule is broken somewhere; and posted to the real routes."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import httpx2
import pytest

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from intake.statistics.counting import Kept, Ledger, Report, Sieve
from intake.statistics.methods import surge_rule
from intake.statistics.periods import Days
from intake.statistics.surges import Region
from qorgau.assess import deadline_rows, flag_history
from qorgau.auth import make_token
from qorgau.calendar import Calendar
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.feed import Feed
from qorgau.front.door import Admitted, Door
from qorgau.front.posting import Posting, facts_router
from qorgau.heart.tolls import FOREVER
from qorgau.instants import DAY, parse_instant
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.rules import Policy
from qorgau.season import BEGINS, SEED, WEEKS, season
from qorgau.service import Readiness, build_app
from qorgau.telemetry import Metrics
from qorgau.vocabulary import COURT, INTAKE, POLICE
from tests.entry import access, open_gate

KEY = "a key of the tests that is long enough"
# Statistics over many cases; not part of a case's history.
APART = {"F8", "F10"}
ENDED_LATE = {"closed_late", "missed", "breached"}


@pytest.fixture(scope="module", name="policy")
def bundled_policy() -> Policy:
    return load_policy(default_policy())


@pytest.fixture(scope="module", name="plan")
def compiled(policy: Policy) -> Plan:
    return compile_policy(policy)


@pytest.mark.parametrize(
    ("seed", "begins"), [(SEED, BEGINS), (7, BEGINS), (SEED, parse_instant("2026-11-23T18:00:00Z"))]
)
def test_every_rule_is_broken_somewhere_in_a_season(seed: int, begins: int, policy: Policy, plan: Plan) -> None:
    facts = [one.fact for one in season(seed, begins)]
    rows = flag_history(facts, plan, begins + WEEKS * 7 * DAY)
    up = {row.rule for row in rows if row.level != "warn"}
    assert up == {row.id for row in (*policy.rules, *policy.flags)} - APART


@pytest.mark.parametrize(
    ("seed", "begins"), [(SEED, BEGINS), (7, BEGINS), (SEED, parse_instant("2026-11-23T18:00:00Z"))]
)
def test_calls_surge_in_one_place_while_a_number_is_shown_on_television(seed: int, begins: int, policy: Policy) -> None:
    rule = surge_rule(policy)
    assert rule is not None
    kept = [one for planned in season(seed, begins) if isinstance(one := Sieve(rule.row).kept(planned.fact), Kept)]
    calendar = Calendar(policy.policy.calendar, policy.policy.zones)
    up = set[tuple[str, str, date]]()
    for code in policy.policy.zones.regions:
        days = Days(calendar, calendar.zone(code))
        reports = [
            Report(code, one.channel, one.time, ((one.known, FOREVER),))
            for one in kept
            if one.kind == "report" and one.region == code
        ]
        region = Region(rule, days, Ledger(reports, days.of))
        moments = region.moments(region.instants(begins, begins + WEEKS * 7 * DAY))
        up |= {(code, name.channel, name.first) for moment in moments for name in moment.up}
    surging = Counter((code, channel) for code, channel, _ in up)
    assert surging["KZ-75", "150"] >= 3
    assert surging.total() - surging["KZ-75", "150"] <= 3


def test_most_goes_well_in_a_season(plan: Plan) -> None:
    facts = [one.fact for one in season()]
    rows = deadline_rows(facts, plan, BEGINS + WEEKS * 7 * DAY)
    late = Counter(row.state in ENDED_LATE for row in rows)
    assert 0.02 < late[True] / late.total() < 0.06


def test_flags_of_all_kinds_and_ends_are_in_it(plan: Plan) -> None:
    rows = flag_history((one.fact for one in season()), plan, BEGINS + WEEKS * 7 * DAY)
    ends = Counter(row.outcome for row in rows)
    for outcome in ("open", "cleared", "closed_late", "late_recording", "missed", "window_passed", "void", "due_moved"):
        assert ends[outcome], outcome
    assert {row.level for row in rows} == {"warn", "breach", "info", "flag"}
    assert {step for row in rows for step, _ in row.escalations} == {"L1", "L2", "L3"}


@dataclass
class Memory:
    """A log that remembers what it was given."""

    facts: list[Fact] = field(default_factory=list)

    async def append(self, facts: Sequence[Fact]) -> None:
        self.facts += facts

    async def cases_of(self, digests: Collection[str]) -> Mapping[str, str]:
        return {}

    async def park(self, admitted: Sequence[Admitted]) -> None:
        raise AssertionError("no fact of the season names a reference")


class Always:
    """A clock that has reached every instant."""

    def wait_for(self, instant: int) -> float:
        return 0.0


async def test_the_feed_and_the_routes_of_the_services_understand_each_other(policy: Policy) -> None:
    async def ready() -> Readiness:
        return Readiness(True)

    services = {
        INTAKE: intake.domain.FACTS,
        POLICE: police_dispatch.domain.FACTS,
        COURT: court_tracker.domain.FACTS,
    }
    logs, mounts = {name: Memory() for name in services}, {}
    for name, models in services.items():
        door = Door(name, models, frozenset(policy.policy.zones.regions), lambda: BEGINS, KEY)
        posting = Posting(door, logs[name], logs[name], Metrics(), open_gate())
        app = build_app(name, [facts_router(posting, access(KEY))], ready=ready, metrics=posting.metrics)
        mounts[f"http://{name}"] = httpx2.ASGITransport(app)
    planned = list(season(weeks=1))
    async with httpx2.AsyncClient(mounts=mounts) as client:
        feed = Feed(client, {name: f"http://{name}" for name in services}, make_token(KEY), Always(), planned)
        await feed.run()
    assert (feed.counts.accepted, feed.counts.rejected, feed.counts.repeats) == (len(planned), 0, 0)
    for name, log in logs.items():
        assert log.facts == [one.fact for one in planned if one.service == name]
