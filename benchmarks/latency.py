"""How fast the panels answer in a real browser, and what watching them costs the training.

    python -m benchmarks.latency [--presses 50] [--app]

Both panels are opened in JupyterLab (--app: in Voila, as `make app` serves them, without the last
row). A row each in ms, min / median / 95th percentile:

- every slider, menu, button row and number box: from the key press to the reaction on the screen,
  idle and while the same kernel trains. The reaction of the LossExplorer is its new picture, decoded
  and drawn; that of the TrainingLab, while it trains, is the new mark in words, which follows the
  picture with the mark. Before a run its controls have nothing to change but themselves.
- drag tail: from the last move of the mouse to the last new picture;
- stop: from a click on Stop to the state that says stopped;
- empty frames: frames of a drag in which the image was between two pictures;
- training speed: steps a second of the watched panel against those of the same run without it, in
  the same kernel, in turns; the median of the pairs.

Needs Chromium. The last line sums up; the exit status is 1 if one of its figures is above its target.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.browser.driver import opened, opened_app, running_app, running_chromium, running_lab
from tests.conftest import find_chromium

from .latency_page import Panels
from .latency_words import Figures, p95, row

EXPLORER, LAB = "g4r-words", "g4r-start"


def main():
    """Measure everything; 1 if a target is missed."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--presses", type=int, default=50, help="presses a control (50)")
    ask.add_argument("--app", action="store_true", help="measure in Voila, not in JupyterLab")
    given = ask.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(running_chromium(find_chromium()))
        if given.app:
            address = stack.enter_context(running_app(home))
            page = stack.enter_context(opened_app(browser, address))
        else:
            address = stack.enter_context(running_lab(home))
            page = stack.enter_context(opened(browser, address, "panels.ipynb"))
        figures = measure(Panels(page), given.presses, in_lab=not given.app)
    print(figures.summary())
    return int(figures.missed())


def measure(panels, presses, *, in_lab):
    """Print the rows; the figures of the summary."""
    print(row("ms", ("min", "median", "p95")))
    panels.open("Loss explorer", EXPLORER)
    idle = controls(panels, EXPLORER, presses, "idle")
    tails = [drags(panels, presses, "idle")]
    panels.open("Training lab", LAB)
    panels.start()
    training = controls(panels, LAB, presses, "while training")
    panels.open("Loss explorer", EXPLORER)
    training += controls(panels, EXPLORER, presses, "while training")
    tails.append(drags(panels, presses, "while training"))
    panels.open("Training lab", LAB)
    stops = timed("stop", [panels.stop() for _ in range(max(3, presses // 5))])
    lost = panels.speed_lost(pairs=max(2, presses // 10)) if in_lab else None
    return Figures(max(idle), max(training), max(tails), stops, lost)


def controls(panels, mark, presses, when):
    """A row a control of this panel; the 95th percentiles."""
    tails = []
    for name in panels.controls(mark):
        taken = panels.presses(mark, name, presses, by_mark=mark == LAB)
        tails.append(timed(f"{'lab' if mark == LAB else 'explorer'}: {name}, {when}", taken))
    return tails


def drags(panels, presses, when):
    """The rows of drag tail and empty frames of the explorer; the 95th percentile of the tail."""
    tails, frames, empty = panels.drags("g4r-n-sample", max(3, presses // 5))
    worst = timed(f"drag tail, {when}", tails)
    print(f"{'empty frames, ' + when:44s} {empty} of {frames}", flush=True)
    return worst


def timed(name, taken):
    """Print one row; its 95th percentile."""
    print(row(name, taken), flush=True)
    return p95(taken)


if __name__ == "__main__":
    sys.exit(main())
