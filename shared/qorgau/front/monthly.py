"""What answers with a table for each month share: from which rows, which months may be told, and their form."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import JSONResponse

from qorgau.errors import Forbidden, Invalid, NotFound
from qorgau.identity.sender import EVERY, Reach, Sender
from qorgau.measures.months import MONTH, MOST_MONTHS, is_over, months_between
from qorgau.plan import Plan

# The rows of a kind that all cases of this service have written down, of one region and month where these are given.
Rows = Callable[[str, str | None, str | None], Awaitable[Sequence[Mapping[str, Any]]]]
MonthText = Annotated[str, Query(pattern=MONTH, description="Such as 2026-03")]
Provisional = Annotated[bool, Query(description="Months that are not over too; for supervisors of all regions")]


@dataclass(frozen=True, slots=True)
class Months:
    """Which months somebody may be told of: one that is not over changes with every report that comes in."""

    plan: Plan
    now: Callable[[], int]

    def asked(self, sender: Sender, since: str, until: str | None, provisional: bool) -> dict[str, bool]:
        """The months asked for that may be told, and whether each is over. Raises Invalid, NotFound, Forbidden."""
        months, zones = months_between(since, until or since), self.plan.policy.policy.zones.regions
        if not months or months[-1] != (until or since):
            raise Invalid(f"It is not before `since`, and they are {MOST_MONTHS} months at most.", field="until")
        over = {month: is_over(month, zones, self.plan.calendar, self.now()) for month in months}
        if not all(over.values()):
            if not provisional:
                raise NotFound("A month is not over; its days so far are for `provisional=true`.")
            if sender.reach is not Reach.REGION or EVERY not in sender.regions:
                raise Forbidden("A month that is not over is for supervisors of all regions.")
        return over


def by_month(below: int, told: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """The answer with these tables, in which what is below this number is withheld."""
    return JSONResponse({"withheld_below": below, "months": told}, headers={"Cache-Control": "private, no-cache"})
