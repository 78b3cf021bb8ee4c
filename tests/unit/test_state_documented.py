"""docs/state.md explains every word by which a row can stand and every finding, and no others."""

import re

from tests.expected import ROOT
from tests.stated import CHECKS, WORDS

SECTIONS = re.split(r"^#{2,3} ", (ROOT / "docs" / "state.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
EXPLAINED = {text.partition("\n")[0]: re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE) for text in SECTIONS}


def test_every_state_of_every_list_is_explained() -> None:
    assert {kind: sorted(EXPLAINED[kind]) for kind in WORDS} == {kind: sorted(words) for kind, words in WORDS.items()}


def test_every_finding_is_explained_and_says_what_to_do() -> None:
    for service, checks in CHECKS.items():
        assert EXPLAINED[service] == [check.code for check in checks]
