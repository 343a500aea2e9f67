"""How fast the page without Python answers in Chromium: from the press to the complete picture.

    python -m benchmarks.page [--presses 50]

Each slider of each source, with usual numbers of negatives and with the most there can be: min /
median / 95th percentile in ms, from the event of the press to the end of the frame that follows
it. Then what the page holds in memory before and after all presses, garbage collected. The load of
the machine is stated; the exit status is 1 if the worst 95th percentile is above its target.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from gru4rec_lab.page.build import main as write_page
from tests.browser.driver import running_chromium
from tests.conftest import find_chromium

from .latency_words import p95, row

TARGET = 30
STATES = {
    "source=gaussian&n_sample=2048": ["n_sample", "spread", "target_score", "temperature", "bpreg"],
    "source=gaussian&n_sample=32768": ["spread", "target_score"],
    "source=gaussian&n_sample=128&pane=pushes": ["spread"],
    "source=trained&n_sample=2048": ["n_sample", "sample_alpha", "number"],
    "source=trained&n_sample=32768&pane=scores": ["sample_alpha", "number"],
    "source=pasted": ["temperature"],
}
PRESSES = """async ([name, presses]) => {
  const bar = document.querySelector('.g4r-' + name), taken = [];
  let step = Number(bar.step);
  for (let i = 0; i < presses; i++) {
    await new Promise(done => setTimeout(done, 40 + 23 * i % 30));
    if (Number(bar.value) + step > bar.max || Number(bar.value) + step < bar.min) step = -step;
    const start = performance.now();
    bar.value = Number(bar.value) + step;
    bar.dispatchEvent(new Event('input'));
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    taken.push(performance.now() - start);
  }
  return taken; }"""


def main():
    """Measure everything; 1 if the target is missed."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--presses", type=int, default=50, help="presses a control (50)")
    presses, tails = ask.parse_args().presses, []
    print(
        f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()}\n{row('ms', ('min', 'median', 'p95'))}"
    )
    with tempfile.TemporaryDirectory() as home, running_chromium(find_chromium()) as browser:
        file = Path(home) / "page.html"
        write_page(str(file))
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(file.as_uri())
        counter, held = page.context.new_cdp_session(page), []
        for text, names in STATES.items():
            page.evaluate("text => { location.hash = text; }", text)
            page.wait_for_function(
                "text => document.querySelector('#address').value === text", arg=text
            )
            page.evaluate(PRESSES, [names[0], 5])
            held.append(megabytes(counter))
            for name in names:
                taken = page.evaluate(PRESSES, [name, presses])
                tails.append(p95(taken))
                print(row(f"{text.removeprefix('source=')}: {name}", taken), flush=True)
        held.append(megabytes(counter))
    print(f"memory of the page's JavaScript: {held[0]:.1f} -> {held[-1]:.1f} MB")
    print(f"load {os.getloadavg()[0]:.1f}; worst p95 {max(tails):.0f} ms ({TARGET})")
    return int(max(tails) > TARGET)


def megabytes(counter):
    """What JavaScript holds after a garbage collection."""
    counter.send("HeapProfiler.collectGarbage")
    return counter.send("Runtime.getHeapUsage")["usedSize"] / 1e6


if __name__ == "__main__":
    sys.exit(main())
