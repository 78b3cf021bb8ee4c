"""The map of an import: what it may say, and that a mistake is told with its line."""

from pathlib import Path

import pytest

from qorgau.importing.mapping import BadMap
from qorgau.importing.mapping import read_map as read
from qorgau.importing.maps import CadMap

EXAMPLE = Path(__file__).parents[2] / "docs/examples/cad-map.yaml"
MAP = """\
system: test
zone: Asia/Almaty
columns:
  number: no
  start: start
  arrived: arr
region: KZ-75
area: urban
priority: {column: prio, words: {1: immediate, 2: prompt}}
categories:
  column: kind
  kinds:
    - {match: "DOM*", category: domestic_violence}
    - {match: "*", makes: []}
"""


def read_map(text: str) -> CadMap:
    return read(text, CadMap)


def test_the_example_is_a_map() -> None:
    made = read_map(EXAMPLE.read_text(encoding="utf-8"))
    assert made.priority.of(" 2 ") == "immediate"
    assert made.priority.of("7") is None
    assert made.region.of("") == "KZ-75"


def test_the_first_kind_that_matches_counts_without_regard_to_case() -> None:
    kinds = read_map(MAP.replace('"*"', '"A.C?"')).categories
    assert [kind and kind.makes for kind in map(kinds.of, ["domestic", " DOM", "A.CX", "ABCX", "A.C", ""])] == [
        ("case",),
        ("case",),
        (),
        None,
        None,
        None,
    ]


def test_an_empty_cell_is_of_no_kind_not_even_of_any() -> None:
    assert read_map(MAP).categories.of("") is None


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("zone: Asia/Almaty", "zone: Asia/Atlantis", 2),
        ("zone: Asia/Almaty", "zone: [", 4),
        ("zone: Asia/Almaty", "zone: Asia/Almaty\nsystem: other", 3),
        ("system: test", "system: Test System", 1),
        ("  arrived: arr\n", "", 3),
        ("  arrived: arr", "  arived: arr", 3),
        ("region: KZ-75", "region: Almaty", 7),
        ("region: KZ-75", "region: {column: place}", 7),
        ("area: urban", "area: town", 8),
        ("area: urban", "area: {words: {a: urban}}", 8),
        ("1: immediate", "1: urgent", 9),
        ("area: urban", "area: urban\nencoding: utf-99", 9),
        ("area: urban", "area: urban\nencoding: base64", 9),
        ("area: urban", "area: urban\ndelimiter: ';;'", 9),
        ("area: urban", "area: urban\nsource: court/KZ-75", 9),
        ("category: domestic_violence", "category: domestic", 13),
        ("category: domestic_violence", "category: other, makes: [case]", 13),
        ("category: domestic_violence", "category: other, injury: true", 13),
        ("makes: []", "makes: [call]", 14),
        ("makes: []", "makes: [], note: x", 14),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, line: int) -> None:
    assert old in MAP
    with pytest.raises(BadMap) as caught:
        read_map(MAP.replace(old, new))
    assert caught.value.line == line, str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "words", "? [a]\n: b\n", "a: &x {b: *x}\n"])
def test_what_is_no_map_at_all_is_refused(text: str) -> None:
    with pytest.raises(BadMap):
        read_map(text)
