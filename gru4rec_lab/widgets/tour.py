"""A guided tour beside a panel's controls: predict, then drag.

The steps are plain data, in the `tour_steps` of each panel.
"""

import html
import operator
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from .controls import marked

Step = Mapping[str, Any]
Numbers = Mapping[str, Any]
BUTTONS = {
    "next": (
        "",
        "a step asks for a prediction, waits for a control and says what is seen",
    ),
    "back": ("Back", "begin the step before this one"),
    "leave": ("Leave the tour", "it goes on later where it was left"),
}
RELATIONS = {">=": operator.ge, "<=": operator.le, "==": operator.eq}


def unmet(step: Step, settings: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Name and value of the first setting that the step still waits for; None at its end."""
    for name, relation, value in step["until"]:
        if not RELATIONS[relation](settings[name], value):
            return name, value
    return None


def seen(step: Step, before: Numbers, numbers: Numbers) -> str:
    """What the step says at its end, without sentences whose numbers are not known."""
    known = {"before": before} | numbers
    sentences = re.split(r"(?<=[.?!]) ", step["seen"])
    return " ".join(filter(None, (_with_numbers(sentence, known) for sentence in sentences)))


def _with_numbers(sentence: str, known: Numbers) -> str:
    def written(found: re.Match) -> str:
        value: Any = known
        for name in found["name"].split("."):
            value = value[name]
        if isinstance(value, str):
            return value
        if found["percent"]:
            return f"{value:.0%}"
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

    try:
        return re.sub(r"\{(?P<name>[\w.-]+)(?P<percent>%)?\}", written, sentence)
    except KeyError:
        return ""


def _button(words: str, tooltip: str) -> widgets.Button:
    layout = widgets.Layout(width="auto", max_width="100%")
    return widgets.Button(description=words, tooltip=tooltip, layout=layout)


class Tour(widgets.VBox):
    """Steps that ask for a prediction, point at a control, wait for it and say what was seen.

    `begin(start)` sets the panel as a step starts, `read()` gives its settings and numbers,
    `point(name)` shows which control is to be moved ("" for none). `move(step, name, value)` says
    what is to be done for the setting that is waited for: the control to point at, and words; by
    default they are those of the step. Call `follow` after every change. `guarded` shows errors of
    the buttons; `lock` is what the panel changes under.

    Attributes:
        step: the step under way, counted from 1; 0 outside the tour.
        done: whether what the step waits for was seen.
        told: the words of the step and, once it is done, what was seen.
        choices: the predictions to choose from.
        next, back, leave: buttons.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        begin: Callable[[dict[str, Any]], None],
        read: Callable[[], tuple[dict[str, Any], dict[str, Any]]],
        point: Callable[[str], None],
        guarded: Callable[[Callable[..., None]], Callable[..., None]],
        lock: threading.RLock,
        move: Callable[[Step, str, Any], tuple[str, str]] | None = None,
    ):
        self._steps, self._begin, self._read, self._point = steps, begin, read, point
        self._lock, self._move = lock, move or (lambda step, *_wanted: (step["control"], ""))
        self.step, self.done, self._last, self._before = 0, False, 1, {}
        self._pointed = self._found = ""
        self.told = marked(widgets.HTML(), "g4r-tour-told")
        self.choices = marked(
            widgets.ToggleButtons(
                description="your prediction",
                options=["-"],
                tooltips=["-"],
                value=None,
                style={"button_width": "auto", "description_width": "initial"},
                layout=widgets.Layout(margin="2px 16px 2px 2px", width="auto"),
            ),
            "g4r-tour-choices",
        )
        self.next, self.back, self.leave = (
            marked(_button(words, tooltip), f"g4r-tour-{name}")
            for name, (words, tooltip) in BUTTONS.items()
        )
        self.next.on_click(guarded(lambda _button: self.go(self._following())))
        self.back.on_click(guarded(lambda _button: self.go(self.step - 1)))
        self.leave.on_click(guarded(lambda _button: self.go(0)))
        row = widgets.Layout(flex_flow="row wrap", align_items="center", max_width="100%")
        buttons = [self.choices, self.next, self.back, self.leave]
        super().__init__([self.told, widgets.HBox(buttons, layout=row)])
        self._show()

    def _following(self) -> int:
        return (self.step + 1) % (len(self._steps) + 1) if self.step else self._last

    def go(self, step: int) -> None:
        """Begin this step, counted from 1; 0 leaves the tour, which goes on where it was left."""
        with self._lock:
            if not step and self.step == len(self._steps):
                self._last = 1
            self._last = step or self._last
            self.step = 0  # the settings that a step starts from are no answer
            if step:
                self._begin(self._steps[step - 1]["start"])
                self._before = self._read()[1]
                choices = self._steps[step - 1]["choices"]
                self.choices.tooltips = [f"predict: {words}" for words in choices]
                self.choices.options = choices
                self.choices.value = None
            self.step, self.done, self._found = step, False, ""
            self._show()
            self._tell()
            if step < 2:  # the button that was pressed may be gone
                self.next.focus()

    def follow(self) -> None:
        """Look whether what the step waits for has happened, and say what is seen then."""
        if not self.step:
            return
        with self._lock:
            self._tell()

    def _tell(self) -> None:
        """The words of the step, and what it points at, for the panel as it is."""
        if not self.step:
            return self._point_at("")
        step = self._steps[self.step - 1]
        settings, numbers = self._read()
        wanted = unmet(step, settings)
        if wanted is None:
            self.done, self._found = True, seen(step, self._before, numbers)
        control, words = ("", "") if self.done else self._move(step, *wanted)
        self._point_at(control)
        more = "Next step" if self.step < len(self._steps) else "End of the tour"
        self.next.description = more if self.done else "Skip"
        guess = f"You predicted: {self.choices.value}. " if self.choices.value else ""
        lines = [step["predict"], words, guess + self._found if self.done else ""]
        text = "<br>".join(html.escape(line, quote=False) for line in lines if line)
        where = f"<b>Step {self.step} of {len(self._steps)}.</b> "
        self.told.value = f'<div aria-live="polite" style="line-height:1.4">{where}{text}</div>'
        return None

    def _point_at(self, control: str) -> None:
        if control != self._pointed:
            self._pointed = control
            self._point(control)

    def _show(self) -> None:
        """What there is to press, inside the tour or outside."""
        (self.add_class if self.step else self.remove_class)("g4r-touring")
        self.layout.width = "100%" if self.step else None
        for element in (self.told, self.choices, self.leave):
            element.layout.display = None if self.step else "none"
        self.back.layout.display = None if self.step > 1 else "none"
        if not self.step:
            begin = "Guided tour: predict, then drag"
            again = f"Go on with the tour (step {self._last})"
            self.next.description = begin if self._last == 1 else again
