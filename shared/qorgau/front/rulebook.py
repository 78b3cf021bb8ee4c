"""The rules of one service over HTTP: what they are called in three languages, and what they say in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.responses import JSONResponse

from qorgau.front.answers import TEXT, Responses, answer, array, ref, structure
from qorgau.front.door import Sender
from qorgau.front.languages import DEFAULT, wanted_language
from qorgau.identity.access import Access
from qorgau.policy_words import deadline_in_words, flag_in_words, ladder_in_words
from qorgau.rules import Flag, Policy, Rule
from qorgau.service import v1
from qorgau.titles import LANGUAGES, Language, Titles

_BY_LANGUAGE = structure("kk", "ru", kk=TEXT, ru=TEXT, en=TEXT)
_RULE = structure(
    *("duty", "effective_from"),
    id=TEXT | {"description": "Several versions of a rule, each from its day on, have the same"},
    kind={"enum": ["deadline", "flag"]},
    title=TEXT | {"description": "In the language asked for, where it is there"},
    titles=_BY_LANGUAGE,
    duty=TEXT | {"description": "Who owes it"},
    duty_kinds=array(TEXT),
    severity={"enum": ["critical", "high", "medium"]},
    told=TEXT | {"description": "Who is told of a breach, and how long after"},
    basis=TEXT,
    source=TEXT,
    effective_from={"type": "string", "format": "date"},
    clauses={"type": "object", "description": "What it says, clause by clause", "additionalProperties": TEXT},
)
_RULES = structure(
    policy=structure(**dict.fromkeys(("id", "version", "fingerprint"), TEXT)),
    items=array(ref("Rule")),
    words={
        "type": "object",
        "description": "What codes are called, by field, or by type of fact and field where it differs",
        "additionalProperties": {"type": "object", "additionalProperties": _BY_LANGUAGE},
    },
)
RULE_SCHEMAS: Mapping[str, Any] = MappingProxyType({"Rule": _RULE, "Rules": _RULES})
_HEADERS = {"Content-Language": {"schema": {"enum": list(LANGUAGES)}}, "Vary": {"schema": TEXT}}
_GET_RULES: Responses = {200: answer("In the order of the policy", ref("Rules"), headers=_HEADERS)}


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules and flags a service judges by, with their titles. `policy` holds those of this service only."""

    policy: Policy
    titles: Titles

    def answer(self, language: Language) -> dict[str, Any]:
        """The answer of `GET /v1/rules`."""
        frame = self.policy.policy
        rows: list[Rule | Flag] = [*self.policy.rules, *self.policy.flags]
        words = {
            field: {code: one.by_language() for code, one in codes.items()}
            for field, codes in self.titles.words.items()
        }
        return {
            "policy": {"id": frame.id, "version": frame.version, "fingerprint": self.policy.fingerprint},
            "items": [self._item(row, language) for row in rows],
            "words": words,
        }

    def _item(self, row: Rule | Flag, language: Language) -> dict[str, Any]:
        titles = self.titles.of_rule(row.id, row.title)
        item = {
            "id": row.id,
            "kind": "deadline" if isinstance(row, Rule) else "flag",
            "title": titles.get(language, titles[DEFAULT]),
            "titles": titles,
            "duty_kinds": list(row.duty_kinds),
            "severity": row.severity,
            "told": ladder_in_words(self.policy.policy, row.severity, first_only=not isinstance(row, Rule)),
            "basis": row.basis,
            "source": row.source,
        }
        if not isinstance(row, Rule):
            return item | {"clauses": flag_in_words(row, self.titles)}
        dated = {"duty": row.duty, "effective_from": row.effective_from.isoformat()}
        return item | dated | {"clauses": deadline_in_words(row, self.titles)}


def rules_router(book: Rulebook, access: Access) -> APIRouter:
    """The route by which the rules of a service are read."""
    router = v1()

    @router.get(
        "/rules", tags=["rules"], summary="The rules of this service, their titles and terms", responses=_GET_RULES
    )
    async def get_rules(
        _: Annotated[Sender, Depends(access)],
        accept_language: Annotated[str | None, Header(description="kk, ru or en; absent: en")] = None,
    ) -> JSONResponse:
        language = wanted_language(accept_language)
        headers = {"Content-Language": language, "Vary": "Accept-Language"}
        return JSONResponse(book.answer(language), headers=headers)

    return router
