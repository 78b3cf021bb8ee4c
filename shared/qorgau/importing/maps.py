"""What a map may say: of the export of a dispatch system, of a list of hearings, and of the messages of a standard."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from qorgau.front.posted import Area, Category, Code, Priority, Region
from qorgau.importing.mapping import Choice, Fixed, Part, Sheet, System, Text, agency_of, matches

DISPATCH, COURT = "102", "court"

Made = Literal["case", "call"]
CancelReason = Literal["duplicate", "false_call", "caller_withdrew"]
Basis = Literal["state_of_emergency", "force_majeure", "expert_examination", "forced_appearance", "other_case_first"]
Sanction = Literal["warning", "community_service", "arrest", "fine", "terminated", "reclassified_criminal"]


class Columns(Part):
    """The columns that every map needs, by their name in the header of the export."""

    number: Text
    start: Text
    arrived: Text
    dispatched: Text | None = None


class Kind(Part):
    """What a call of some kind becomes. `match` is compared with the whole cell; `*` and `?` stand for any text."""

    match: Text
    category: Category | None = None
    makes: tuple[Made, ...]
    injury: bool = False
    sexual: bool = False

    @model_validator(mode="before")
    @classmethod
    def _usual(cls, value: Any) -> Any:
        """A domestic call makes a case and any other an anonymous call, unless the map says what it makes."""
        if not isinstance(value, Mapping) or "makes" in value:
            return value
        return {**value, "makes": ["case"] if value.get("category") == "domestic_violence" else ["call"]}

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.makes and self.category is None:
            raise ValueError("give the category, or makes: [] for calls that are not selected")
        if "case" in self.makes and self.category != "domestic_violence":
            raise ValueError("only domestic_violence makes a case")
        if (self.injury or self.sexual) and "case" not in self.makes:
            raise ValueError("injury and sexual are said of a case only")
        return self

    def fits(self, cell: str) -> bool:
        """Whether a cell names this kind of call."""
        return matches(self.match, cell)


class Kinds(Part):
    """The kinds of calls, told by one column; the first that matches counts."""

    column: Text
    kinds: tuple[Kind, ...] = Field(min_length=1)

    def of(self, cell: str) -> Kind | None:
        """The kind a cell names, or None where the map does not say; an empty cell names none, not even `*`."""
        return next((kind for kind in self.kinds if cell and kind.fits(cell)), None)


class Cancelled(Part):
    """Which calls nobody needs to come to any more, and the column that says since when."""

    column: Text
    words: Mapping[str, CancelReason] = Field(min_length=1)
    at: Text

    def of(self, cell: str) -> CancelReason | None:
        """Why a call was cancelled, or None if it was not."""
        return next((why for word, why in self.words.items() if matches(word, cell)), None)


class CadMap(Sheet):
    """The map of a dispatch system's export."""

    columns: Columns
    source: Text | None = None
    region: Annotated[Choice[Region], Fixed]
    area: Annotated[Choice[Area], Fixed]
    priority: Annotated[Choice[Priority], Fixed]
    categories: Kinds
    cancelled: Cancelled | None = None

    @field_validator("source")
    @classmethod
    def _dispatch(cls, source: str | None) -> str | None:
        return None if source is None else agency_of(DISPATCH, source)


class CourtColumns(Part):
    """The columns of a list of hearings; without `hearing` a hearing is known by its case and its date."""

    number: Text
    scheduled: Text
    listed: Text
    hearing: Text | None = None
    registered: Text | None = None
    decided: Text | None = None


class Outcome(Part):
    """What a word of the state of a hearing says happened to it; `listed` says nothing more than that it has a date."""

    makes: Literal["listed", "held", "cancelled", "postponed", "suspended", "resumed"]
    reason: Text | None = None
    tolls_term: bool | None = None
    legal_basis: Basis | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"makes": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        reasons = _REASONS.get(self.makes)
        if (reasons is None and self.reason is not None) or (reasons is not None and self.reason not in reasons):
            raise ValueError(f"reason: one of {', '.join(reasons)}" if reasons else "this has no reason")
        if (self.makes == "suspended") != (self.tolls_term is not None):
            raise ValueError("give tolls_term with suspended, and only with it")
        if (self.makes != "suspended" or self.tolls_term) and (self.legal_basis is None) == bool(self.tolls_term):
            raise ValueError("give legal_basis where the term stands still, and only with suspended")
        return self

    def data(self) -> dict[str, Any]:
        """The fields of the fact besides those of every hearing."""
        return self.model_dump(exclude={"makes"}, exclude_none=True)


_REASONS: Mapping[str, tuple[str, ...]] = {
    "cancelled": ("entered_in_error", "case_ended", "other"),
    "postponed": ("docket_priority", "party_absent", "evidence_missing", "other"),
}


class States(Part):
    """What the words of one column say happened to a hearing, and the column that says when."""

    column: Text
    words: Mapping[str, Outcome] = Field(min_length=1)
    at: Text | None = None

    def of(self, cell: str) -> Outcome | None:
        """What a word says, or None where the map does not say; an empty cell says that the hearing is listed."""
        found = (outcome for word, outcome in self.words.items() if matches(word, cell))
        return next(found, None if cell else Outcome(makes="listed"))


class CourtKind(Part):
    """What a row about some kind of case becomes."""

    match: Text
    category: Category | None = None
    makes: tuple[Literal["hearing", "docket_item"], ...]

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.makes and self.category is None:
            raise ValueError("give the category, or makes: [] for cases that are not selected")
        if "hearing" in self.makes and self.category != "domestic_violence":
            raise ValueError("only domestic_violence makes a hearing")
        return self


class CourtKinds(Part):
    """The kinds of cases, told by one column; the first that matches counts."""

    column: Text
    kinds: tuple[CourtKind, ...] = Field(min_length=1)

    def of(self, cell: str) -> CourtKind | None:
        """The kind a cell names, or None where the map does not say; an empty cell names none, not even `*`."""
        return next((kind for kind in self.kinds if cell and matches(kind.match, cell)), None)


class CourtMap(Sheet):
    """The map of a list of hearings. Without `categories` every row is a hearing of a case of domestic violence."""

    columns: CourtColumns
    source: Text
    region: Annotated[Choice[Region], Fixed]
    court: Annotated[Choice[Code], Fixed] | None = None
    arrest_eligible: Annotated[Choice[bool], Fixed] | None = None
    mode: Annotated[Choice[Literal["in_person", "remote", "unsaid"]], Fixed] | None = None
    state: States | None = None
    decision: Annotated[Choice[Sanction], Fixed] | None = None
    categories: CourtKinds | None = None

    @field_validator("source")
    @classmethod
    def _court(cls, source: str) -> str:
        return agency_of(COURT, source)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        made = {name for kind in self.categories.kinds for name in kind.makes} if self.categories else {"hearing"}
        if self.columns.registered is not None and None in (self.court, self.arrest_eligible):
            raise ValueError("with a column of registrations say court and arrest_eligible, too")
        if self.decision is not None and self.columns.decided is None:
            raise ValueError("with decision name the column decided, too")
        if "docket_item" in made and None in (self.court, self.columns.registered, self.columns.decided):
            raise ValueError("a docket_item needs court and the columns registered and decided")
        return self


class MessageMap(System):
    """What the messages of a standard do not say: who posts, where it is, and what local codes mean.

    It is read with what the standard says of itself as context: the tables that `codes` may add to, and the fields.
    """

    source: Text
    region: Annotated[Choice[Region], Fixed]
    area: Annotated[Choice[Area], Fixed] | None = None
    codes: Mapping[str, Mapping[str, str]] = {}

    @field_validator("source")
    @classmethod
    def _agency(cls, source: str, info: ValidationInfo) -> str:
        return agency_of(_asked(info)["agency"], source)

    @field_validator("region", "area")
    @classmethod
    def _known_field(cls, choice: Choice[Any] | None, info: ValidationInfo) -> Choice[Any] | None:
        fields = _asked(info)["fields"]
        if choice is not None and choice.column is not None and choice.column not in fields:
            raise ValueError(f"field: one of {', '.join(fields)}")
        return choice

    @field_validator("codes")
    @classmethod
    def _known_codes(cls, codes: Mapping[str, Mapping[str, str]], info: ValidationInfo) -> Any:
        tables = _asked(info)["tables"]
        for name, words in codes.items():
            if name not in tables:
                raise ValueError(f"one of {', '.join(tables)}")
            if not set(words.values()) <= set(tables[name]):
                raise ValueError(f"{name}: each code means one of {', '.join(tables[name])}")
        return codes

    @model_validator(mode="after")
    def _needs_area(self, info: ValidationInfo) -> Self:
        if (self.area is None) == _asked(info)["area"]:
            raise ValueError("say whether it is urban or rural: area" if self.area is None else "area is not needed")
        return self


def _asked(info: ValidationInfo) -> Mapping[str, Any]:
    if info.context is None:
        raise TypeError("the map of messages is read with what its standard says")
    context: Mapping[str, Any] = info.context
    return context
