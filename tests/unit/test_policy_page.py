"""The order of service is what policy, titles and season make of it now, and leaves no rule out."""

from pathlib import Path

from docs import generate

from qorgau.embedded.data import default_policy, default_titles
from qorgau.policy import load_policy
from qorgau.titles import load_titles

DOCS = Path(__file__).parents[2] / "docs"
PAGES = generate.pages()
POLICY = load_policy(default_policy())
TITLES = load_titles(default_titles())


def test_the_page_is_what_the_code_would_make_now() -> None:
    for name, content in PAGES.items():
        assert (DOCS / name).read_text(encoding="utf-8") == content, "run `make docs`"


def test_every_rule_and_flag_has_a_section_with_its_three_titles_its_source_and_its_figures() -> None:
    sections = PAGES["policy.md"].split("\n### ")
    for row in (*POLICY.rules, *POLICY.flags):
        section = next(text for text in sections if text.startswith(f"{row.id}. {row.title}\n"))
        titles = TITLES.of_rule(row.id, row.title)
        assert f"*{titles['kk']}* (kk)" in section
        assert f"*{titles['ru']}* (ru)" in section
        assert row.source in section
        assert "**In the season**" in section


def test_no_rule_shows_nothing_in_the_season() -> None:
    assert " 0 deadlines" not in PAGES["policy.md"]
    assert "up 0 times" not in PAGES["policy.md"]


def test_the_deadlines_of_the_table_are_those_of_the_sections() -> None:
    page = PAGES["policy.md"]
    for rule in POLICY.rules:
        row = next(line for line in page.splitlines() if line.startswith(f"| {rule.id} | "))
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        section = page.split(f"\n### {rule.id}. ")[1].split("\n### ")[0]
        assert f": {cells[4]} deadlines (met in time {cells[5]}" in section
