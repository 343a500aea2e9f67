"""What long use costs and breaks: memory of kernel and page, and 30 s of wild dragging.

    python -m benchmarks.endurance [--updates 500] [--seconds 30]

Both panels in JupyterLab. First the memory before and after that many new pictures: of the
LossExplorer, pressed as fast as it answers, and of the TrainingLab, which trains without limit. The
rows are what the kernel's process holds, what the page's JavaScript holds, and what the page's
process holds; the garbage of both is collected first, and a fifth as many pictures come before.
A bare slider of ipywidgets with a line of text below it, pressed as often, comes first: what the
page's process keeps of each message for it is JupyterLab's and the browser's, and the explorer may
grow by so much more.
Then all main controls of the training lab are dragged and pressed at random. No error, no hung
thread, and the values shown at the end are those that train.

Needs Chromium and Linux. The exit status is 1 if a figure is above its target.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.browser.driver import opened, running_chromium, running_lab
from tests.conftest import find_chromium

from .latency import EXPLORER, LAB
from .latency_page import Panels

MOST_MB = 20
HELD = """
import gc, psutil
gc.collect()
print(psutil.Process().memory_info().rss / 1e6)
"""
THREADS = """
import threading
print(sum(each.name.startswith("gru4rec") for each in threading.enumerate()))
"""
BARE = """
from ipywidgets import HTML, IntSlider
slider, text = IntSlider(), HTML()
slider.observe(lambda change: setattr(text, "value", str(change["new"])), "value")
display(slider, text)
"""
PRESSES = """async ([mark, name, count]) => {
  for (let press = 0; press < count; press++)
    await g4r.time([mark, name, press % 2 === 0, false, 3000]);
}"""
PICTURES = """async ([mark, count]) => {
  const picture = g4r.picture(g4r.panel(mark));
  await new Promise(done => {
    const watch = new MutationObserver(() => { if (--count <= 0) { watch.disconnect(); done(); } });
    watch.observe(picture, {attributes: true, attributeFilter: ['data-version']});
  }); }"""


def main():
    """Measure everything; 1 if a target is missed."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--updates", type=int, default=500, help="pictures a panel (500)")
    ask.add_argument("--seconds", type=float, default=30, help="of wild dragging (30)")
    given = ask.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(running_chromium(find_chromium()))
        address = stack.enter_context(running_lab(home))
        with opened(browser, address, "bare.ipynb", cells=[BARE]) as bare:
            *_, of_jupyter = Memory(browser, bare).growth(pressed, given.updates, "bare slider")
        page = stack.enter_context(opened(browser, address, "panels.ipynb"))
        panels, memory = Panels(page), Memory(browser, page)
        panels.open("Loss explorer", EXPLORER)
        name = next(each for each in panels.controls(EXPLORER) if "negatives" in each)
        *grown, of_page = memory.growth(
            scripted(PRESSES, EXPLORER, name), given.updates, f"explorer, {name}"
        )
        grown.append(of_page - of_jupyter)
        panels.open("Training lab", LAB)
        panels.unlimit()
        panels.start()
        grown += memory.growth(scripted(PICTURES, LAB), given.updates, "lab, training")
        faults = dragged_wildly(page, given.seconds)
    faults += [f"{each:.1f} MB more" for each in grown if each >= MOST_MB]
    print("; ".join(faults) or f"no fault, nowhere {MOST_MB} MB more")
    return int(bool(faults))


def pressed(tab, count):
    """The only slider of the tab, pressed so often to and fro."""
    tab.locator(".noUi-handle").first.focus()
    for press in range(count):
        tab.keyboard.press("ArrowLeft" if press % 2 else "ArrowRight")
        tab.wait_for_timeout(50)


def scripted(script, *arguments):
    """What lets the script in the tab wait for so many updates."""
    return lambda tab, count: tab.evaluate(script, [*arguments, count])


class Memory:
    """What the kernel and the page hold, garbage collected."""

    def __init__(self, browser, page):
        self._page, self._system = page, browser.new_browser_cdp_session()
        self._script = page.page.context.new_cdp_session(page.page)

    def growth(self, act, updates, name):
        """MB by which each of the three grew over so many updates, which `act` makes in a tab."""
        act(self._page.page, updates // 5)
        before = self._held()
        act(self._page.page, updates)
        after = self._held()
        for part, old, new in zip(("kernel", "JavaScript", "page"), before, after, strict=True):
            print(f"{f'{name}: {part}, MB':60s} {old:6.1f} -> {new:6.1f}", flush=True)
        return [new - old for old, new in zip(before, after, strict=True)]

    def _held(self):
        # What is only kept to be quick counts as free: it is given back when memory is short.
        self._script.send("Memory.simulatePressureNotification", {"level": "critical"})
        self._script.send("HeapProfiler.collectGarbage")
        script = self._script.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        return float(self._page.in_kernel(HELD)), script, self._of_pages()

    def _of_pages(self):
        """What the largest process of a page holds: that of the notebook."""
        import psutil

        told = self._system.send("SystemInfo.getProcessInfo")["processInfo"]
        pages = [each["id"] for each in told if each["type"] == "renderer"]
        return max(psutil.Process(number).memory_info().rss for number in pages) / 1e6


def dragged_wildly(page, seconds):
    """What went wrong while the lab was dragged at random, and after it was stopped."""
    panel, faults = page.panel(LAB), []
    panel.drag_wildly(seconds)
    shown, before = panel.main_settings(), panel.picture()
    checks = {
        "it trains with other settings": lambda: panel.trained_settings() == shown,
        "no new picture": lambda: panel.picture() != before,
        "it does not stop": lambda: "stopped" in panel.text("g4r-state"),
        "a thread goes on": lambda: int(page.in_kernel(THREADS)) == 0,
    }
    for why, check in checks.items():
        if why == "it does not stop":
            panel.element("g4r-stop").click()
        try:
            page.until(check, 10, why)
        except AssertionError as error:
            faults.append(str(error))
    told = [*page.errors(), panel.text("g4r-error").strip()]
    print(f"{seconds:g} s of wild dragging: at the end {shown}")
    return faults + [text for text in told if text]


if __name__ == "__main__":
    sys.exit(main())
