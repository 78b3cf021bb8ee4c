"""The feeds as one process knows them: it follows the facts topics, and keeps in memory when each was heard last."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from qorgau import rules
from qorgau.bus import Topic
from qorgau.feeds.book import FeedBook, Name, Post, posts_of
from qorgau.feeds.certainty import Doubts, Stoppers, doubts, stoppers
from qorgau.feeds.expecting import Basis, Expectations, load_expectations
from qorgau.feeds.silence import Feed
from qorgau.instants import DAY
from qorgau.policy_checks.document import PolicyRefused
from qorgau.shell.edition import Edition
from qorgau.shell.follower import Follower, LogRecord, TopicLog, facts_in
from qorgau.shell.hosting import Host
from qorgau.starting import StartRefused
from qorgau.vocabulary import FACTS_TOPICS

# Silences are of hours: a sign of life may come that late, and a quiet log costs the less.
HELD = timedelta(seconds=2)


@dataclass(slots=True)
class Feeds:
    """What is known of feeds. `book` is only read; what is heard is written by a book of its own, which moves to
    another edition when the follower does. `now` is the logical clock."""

    expectations: Expectations
    stoppers: Mapping[str, Stoppers]
    regions: frozenset[str]
    book: FeedBook
    now: Callable[[], int]
    follower: Follower = field(init=False)
    _number: int = -1
    _loaded: int = -1
    _heard: dict[Name, int] = field(default_factory=dict)
    _learned: dict[Name, tuple[int, int | None]] = field(default_factory=dict)
    _shown: tuple[Feed, ...] | None = None

    def go_by(self, policy: rules.Policy) -> None:
        """Who could have stopped what is said by this policy from now on, and which regions there are."""
        self.stoppers, self.regions = stoppers(policy), frozenset(policy.policy.zones.regions)

    def follow(self, log: TopicLog) -> Follower:
        """Make the follower of a log whose facts are signs of life."""
        written = FeedBook(Edition(self.book.edition.database), self.expectations.learned.days)

        async def handle(records: Sequence[LogRecord]) -> None:
            posts = posts_of(facts_in(records), self.regions)
            await written.apply(posts)
            self._hear(written.edition.number, posts)

        self.follower = Follower("the facts topics", log, handle, written.edition, name="feeds")
        return self.follower

    @property
    def caught_up(self) -> bool:
        """Whether everything that was in the log when it was begun has been read."""
        return self.follower.caught_up

    async def all(self) -> tuple[Feed, ...] | None:
        """Every feed that was ever heard; None while not all has been read. Raises Unavailable."""
        if not self.caught_up:
            return None
        await self._load(self.follower.edition.number)
        if self._shown is None:
            heard = sorted(self._heard.items())
            expected = [await self._expected(name, at) for name, at in heard]
            gone = self.expectations.gone_after
            shown = tuple(Feed(*name, at, *within, gone) for (name, at), within in zip(heard, expected, strict=True))
            # Something may have been heard while the database was asked.
            self._shown = shown if heard == sorted(self._heard.items()) else None
            return shown
        return self._shown

    async def doubts(self) -> Doubts:
        """What is uncertain now. Raises Unavailable."""
        return doubts(self.stoppers, await self.all(), self.now())

    def _hear(self, number: int, posts: Sequence[Post]) -> None:
        if number < self._number:
            return
        self._begin(number)
        for name, at in posts:
            self._heard[name] = max(at, self._heard.get(name, at))
            learned = self._learned.get(name)
            # Known late: what was learned of that day is learned again.
            if learned is not None and at // DAY < learned[0]:
                del self._learned[name]
        if posts:
            self._shown = None

    def _begin(self, number: int) -> None:
        if number > self._number:
            self._number, self._loaded, self._shown = number, -1, None
            self._heard.clear()
            self._learned.clear()

    async def _load(self, number: int) -> None:
        """What was read before this process began, or by others: it is written before their positions are."""
        self._begin(number)
        if self._loaded == number:
            return
        self.book.edition.move(number)
        for name, at in (await self.book.newest()).items():
            self._heard[name] = max(at, self._heard.get(name, at))
        self._loaded, self._shown = number, None

    async def _expected(self, name: Name, heard: int) -> tuple[int | None, Basis | None]:
        """Within which length a feed is heard again, by what was set or by its history before the day it was heard."""
        within = self.expectations.set_for(name.agency)
        if within is not None:
            return within, "set"
        day, learned = heard // DAY, self._learned.get(name)
        if learned is None or learned[0] != day:
            how = self.expectations.learned
            learned = self._learned[name] = day, how.within(await self.book.hours(name, day - how.days, day))
        return learned[1], None if learned[1] is None else "learned"


def feeds_of(host: Host, policy: rules.Policy) -> Feeds:
    """The feeds of one process; adds to its host what must be prepared and followed. Raises StartRefused where the file
    of expectations cannot be right."""
    settings = host.settings
    try:
        expectations = load_expectations(settings.feeds)
    except (PolicyRefused, OSError) as error:
        told = error if isinstance(error, PolicyRefused) else "it cannot be read"
        raise StartRefused(f"QORGAU_FEEDS: {told}") from None
    book = FeedBook(Edition(host.database), expectations.learned.days)
    feeds = Feeds(expectations, stoppers(policy), frozenset(policy.policy.zones.regions), book, host.clock.now)
    host.prepare.append(book.prepare)
    host.followers.append(feeds.follow(Topic(settings.brokers, *FACTS_TOPICS, held=HELD)))
    return feeds
