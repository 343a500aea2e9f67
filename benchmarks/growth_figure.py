"""The figure of benchmarks.growth: four panels of time and one of memory.

python -m benchmarks.growth_figure
"""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

HERE = Path(__file__).parent
FIGURE = HERE.parent / "docs" / "figures" / "growth.svg"
LABELS = {
    "n_sample": "extra samples",
    "units": "units",
    "batch": "batch size (sessions)",
    "items": "items in the catalogue",
}
SAME = "same 10000 items"
STEPS = (("numba", "C0", "o"), ("plain", "C1", "s"))


def draw(table: Path = HERE / "growth.csv") -> None:
    """Draw what benchmarks.growth has measured."""
    measured = pd.read_csv(table)
    with matplotlib.rc_context({"svg.hashsalt": "growth", "font.size": 9}):
        figure = Figure(figsize=(11, 5.6), layout="constrained")
        axes = figure.subplots(2, 3).flat
        for axis, what in zip(axes, LABELS, strict=False):
            _time(axis, measured, what)
        _memory(axes[4], measured[measured["what"] == "items"])
        axes[5].set_axis_off()
        figure.savefig(FIGURE, metadata={"Date": None})


def _time(axis, measured: pd.DataFrame, what: str) -> None:
    for kind, dash in ((what, "-"), (SAME, ":"))[: 1 + (what == "items")]:
        for name, colour, mark in STEPS:
            part = measured[(measured["what"] == kind) & (measured["step"] == name)]
            label = name if kind == what else f"{name}, {kind}"
            axis.plot(part["size"], part["ms a step"], dash + mark, color=colour, label=label, ms=4)
    if what == "n_sample":
        axis.set_xscale("symlog", linthresh=32)
    else:
        axis.set_xscale("log")
    axis.set(xlabel=LABELS[what], ylabel="ms a step", yscale="log")
    axis.legend(frameon=False, fontsize=7)


def _memory(axis, measured: pd.DataFrame) -> None:
    needed, held = "MB of weights and sums", "MB at most"
    for name, colour, mark in STEPS:
        part = measured[measured["step"] == name]
        axis.plot(part[needed], part[held], "-" + mark, color=colour, label=name, ms=4)
    ends = np.array([0, measured[needed].max()])
    constant = (measured[held] - measured[needed]).min()
    axis.plot(ends, constant + ends, color="grey", linewidth=0.8, label="a constant more")
    axis.set(xlabel="weights and Adagrad's sums (MB)", ylabel="memory at most (MB)")
    axis.legend(frameon=False, fontsize=7)


if __name__ == "__main__":
    draw()
