"""`GET /v1/rules`: the rules of one service and no other, in the language asked for, for everybody who may read."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from qorgau.auth import make_token
from qorgau.embedded.data import default_policy, default_titles
from qorgau.front.languages import wanted_language
from qorgau.front.rulebook import RULE_SCHEMAS, Rulebook, rules_router
from qorgau.identity.sender import FLAGS_READ
from qorgau.policy import load_policy
from qorgau.service import Readiness, build_app
from qorgau.telemetry import Metrics
from qorgau.titles import load_titles
from qorgau.vocabulary import COURT
from tests.entry import access

KEY = "a key of the tests that is long enough"
POLICY = load_policy(default_policy()).for_service(COURT)
TITLES = load_titles(default_titles())
RENAMED = POLICY.model_copy(
    update={"rules": [POLICY.rules[0].model_copy(update={"title": "Another sentence"}), *POLICY.rules[1:]]}
)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async def ready() -> Readiness:
        return Readiness(True)

    router = rules_router(Rulebook(RENAMED, TITLES), access(KEY))
    app = build_app(COURT, [router], ready=ready, metrics=Metrics(), schemas=RULE_SCHEMAS)
    token = make_token(KEY, agency="watchdog/coalition", regions=["KZ-75"], scopes=[FLAGS_READ])
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://test", headers=headers
    ) as client:
        yield client


async def test_the_rules_of_this_service_are_listed_with_titles_terms_and_source(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/rules")
    assert answer.status_code == 200
    body = answer.json()
    assert body["policy"] == {
        "id": "qorgau-default",
        "version": POLICY.policy.version,
        "fingerprint": POLICY.fingerprint,
    }
    items = {item["id"]: item for item in body["items"]}
    assert list(items) == [row.id for row in (*POLICY.rules, *POLICY.flags)]
    assert items["P18"]["clauses"]["term"] == "within 15 days"
    assert items["P18"]["titles"]["kk"] == TITLES.rules["P18"].kk
    assert (items["P18"]["kind"], items["F1"]["kind"]) == ("deadline", "flag")
    assert "829-5" in items["P18"]["source"]
    assert "after 4 hours" in items["P18"]["told"]
    assert "after" not in items["F1"]["told"]
    assert body["words"]["court.hearing_postponed.reason"]["party_absent"]["ru"] == "неявка участника"


async def test_a_reader_gets_its_language_and_english_where_nothing_is_translated(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/rules", headers={"accept-language": "kk-KZ, ru;q=0.8"})
    assert (answer.headers["content-language"], answer.headers["vary"]) == ("kk", "Accept-Language")
    first, second = answer.json()["items"][:2]
    assert first["title"] == "Another sentence"
    assert first["titles"] == {"en": "Another sentence"}
    assert second["title"] == second["titles"]["kk"] != second["titles"]["en"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("kk", "kk"),
        ("RU-kz", "ru"),
        ("de, fr;q=0.9", "en"),
        ("de, ru;q=0.3", "ru"),
        ("ru;q=0.3, kk;q=0.7", "kk"),
        ("ru;q=0.5, kk;q=0.5", "ru"),
        ("kk;q=0, ru;q=0.1", "ru"),
        ("kk;q=0", "en"),
        ("*", "en"),
        ("kk;q=2, ru;q=0.1", "ru"),
        ("kk;;q=1", "en"),
        ("x" * 9_000 + ",kk", "kk"),
        (",".join(["de"] * 40) + ",kk", "en"),
    ],
)
def test_the_language_of_the_greatest_weight_is_taken_and_nonsense_is_passed_over(
    header: str | None, language: str
) -> None:
    assert wanted_language(header) == language
