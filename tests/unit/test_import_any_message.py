"""Whatever stands in a message: it becomes facts that its service accepts, or is unused for a reason that is known."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qorgau.importing.eido import EIDO
from qorgau.importing.fields import ANYWHERE, USED, Standard
from qorgau.importing.hmcts import HMCTS
from qorgau.importing.making import Made, Unused
from qorgau.importing.niem import NIEM
from qorgau.importing.reasons import DROPPED, NOTES, REASONS
from tests.imports import EXAMPLES, changed, example_map, made_of

STANDARDS = {standard.name: standard for standard in (EIDO, NIEM, HMCTS)}
WORDS = st.sampled_from(
    ["", "2026-02-10T18:02:11", "0001-01-01T00:00:00Z", "delete", "DVA", "LISTED", "\udcff", "\x00"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | WORDS
ANYTHING = st.recursive(
    LEAVES,
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(["", "$ref", "$id", "@structures:id", "nc:StatusText"]), below, max_size=3)
    ),
    max_leaves=6,
)


def messages(standard: Standard) -> Iterator[Any]:
    for file in sorted((EXAMPLES / standard.name).iterdir()):
        if file.suffix == ".ndjson":
            yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())
        else:
            yield standard.read(file.read_bytes())


def paths(node: Any, way: str = "") -> Iterator[str]:
    """Every place in a message."""
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, one in below:
        # The names of the messages have no stroke in them; that of a text in XML is empty.
        here = f"{way}/{name}".removeprefix("/")
        yield here
        yield from paths(one, here)


PLACES = {
    name: [(message, path) for message in messages(standard) for path in paths(message) if "//" not in f"{path}/"]
    for name, standard in STANDARDS.items()
}


def outcome(standard: Standard, message: Any) -> tuple[Made, str]:
    """What became of a message, or why nothing did."""
    try:
        return made_of(standard, message), ""
    except Unused as unused:
        return Made(()), unused.reason


@pytest.mark.parametrize("name", STANDARDS)
@given(st.data())
def test_a_message_with_anything_anywhere_is_used_or_not_for_a_reason(name: str, data: st.DataObject) -> None:
    message, path = data.draw(st.sampled_from(PLACES[name]))
    value = data.draw(ANYTHING | st.just(...))
    made, reason = outcome(STANDARDS[name], changed(message, path, value))
    assert bool(made.facts) is (reason == "")
    assert {reason} <= {"", *REASONS}
    assert made.notes <= NOTES.keys()
    assert {why for _, why in made.dropped} <= DROPPED.keys()


@pytest.mark.parametrize("name", STANDARDS)
@given(ANYTHING)
def test_a_message_of_anything_at_all_is_used_or_not_for_a_reason(name: str, message: Any) -> None:
    with pytest.raises(Unused) as caught:
        made_of(STANDARDS[name], message)
    assert caught.value.reason in REASONS


@pytest.mark.parametrize("name", STANDARDS)
def test_every_part_of_the_examples_is_of_the_standard(name: str) -> None:
    for message in messages(STANDARDS[name]):
        made, _ = outcome(STANDARDS[name], message)
        assert "not_of_the_standard" not in {why for _, why in made.dropped}


@pytest.mark.parametrize("name", STANDARDS)
def test_the_tables_of_a_standard_say_only_words_that_a_report_or_a_map_knows(name: str) -> None:
    standard = STANDARDS[name]
    assert set(standard.fields.values()) <= {USED, *DROPPED}
    known = [path for path in standard.fields if not path.startswith(ANYWHERE)]
    # A part that is left out whole has no parts that are read.
    left_out = {path for path in known if standard.fields[path] != USED}
    assert not [path for path in known if any(path.startswith(f"{whole}/") for whole in left_out)]
    for codes in standard.codes.values():
        assert set(codes.means.values()) <= set(codes.may_mean)
        assert all(code == code.casefold() for code in codes.means)
        assert codes.otherwise is None or codes.otherwise in codes.may_mean
    assert example_map(standard).source.startswith(standard.agency)
