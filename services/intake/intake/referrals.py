"""`POST /v1/cases/{case}/referrals`: an agency of a case asks another one to act in it too, and tells it something.

Who was told what is written down with the case, in one write with the facts that follow: the agency is part of the
case, and a shelter that is asked has its hours to find a place. The duty stays where it is; a transfer hands it on.
"""

from collections.abc import Callable, Collection
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from intake.answers import REFERRED
from intake.commands import Command, command, once
from intake.domain import CaseReferred
from intake.shelter import ReferralRequested
from intake.speaking import posted, speaker
from intake.vault.access import PURPOSES
from intake.vault.classes import CLASSES
from intake.vault.serving import Persons
from qorgau.errors import Invalid
from qorgau.facts import Fact
from qorgau.front.door import Door
from qorgau.front.idempotency import Answer, Idempotency, KeyHeader
from qorgau.front.posted import AgencyCode, Region
from qorgau.front.reading import CaseId
from qorgau.identity.access import Access
from qorgau.identity.sender import Sender, can_speak
from qorgau.instants import format_instant
from qorgau.service import v1

_SHELTER = "shelter"


def _known(words: Collection[str]) -> Callable[[str], str]:
    def known(text: str) -> str:
        if text not in words:
            raise PydanticCustomError("word", "none of the documented words")
        return text

    return known


Class: TypeAlias = Annotated[str, AfterValidator(_known(CLASSES)), Field(json_schema_extra={"enum": sorted(CLASSES)})]
Purpose: TypeAlias = Annotated[str, AfterValidator(_known(PURPOSES)), Field(json_schema_extra={"enum": list(PURPOSES)})]


class ReferCase(Command):
    """Who is asked, where, and which classes of personal data they are told, for which purpose; without classes they
    are told no more than the codes of the case."""

    region: Region
    agency: AgencyCode
    classes: Annotated[list[Class], Field(max_length=len(CLASSES))] = Field(default_factory=list)
    purpose: Purpose | None = None


def referrals_router(persons: Persons, commands: Idempotency, door: Door, access: Access) -> APIRouter:
    """The route by which a case is referred."""
    router = v1()

    @command(
        router,
        "/cases/{case}/referrals",
        ReferCase,
        "Ask another agency to act in the case too, and write down what it is told",
        REFERRED,
        tag="cases",
    )
    async def post_referral(
        case: CaseId, request: Request, sender: Annotated[Sender, Depends(access)], key: KeyHeader
    ) -> JSONResponse:
        async def act(told: ReferCase, name: str) -> Answer:
            if bool(told.classes) != (told.purpose is not None):
                raise Invalid("Say what is told and for which purpose, or neither.", field="purpose")
            facts = _facts(door, case, sender, told, name)
            basis = await persons.refer(case, sender, told.agency, told.purpose, told.classes, facts)
            return Answer(200, {"case": case, "referral_id": name, **told.model_dump(), "basis": basis}, {})

        return await once(commands, request, sender, key, ReferCase, act)

    return router


def _facts(door: Door, case: str, sender: Sender, told: ReferCase, name: str) -> list[Fact]:
    """What follows from a referral: that the agency is asked, and for a shelter that a place is looked for."""
    by = speaker(sender, f"crisis-centre/{told.region}")
    if told.agency == by.agency or not can_speak(told.agency):
        raise Invalid("Name another agency, one that acts in cases.", field="agency")

    def fact(type: str, id: str, **data: Any) -> Fact:
        return posted(door, by, case, type, id, format_instant(door.now()), {"region": told.region, **data})

    facts = [fact(CaseReferred.type, name, referral_id=name, agency=told.agency)]
    if told.agency.partition("/")[0] == _SHELTER and by.kind in ReferralRequested.posted_by:
        facts.append(fact(ReferralRequested.type, f"{name}-shelter"))
    return facts
