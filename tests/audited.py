"""A database for an audit chain, and a whole chain checked at once."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from qorgau.audit.chain import Head
from qorgau.audit.checking import AnchorCheck, ChainCheck, Finding, Stored
from qorgau.audit.checkpoint import Anchor
from qorgau.audit.founding import Founding
from qorgau.bus import TopicSpec, prepare_topics
from qorgau.embedded.pair import Pair
from qorgau.store import connect
from qorgau.vocabulary import AUDIT_TOPIC


@asynccontextmanager
async def chain_database(pair: Pair, name: str) -> AsyncIterator[Any]:
    """An empty database, gone afterwards, and beside it the topic of the anchors."""
    await prepare_topics(pair.kafka, {AUDIT_TOPIC: TopicSpec(1)})
    client = connect(pair.mongo)
    yield client[name]
    await client.drop_database(name)
    client.close()


def verify(
    service: str, deployment: str, stored: Iterable[Stored], anchors: Sequence[Head], period: int = 0
) -> list[Finding]:
    """Everything that is wrong with a chain that fits into memory, and lets go of nothing or has its anchors' times."""
    check, anchored = ChainCheck(service, deployment), AnchorCheck(service)
    findings: list[Finding] = []
    hashes: dict[int, str] = {}
    prevs: dict[int, str] = {}
    for place, body in stored:
        findings += check.take(place, body)
        if isinstance(place, int):
            hashes[place], prevs[place] = str(body.get("hash")), str(body.get("prev"))
    anchored.take(anchors, hashes, max(hashes, default=0))
    findings += check.finish()
    findings += check.holes
    if check.checkpoint is not None:
        founding, last = Founding(service, check.checkpoint, period), check.checkpoint.last
        founding.take(anchor for anchor in anchors if isinstance(anchor, Anchor))
        findings += founding.finish(check.gone, hashes.get(last), prevs.get(last + 1))
    return [*findings, *anchored.finish()]
