"""`EnvironmentPanel`: the first panel of a first visit; it also shows that panels work."""

import ipywidgets as widgets

from ..environment import Check, check_environment
from .controls import LABEL, marked
from .markup import Html, html_table
from .panel import Panel

WAITING = "Now drag the slider, or click it and press an arrow key."
FIX = Html('<b style="color:#8b0000">fix this</b>')
WORKS = "<b>ok</b>: the slider reached Python, which moved the bar and wrote this line."


class EnvironmentPanel(Panel):
    """What was found on this machine, what to do where something fails, and a slider to try.

    Attributes:
        checks: what was checked, in order.
        slider: the slider to try.
        echo: the bar that Python moves to the slider's value.
        answer: what Python says of the slider.
    """

    def __init__(self, *, key: str = "EnvironmentPanel"):
        super().__init__(key)
        self.checks: list[Check] = []
        self.table = marked(widgets.HTML(), "g4r-checks")
        self.slider = widgets.IntSlider(
            value=0, max=10, description="try me", style=LABEL, tooltip="any value will do"
        )
        marked(self.slider, "g4r-try")
        self.echo = widgets.IntProgress(value=0, max=10, description="Python says", style=LABEL)
        self.answer = marked(widgets.HTML(WAITING), "g4r-answer")
        self.slider.observe(self.guarded(self._moved), "value")
        again = widgets.Button(description="Check again", tooltip="after you changed something")
        again.on_click(lambda _button: self.guarded(self.check)())
        self.check()
        self.reveal([self.table, again, self.slider, self.echo, self.answer, self.error_box])

    @property
    def ok(self) -> bool:
        """Nothing that was checked fails."""
        return all(check.ok for check in self.checks)

    def check(self) -> None:
        """Look at the machine again."""
        self.checks = check_environment()
        self.table.value = table_of(self.checks)

    def _moved(self, change: dict) -> None:
        self.echo.value = change["new"]
        self.answer.value = WORKS


def table_of(checks: list[Check]) -> str:
    """The checks as an HTML table: what, ok or not, what was found, what to do."""
    rows = [
        [check.name, "ok" if check.ok else FIX, check.found, "" if check.ok else check.way_out]
        for check in checks
    ]
    return html_table(["check", "result", "found", "what to do"], rows)
