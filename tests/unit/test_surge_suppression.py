"""What may be published: an attacker who knows every published cell and sum is sent against hundreds of tables."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from qorgau.surge.suppression import BELOW, TOTAL, Cell, suppress

Published = Mapping[Cell, int | None]
Levels = list[list[str]]


def relations(levels: Levels) -> Iterator[list[tuple[Cell, int]]]:
    """Each line of the table as what adds up to 0: its cells, less their sum; written without the code under test."""
    for axis in range(len(levels)):
        for rest in product(*([*level, TOTAL] for at, level in enumerate(levels) if at != axis)):
            line = [(*rest[:axis], name, *rest[axis:]) for name in (*levels[axis], TOTAL)]
            yield [(cell, -1 if cell[axis] == TOTAL else 1) for cell in line]


class Attacker:
    """Knows all that is published, and that counts are not negative."""

    def __init__(self, published: Published, levels: Levels) -> None:
        self.unknown = [cell for cell, count in published.items() if count is None]
        at = {cell: place for place, cell in enumerate(self.unknown)}
        rows, sums = [], []
        for relation in relations(levels):
            row, known = np.zeros(len(self.unknown)), 0
            for cell, sign in relation:
                count = published[cell]
                if count is None:
                    row[at[cell]] = sign
                known += sign * (count or 0)
            rows.append(row)
            sums.append(-known)
        self._rows, self._sums = np.array(rows), np.array(sums)

    def interval(self, cell: Cell) -> tuple[float, float]:
        """The least and the greatest count the cell can have."""
        aim = np.array([1.0 if other == cell else 0.0 for other in self.unknown])
        ends = []
        for sign in (1, -1):
            found = linprog(sign * aim, A_eq=self._rows, b_eq=self._sums, bounds=(0, None))
            assert found.status in (0, 3)
            ends.append(sign * (found.fun or 0.0) if found.status == 0 else np.inf)
        return ends[0], ends[1]

    def solved(self) -> set[Cell]:
        """The cells that the equations alone determine: those in no direction of their null space."""
        if not self.unknown:
            return set()
        _, values, directions = np.linalg.svd(self._rows)
        rank = int((values > 1e-9).sum())
        free = np.abs(directions[rank:]).sum(axis=0) > 1e-9
        return {cell for cell, moves in zip(self.unknown, free, strict=True) if not moves}


def random_table(seed: int, dimensions: int) -> tuple[dict[Cell, int], Levels]:
    """Of a small to a middling size, sparse or dense, with a few structural zeros."""
    lots = np.random.default_rng(seed)
    levels = [[f"{'rcm'[axis]}{at}" for at in range(lots.integers(1, 5))] for axis in range(dimensions)]
    mean = lots.choice([0.5, 3, 8, 30])
    counts = {cell: int(lots.poisson(mean * lots.exponential())) for cell in product(*levels)}
    return {cell: 0 if lots.random() < 0.1 else count for cell, count in counts.items()}, levels


def whole_table(counts: Mapping[Cell, int], levels: Levels) -> dict[Cell, int]:
    """Every cell and sum, added up one by one."""
    return {
        cell: sum(
            count
            for other, count in counts.items()
            if all(part in (TOTAL, name) for part, name in zip(cell, other, strict=True))
        )
        for cell in product(*([*level, TOTAL] for level in levels))
    }


def naive(counts: Mapping[Cell, int], levels: Levels) -> Published:
    return {cell: None if count < BELOW else count for cell, count in whole_table(counts, levels).items()}


def narrow(published: Published, table: Mapping[Cell, int], levels: Levels) -> list[Cell]:
    """The withheld cells of which the attacker learns more than that they are below five, or a value too closely."""
    attacker = Attacker(published, levels)
    found = []
    for cell in attacker.unknown:
        low, high = attacker.interval(cell)
        small = table[cell] < BELOW
        if high - low < BELOW - 1 - 1e-6 or (small and (low > 1e-6 or high < BELOW - 1 - 1e-6)):
            found.append(cell)
    return found


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_what_is_published_is_true_and_no_count_below_five_is(dimensions: int) -> None:
    for seed in range(60):
        counts, levels = random_table(seed, dimensions)
        table, published = whole_table(counts, levels), suppress(counts, levels)
        assert published.keys() == table.keys()
        shown = {cell: count for cell, count in published.items() if count is not None}
        assert all(count == table[cell] and count >= BELOW for cell, count in shown.items())


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_no_withheld_cell_follows_from_the_published_ones(dimensions: int) -> None:
    for seed in range(200):
        counts, levels = random_table(seed, dimensions)
        assert not Attacker(suppress(counts, levels), levels).solved()


@pytest.mark.parametrize(("dimensions", "tables"), [(1, 40), (2, 60), (3, 12)])
def test_who_knows_all_that_is_published_learns_of_a_small_count_only_that_it_is_small(
    dimensions: int, tables: int
) -> None:
    for seed in range(tables):
        counts, levels = random_table(1000 + seed, dimensions)
        assert not narrow(suppress(counts, levels), whole_table(counts, levels), levels), seed


@pytest.mark.long
def test_hundreds_of_tables_are_attacked_with_a_linear_program() -> None:
    for seed in range(300):
        counts, levels = random_table(5000 + seed, 2 + seed % 2)
        assert not narrow(suppress(counts, levels), whole_table(counts, levels), levels), seed


def test_the_attack_succeeds_where_only_small_counts_are_withheld() -> None:
    tables = [random_table(seed, 2) for seed in range(200)]
    solved = [bool(Attacker(naive(*table), table[1]).solved()) for table in tables]
    assert sum(solved) > 50
    counts, levels = tables[solved.index(True)]
    assert narrow(naive(counts, levels), whole_table(counts, levels), levels)


def test_a_single_small_cell_takes_three_others_with_it() -> None:
    counts: dict[Cell, int] = {("north", "102"): 3, ("north", "150"): 20, ("south", "102"): 30, ("south", "150"): 40}
    published = suppress(counts, [["north", "south"], ["102", "150"]])
    assert {cell for cell, count in published.items() if count is None} == set(counts)
    assert published["north", TOTAL] == 23
    assert published[TOTAL, TOTAL] == 93


def test_a_table_without_small_counts_is_published_whole() -> None:
    counts: dict[Cell, int] = {("a", "x"): 5, ("a", "y"): 6, ("b", "x"): 7, ("b", "y"): 8}
    assert suppress(counts, [["a", "b"], ["x", "y"]]) == whole_table(counts, [["a", "b"], ["x", "y"]])


def test_an_empty_table_says_nothing_not_even_that_it_is_empty() -> None:
    assert set(suppress({}, [["a", "b"], ["x", "y"]]).values()) == {None}


def test_zeros_are_withheld_like_ones() -> None:
    levels = [["a", "b"], ["x", "y"]]
    for count in range(BELOW):
        published = suppress({("a", "x"): count, ("a", "y"): 50, ("b", "x"): 60, ("b", "y"): 70}, levels)
        assert {cell for cell, value in published.items() if value is None} == set(product(*levels))


def test_what_was_withheld_stays_withheld_when_late_reports_arrive() -> None:
    for seed in range(60):
        counts, levels = random_table(seed, 2)
        first = suppress(counts, levels)
        lots = np.random.default_rng(seed)
        later = {cell: count + int(lots.poisson(1)) for cell, count in counts.items()}
        second = suppress(later, levels, earlier=[first])
        assert all(second[cell] is None for cell, count in first.items() if count is None)
        assert not Attacker(second, levels).solved()


def test_the_same_table_published_again_is_the_same() -> None:
    for seed in range(60):
        counts, levels = random_table(seed, 2)
        first = suppress(counts, levels)
        assert suppress(counts, levels, earlier=[first, first]) == first


def test_a_complement_is_taken_from_what_was_not_known_before() -> None:
    levels = [["a", "b", "c"], ["x", "y", "z"]]
    counts = {cell: 10 + 10 * at for at, cell in enumerate(product(*levels))}
    first = suppress(counts, levels)
    assert None not in first.values()
    # One count fell (a duplicate was merged), those of the last row and column changed.
    later = counts | {("a", "x"): 4, ("a", "z"): 31, ("c", "x"): 71, ("c", "z"): 91}
    second = suppress(later, levels, earlier=[first])
    withheld = {("a", "x"), ("a", "z"), ("c", "x"), ("c", "z")}
    assert {cell for cell, count in second.items() if count is None} == withheld


@pytest.mark.parametrize(
    ("counts", "levels"),
    [
        ({("a",): -1}, [["a"]]),
        ({("b",): 1}, [["a"]]),
        ({("a", "a"): 1}, [["a"]]),
        ({}, [["a", "a"]]),
        ({}, [[TOTAL]]),
        ({}, [[]]),
    ],
)
def test_what_is_no_table_is_refused(counts: dict[Cell, int], levels: Sequence[Sequence[str]]) -> None:
    with pytest.raises(ValueError, match=r"."):
        suppress(counts, levels)
