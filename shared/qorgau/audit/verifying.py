"""Checking the chain of a service where it is: the entries from the database, then the anchors from Kafka, in bounded
memory. Services may go on adding meanwhile."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from qorgau.audit.anchor import read_anchor
from qorgau.audit.book import AT_ONCE, AuditBook
from qorgau.audit.checking import AnchorCheck, ChainCheck, Finding
from qorgau.audit.checkpoint import Anchor
from qorgau.audit.founding import Founding
from qorgau.brokers import Address
from qorgau.bus import read_all, topic_names
from qorgau.vocabulary import AUDIT_TOPIC

Tell = Callable[[Finding], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at: the entries, up to which number older ones were let go, where the chain ends with which hash,
    how many anchors there are, and the last entry that one of them confirms. To be kept elsewhere: it is an anchor
    too."""

    service: str
    entries: int
    let_go: int
    seq: int
    hash: str | None
    anchors: int
    anchored: int
    findings: int


async def check_chain(
    book: AuditBook,
    kafka: Address,
    service: str,
    deployment: str,
    tell: Tell,
    known: Sequence[Anchor] = (),
    period: int = 0,
) -> Checked:
    """Tell everything that is wrong with the chain of a service. `known`: anchors that were kept elsewhere; `period`:
    how long lines have to be kept. Raises Unavailable."""
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
    for hole in chain.holes:
        # Lines are let go from the first one on.
        if await book.hashes([hole.first - 1]):
            found(hole)
    said, end = chain.checkpoint, 0
    founding = None if said is None else Founding(service, said, period)
    async for anchors in _anchors(kafka, service, deployment, known):
        # In this order: what an anchor tells of was there before the anchor was.
        numbers = [anchor.seq for anchor in anchors]
        hashes = await book.hashes(numbers)
        if max(numbers) > end:
            end = await book.last_number()
        anchored.take(anchors, hashes, end)
        if founding is not None:
            founding.take(anchors)
    if founding is not None:
        for finding in founding.finish(chain.gone, *await book.around(founding.checkpoint.last)):
            found(finding)
    for finding in anchored.finish():
        found(finding)
    seq = await book.last_number()
    last = (await book.hashes([seq])).get(seq)
    through = 0 if said is None else said.last
    return Checked(service, chain.entries, through, seq, last, anchored.anchors, anchored.confirmed, told)


async def _anchors(
    kafka: Address, service: str, deployment: str, known: Sequence[Anchor]
) -> AsyncIterator[Sequence[Anchor]]:
    """Those of this service in the order of the topic, so many at once."""
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
