"""Makes docs/spring.md and its pictures of docs/spring.ndjson: `python -m docs.spring [FILE] [--out FOLDER]`.

FILE is what `qorgau replay --summary` wrote of `qorgau season spring`, with a row about the run in front.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import orjson
from docs.drawing import prepare
from docs.spring_figures import Figures, figures_of
from docs.spring_page import spring_page
from docs.spring_plot import draw

DOCS = Path(__file__).parent
SUMMARY = DOCS / "spring.ndjson"


def read(path: Path = SUMMARY) -> Figures:
    """The figures in a file."""
    return figures_of(orjson.loads(line) for line in path.read_bytes().splitlines())


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the rows, writes the page and the pictures."""
    parser = argparse.ArgumentParser(prog="python -m docs.spring")
    parser.add_argument("file", type=Path, nargs="?", default=SUMMARY)
    parser.add_argument("--out", type=Path, default=DOCS)
    arguments = parser.parse_args(argv)
    figures = read(arguments.file)
    prepare()
    (arguments.out / "pictures").mkdir(parents=True, exist_ok=True)
    draw(figures, arguments.out / "pictures")
    (arguments.out / "spring.md").write_text(spring_page(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
