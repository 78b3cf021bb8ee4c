"""A feed as it was heard, and whether it is silent at an instant. Pure."""

from dataclasses import dataclass

from qorgau.feeds.expecting import Basis


@dataclass(frozen=True, slots=True)
class Feed:
    """An agency in one region: when it was `heard` last (by the log's time), `within` which length it is expected to be
    heard again (None: nothing is expected of it) and on which basis, and after which length it is none any more.
    Instants and lengths in microseconds."""

    agency: str
    region: str
    heard: int
    within: int | None
    basis: Basis | None
    gone_after: int

    @property
    def kind(self) -> str:
        """The kind of agency: the part before the `/`."""
        return self.agency.partition("/")[0]

    @property
    def expected_by(self) -> int | None:
        """When it becomes silent unless it is heard."""
        return None if self.within is None else self.heard + self.within

    @property
    def gone_at(self) -> int:
        """When its silence ends without a word: it is no feed any more."""
        return self.heard + self.gone_after

    def silent_since(self, at: int) -> int | None:
        """Since when it is silent at an instant, None while it speaks, nothing is expected of it, or it is gone."""
        by = self.expected_by
        return by if by is not None and by <= at < self.gone_at else None
