"""Cases that were saved a moment ago, so that one that is touched again need not be loaded. Bounded, never awaited.

What is kept may be older than the database: whoever saves it finds out by its version, and loads it then.
"""

from collections import OrderedDict

from qorgau.shell.documents import NOTHING, Stored

# What a fact takes here is about a kilobyte, so this is some tens of megabytes however many cases are open.
MOST_FACTS = 20_000


class Recent:
    """The cases saved last, as they were saved: none with anything left to tell, because telling it changes the
    document and not its version."""

    def __init__(self, most: int = MOST_FACTS) -> None:
        self._most = most
        self._cases: OrderedDict[str, Stored] = OrderedDict()
        self._facts = 0

    def get(self, case: str) -> Stored | None:
        """The case as it was saved last, if that is remembered."""
        stored = self._cases.get(case)
        if stored is not None:
            self._cases.move_to_end(case)
        return stored

    def keep(self, stored: Stored) -> None:
        """Remember a case that is safe in the database exactly like this."""
        self.drop(stored.record.case)
        if stored.pending != NOTHING:
            return
        self._cases[stored.record.case] = stored
        self._facts += _size(stored)
        while self._facts > self._most:
            self._facts -= _size(self._cases.popitem(last=False)[1])

    def drop(self, case: str) -> None:
        """It is not known any more how it is in the database."""
        stored = self._cases.pop(case, None)
        if stored is not None:
            self._facts -= _size(stored)

    def forget(self) -> None:
        """Nothing is known any more."""
        self._cases.clear()
        self._facts = 0


def _size(stored: Stored) -> int:
    return 1 + len(stored.record.facts) + len(stored.record.flags)
