"""Every role on every route of every service with an object of its own, one of others, and one that is not there: the
routes and their parameters are those of the running services' own OpenAPI documents."""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx2
import pytest
from benchmarks.people import report

from qorgau.facts import Fact
from qorgau.identity.sender import SCOPES, Reach, Role
from qorgau.identity.table import OPEN, TABLE
from qorgau.vocabulary import COURT, INTAKE, NOTIFIER, POLICE, SERVICES
from tests.e2e.live.asked import BODIES, ELSEWHERE, HERE, LISTS, NEVER, REFERENCES, WITHOUT
from tests.e2e.live.world import ago, token
from tests.e2e.stack import Row, Stack, eventually

AGENCIES = {
    Role.DESK: f"crisis-centre/{HERE}",
    Role.SUPERVISOR: f"coordinator/{HERE}",
    Role.WATCHDOG: "watchdog/coalition",
    Role.ADMIN: f"prosecutor/{HERE}",
    Role.DEVELOPMENT: "*",
}
_CALL = {"priority": "immediate", "area": "urban"}
_HEARING = {"protocol_id": "p1", "hearing_id": "h1", "tolls_term": False}


@dataclass(frozen=True, slots=True)
class Objects:
    """One of everything a path can name: a case, two reports that may be one incident, a grant, a flag a service."""

    case: str
    name: str
    grant: str
    flags: Mapping[str, str]
    court: str

    def path(self, template: str, service: str) -> str:
        """The path with these objects in it, and a reference nobody has registered."""
        named = {
            "case": self.case,
            "name": self.name,
            "grant": self.grant,
            "flag": self.flags[service],
            "court": self.court,
        }
        named |= {"system": "police", "number": f"n-{uuid.uuid4().hex}"}
        return re.sub(r"\{(\w+)\}", lambda found: named[found[1]], template)

    def in_list(self, text: str) -> bool:
        """Whether a list has one of these objects in it."""
        return any(name in text for name in (self.name, self.grant, self.court, *self.flags.values()))

    def hidden(self, text: str) -> str:
        """An answer without the names of these objects."""
        for name in (self.case, *self.name.split("."), self.grant, self.court, *self.flags.values()):
            text = text.replace(name, "OBJECT")
        return text


MISSING = Objects(
    *("0" * 32, f"{'1' * 32}.{'2' * 32}", "3" * 32),
    {service: str(uuid.UUID(int=4)) for service in SERVICES},
    "KZ-75-none",
)


def routes(document: Row) -> Iterator[tuple[str, str]]:
    """Method and path of each route behind the door, what ends or closes things last."""
    found = [(method.upper(), path) for path, row in document["paths"].items() for method in row]
    yield from sorted(set(found) - OPEN, key=lambda route: (route[1].endswith("erase"), found.index(route)))


def as_(stack: Stack, role: Role, region: str = HERE) -> dict[str, str]:
    scopes = SCOPES if role is Role.ADMIN else SCOPES - {"admin"}
    agency = AGENCIES[role].replace(HERE, region)
    regions = ["*"] if role is Role.WATCHDOG else [region]
    return token(stack, agency, scopes=sorted(scopes), regions=regions, subject=f"{role.value}-1")


async def told(stack: Stack, number: int, region: str) -> str:
    """The case of a report to the crisis centre."""
    body = report(number) | {"region": region, "channel": "crisis_centre"}
    headers = as_(stack, Role.DESK, region) | {"idempotency-key": f"objects-{uuid.uuid4().hex}"}
    answer = await stack.http.post(f"{stack.url(INTAKE)}/v1/reports", headers=headers, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case"])


async def late(stack: Stack, name: str, region: str) -> dict[str, str]:
    """A flag of each service, in cases of which the crisis centre of the region is part."""
    at, desk = ago(hours=3), f"crisis-centre/{region}"
    report = {"region": region, "report_id": "r1", "channel": "crisis_centre", "area": "urban"}
    opening: dict[str, tuple[str, str, Row]] = {
        INTAKE: (desk, "report.received", report),
        POLICE: (f"102/{region}", "police.incident_registered", {"region": region, **_CALL}),
        COURT: (f"court/{region}", "court.hearing_suspended", {"region": region, **_HEARING}),
    }
    case, court = {"protocol_id": "p1", "arrest_eligible": True}, court_of(name)
    registered = Fact(
        *(f"{name}-r", f"court/{region}", "court.case_registered", at, at, f"{name}-{COURT}"),
        {"region": region, "court": court, **case},
    )
    await stack.post(
        [
            registered,
            *(
                Fact(f"{name}-{service}", source, kind, at, at, f"{name}-{service}", data)
                for service, (source, kind, data) in opening.items()
            ),
        ]
    )
    flags: dict[str, str] = {}

    async def raised() -> None:
        for service in opening:
            found = await stack.flag_items(service, f"{name}-{service}")
            assert found, service
            flags[service] = found[0]["id"]

    await eventually(raised)
    now = ago()
    joining = [Fact(f"{name}-{of}-2", desk, "report.received", now, now, f"{name}-{of}", report) for of in opening]
    await stack.post(joining)

    async def joined() -> None:
        url = f"{stack.url(COURT)}/v1/courts/{court}"
        assert (await stack.http.get(url, headers=as_(stack, Role.DESK, region))).status_code == 200

    await eventually(joined)
    return flags | {NOTIFIER: flags[INTAKE]}


def court_of(name: str) -> str:
    """The court before which the case of these objects is."""
    return f"court-of-{name}"


async def objects(stack: Stack, number: int, region: str) -> Objects:
    """Objects in a region."""
    first, second = [await told(stack, number, region) for _ in range(2)]
    glass, by = "/v1/cases/{case}/break-glass", as_(stack, Role.SUPERVISOR, region)
    unit = token(stack, f"police-unit/{region}-07", scopes=["pii:read"], regions=[region], subject="duty-1")
    broken = await send(stack, INTAKE, "POST", glass.replace("{case}", first), unit, BODIES[glass])
    flags = await late(stack, f"objects-{number}", region)
    names: list[str] = []

    async def proposed() -> None:
        listed = await stack.http.get(f"{stack.url(INTAKE)}/v1/duplicates", headers=by, params={"limit": 1000})
        names[:] = [one["id"] for one in listed.json()["items"] if one["second"]["case"] == second]
        assert names

    await eventually(proposed)
    return Objects(first, names[0], broken.json()["id"], flags, court_of(f"objects-{number}"))


async def send(
    stack: Stack, service: str, method: str, path: str, headers: Mapping[str, str], body: Row | None
) -> httpx2.Response:
    own = dict(headers) | ({} if method == "GET" else {"idempotency-key": uuid.uuid4().hex})
    query = {"purpose": "support"} if path.endswith("/person") else {}
    url = f"{stack.url(service)}{path}"
    if path.endswith("/events"):
        # It does not end; whether it begins is what is asked.
        async with stack.http.stream(method, url, headers=own) as begun:
            return httpx2.Response(200) if begun.status_code == 200 else await _whole(begun)
    return await stack.http.request(method, url, headers=own, json=body, params=query, follow_redirects=False)


async def _whole(answer: httpx2.Response) -> httpx2.Response:
    await answer.aread()
    return answer


@dataclass(frozen=True, slots=True)
class Asking:
    """One role asks one route."""

    stack: Stack
    role: Role
    service: str
    method: str
    path: str

    async def answer(self, about: Objects) -> tuple[int, str]:
        """Status and text of the answer about some objects, without their names."""
        body = {"case": about.case} if self.path == REFERENCES else BODIES.get(self.path)
        if self.method != "GET":
            assert body is not None, f"nothing is known to send to {self.method} {self.path}"
        named = about.path(self.path, self.service)
        answer = await send(self.stack, self.service, self.method, named, as_(self.stack, self.role), body)
        return answer.status_code, about.hidden(answer.text)

    @property
    def reach(self) -> Reach:
        return TABLE[self.method, self.path].reaches[self.role]

    @property
    def within(self) -> bool:
        """Whether what is in its region is within its reach."""
        if self.path == REFERENCES:
            # Of the kinds that act in a service's cases; prosecutors act in none of a court's.
            return (self.role, self.service) != (Role.ADMIN, COURT)
        return self.reach in (Reach.REGION, Reach.CODES) or (self.reach is Reach.OWN and self.role is Role.DESK)

    async def findings(self, own: Objects, foreign: Objects) -> list[str]:
        """What is answered otherwise than the table says."""
        ours, theirs, missing = [await self.answer(each) for each in (own, foreign, MISSING)]
        refused, done = ours[0] in (403, 409), ours[0] in (200, 201, 307)
        if self.reach is Reach.NOTHING:
            right = {"closed": ours == theirs == missing and ours[0] == 403}
        elif (self.role, self.path) in NEVER:
            right = {"never": refused and theirs == missing}
        elif (self.role, self.path) == (Role.DEVELOPMENT, REFERENCES):
            # It speaks for those who know the case.
            right = {"everybody's": done and ours == theirs == missing}
        else:
            right = {
                "missing": missing[0] == 404,
                "of others": theirs[0] == ours[0] if self.role is Role.WATCHDOG else theirs == missing,
                "own": done if self.within else ours == missing,
            }
        told = f"{self.role.value} {self.service} {self.method} {self.path}"
        return [f"{told}: {what}: {ours} {theirs} {missing}" for what, is_right in right.items() if not is_right]


@pytest.fixture(scope="module")
async def foreign(live: Stack) -> Objects:
    """Objects in which nobody here has a part; what watches the whole country sees them too."""
    return await objects(live, 7_100, ELSEWHERE)


@pytest.mark.parametrize("role", Role)
async def test_what_is_not_ones_own_looks_as_what_is_not_there(live: Stack, foreign: Objects, role: Role) -> None:
    own = await objects(live, 7_000 + list(Role).index(role), HERE)
    found: list[str] = []
    for service in SERVICES:
        document = (await live.http.get(f"{live.url(service)}/openapi.json")).json()
        for method, path in routes(document):
            if path in LISTS:
                listed = await listing(live, service, path, as_(live, role))
                shown = {each.case for each in (own, foreign) if each.in_list(listed)}
                if shown != {each.case for each in (own, foreign) if sees(role, path, each is own)}:
                    found.append(f"{role.value} {service} {path}: {len(shown)} shown")
            elif path not in WITHOUT:
                found += await Asking(live, role, service, method, path).findings(own, foreign)
    assert not found, "\n".join(found)


def sees(role: Role, path: str, own: bool) -> bool:
    """Whether a role's list has these objects in it."""
    reach = TABLE["GET", path].reaches[role]
    return reach is not Reach.NOTHING and (own or role is Role.WATCHDOG)


async def listing(stack: Stack, service: str, path: str, headers: Mapping[str, str]) -> str:
    """All pages of a list, as text."""
    text, query = "", {"limit": "1000"}
    while True:
        answer = await stack.http.get(f"{stack.url(service)}{path}", headers=headers, params=query)
        text += answer.text
        if answer.status_code != 200 or answer.json()["next"] is None:
            return text
        query["cursor"] = answer.json()["next"]
