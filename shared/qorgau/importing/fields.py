"""What a standard's messages are made of: which parts are read, which are left out and why, what its codes mean. Pure.

A standard is data: a module says which, `Translator` does the rest, and whatever is not listed there is never read.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from qorgau.calendar import load_zone
from qorgau.facts import Fact
from qorgau.importing.making import Keyed, Made, Record, Unused, is_text, moment, to_instant
from qorgau.importing.mapping import ISO, same
from qorgau.importing.maps import MessageMap
from qorgau.importing.strict import Reader

USED = "used"
# Names that mean the same wherever they stand are listed once, under this.
ANYWHERE = "//"


@dataclass(frozen=True, slots=True)
class Codes:
    """A table of codes: what each means here, what else a map may say of local ones, what an unknown one becomes."""

    means: Mapping[str, str]
    may_mean: tuple[str, ...]
    otherwise: str | None = None

    def with_local(self, local: Mapping[str, str]) -> "Codes":
        """The table with the codes of a map, which count before its own."""
        both = {**self.means, **local}
        return Codes({same(code): meaning for code, meaning in both.items()}, self.may_mean, self.otherwise)


@dataclass(frozen=True, slots=True)
class At:
    """A place in a message: its path by the names of the standard, and what stands there."""

    path: str
    value: Any

    def each(self, name: str) -> list["At"]:
        """The objects of this name, none where there are none; raises Unused for anything but objects."""
        path, found = self._below(name)
        several = found if isinstance(found, list) else [] if found is None else [found]
        if not all(isinstance(one, dict) for one in several):
            raise Unused("type_wrong", path)
        return [At(path, one) for one in several]

    def one(self, name: str) -> "At":
        """The first object of this name, or an empty one."""
        return next(iter(self.each(name)), At(self.to(name), {}))

    def way(self, names: str) -> "At":
        """The first object at the end of a way of names, `/` between them."""
        place = self
        for name in names.split("/"):
            place = place.one(name)
        return place

    def texts(self, name: str) -> list[str]:
        """The texts of this name; a number is the text of its digits. Raises Unused for another type."""
        path, found = self._below(name)
        several = found if isinstance(found, list) else [] if found is None else [found]
        return [_text(one, path) for one in several]

    def text(self, name: str) -> str:
        """The first text of this name, empty where there is none."""
        return next(iter(self.texts(name)), "")

    def to(self, name: str) -> str:
        """The path of what has this name."""
        return f"{self.path}/{name}".strip("/")

    def _below(self, name: str) -> tuple[str, Any]:
        return self.to(name), self.value.get(name)


@dataclass(frozen=True, slots=True)
class Standard:
    """Everything that is particular to one standard. `fields`: by path, USED or why a part is left out (DROPPED)."""

    name: str
    agency: str
    read: Reader
    endings: tuple[str, ...]
    fields: Mapping[str, str]
    codes: Mapping[str, Codes]
    district: tuple[str, ...]
    facts: Callable[[At, "Telling"], Iterator[Fact]]
    needs_area: bool = False

    @property
    def asked_of_map(self) -> Mapping[str, Any]:
        """What a map for this standard may say."""
        tables = {name: codes.may_mean for name, codes in self.codes.items()}
        return {"agency": self.agency, "fields": self.district, "tables": tables, "area": self.needs_area}


class Telling:
    """One message while facts are made of it: what was decided, and what was left out."""

    def __init__(self, message_map: MessageMap, codes: Mapping[str, Codes], keyed: Keyed, received: int) -> None:
        self.map = message_map
        self.keyed = keyed
        self.received = received
        self.notes: set[str] = set()
        self.dropped: Counter[tuple[str, str]] = Counter()
        self._codes = codes
        self._zone: ZoneInfo = load_zone(message_map.zone)

    def code(self, table: str, at: At, name: str) -> str | None:
        """What the code of this name means; an unknown one is counted, and is what the table says of such."""
        return next(iter(self.all_codes(table, at, name)), None)

    def all_codes(self, table: str, at: At, name: str) -> list[str]:
        """What all codes of this name mean, without those that mean nothing here."""
        codes = self._codes[table]
        found: list[str] = []
        for text in filter(None, at.texts(name)):
            meaning = codes.means.get(same(text), codes.otherwise)
            if same(text) not in codes.means:
                why = "code_unknown" if codes.otherwise is None else "code_as_other"
                self.dropped[at.to(name), why] += 1
            found += [] if meaning is None else [meaning]
        return found

    def instant(self, at: At, name: str, start: int | None = None) -> int | None:
        """The instant of this name in microseconds UTC, without an offset in the zone of the map; None without one."""
        text = at.text(name)
        if not text:
            return None
        written = moment(text, (ISO,))
        if written is None:
            raise Unused("time_unreadable", at.to(name))
        instant, note = to_instant(written, self._zone, start)
        self.notes.update({note} if note else ())
        return instant

    def district(self, found: Mapping[str, str]) -> dict[str, str]:
        """Region, and area where it is needed, of the fields that tell a district."""
        said = {"region": self.map.region.of(found.get(self.map.region.column or "", ""))}
        if self.map.area is not None:
            said["area"] = self.map.area.of(found.get(self.map.area.column or "", ""))
        for name, value in said.items():
            if value is None:
                raise Unused(f"{name}_unknown")
        return {name: str(value) for name, value in said.items()}


class Translator:
    """Makes facts of the messages of one standard under one map. `key` is the secret that references are made with."""

    def __init__(self, standard: Standard, message_map: MessageMap, key: str) -> None:
        self._standard = standard
        self._map = message_map
        self._keyed = Keyed(key)
        local = message_map.codes
        self._codes = {name: codes.with_local(local.get(name, {})) for name, codes in standard.codes.items()}
        self._inner = frozenset(path for field in standard.fields for path in _ways_to(field))

    def make(self, record: Record) -> Made:
        """The facts of one message; raises Unused."""
        if not isinstance(record.content, dict):
            raise Unused("message_unknown")
        telling = Telling(self._map, self._codes, self._keyed, record.received)
        facts = tuple(self._standard.facts(At("", record.content), telling))
        if not facts:
            raise Unused("no_fact")
        left_out = telling.dropped + self._left_out(record.content)
        return Made(facts, frozenset(telling.notes), left_out)

    def _left_out(self, message: Mapping[str, Any]) -> Counter[tuple[str, str]]:
        """Each part that is in no fact, by its path and why; unknown names are counted as `*`, never repeated."""
        counts: Counter[tuple[str, str]] = Counter()
        waiting: list[tuple[str, Any]] = [("", message)]
        while waiting:
            path, node = waiting.pop()
            if isinstance(node, list):
                waiting += [(path, one) for one in node]
                continue
            for name, below in node.items() if isinstance(node, dict) else ():
                here = f"{path}/{name}".removeprefix("/")
                why = self._why(here, name)
                if why == USED:
                    waiting.append((here, below))
                elif below not in (None, "", [], {}):
                    known = why != "not_of_the_standard"
                    counts[here if known else f"{path}/*".removeprefix("/"), why] += _parts(below)
        return counts

    def _why(self, path: str, name: str) -> str:
        fields = self._standard.fields
        if name == "" or path in self._inner:
            return USED
        return fields.get(path) or fields.get(ANYWHERE + name) or "not_of_the_standard"


def _ways_to(path: str) -> Iterator[str]:
    """The paths of everything that a part stands in."""
    names = () if path.startswith(ANYWHERE) else path.split("/")
    yield from ("/".join(names[:end]) for end in range(1, len(names)))


def _parts(node: Any) -> int:
    return len(node) if isinstance(node, list) else 1


def _text(value: Any, path: str) -> str:
    # An element of XML is an object whose text has no name.
    inner = value.get("", "") if isinstance(value, dict) and all(name[:1] in ("", "@") for name in value) else value
    if isinstance(inner, bool) or not isinstance(inner, str | int):
        if inner is None:
            return ""
        raise Unused("type_wrong", path)
    text = str(inner).strip()
    if not is_text(text):
        raise Unused("text_unreadable", path)
    return text
