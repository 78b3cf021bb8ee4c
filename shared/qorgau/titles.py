"""What rules, flags, facts and codes are called in Kazakh, Russian and English. Reads its file and checks it.

The file is `policies/titles.yaml`; which language a reader wants is `front/languages.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qorgau.policy_checks.document import Place, PolicyRefused, Problem, read_document
from qorgau.policy_checks.models import problems_in
from qorgau.rules import Policy
from qorgau.vocabulary import FACT_TYPES

Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = ("kk", "ru", "en")
# The fields whose codes a person reads; where they say which codes there are, it is `vocabulary.py`.
CODED = frozenset({"reason", "legal_basis", "outcome", "sanction"})


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


_Text = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]


class Words(_Row):
    """One thing in the three languages."""

    kk: _Text
    ru: _Text
    en: _Text

    def by_language(self) -> dict[str, str]:
        """The three by the code of their language."""
        return {language: getattr(self, language) for language in LANGUAGES}


class Titles(_Row):
    """Everything that has a title: rules and flags by id, types of facts, and by field the codes it can have."""

    rules: Mapping[str, Words]
    flags: Mapping[str, Words]
    facts: Mapping[str, Words]
    words: Mapping[str, Mapping[str, Words]]

    def of_rule(self, rule: str, title: str) -> dict[str, str]:
        """The titles of a rule or flag by language. Of one that the policy calls otherwise than what was translated,
        only the policy's own, which is English."""
        known = self.rules.get(rule) or self.flags.get(rule)
        return known.by_language() if known is not None and known.en == title else {"en": title}

    def code(self, field: str, code: str, fact: str = "") -> Words | None:
        """What a code of a field is called, in facts of this type where that makes a difference."""
        for name in (f"{fact}.{field}", field):
            if code in self.words.get(name, {}):
                return self.words[name][code]
        return None


def parse_titles(text: str) -> Titles:
    """The titles in the text of a YAML file. Raises PolicyRefused with every problem that was found."""
    document = read_document(text)
    found: list[Problem] = []
    top = Place(document, found)
    if not isinstance(document.content, dict):
        top.refuse("titles are a map with rules, flags, facts and words")
        raise PolicyRefused(found)
    try:
        return Titles.model_validate(document.content)
    except ValidationError as error:
        for steps, message in problems_in(error):
            # Of a part of the file the place alone does not say the name.
            top.at(*steps).refuse(f"{steps[0]}: {message}" if len(steps) == 1 else message)
        raise PolicyRefused(found) from None


def load_titles(path: Path) -> Titles:
    """The titles in a file. Raises PolicyRefused, or OSError where it cannot be read."""
    try:
        return parse_titles(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise PolicyRefused([Problem(1, "", "not a text in UTF-8")]) from None


def untitled(titles: Titles, policy: Policy) -> list[str]:
    """What has no title in the three languages: rules and flags of the policy, types of facts, and the codes of the
    fields in CODED."""
    rules = [row for row in (*policy.rules, *policy.flags) if len(titles.of_rule(row.id, row.title)) < len(LANGUAGES)]
    facts = FACT_TYPES.keys() - titles.facts.keys()
    codes = [
        f"{kind.name}.{field}: {code}"
        for kind in FACT_TYPES.values()
        for field in CODED & kind.fields.keys()
        for code in sorted(kind.fields[field] or ())
        if titles.code(field, code, kind.name) is None
    ]
    return [*dict.fromkeys(row.id for row in rules), *sorted(facts), *sorted(codes)]
