"""A whole audit chain checked at once."""

from collections.abc import Iterable

from qorgau.audit.chain import Head
from qorgau.audit.checking import AnchorCheck, ChainCheck, Finding, Stored


def verify(service: str, deployment: str, stored: Iterable[Stored], anchors: Iterable[Head]) -> list[Finding]:
    """Everything that is wrong with a chain that fits into memory."""
    check, anchored = ChainCheck(service, deployment), AnchorCheck(service)
    findings: list[Finding] = []
    hashes: dict[int, str] = {}
    for place, body in stored:
        findings += check.take(place, body)
        if isinstance(place, int):
            hashes[place] = str(body.get("hash"))
    anchored.take(anchors, hashes, max(hashes, default=0))
    return [*findings, *check.finish(), *anchored.finish()]
