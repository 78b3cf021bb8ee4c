"""Checking the chain of a service where it is: the entries from the database, then the anchors from Kafka, in bounded
memory. Services may go on adding meanwhile."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from qorgau.audit.anchor import read_anchor
from qorgau.audit.book import AT_ONCE, AuditBook
from qorgau.audit.chain import Head
from qorgau.audit.checking import AnchorCheck, ChainCheck, Finding
from qorgau.brokers import Address
from qorgau.bus import read_all, topic_names
from qorgau.vocabulary import AUDIT_TOPIC

Tell = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at: the entries, where the chain ends with which hash, how many anchors there are, and the last
    entry that one of them confirms. To be kept elsewhere: it is an anchor too."""

    service: str
    entries: int
    seq: int
    hash: str | None
    anchors: int
    anchored: int
    findings: int


async def check_chain(
    book: AuditBook, kafka: Address, service: str, deployment: str, tell: Tell, known: Sequence[Head] = ()
) -> Checked:
    """Tell everything that is wrong with the chain of a service. `known`: anchors that were kept elsewhere. Raises
    Unavailable."""
    told = 0

    def found(finding: Finding) -> None:
        nonlocal told
        told += 1
        tell(finding)

    chain, anchored = ChainCheck(service, deployment), AnchorCheck(service)
    async for place, body in book.stored():
        for finding in chain.take(place, body):
            found(finding)
    for finding in chain.finish():
        found(finding)
    end = 0
    async for anchors in _anchors(kafka, service, deployment, known):
        # In this order: what an anchor tells of was there before the anchor was.
        numbers = [anchor.seq for anchor in anchors]
        hashes = await book.hashes(numbers)
        if max(numbers) > end:
            end = await book.last_number()
        anchored.take(anchors, hashes, end)
    for finding in anchored.finish():
        found(finding)
    seq = await book.last_number()
    last = (await book.hashes([seq])).get(seq)
    return Checked(service, chain.entries, seq, last, anchored.anchors, anchored.confirmed, told)


async def _anchors(
    kafka: Address, service: str, deployment: str, known: Sequence[Head]
) -> AsyncIterator[Sequence[Head]]:
    """Those of this service, so many at once."""
    batch = [anchor for anchor in known if anchor.service == service]
    # Asking for a topic by its name could make the broker create it.
    if AUDIT_TOPIC in await topic_names(kafka):
        async for record in read_all(kafka, AUDIT_TOPIC):
            anchor = read_anchor(record.value, deployment)
            if anchor is not None and anchor.service == service:
                batch.append(anchor)
            if len(batch) >= AT_ONCE:
                yield batch
                batch = []
    if batch:
        yield batch
