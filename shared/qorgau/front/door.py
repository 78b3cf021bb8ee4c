"""The one door for facts, by HTTP or by Kafka: what passes is a fact with its stamp; everything else is refused.

A refusal names the field and what it must be, and repeats nothing that was sent. The door stores nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from qorgau.errors import Forbidden, Invalid
from qorgau.facts import Fact, event_type, fact_type
from qorgau.feeds.case import is_nobodys
from qorgau.front import references
from qorgau.front.envelope import ATTRIBUTES, JSON
from qorgau.front.posted import FACT_ID, REFERENCE, FactData, Models, is_agency
from qorgau.identity.sender import BACKFILL as BACKFILL
from qorgau.identity.sender import EVERY as EVERY
from qorgau.identity.sender import WRITE as WRITE
from qorgau.identity.sender import Sender as Sender
from qorgau.instants import parse_instant
from qorgau.vocabulary import FACT_TYPES

# A clock that is a day wrong is noticed by people; beyond it a year was mistyped.
AHEAD = timedelta(days=1)

_FACT_ID, _CASE = re.compile(FACT_ID[1:-1]), re.compile(REFERENCE[1:-1])
_SCHEMA = re.compile(r"[A-Za-z0-9:/?#._~%@+=&-]{1,256}")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A fact that passed. With a `reference` (a keyed digest) its case is still to be looked up under it;
    `own_recorded` tells a sender's own recording instant from our stamp, `trusted` one who speaks for everybody."""

    fact: Fact
    reference: str | None = None
    own_recorded: bool = False
    trusted: bool = False

    def joined(self, case: str, now: int) -> Fact:
        """The fact once its reference is known: stamped anew, unless the sender gave the instant."""
        return replace(self.fact, case=case, recorded=self.fact.recorded if self.own_recorded else now)


@dataclass(frozen=True, slots=True)
class Door:
    """The door of one service: its models, the regions of the policy, the clock, and the key of references."""

    service: str
    models: Models
    regions: frozenset[str]
    now: Callable[[], int]
    reference_key: str
    ahead: timedelta = AHEAD

    def admit(self, event: object, sender: Sender) -> Admitted:
        """One event as a stamped fact. Raises Invalid (not as documented) or Forbidden (not by this sender)."""
        attributes = _attributes(event)
        model = self._model(attributes)
        source = _source(attributes, model, sender)
        case, reference = self._subject(attributes, model)
        data = self._data(attributes, model, sender)
        now = self.now()
        time = _instant(attributes, "time")
        recorded = _own_recorded(attributes, sender)
        if recorded is None and time > now + self.ahead // timedelta(microseconds=1):
            raise Invalid(f"It lies more than {self.ahead} ahead of now; check the sender's clock.", field="time")
        stamp = now if recorded is None else recorded
        fact = Fact(attributes["id"], source, model.type, time, stamp, case, data)
        return Admitted(fact, reference, recorded is not None, sender.agency == EVERY)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of agency that have something to say in cases here."""
        about_cases = (model.posted_by for model in self.models.values() if model.context is False)
        return frozenset().union(*about_cases)

    def _model(self, attributes: Mapping[str, Any]) -> type[FactData]:
        name = fact_type(attributes["type"])
        model = self.models.get(name)
        if model is not None and attributes["type"] == event_type(name):
            return model
        known = FACT_TYPES.get(name) if attributes["type"] == event_type(name) else None
        if known is None:
            raise Invalid("No fact has this type; see docs/domain/facts.md.", field="type")
        raise Invalid(f"This type belongs to another service; post it to {' or '.join(known.services)}.", field="type")

    def _subject(self, attributes: Mapping[str, Any], model: type[FactData]) -> tuple[str | None, str | None]:
        """The case, or the digest of a reference to it, or neither for a fact without a case."""
        subject = attributes.get("subject")
        if subject is None:
            if model.context is False:
                raise Invalid("This type is about a case; give the case or a reference to it.", field="subject")
            return None, None
        if model.context is True:
            raise Invalid("This type is about no case; leave it out.", field="subject")
        if is_nobodys(subject):
            raise Invalid("It is no case but a surge or a silence; no fact is about it.", field="subject")
        if _CASE.fullmatch(subject):
            return subject, None
        named = references.reference(subject.removeprefix(references.PREFIX))
        if named is None or not subject.startswith(references.PREFIX):
            raise Invalid(
                "A case is 1 to 64 of A-Z a-z 0-9 _ -, a reference is ref:<system>/<number>.", field="subject"
            )
        return None, references.digest(self.reference_key, *named)

    def _data(self, attributes: Mapping[str, Any], model: type[FactData], sender: Sender) -> Mapping[str, Any]:
        data = attributes.get("data")
        if not isinstance(data, dict):
            raise Invalid("data is missing or is not an object.", field="data")
        try:
            checked = model.model_validate(data)
        except ValidationError as error:
            raise _first_of(error) from None
        if checked.region not in self.regions:
            raise Invalid("No region of the policy has this code.", field="data.region")
        if not sender.has_region(checked.region):
            raise Forbidden("The token is for other regions.", field="data.region")
        return data


def _attributes(event: object) -> Mapping[str, Any]:
    """The event with every attribute known and a text, and those that every fact has present."""
    if not isinstance(event, dict):
        raise Invalid("An event is a JSON object.")
    for name, value in event.items():
        if name != "data" and name not in ATTRIBUTES:
            raise Invalid("The event has an attribute that facts do not have; see docs/domain/facts.md.")
        if name != "data" and not isinstance(value, str):
            raise Invalid("It must be a text.", field=name)
    for name in ("specversion", "id", "source", "type", "time"):
        if name not in event:
            raise Invalid("It is missing.", field=name)
    if event["specversion"] != "1.0":
        raise Invalid("Send CloudEvents 1.0.", field="specversion")
    if not _FACT_ID.fullmatch(event["id"]):
        raise Invalid("An id is 1 to 64 of A-Z a-z 0-9 . _ : -.", field="id")
    if event.get("datacontenttype", JSON).partition(";")[0].strip().lower() != JSON:
        raise Invalid(f"Data is {JSON}.", field="datacontenttype")
    if not _SCHEMA.fullmatch(event.get("dataschema", "-")):
        raise Invalid("It is no address of a schema.", field="dataschema")
    return event


def _source(attributes: Mapping[str, Any], model: type[FactData], sender: Sender) -> str:
    source: str = attributes["source"]
    if not is_agency(source):
        raise Invalid("A source is an agency code, KIND or KIND/UNIT.", field="source")
    if WRITE not in sender.scopes:
        raise Forbidden(f"The token lacks the scope {WRITE}.")
    if not sender.is_agency(source):
        raise Forbidden("The source is not the agency of the token.", field="source")
    if source.partition("/")[0] not in model.posted_by:
        raise Forbidden("This kind of agency does not post this type.", field="source")
    return source


def _own_recorded(attributes: Mapping[str, Any], sender: Sender) -> int | None:
    if "recordedtime" not in attributes:
        return None
    if BACKFILL not in sender.scopes:
        raise Forbidden(f"Leave recordedtime out, or use a token with the scope {BACKFILL}.", field="recordedtime")
    return _instant(attributes, "recordedtime")


def _instant(attributes: Mapping[str, Any], name: str) -> int:
    try:
        return parse_instant(attributes[name])
    except ValueError as error:
        raise Invalid(f"It is {error}.", field=name) from None


def _first_of(error: ValidationError) -> Invalid:
    """The first thing wrong with the data; the name of a field that should not be there is not repeated."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "extra_forbidden":
        return Invalid("data has a field that this type does not have; see docs/domain/facts.md.", field="data")
    return Invalid(f"{first['msg']}.", field=".".join(["data", *map(str, first["loc"])]))
