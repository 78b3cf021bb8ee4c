"""The cases of a service as its readers see them, also while they are made again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.front.reading import Shown
from qorgau.record import CaseRecord, learn
from qorgau.shell.documents import Stored
from qorgau.shell.filing import PORTION
from qorgau.shell.progress import Progress
from qorgau.shell.reported import Reported
from qorgau.store import Store


@dataclass(frozen=True, slots=True)
class StoredCases:
    """The `Cases` of `front/reading.py` and the `FactsOf` of the gate."""

    store: Store
    progress: Progress
    reported: Reported | None = None

    async def case(self, case: str) -> Shown | None:
        """One case, or None. It is unknown while it is full, is made again, or nobody judges its partition. Raises
        Unavailable where it may be among those that are made again."""
        stored, judging = await self.store.one(case), await self.progress.judging(self.store.partition(case))
        # A report is told of by the service that took it from the moment it is safe, not only once it is in the log.
        reports = await self.reported.of_case(case) if self.reported else ()
        if not judging.made:
            return await self._as_it_was(case, reports)
        if stored is None and not reports:
            return None
        stored = stored or Stored(CaseRecord(case))
        unknown = stored.full or stored.told is not None or not judging.now
        return Shown(learn(stored.record, reports), stored.version, unknown)

    async def facts(self, case: str) -> Sequence[Fact]:
        """The facts of one case, as `case` shows it; none where it is not known. Raises Unavailable."""
        shown = await self.case(case)
        return () if shown is None else shown.record.facts

    async def facts_of(self, cases: Collection[str]) -> Mapping[str, Sequence[Fact]]:
        """What is known of cases, by case; of those that are being made again, with what was known before."""
        number = self.store.edition.number
        # Asked first: what is made by then is there when the cases are looked up.
        unmade = await self.progress.unmade({self.store.partition(case) for case in cases})
        known = await _facts(self.store, cases)
        former = self.store.former()
        if former is not None and unmade:
            before = await _facts(former, [case for case in cases if self.store.partition(case) in unmade])
            known |= {case: (*facts, *known.get(case, ())) for case, facts in before.items()}
        # What was said of one edition does not count in the next.
        return known if self.store.edition.number == number else await self.facts_of(cases)

    async def _as_it_was(self, case: str, reports: Sequence[Fact]) -> Shown:
        """The case before it is made again, with what has been reported since."""
        former = self.store.former()
        stored = None if former is None else await former.one(case)
        if stored is None and not reports:
            raise Unavailable("The cases are made again from the log; ask again later.")
        stored = stored or Stored(CaseRecord(case))
        return Shown(learn(stored.record, reports), stored.version, True)

    async def case_of_flag(self, flag_id: str) -> str | None:
        """The case in which this service raised a flag, or None."""
        found = await self.store.case_of_flag(flag_id)
        former = self.store.former()
        return found if found is not None or former is None else await former.case_of_flag(flag_id)


async def _facts(store: Store, cases: Collection[str]) -> dict[str, tuple[Fact, ...]]:
    known: dict[str, tuple[Fact, ...]] = {}
    asked = list(cases)
    for start in range(0, len(asked), PORTION):
        known |= await store.facts(asked[start : start + PORTION])
    return {case: facts for case, facts in known.items() if facts}
