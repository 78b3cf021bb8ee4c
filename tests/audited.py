"""A whole audit chain checked at once."""

from collections.abc import Iterable, Sequence

from qorgau.audit.chain import Head
from qorgau.audit.checking import AnchorCheck, ChainCheck, Finding, Stored
from qorgau.audit.checkpoint import Anchor
from qorgau.audit.founding import Founding


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
