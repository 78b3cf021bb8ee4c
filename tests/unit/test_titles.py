"""Titles in three languages: nothing that a reader meets lacks one, and no language stands in the place of another."""

import re
from pathlib import Path
from typing import get_args

import pytest

from qorgau.embedded.data import default_policy, default_titles
from qorgau.policy import load_policy
from qorgau.policy_checks.document import PolicyRefused
from qorgau.rows import Level, State
from qorgau.rules import Severity
from qorgau.titles import Words, load_titles, parse_titles, untitled
from qorgau.vocabulary import FACT_TYPES, KINDS

TEXT = default_titles().read_text(encoding="utf-8")
TITLES = load_titles(default_titles())
POLICY = load_policy(default_policy())
# Letters that Russian does not have. A short Kazakh word may do without them, a sentence hardly ever.
KAZAKH = re.compile("[\u04d9\u0493\u049b\u04a3\u04e9\u04b1\u04af\u04bb\u0456]", re.IGNORECASE)
# deadlines.md 9.3.
OUTCOMES = {
    *("open", "cleared", "breached", "met", "cancelled", "closed_late", "missed", "tolled", "due_moved"),
    *("late_recording", "void", "window_passed"),
}


def every_title() -> list[Words]:
    by_field = [words for codes in TITLES.words.values() for words in codes.values()]
    return [*TITLES.rules.values(), *TITLES.flags.values(), *TITLES.facts.values(), *by_field]


def test_every_rule_flag_fact_and_code_has_a_title_in_three_languages() -> None:
    assert untitled(TITLES, POLICY) == []


def test_every_word_of_a_flag_and_a_deadline_has_a_title() -> None:
    assert TITLES.words["level"].keys() == set(get_args(Level))
    assert TITLES.words["state"].keys() == set(get_args(State))
    assert TITLES.words["severity"].keys() == set(get_args(Severity))
    assert TITLES.words["agency"].keys() == KINDS
    assert TITLES.words["outcome"].keys() == OUTCOMES
    assert TITLES.words["basis"].keys() == {row.basis for row in (*POLICY.rules, *POLICY.flags)}


def test_no_title_is_of_something_that_does_not_exist() -> None:
    assert TITLES.rules.keys() == {rule.id for rule in POLICY.rules}
    assert TITLES.flags.keys() == {flag.id for flag in POLICY.flags}
    assert TITLES.facts.keys() == FACT_TYPES.keys()
    for name, codes in TITLES.words.items():
        fact, _, field = name.rpartition(".")
        of_fact = [kind for kind in FACT_TYPES.values() if kind.name == fact or (not fact and field in kind.fields)]
        known = {code for kind in of_fact for code in kind.fields[field] or ()}
        assert not known or codes.keys() <= known | OUTCOMES | set(get_args(Level)), name


def test_the_languages_are_not_mixed_up() -> None:
    for words in every_title():
        assert not re.search("[\u0400-\u04ff]", words.en), words
        assert not KAZAKH.search(words.ru), words
        assert not re.search(r"[a-z]", words.ru + words.kk, re.IGNORECASE), words
    sentences = [words.kk for words in [*TITLES.rules.values(), *TITLES.flags.values()]]
    assert sum(KAZAKH.search(sentence) is not None for sentence in sentences) > 0.9 * len(sentences)


def test_a_translation_does_not_outlive_the_sentence_it_translates() -> None:
    renamed = POLICY.rules[0].model_copy(update={"title": "Every report is triaged twice"})
    assert TITLES.of_rule("P01", POLICY.rules[0].title).keys() == {"kk", "ru", "en"}
    assert TITLES.of_rule("P01", renamed.title) == {"en": "Every report is triaged twice"}
    assert untitled(TITLES, POLICY.model_copy(update={"rules": [renamed, *POLICY.rules[1:]]})) == ["P01"]


def test_a_code_that_means_two_things_is_called_by_the_fact_it_stands_in() -> None:
    opened, shut = (TITLES.code("reason", "error", fact) for fact in ("case.closed", "case.reopened"))
    assert opened is not None
    assert shut is not None
    assert opened.en != shut.en
    assert TITLES.code("reason", "error") is None
    assert TITLES.code("sanction", "fine", "court.decision_issued") == TITLES.words["sanction"]["fine"]


def test_what_lacks_a_title_is_named() -> None:
    without = parse_titles(
        TEXT.replace("    transport:\n", "    tranport:\n").replace("  exam.blocked:\n", "  exam.b:\n")
    )
    assert untitled(without, POLICY) == ["exam.blocked", "exam.blocked.reason: transport"]


@pytest.mark.parametrize(
    ("old", "new", "line_of", "says"),
    [
        ("    kk: Әрбір хабарлама алғашқы бағалаудан өтеді\n", "", "  P01:", "kk: is missing"),
        ("    kk: Әрбір", "    kz: Әрбір", "    kz: Әрбір", "kz: there is no such field"),
        ("    ru: Находится место в приюте", '    ru: ""', '    ru: ""', "at least 1 character"),
        ("    ru: Находится место в приюте", "    ru: 1", "    ru: 1", "valid string"),
        ("  P02:", "  P01:", "  P01:", "twice"),
        ("flags:\n", "flag:\n", "flag:", "flag: there is no such field"),
    ],
)
def test_titles_are_refused_with_the_line(old: str, new: str, line_of: str, says: str) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    with pytest.raises(PolicyRefused) as refused:
        parse_titles(text)
    found = [problem for problem in refused.value.problems if says in str(problem.message)]
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(line_of)]
    assert {problem.line for problem in found} & set(lines), refused.value.problems


def test_a_file_that_is_no_map_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyRefused, match="a map"):
        parse_titles("- a")
    file = tmp_path / "titles.yaml"
    file.write_bytes(TEXT.encode("cp1251", errors="ignore"))
    with pytest.raises(PolicyRefused, match="UTF-8"):
        load_titles(file)
