"""Tokens and own cases in the running system: keys turn under way, an agency is shut out, a case is handed on."""

import asyncio

import httpx2

from qorgau.instants import format_instant
from qorgau.vocabulary import INTAKE, POLICE
from tests.e2e.live.world import STRUCTURED, ago, arrived, check_refused, nowhere, token
from tests.e2e.stack import KEEPERS, Row, Stack, eventually


async def get(stack: Stack, path: str, headers: dict[str, str], service: str = POLICE) -> httpx2.Response:
    return await stack.http.get(f"{stack.url(service)}{path}", headers=headers)


async def post(stack: Stack, event: Row, headers: dict[str, str], service: str = POLICE) -> httpx2.Response:
    url = f"{stack.url(service)}/v1/facts"
    return await stack.http.post(url, json=event, headers=headers | {"content-type": STRUCTURED})


async def test_keys_turn_under_way_and_nobody_is_shut_out_for_longer_than_the_pause_of_the_issuer(live: Stack) -> None:
    issuer = live.system.backing.issuer
    assert issuer is not None
    await live.post_batch(POLICE, [arrived("turn-1", "turn-case")])
    old = token(live)
    asking = [asyncio.ensure_future(get(live, "/v1/cases/turn-case/flags", old)) for _ in range(20)]
    issuer.rotate()
    new = token(live)
    assert new != old
    for service in KEEPERS:
        for who in (old, new):

            async def let_in(service: str = service, who: dict[str, str] = who) -> None:
                check_refused(await get(live, "/v1/cases/no-such-case", who, service), 404)

            # Where somebody has just asked for a key that there is not, the issuer is asked again after a pause.
            await eventually(let_in)
    assert {answer.status_code for answer in await asyncio.gather(*asking)} <= {200, 404}


async def test_a_revoked_agency_is_shut_out_within_seconds_and_let_in_again(live: Stack) -> None:
    revoked, who = live.system.backing.revoked, token(live, "102/KZ-71", regions=["KZ-71"])

    async def refused(status: int) -> None:
        for service in KEEPERS:
            check_refused(await get(live, "/v1/cases/no-such-case", who, service), status)

    await refused(404)
    revoked.write_text("# a stolen laptop\n102/KZ-71\n", encoding="utf-8")
    try:
        await eventually(lambda: refused(401))
        check_refused(await get(live, "/v1/cases/no-such-case", token(live)), 404)
        await nowhere(live, who["authorization"].rpartition(".")[2])
    finally:
        revoked.write_text("", encoding="utf-8")
    await eventually(lambda: refused(404))


def offer(case: str, to: str) -> Row:
    return {
        "specversion": "1.0",
        "id": f"offer-{case}",
        "source": "102/KZ-75",
        "type": "qorgau.case.transfer_offered.v1",
        "subject": case,
        "time": format_instant(ago(minutes=1)),
        "data": {"region": "KZ-75", "transfer_id": "t1", "to": to},
    }


async def test_a_fact_in_a_case_of_others_waits_until_the_case_is_handed_on(live: Stack) -> None:
    case, elsewhere = "handed-case", token(live, "102/KZ-71", regions=["KZ-71"])
    assert (await post(live, arrived("handed-1", case), token(live))).status_code == 202

    async def seen(count: int) -> None:
        for service in KEEPERS:
            assert len((await live.export(service, case))[0]) == count

    await eventually(lambda: seen(1))
    foreign = arrived("handed-2", case, source="102/KZ-71", data={**arrived("x", case)["data"], "region": "KZ-71"})
    guessed, opened = [await post(live, foreign | {"subject": name}, elsewhere) for name in (case, "opened-case")]
    assert guessed.status_code == opened.status_code == 202
    assert guessed.text == opened.text.replace("opened-case", case)
    # The one is there for its agency, the other is not in the case and opens it to nobody.
    await eventually(lambda: known(live, "opened-case", elsewhere))
    await seen(1)
    check_refused(await get(live, f"/v1/cases/{case}", elsewhere), 404)
    assert (await post(live, offer(case, "102/KZ-71"), token(live), INTAKE)).status_code == 202
    await eventually(lambda: seen(3))
    await eventually(lambda: known(live, case, elsewhere))


async def known(stack: Stack, case: str, who: dict[str, str]) -> None:
    assert (await get(stack, f"/v1/cases/{case}", who)).status_code == 200


async def test_who_watches_sees_flags_everywhere_and_writes_nowhere(live: Stack) -> None:
    watchdog = token(live, "watchdog", regions=["*"], scopes=["cases:read", "flags:read", "facts:write", "pii:read"])
    await live.post_batch(POLICE, [arrived("watched-1", "watched-case")])
    await eventually(lambda: known(live, "watched-case", watchdog))
    check_refused(await post(live, arrived("watched-2", "watched-case"), watchdog), 403)
    check_refused(await get(live, "/v1/cases/watched-case/person?purpose=support", watchdog, INTAKE), 403)
