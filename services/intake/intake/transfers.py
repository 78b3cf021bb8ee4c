"""Who may hand a case on: an agency of the case offers or refers it, the agency it was offered to answers."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from intake.domain import CaseReferred, TransferAccepted, TransferDeclined, TransferOffered
from qorgau.errors import Forbidden, Rejected
from qorgau.facts import Fact
from qorgau.front.door import EVERY, Sender
from qorgau.front.reading import FactsOfCase

_OFFER, _REFERRAL = TransferOffered.type, CaseReferred.type
_ANSWERS = frozenset({TransferAccepted.type, TransferDeclined.type})
_GUARDED = _ANSWERS | {_OFFER, _REFERRAL}
_AGAIN = "if the other fact was posted just now, send this again"


def transfer_guard(facts_of: FactsOfCase) -> Callable[[Sequence[Fact], Sender], Awaitable[Sequence[Rejected | None]]]:
    """A guard for `Posting`: what is known of the case, and what stands earlier in the same batch, decides."""

    async def guard(facts: Sequence[Fact], sender: Sender) -> Sequence[Rejected | None]:
        handed_on = {fact.case for fact in facts if fact.type in _GUARDED}
        if not handed_on or sender.agency == EVERY:
            return [None] * len(facts)
        known: Mapping[str, list[Fact]] = defaultdict(list)
        for case in handed_on - {None}:
            known[str(case)].extend(await facts_of(str(case)))
        refusals = []
        for fact in facts:
            refusals.append(_refusal(fact, known[str(fact.case)]))
            if refusals[-1] is None:
                known[str(fact.case)].append(fact)
        return refusals

    return guard


def _refusal(fact: Fact, known: Sequence[Fact]) -> Rejected | None:
    if fact.type in (_OFFER, _REFERRAL):
        if any(other.source == fact.source for other in known):
            return None
        return Forbidden(f"Only an agency with a fact of its own in the case offers or refers it; {_AGAIN}.")
    if fact.type not in _ANSWERS:
        return None
    offered = (
        other.type == _OFFER
        and other.data.get("transfer_id") == fact.data.get("transfer_id")
        and other.data.get("to") == fact.source
        for other in known
    )
    return None if any(offered) else Forbidden(f"Only the agency it was offered to answers; {_AGAIN}.")
