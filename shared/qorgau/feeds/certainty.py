"""What is not known to be late, because every feed that could have said otherwise is silent. Pure.

It marks what `assess` and the flags say, and changes nothing of it: when a feed speaks again, its late facts clear
flags as ever, and the mark is gone with the silence.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from qorgau import rules
from qorgau.feeds.posters import POSTERS
from qorgau.feeds.silence import Feed

Certainty = Literal["certain", "unknown"]
_NAMED = "start."


@dataclass(frozen=True, slots=True)
class Stoppers:
    """Who could have stopped what runs by a rule: agencies of these kinds, or only the one whose duty it is."""

    kinds: frozenset[str]
    named: bool = False


def stoppers(policy: rules.Policy) -> Mapping[str, Stoppers]:
    """Who could stop each deadline rule, by the facts under `stops`, and clear each flag of an instant.

    What only cancels is left out: it says nothing of whether the duty was done. An agency that the start fact names
    (`start.FIELD`) is the only one that can answer.
    """
    found: dict[str, Stoppers] = {}
    for row in policy.rules:
        before = found.get(row.id, Stoppers(frozenset()))
        named = row.duty_kinds[0].startswith(_NAMED)
        found[row.id] = Stoppers(before.kinds | _posters(row.stops), named)
    for flag in policy.flags:
        if isinstance(flag, rules.Instant):
            found[flag.id] = Stoppers(_posters(flag.cleared_by))
    return MappingProxyType(found)


def _posters(lines: Iterable[rules.Line]) -> frozenset[str]:
    return frozenset(kind for line in lines for kind in POSTERS.get(line.fact, ()))


@dataclass(frozen=True, slots=True)
class Doubts:
    """What is uncertain at an instant. `feeds`: those of each kind and region; None: not all has been read of them.
    `regions`: where any of them is silent, so that anything can be uncertain at all."""

    stoppers: Mapping[str, Stoppers]
    feeds: Mapping[tuple[str, str], tuple[Feed, ...]] | None
    at: int
    regions: frozenset[str]

    @property
    def silent(self) -> bool:
        """Whether anything can be uncertain."""
        return self.feeds is None or bool(self.regions)

    def since(self, rule: str, region: str | None, agency: str | None, due: int | None) -> int | None:
        """Since when it is unknown whether something that is open was stopped: the instant from which on nobody was
        heard who could have said so. None where it is certain.

        Unknown is what every feed that could have stopped it, and of which anything is expected, is silent about, none
        of them heard at or after the due. Of a kind of agency, the one whose duty it is stands for all others of it.
        """
        known = self.stoppers.get(rule)
        if known is None or region is None or self.feeds is None:
            return None
        able = [feed for feed in self._able(known, region, agency) if feed.within is not None]
        if not able or any(feed.silent_since(self.at) is None for feed in able):
            return None
        since = max(feed.heard for feed in able)
        return since if due is None or since < due else None

    def mark(self, rule: str, region: str | None, agency: str | None, due: int | None) -> tuple[Certainty, int | None]:
        """Whether what is open is certain, and since when it is not. What nobody was asked for yet is unknown too: as
        long as not all feeds are read, for every rule that feeds could stop."""
        if self.feeds is None:
            return ("unknown" if rule in self.stoppers else "certain"), None
        since = self.since(rule, region, agency, due)
        return ("certain", None) if since is None else ("unknown", since)

    def _able(self, known: Stoppers, region: str, agency: str | None) -> Iterator[Feed]:
        feeds = self.feeds or {}
        kinds = {(agency or "").partition("/")[0]} if known.named else known.kinds
        for kind in kinds:
            listed = feeds.get((kind, region), ())
            own = [feed for feed in listed if feed.agency == agency]
            yield from own if own or known.named else listed


def doubts(known: Mapping[str, Stoppers], feeds: Iterable[Feed] | None, at: int) -> Doubts:
    """What is uncertain at an instant with these feeds; None: not all of them are known."""
    if feeds is None:
        return Doubts(known, None, at, frozenset())
    listed: defaultdict[tuple[str, str], tuple[Feed, ...]] = defaultdict(tuple)
    silent = set()
    for feed in feeds:
        listed[feed.kind, feed.region] += (feed,)
        if feed.silent_since(at) is not None:
            silent.add(feed.region)
    return Doubts(known, MappingProxyType(dict(listed)), at, frozenset(silent))
