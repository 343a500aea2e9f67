"""The two panels on a page, as the latency benchmark handles them."""

from pathlib import Path

SCRIPT = Path(__file__).with_name("latency.js")
BETWEEN_MS, WAIT_MS = 120, 3000
ALONE = """
from gru4rec_lab import LiveRun, load_split, train
alone = LiveRun(train(lab.run.history.config, load_split("flights")[0]))
alone.start()
"""
SPEED = """
import time
before, start = {run}.steps, time.perf_counter()
time.sleep({seconds})
print(({run}.steps - before) / (time.perf_counter() - start))
"""


class Panels:
    """Both panels on a page; only the one of the chosen tab is on the screen."""

    def __init__(self, page):
        self._page, self._tab = page, page.page
        page.show("g4r-words")
        page.lengthen_runs()
        self._tab.evaluate(SCRIPT.read_text(encoding="utf-8"))

    def open(self, title, mark):
        """Bring the panel with this title and css class on the screen."""
        self._tab.get_by_role("tab", name=title).click()
        self._page.until(lambda: self._tab.evaluate("mark => g4r.names(mark).length > 0", mark))
        for header in self._tab.locator(".g4r-fold:visible").all():
            if "\u25b8" in header.inner_text():  # closed
                header.click()

    def controls(self, mark):
        """Names of the controls on the screen."""
        return self._tab.evaluate("mark => g4r.names(mark)", mark)

    def choose(self, mark, css, button):
        """Press a button of a row of buttons, and wait for what follows."""
        self._page.panel(mark).element(css).get_by_role("button").nth(button).click()
        self._tab.wait_for_timeout(1000)

    def presses(self, mark, name, count, *, by_mark=False, training=False):
        """Milliseconds of each press of a control, up and down in turn; None: no reaction.

        Two presses come first that do not count; without a reaction to both, there are no others.
        """
        taken = []
        for press in range(2 + count + count % 2):  # even: the last press undoes the one before
            if taken == [None, None]:
                return taken
            if training:
                self._tab.evaluate("g4r.train()")
            asked = [mark, name, press % 2 == 0, by_mark, WAIT_MS]
            taken.append(self._tab.evaluate("asked => g4r.time(asked)", asked))
            self._tab.wait_for_timeout(BETWEEN_MS)
        return taken[2 : 2 + count]

    def drags(self, css, count, *, training=False):
        """(ms from the last move to the last picture, each drag; frames; frames without picture)"""
        tails, frames, empty = [], 0, 0
        for drag in range(count):
            if training:
                self._tab.evaluate("g4r.train()")
            self._tab.evaluate("g4r.watch('g4r-words')")
            self._page.panel("g4r-words").drag(css, 0.9 if drag % 2 == 0 else 0.1)
            self._tab.wait_for_timeout(700)
            told = self._tab.evaluate("g4r.watched()")
            tails.append(max(told["pictures"]) - told["moved"] if told["pictures"] else None)
            frames, empty = frames + told["frames"], empty + told["empty"]
        return tails, frames, empty

    def own_settings(self):
        """The panel's own model again, after the authors' large ones."""
        self._page.element("g4r-paper").locator("select").select_option(label="of this panel")
        self._tab.wait_for_timeout(1000)
        self._page.lengthen_runs()

    def unlimit(self):
        """Take the speed limit away, by the keyboard."""
        self._page.element("g4r-speed").locator(".noUi-handle").focus()
        for _ in range(10):
            self._tab.keyboard.press("ArrowRight")
        shown = self._tab.locator(":has(> .g4r-speed) > .g4r-typed input")
        self._page.until(lambda: shown.input_value() == "no limit")

    def start(self):
        """A fresh run that trains."""
        self._page.element("g4r-reset").click()
        self._page.element("g4r-start").click()
        self._until_state("running")
        self._tab.wait_for_timeout(1500)

    def stop(self):
        """Milliseconds from a click on Stop to the state that says so, after a start."""
        self.start()
        return self._tab.evaluate("g4r.stop()")

    def _until_state(self, state):
        self._page.until(lambda: state in self._page.text("g4r-state"), why=f"not {state}")

    def speeds(self, pairs, seconds=4):
        """(steps a second without a panel, with a watched one), this many times in turns."""
        self.start()
        self._press_pause("paused")
        failed = self._page.in_kernel(ALONE)
        assert not failed, failed
        speeds = []
        for _ in range(pairs):
            alone = self._speed("alone", seconds)
            self._page.in_kernel("alone.pause()")
            self._press_pause("running")
            speeds.append((alone, self._speed("lab.run", seconds)))
            self._press_pause("paused")
            self._page.in_kernel("alone.resume()")
        self._page.in_kernel("alone.stop()")
        return speeds

    def held_speed(self, limit, seconds=8):
        """Steps a second of a watched run with this speed limit."""
        failed = self._page.in_kernel(f"lab.speed.value = {limit}")
        assert not failed, failed
        self.start()
        return self._speed("lab.run", seconds)

    def wait_for_look(self):
        """Wait until the model was looked at: the first recommendations are there."""
        self._page.until(lambda: "recommended" in self._page.text("g4r-recommendations"))

    def pause(self):
        """Pause the run that is going."""
        self._press_pause("paused")

    def _press_pause(self, then):
        self._page.element("g4r-pause").click()
        self._until_state(then)

    def _speed(self, run, seconds):
        return float(self._page.in_kernel(SPEED.format(run=run, seconds=seconds)))
