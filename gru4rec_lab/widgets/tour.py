"""A guided tour beside a panel's controls: predict, then drag."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from .controls import marked
from .loss_explorer.tour import reached, seen

ROW = {"flex_flow": "row wrap"}


class Tour(widgets.VBox):
    """Steps that ask for a prediction, point at a control, wait for it and say what was seen.

    Each of `steps` is plain data as in `loss_explorer.tour`. `begin(start)` sets the panel as the
    step starts, `read()` gives its settings and numbers, `point(name)` shows which control is to be
    moved ("" for none). Call `follow` after every change. `guarded` shows errors of the buttons.

    Attributes:
        step: the step under way, counted from 1; 0 outside the tour.
        done: whether what the step waits for was seen.
        told: the words of the step and, once it is done, what was seen.
        choices: the predictions to choose from.
        next, back, leave: buttons.
    """

    def __init__(
        self,
        steps: Sequence[Mapping[str, Any]],
        *,
        begin: Callable[[dict[str, Any]], None],
        read: Callable[[], tuple[dict[str, Any], dict[str, Any]]],
        point: Callable[[str], None],
        guarded: Callable[[Callable[..., None]], Callable[..., None]],
    ):
        self._steps, self._begin, self._read, self._point = steps, begin, read, point
        self.step, self.done, self._last, self._before = 0, False, 1, {}
        self.told = marked(widgets.HTML(), "g4r-tour-told")
        self.choices = marked(
            widgets.ToggleButtons(options=["-"], value=None, style={"button_width": "auto"}),
            "g4r-tour-choices",
        )
        names = ("next", "back", "leave")
        self.next, self.back, self.leave = (
            marked(widgets.Button(description=name), f"g4r-tour-{name}") for name in names
        )
        self.back.description, self.leave.description = "Back", "Leave the tour"
        self.next.layout.width = self.leave.layout.width = "auto"
        self.next.on_click(guarded(lambda _button: self.go(self._following())))
        self.back.on_click(guarded(lambda _button: self.go(self.step - 1)))
        self.leave.on_click(guarded(lambda _button: self.go(0)))
        buttons = widgets.HBox([self.next, self.back, self.leave], layout=widgets.Layout(**ROW))
        super().__init__([self.told, self.choices, buttons])
        self._say()

    def _following(self) -> int:
        return (self.step + 1) % (len(self._steps) + 1) if self.step else self._last

    def go(self, step: int) -> None:
        """Begin this step, counted from 1; 0 leaves the tour, which goes on where it was left."""
        if not step and self.step == len(self._steps):
            self._last = 1
        self._last = step or self._last
        self.step = 0  # the settings that a step starts from are no answer
        if step:
            self._begin(self._steps[step - 1]["start"])
            self._before = self._read()[1]
            self.choices.options = self._steps[step - 1]["choices"]
            self.choices.value = None
        self.step, self.done = step, False
        self._point(self._steps[step - 1]["control"] if step else "")
        self._say()

    def follow(self) -> None:
        """Look whether what the step waits for has happened, and say what is seen then."""
        if not self.step:
            return
        settings, numbers = self._read()
        if reached(self._steps[self.step - 1], settings):
            if not self.done:
                self._point("")
            self.done = True
            self._say(seen(self._steps[self.step - 1], self._before, numbers))

    def _say(self, found: str = "") -> None:
        (self.add_class if self.step else self.remove_class)("g4r-touring")
        for element in (self.told, self.choices, self.leave):
            element.layout.display = None if self.step else "none"
        self.back.layout.display = None if self.step > 1 else "none"
        begin = "Guided tour: predict, then drag"
        self.next.description = (
            begin if self._last == 1 else f"Go on with the tour (step {self._last})"
        )
        if not self.step:
            return
        more = "Next step" if self.step < len(self._steps) else "End of the tour"
        self.next.description = more if self.done else "Skip"
        guess = f"You predicted: {self.choices.value}. " if self.choices.value else ""
        lines = [self._steps[self.step - 1]["predict"], guess + found if found else ""]
        where = f"<b>Step {self.step} of {len(self._steps)}.</b> "
        text = "<br>".join(html.escape(line, quote=False) for line in lines if line)
        self.told.value = f'<div aria-live="polite" style="line-height:1.4">{where}{text}</div>'
