"""Messages are read strictly: what is not well-formed, too large, too deep or a bomb is refused with its place."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qorgau.importing.strict import DEEPEST, LARGEST, BadMessage, read_json, read_xml

PREFIXES = {"urn:example": "x"}
LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<l>&c;</l>"""
FILE_OF_THE_MACHINE = b'<!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/hostname">]>\n<l>&f;</l>'
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text() | st.floats(allow_nan=False, width=16),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
    max_leaves=20,
)


def xml(content: bytes) -> Any:
    return read_xml(content, PREFIXES)


def refusal(content: bytes, read: Any = read_json) -> tuple[str, int, int]:
    with pytest.raises(BadMessage) as caught:
        read(content)
    return caught.value.reason, caught.value.line, caught.value.column


@given(ANY_JSON.filter(lambda tree: "inf" not in repr(tree)))
def test_what_json_is_written_of_is_what_is_read(tree: Any) -> None:
    assert read_json(json.dumps(tree).encode()) == tree


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1,\n "b": }', ("message_unreadable", 2, 7)),
        (b'{"a": 1} {"a": 2}', ("message_unreadable", 1, 10)),
        (b'{"a": "x",\n "n": {"k": "a", "k": "k"}}', ("name_repeated", 2, 18)),
        (b'{"a": 1,\n "\\u0061": 2}', ("name_repeated", 2, 2)),
        (b'["k", "k", {"k": 1}, {"k": [NaN]}]', ("number_refused", 1, 29)),
        (b"[\n1, -Infinity]", ("number_refused", 2, 4)),
        (b"[1e999]", ("number_refused", 1, 2)),
        (b"[" + b"7" * 5_000 + b"]", ("number_refused", 1, 2)),
        (b"[" * 100_000 + b"]" * 100_000, ("message_too_deep", 1, DEEPEST)),
        (b'{"a":' * 100 + b"1" + b"}" * 100, ("message_too_deep", 1, 5 * DEEPEST - 4)),
        (b"{}\n\n\xff", ("message_unreadable", 3, 1)),
        (b"", ("message_unreadable", 1, 1)),
        (b" " * (LARGEST + 1), ("message_too_large", 1, 1)),
    ],
)
def test_json_that_is_not_read_says_why_and_where(content: bytes, expected: tuple[str, int, int]) -> None:
    assert refusal(content) == expected


def test_a_byte_order_mark_and_nesting_up_to_the_limit_are_read() -> None:
    assert read_json(b'\xef\xbb\xbf{"a": null}') == {"a": None}
    deepest = DEEPEST - 1
    assert read_json(b"[" * deepest + b"]" * deepest)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (LAUGHS, ("entities_refused", 2, 12)),
        (FILE_OF_THE_MACHINE, ("entities_refused", 1, 12)),
        (b'<!DOCTYPE l SYSTEM "http://example.org/l.dtd"><l/>', ("entities_refused", 1, 46)),
        (b"<a>\n<b></a>", ("message_unreadable", 2, 6)),
        (b"<a>&nbsp;</a>", ("message_unreadable", 1, 4)),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', ("message_unreadable", 1, 31)),
        (b"", ("message_unreadable", 1, 1)),
        (b"<a>" * 100_000, ("message_too_deep", 1, 3 * DEEPEST + 4)),
        (b"<a>" + b" " * LARGEST + b"</a>", ("message_too_large", 1, 1)),
    ],
)
def test_xml_that_is_not_read_says_why_and_where(content: bytes, expected: tuple[str, int, int]) -> None:
    reason, line, column = refusal(content, xml)
    assert (reason, line) == expected[:2]
    # The parser notices a document type at its end or at its beginning, as its version is.
    assert column == expected[2] or reason == "entities_refused"


def test_names_have_the_prefix_of_the_standard_whatever_prefix_the_document_has() -> None:
    one = xml(b'<x:a xmlns:x="urn:example" q="1"><x:b>t &amp; u</x:b><x:b/></x:a>')
    other = xml(b'<a xmlns="urn:example" q="1">\n <b>t <!-- c -->&amp; u</b>\n <b/>\n</a>')
    assert one == other == {"x:a": [{"@q": "1", "x:b": [{"": "t & u"}, {}]}]}
    assert xml(b'<a xmlns="urn:other"/>') == {"{urn:other}a": [{}]}


@pytest.mark.parametrize("content", [b"<a>" + b"&amp;" * 200_000 + b"</a>", b"<a>" + b"<b/>" * 250_000 + b"</a>"])
def test_the_largest_documents_need_bounded_memory(content: bytes) -> None:
    assert len(content) <= LARGEST
    tracemalloc.start()
    try:
        xml(content)
        assert tracemalloc.get_traced_memory()[1] < 200 * LARGEST
    finally:
        tracemalloc.stop()
