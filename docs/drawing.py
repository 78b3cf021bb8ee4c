"""How the pictures of docs are drawn: the same data give the same file, and text stays text. Needs matplotlib, of the
development tools."""

from io import StringIO
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

HERE = Path(__file__).parent / "pictures"


def prepare() -> None:
    """Draw without a screen, in one hand."""
    matplotlib.use("Agg")
    matplotlib.rcParams.update(
        {"font.size": 9, "svg.hashsalt": "qorgau", "svg.fonttype": "none", "font.family": "sans-serif"}
    )


def save(figure: Figure, to: Path) -> None:
    """Writes a picture, without the instant of drawing in it, and forgets it."""
    drawn = StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    to.write_text("".join(line.rstrip() + "\n" for line in drawn.getvalue().splitlines()), encoding="utf-8")
    plt.close(figure)
