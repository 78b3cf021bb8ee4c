"""docs/spring.md is what its summary says now; its sums by region are those of all courts."""

from pathlib import Path

import pytest
from docs.spring import DOCS, main, read
from docs.spring_figures import REGIONS, SHOWN
from docs.spring_page import spring_page

from qorgau.season.spring import SPRING_PLACES

FIGURES = read()
PICTURES = ("spring-weeks.svg", "spring-hearings.svg", "spring-gaps.svg", "spring-legs.svg")


def test_the_page_is_what_would_be_made_now() -> None:
    assert (DOCS / "spring.md").read_text(encoding="utf-8") == spring_page(FIGURES), "run `python -m docs.spring`"


def test_regions_together_are_all_courts() -> None:
    places = FIGURES.places.values()
    assert FIGURES.places.keys() == {place.region for place in SPRING_PLACES} == REGIONS.keys()
    assert sum(place.hearings for place in places) == FIGURES.whole["hearings_hit"]
    assert sum(place.gaps for place in places) == FIGURES.whole["protection_gaps"]
    assert sum(place.days for place in places) == pytest.approx(FIGURES.whole["days_lost"]["sum"], abs=1)


def test_weeks_together_are_all_flags() -> None:
    for rule, level, _ in SHOWN:
        assert FIGURES.weeks[rule, level].total() == FIGURES.rules[rule]["levels"][level]["raised"], rule


def test_the_pictures_are_there_and_can_be_drawn_again(tmp_path: Path) -> None:
    main(["--out", str(tmp_path)])
    for name in PICTURES:
        assert f"pictures/{name}" in (tmp_path / "spring.md").read_text(encoding="utf-8")
        # Not compared: how a line is broken into points is the drawing library's.
        assert (DOCS / "pictures" / name).stat().st_size > 10_000
        assert (tmp_path / "pictures" / name).stat().st_size > 10_000
