"""That the search for canaries can fail: on an intake with one leak planted it finds every field of a report."""

from functools import partial
from pathlib import Path

import pytest

from qorgau.vocabulary import INTAKE
from tests.e2e.stack import Stack, eventually
from tests.e2e.vault.clients import Client, full
from tests.e2e.vault.planted.leaks import LEAKS
from tests.e2e.vault.searching import search
from tests.faults.harness import another

SEEN = {
    "log": "file logs/intake-leaky.log",
    "span": "file logs/spans-",
    "fact": "record qorgau.intake.facts ",
    "database": "document qorgau_intake.notes ",
}


PLANTED = [pytest.param(["log"], marks=pytest.mark.long), pytest.param(list(LEAKS), marks=pytest.mark.night)]


@pytest.mark.parametrize("leaks", PLANTED)
async def test_the_same_search_finds_one_leak_wherever_it_is_planted(
    stack: Stack, tmp_path: Path, leaks: list[str]
) -> None:
    where = tmp_path / "leak"
    where.write_text("log", encoding="ascii")
    leaky = await another(stack, INTAKE, "intake-leaky", test_leak=str(where), role="api")
    await leaky.start()
    try:
        for leak in leaks:
            where.write_text(leak, encoding="ascii")
            url = f"http://127.0.0.1:{leaky.env['QORGAU_PORT']}"
            client = Client(stack, 100 + 10 * len(leaks) + leaks.index(leak), url)
            assert (await client.report(leak, full(client.plant()))).status_code == 201
            await eventually(partial(finds, client, SEEN[leak]))
    finally:
        await leaky.stop()


async def finds(client: Client, place: str) -> None:
    """Every field of the form is found there."""
    found = await search(client.stack, client.planted, client.said)
    seen = {what for where, there in found.items() if where.startswith(place) for what in there}
    of = client.planted[0].canaries
    assert seen >= {f"{of.number} {path}" for path in of.texts}, found.keys()
