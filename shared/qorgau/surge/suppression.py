"""Tables that may be published: small counts withheld, and as many others as keep sums from giving them away.

Sources: Willenborg and de Waal, Elements of Statistical Disclosure Control (2001), chapter 4; Giessing and Repsilber,
Tools and strategies to protect multiple tables with the GHQUAR cell suppression engine, LNCS 2316 (2002), 181-192
(the hypercubes).
"""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

Cell = tuple[str, ...]
TOTAL = "total"
BELOW = 5
# What everybody knows already is the dearest to withhold, and the least use.
_KNOWN = 1000
_UNLIMITED = np.int64(2**62)
_Table = NDArray[np.int64]
_Mask = NDArray[np.bool_]
_Index = tuple[int, ...]


def suppress(
    counts: Mapping[Cell, int],
    levels: Sequence[Sequence[str]],
    below: int = BELOW,
    earlier: Sequence[Mapping[Cell, int | None]] = (),
) -> dict[Cell, int | None]:
    """The table with all its sums, in which None stands for what is withheld.

    `levels` are the names along each dimension, such as regions, channels, months; a cell without a count is 0. The
    answer has each of these cells and, with TOTAL in the place of a name, each sum.

    Withheld are all counts below `below`, zeros too: if zeros were shown, a withheld cell of a small place would say
    that somebody there did report, and a zero that nobody did, and either is what one who threatens her wants to
    know. Sums that small are withheld as well.

    For each of these cells, others are withheld (cheapest first, by count) until there is a *hypercube*: cells in
    two places along every dimension, among them this one, all withheld, whose counts can be moved up and down
    together so that all sums stay as they are, no count falls below 0, and this cell takes every value from 0 to
    `below` - 1. So whoever knows all that is published, all sums included, cannot tell a withheld small count from
    any other below `below`, and can narrow no withheld cell to fewer than `below` values.

    `earlier` are the tables published before for the same cells, in any order: what was withheld once stays
    withheld, because a cell that opens next to sums that did not change would open the others; and what stood there
    with the same count as now is withheld only where nothing else is left, because it is known. Raises ValueError
    for a cell that is not of the levels, a negative count, a name twice, or `below` less than 1.
    """
    table = _summed(counts, levels, below)
    names = [[*level, TOTAL] for level in levels]
    hidden, known = table < below, np.zeros(table.shape, dtype=np.bool_)
    for cell, published in (pair for revision in earlier for pair in revision.items()):
        place = _place(cell, names)
        hidden[place] |= published is None
        known[place] |= published == table[place]
    price = (table + 1) * np.where(known, _KNOWN, 1)
    for place in map(tuple, np.argwhere(hidden).tolist()):
        _protect(place, table, hidden, price, below)
    return {
        tuple(name[at] for name, at in zip(names, index, strict=True)): None if hidden[index] else int(table[index])
        for index in product(*(range(length) for length in table.shape))
    }


def _summed(counts: Mapping[Cell, int], levels: Sequence[Sequence[str]], below: int) -> _Table:
    """The counts with a last place for the sum along every dimension."""
    if below < 1 or any(count < 0 for count in counts.values()):
        raise ValueError("counts are not negative, and at least those of 0 are withheld")
    for level in levels:
        if not level or TOTAL in level or len(set(level)) < len(level):
            raise ValueError(f"the names of a dimension are different ones, and none is {TOTAL}")
    table = np.zeros([len(level) for level in levels], dtype=np.int64)
    for cell, count in counts.items():
        table[_place(cell, levels)] = count
    for axis in range(table.ndim):
        table = np.concatenate([table, table.sum(axis=axis, keepdims=True)], axis=axis)
    return table


def _place(cell: Cell, names: Sequence[Sequence[str]]) -> _Index:
    if len(cell) != len(names):
        raise ValueError("a cell has a name for each dimension")
    return tuple(name.index(part) for name, part in zip(names, cell, strict=True))


def _protect(place: _Index, table: _Table, hidden: _Mask, price: _Table, below: int) -> None:
    """Withholds the cells of the cheapest hypercube in which the cell at `place` takes `below` values.

    There always is one: the cell with all its sums, which move up together without limit.
    """
    others = [[at for at in range(length) if at != here] for here, length in zip(place, table.shape, strict=True)]
    price = np.where(hidden, 0, price)
    cost = np.zeros([len(other) for other in others], dtype=np.int64)
    falls, rises = np.full(cost.shape, _UNLIMITED), np.full(cost.shape, _UNLIMITED)
    for moved in product((False, True), repeat=table.ndim):
        corners = np.ix_(*(other if moves else [at] for other, at, moves in zip(others, place, moved, strict=True)))
        same = _same_direction(place, others, moved, table)
        # The cell falls as far as all that falls with it, and rises as far as all that falls meanwhile.
        falls = np.where(same, np.minimum(falls, table[corners]), falls)
        rises = np.where(same, rises, np.minimum(rises, table[corners]))
        cost += price[corners]
    count = int(table[place])
    enough = (falls >= count) & (rises >= below - 1 - count) if count < below else falls + rises >= below - 1
    found = np.unravel_index(np.argmin(np.where(enough, cost, _UNLIMITED)), cost.shape)
    ends = [(here, other[int(at)]) for here, other, at in zip(place, others, found, strict=True)]
    hidden[np.ix_(*ends)] = True


def _same_direction(place: _Index, others: Sequence[Sequence[int]], moved: Sequence[bool], table: _Table) -> _Mask:
    """Whether a corner of each hypercube rises when the cell does.

    Two cells of a line move against each other if their sum stands still; a cell and its sum move together.
    """
    sign = np.ones([1] * table.ndim, dtype=np.int64)
    for axis, (here, other, moves) in enumerate(zip(place, others, moved, strict=True)):
        if not moves:
            continue
        last = table.shape[axis] - 1
        along = np.array([1 if last in (here, at) else -1 for at in other])
        sign = sign * along.reshape([-1 if at == axis else 1 for at in range(table.ndim)])
    return np.asarray(sign > 0)
