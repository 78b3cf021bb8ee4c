"""Whether what a checkpoint says is borne out by what follows it in the chain, and by the anchors. Pure.

Whoever can write the database alone can put a checkpoint at the end, and the service anchors it. So its lines must have
been anchored before they were over, it must not be dated later than it was anchored itself, and the period is that of
the policy. An anchor counts as no older than those that stand before it in the topic, and of those that cover the
checkpoint the oldest counts: no anchor that somebody adds makes it right.
"""

from collections.abc import Iterable, Iterator

from qorgau.audit.checking import FORKED, UNFOUNDED, Finding
from qorgau.audit.checkpoint import Anchor, Checkpoint
from qorgau.instants import HOUR

# What two machines' clocks may differ by.
SKEW = HOUR


class Founding:
    """Looks at the newest checkpoint of a chain; takes the anchors of the service in the order of the topic."""

    def __init__(self, service: str, checkpoint: Checkpoint, period: int) -> None:
        self.checkpoint = checkpoint
        self._service = service
        self._period = period
        self._latest = 0
        self._named = self._contradicted = False
        self._anchored: int | None = None

    def take(self, anchors: Iterable[Anchor]) -> None:
        """The next anchors; one that was kept elsewhere says nothing of when."""
        said = self.checkpoint
        for anchor in anchors:
            self._contradicted |= anchor.seq == said.last and anchor.hash != said.last_hash
            if anchor.at is None:
                continue
            self._latest = max(self._latest, anchor.at)
            if (anchor.seq, anchor.hash) == (said.last, said.last_hash) and self._latest < said.before:
                self._named = True
            if anchor.seq >= said.seq:
                self._anchored = anchor.at if self._anchored is None else min(self._anchored, anchor.at)

    def finish(self, gone: bool, last: str | None, following: str | None) -> Iterator[Finding]:
        """What is wrong. `gone`: whether lines it lets go are not there; `last`: the hash of the last of them where
        that is still there; `following`: what the entry after it follows."""
        said = self.checkpoint
        if last not in (None, said.last_hash) or following not in (None, said.last_hash):
            yield self._forked("a checkpoint says that another entry stood here")
        elif last is None and self._contradicted:
            yield self._forked("an anchor and a checkpoint say that different entries stood here")
        if said.after < self._period:
            yield self._unfounded("it keeps lines for less time than the policy given to this check")
        if not self._named:
            yield self._unfounded("no anchor says that what it lets go was there by then")
        if self._anchored is None and gone:
            yield self._unfounded("no anchor tells of it, and what it lets go is gone")
        if self._anchored is not None and said.at > self._anchored + SKEW:
            yield self._unfounded("it is dated later than it was anchored")

    def _forked(self, words: str) -> Finding:
        return Finding(self._service, FORKED, self.checkpoint.last, self.checkpoint.last, words)

    def _unfounded(self, words: str) -> Finding:
        return Finding(self._service, UNFOUNDED, self.checkpoint.seq, self.checkpoint.seq, words)
