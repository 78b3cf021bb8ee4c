"""Whether a fact that passed the door counts in the case it names: not in a case its source has nothing to do with.

Such a fact is kept beside the case, and let in when the case is handed to its source. It is answered like one that
opens a new case, so that no answer tells whether there is a case of that name.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from qorgau.facts import Fact
from qorgau.front.door import Admitted
from qorgau.identity.membership import may_add

# Before the name of the case, where the digest of a reference stands otherwise: they are hex and have no colon.
HELD = "case:"
# A few megabytes. Whoever is let in once stays so: what is remembered need not be looked up for the next fact.
REMEMBERED = 50_000


class FactsOf(Protocol):
    """The facts that a service knows of cases."""

    async def facts_of(self, cases: Collection[str]) -> Mapping[str, Sequence[Fact]]:
        """By case; nothing for a case it does not know. Raises Unavailable."""


class Gate:
    """The gate of one service."""

    def __init__(self, cases: FactsOf, remembered: int = REMEMBERED) -> None:
        self._cases = cases
        self._most = remembered
        self._let_in: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    async def lets_in(self, coming: Sequence[Admitted]) -> list[bool]:
        """Whether each of these, which have their case or are about none, counts in it now."""
        asked = {str(one.fact.case) for one in coming if not self._is_free(one)}
        known = await self._cases.facts_of(asked) if asked else {}
        return [self._is_free(one) or self._note(one.fact, known.get(str(one.fact.case), ())) for one in coming]

    def _is_free(self, coming: Admitted) -> bool:
        return coming.trusted or coming.fact.case is None or _name(coming.fact) in self._let_in

    def _note(self, fact: Fact, known: Sequence[Fact]) -> bool:
        if not may_add(fact, known):
            return False
        # A case that is not known here may turn out to be another's.
        if known:
            self._let_in[_name(fact)] = None
            if len(self._let_in) > self._most:
                self._let_in.popitem(last=False)
        return True


def held(apart: Admitted) -> Admitted:
    """A fact that is not let in, as it waits for its case."""
    return replace(apart, reference=f"{HELD}{apart.fact.case}")


def _name(fact: Fact) -> tuple[str, str, str]:
    return str(fact.case), fact.source, str(fact.data.get("region"))
