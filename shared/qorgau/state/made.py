"""What a service makes of its cases for readers, and the books that it stands in."""

from collections.abc import Callable
from dataclasses import dataclass

from qorgau.measures.phases import Measured
from qorgau.plan import Plan
from qorgau.shell.edition import Edition
from qorgau.state.book import ListBook
from qorgau.state.changelog import ChangeLog
from qorgau.state.changes import Changing, nothing_changes
from qorgau.state.measured import MeasureBook, nothing_measured
from qorgau.state.rows import Projection, nothing_listed


@dataclass(frozen=True, slots=True)
class Books:
    """The books of one service in one edition."""

    lists: ListBook
    measured: MeasureBook
    changes: ChangeLog


@dataclass(frozen=True, slots=True)
class Made:
    """Under a plan: the rows of lists that a case makes, what it adds to sums, and what changes of the rows of a list
    that somebody may follow; `concerned`: the types of fact without which a case has no row of that one."""

    listing: Callable[[Plan], Projection] = nothing_listed
    measuring: Callable[[Plan], Measured] = nothing_measured
    changing: Callable[[Plan], Changing] = nothing_changes
    concerned: frozenset[str] = frozenset()

    def books(self, edition: Edition, plan: Plan) -> Books:
        """All of them, for readers; one of which nothing is made stays empty."""
        return Books(
            ListBook(edition, self.listing(plan)),
            MeasureBook(edition, self.measuring(plan)),
            ChangeLog(edition, self.changing(plan), self.concerned),
        )

    def views(self, edition: Edition, plan: Plan) -> list[ListBook | MeasureBook | ChangeLog]:
        """Those that are written: what nothing is made of costs nothing."""
        books = self.books(edition, plan)
        return [
            *([] if self.listing is nothing_listed else [books.lists]),
            *([] if self.measuring is nothing_measured else [books.measured]),
            *([books.changes] if self.concerned else []),
        ]
