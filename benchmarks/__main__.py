"""`python -m benchmarks [--only NAME] [--short]`: figures as NDJSON on stdout, and as a table for who watches."""

import argparse
from collections.abc import Callable

from benchmarks import heart, reports, shell, stops, timers
from benchmarks.figures import Figure, show, show_all
from benchmarks.machine import machine, servers
from qorgau.output import write_rows

BENCHMARKS: dict[str, Callable[[bool], list[Figure]]] = {
    of.NAME: of.run for of in (heart, reports, shell, stops, timers)
}


def main() -> None:
    """Measures what was asked for, all of it unless told otherwise."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", choices=BENCHMARKS, help=f"one of {', '.join(BENCHMARKS)}")
    parser.add_argument("--short", action="store_true", help="less of everything, in under two minutes")
    arguments = parser.parse_args()
    write_rows([machine(), servers()])
    figures: list[Figure] = []
    for name, run in BENCHMARKS.items():
        if arguments.only in (None, name):
            measured = run(arguments.short)
            show(measured)
            figures += measured
    show_all(figures)


if __name__ == "__main__":
    main()
