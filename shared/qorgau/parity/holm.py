"""p values of many comparisons made at once, so that the chance of one false find is that of a single one. Pure."""

from collections.abc import Sequence


def holm(values: Sequence[float]) -> list[float]:
    """Corrected p values, in the order given: the smallest of m is multiplied by m, the next one by m - 1, and none is
    smaller than one before it. S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6 (1979), 65-70."""
    corrected, least = [1.0] * len(values), 0.0
    for place, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        least = max(least, min(1.0, (len(values) - place) * values[index]))
        corrected[index] = least
    return corrected
