"""How fast the panels answer in a real browser, and what watching them costs the training.

    python -m benchmarks.latency [--presses 50] [--app]

Both panels are opened in JupyterLab (--app: in Voila, as `make app` serves them, without the speed
of the training). The rows are min / median / 95th percentile in ms:

- each slider, menu, row of buttons and number box: from the press to the reaction on the screen,
  idle and while the same kernel trains as fast as it can. The LossExplorer reacts with a new
  picture, decoded and drawn; the TrainingLab, while it trains, with a new mark in words, or, where
  a control makes no mark, with a new picture of the paused run. What needs a new run, and the probe
  session, whose recommendations come with the next look, are left out.
  A control that changes no picture in one view of the explorer is tried in the others.
- drag tail: from the last move of the mouse to the last new picture;
- stop: from a click on Stop to the state that says stopped.

Then the frames of the drags in which the image was between two pictures, the steps a second at a
limit of 50, and those without limit, without a panel and with a watched one, in turns.

Needs Chromium. The first line states the load; the last lines sum up; the exit status is 1 if a
figure is above its target.
"""

import argparse
import math
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.browser.driver import opened, opened_app, running_app, running_chromium, running_lab
from tests.conftest import find_chromium

from .latency_page import Panels
from .latency_words import missed, p95, row, speed_lost, summary

LIMIT = 50
EXPLORER, LAB = "g4r-words", "g4r-start"
WHEN = {False: "idle", True: "while training"}
# The first view is the one at the start; (row of buttons, which button) leads to the others.
VIEWS = [("g4r-source", 0), ("g4r-pane", 1), ("g4r-source", 1)]


def main():
    """Measure everything; 1 if a target is missed."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--presses", type=int, default=50, help="presses a control (50)")
    ask.add_argument("--app", action="store_true", help="measure in Voila, not in JupyterLab")
    given = ask.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
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
    print(summary(figures))
    return int(bool(missed(figures)))


def measure(panels, presses, *, in_lab):
    """Print the rows; the figures of the summary."""
    print(row("ms", ("min", "median", "p95")))
    panels.open("Loss explorer", EXPLORER)
    idle = explorer(panels, presses, training=False)
    tails = [drags(panels, presses, training=False)]
    panels.open("Training lab", LAB)
    panels.unlimit()
    panels.start()
    marks, paused = lab(panels, presses)
    panels.open("Loss explorer", EXPLORER)
    training = explorer(panels, presses, training=True)
    tails.append(drags(panels, presses, training=True))
    panels.open("Training lab", LAB)
    stops = timed("stop", [panels.stop() for _ in range(max(3, presses // 5))])
    found = {
        "explorer idle, ms": max(idle),
        "explorer while training, ms": max(training),
        "lab while training, ms": max(marks),
        "lab paused, ms": max(paused),
        "drag tail, ms": max(tail for tail, _ in tails),
        "stop, ms": stops,
        "empty frames": sum(empty for _, empty in tails),
    }
    if in_lab:
        found["speed lost without limit, %"] = speed(panels, max(2, presses // 10))
        held = panels.held_speed(LIMIT)
        print(row(f"steps/s watched, at a limit of {LIMIT}", (f"{held:.1f}", "", "")))
        found["speed lost at 50 steps/s, %"] = speed_lost([(LIMIT, held)])
    return found


def explorer(panels, presses, *, training):
    """A row a control of the explorer, in the first of its views where it reacts; the p95s."""
    tails, when = {}, WHEN[training]
    for control, button in VIEWS:
        panels.choose(EXPLORER, control, button)
        for name in panels.controls(EXPLORER):
            # What was pressed may have hidden others; they come back with another view.
            there = name in panels.controls(EXPLORER)
            if there and not math.isfinite(tails.get(name, math.inf)):
                taken = panels.presses(EXPLORER, name, presses, training=training)
                if any(taken):
                    tails[name] = timed(f"explorer: {name}, {when}", taken)
                else:
                    tails[name] = math.inf
        panels.choose(EXPLORER, control, 0)
    for name in (name for name, tail in tails.items() if tail == math.inf):
        print(row(f"explorer: {name}, {when}", ("no", "new", "picture")))
    return list(tails.values())


def lab(panels, presses):
    """A row a control of the training lab; the p95s while it trains, and those paused.

    What makes no mark, such as a choice of what is drawn, is timed until the new picture of a
    paused run: while training, pictures come by themselves.
    """
    training, paused, unmarked = [], [], []
    for name in panels.controls(LAB):
        taken = panels.presses(LAB, name, presses, by_mark=True, training=True)
        if any(taken):
            training.append(timed(f"lab: {name}, {WHEN[True]}", taken))
        else:
            unmarked.append(name)
    panels.own_settings()
    panels.start()
    panels.wait_for_look()
    panels.pause()
    for name in unmarked:
        taken = panels.presses(LAB, name, presses)
        if any(taken):
            paused.append(timed(f"lab: {name}, paused", taken))
        else:
            print(row(f"lab: {name}, paused", ("no", "new", "picture")))
    return training, paused


def speed(panels, pairs):
    """Rows of steps a second; the percentage lost to the watched panel."""
    speeds = panels.speeds(pairs)
    for alone, watched in speeds:
        print(row("steps/s without panel, watched", (f"{alone:.0f}", f"{watched:.0f}")))
    return speed_lost(speeds)


def drags(panels, presses, *, training):
    """The rows of drag tail and empty frames of the explorer; the tail's p95 and those frames."""
    tails, frames, empty = panels.drags("g4r-n-sample", max(3, presses // 5), training=training)
    worst = timed(f"drag tail, {WHEN[training]}", tails)
    print(f"{'empty frames, ' + WHEN[training]:44s} {empty} of {frames}", flush=True)
    return worst, empty


def timed(name, taken):
    """Print one row; its 95th percentile."""
    print(row(name, taken), flush=True)
    return p95(taken)


if __name__ == "__main__":
    sys.exit(main())
