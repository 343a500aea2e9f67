"""Labelled controls that all panels share, with what they have to say, and folds around them."""

import threading
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NoReturn

import ipywidgets as widgets
from traitlets import Bunch, TraitError

from .markup import aside

LABEL = {"description_width": "150px"}
Step = int | str  # of a slider: a number, or a word such as "all"


def marked(widget: widgets.DOMWidget, *css_classes: str) -> widgets.DOMWidget:
    """The widget with css classes, by which browser tests and style sheets find it."""
    for css_class in css_classes:
        widget.add_class(css_class)
    return widget


class Updating(threading.local):
    """True inside `with`: this thread sets elements itself, and their callbacks leave it alone.

    A callback begins with `if self.updating: return`. Jupyter runs callbacks in threads of their
    own; what one of them sets does not silence what the user changes meanwhile in another.
    """

    _depth = 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_error: object) -> None:
        self._depth -= 1

    def __bool__(self) -> bool:
        return self._depth > 0


def labelled(
    kind: type[widgets.DOMWidget],
    label: str,
    *,
    css: str,
    tooltip: str,
    width: str | None = "430px",
    **own: Any,
) -> widgets.DOMWidget:
    """An element of class `kind` made with `own`; the unit belongs in the label."""
    layout = widgets.Layout(width=width)
    element = kind(description=label, tooltip=tooltip, style=LABEL, layout=layout, **own)
    return marked(element, css)


def float_slider(
    label: str, value: float, low: float, high: float, step: float, *, css: str, tooltip: str
) -> widgets.FloatSlider:
    """A labelled slider over evenly spaced numbers."""
    ends = {"min": low, "max": high, "step": step, "readout_format": ".2f"}
    return labelled(widgets.FloatSlider, label, value=value, css=css, tooltip=tooltip, **ends)


class Fold(widgets.VBox):
    """A header that opens and closes what lies below it; closed at first.

    Attributes:
        header: the button that does so; its value says whether it is open.
        box: what it holds.
    """

    def __init__(self, title: str, children: list[widgets.Widget], *, css: str):
        self._title, self.box = title, widgets.VBox(children)
        # Not an accordion: its header cannot be reached by Tab.
        self.header = widgets.ToggleButton(
            tooltip="show or hide them", layout=widgets.Layout(width="auto")
        )
        self.header.observe(lambda _change: self._open(), "value")
        self._open()
        super().__init__([self.header, self.box])
        marked(self.header, f"{css}-header", "g4r-fold")
        marked(self, css)

    def _open(self) -> None:
        """Show what it holds if the header is pressed."""
        sign = "\u25be" if self.header.value else "\u25b8"
        self.header.description = f"{sign} {self._title}"
        self.box.layout.display = None if self.header.value else "none"


class StepsSlider(widgets.SelectionSlider):
    """A slider over whole numbers that are not evenly spaced, to which others can be added.

    `words` says what a number is called, `most` is the highest that can be added, and numbers
    stand in the order of `order`. A step may be a word too, if it is among the first ones.
    """

    def __init__(
        self,
        value: Step,
        steps: Sequence[Step],
        *,
        words: Callable[[Step], str] = "{:,}".format,
        most: float = inf,
        order: Callable[[Step], float] = float,
        **look: Any,
    ):
        self._words, self._most, self._order = words, most, order
        self._updating = Updating()
        super().__init__(options=self._named({*steps, value}), value=value, **look)
        # On its first step an element of ipywidgets has no label until it is moved.
        self.label = words(value)

    def _named(self, steps: set[Step]) -> list[tuple[str, Step]]:
        return [(self._words(step), step) for step in sorted(steps, key=self._order)]

    @property
    def _names(self) -> list[str]:
        """The steps that are words."""
        return [step for _, step in self.options if isinstance(step, str)]

    def _refuse(self, value: Any) -> NoReturn:
        most = "on" if self._most == inf else f"to {self._most:,}"
        most += "".join(f", or {name!r}" for name in self._names)
        raise ValueError(f"must be a whole number from 0 {most}, got {value!r}")

    def offer(self, value: Any) -> None:
        """Show this number, as a step of its own if it was none.

        Raises:
            ValueError: not a whole number from 0 to the highest one, nor one of the words.
        """
        before, steps = self.value, {step for _, step in self.options}
        if value not in self._names and not (isinstance(value, int) and 0 <= value <= self._most):
            self._refuse(value)
        if value in steps:
            self.value = value
            return
        # Other options show the first of them for a moment, which nobody has asked for.
        with self._updating:
            self.options = self._named({*steps, value})
            self.index = [step for _, step in self.options].index(value)
        self.notify_change(Bunch(name="value", old=before, new=value, owner=self, type="change"))

    def read(self, text: str) -> Step:
        """The step that `text` means: digits, a word, or what the slider calls it.

        Raises:
            ValueError: none of them.
        """
        named = dict(self.options) | {name: name for name in self._names}
        if text in named:
            return named[text]
        try:
            return int(text.replace(",", ""))
        except ValueError:
            return self._refuse(text)

    def notify_change(self, change: Bunch) -> None:
        """Tell who observes; not of values between two that were asked for."""
        if not (self._updating and change["name"] == "value"):
            super().notify_change(change)


def steps_slider(
    label: str, value: Step, steps: Sequence[Step], *, css: str, tooltip: str, **how: Any
) -> StepsSlider:
    """A labelled `StepsSlider`; the box of its `Field` shows the number."""
    how |= {"value": value, "steps": steps, "readout": False}
    return labelled(StepsSlider, label, css=css, tooltip=tooltip, **how)


class Field(widgets.VBox):
    """A control with, below it, what is wrong with its value or why it changes nothing now.

    Attributes:
        element: the control.
        typed: the box beside a `StepsSlider`, which shows its number and takes any other; else
            None.
        note: the words below.
    """

    def __init__(self, element: widgets.ValueWidget, width: str | None = None):
        self.element, self.typed = element, None
        self._wrong, self._idle, self._updating = "", "", Updating()
        self.note = marked(widgets.HTML(), "g4r-note")
        element.layout.width, element.layout.flex, element.layout.min_width = "auto", "1 1 0", "0"
        row = [element]
        if isinstance(element, StepsSlider):
            self.typed = widgets.Text(
                value=element.label, tooltip=f"{element.description}: any number can be typed",
                continuous_update=False, layout=widgets.Layout(width="80px", flex="0 0 auto"),
            )  # fmt: skip
            marked(self.typed, "g4r-typed").observe(lambda _change: self._take(), "value")
            element.observe(lambda _change: self._follow(), ["value", "options"])
            row.append(self.typed)
        super().__init__([widgets.HBox(row), self.note], layout=widgets.Layout(width=width))
        self._say()

    def _follow(self) -> None:
        with self._updating:
            self.typed.value = self.element.label

    def _take(self) -> None:
        if self._updating:
            return
        try:
            self.element.offer(self.element.read(self.typed.value))
        except ValueError as error:
            self.refuse(f"{self.element.description} {error}")
        else:
            self.refuse("")
        self._follow()

    def refuse(self, why: str) -> None:
        """Say what was wrong with the value; nothing once it is right, ""."""
        self._wrong = why
        self._say()

    def tell(self, idle: str) -> None:
        """Say why the control changes nothing now, unless its value is wrong; "" if it does."""
        self._idle = idle
        self._say()

    def point(self, *, here: bool) -> None:
        """Mark the control, or not."""
        (self.add_class if here else self.remove_class)("g4r-pointed")

    def _say(self) -> None:
        text = self._wrong or self._idle
        self.note.value = aside(text, wrong=bool(self._wrong)) if text else ""
        self.note.layout.display = None if text else "none"


def toggle_buttons(
    label: str,
    options: dict[str, str],
    tooltips: list[str],
    *,
    css: str,
    widths: tuple[int, int, int] = (150, 140, 460),
) -> widgets.ToggleButtons:
    """A labelled choice among few: what a button says to the value it stands for.

    `widths` are those of the label, of each button and of the whole row, in pixels.
    """
    label_width, button_width, row_width = (f"{width}px" for width in widths)
    buttons = widgets.ToggleButtons(
        options=list(options.items()), description=label, tooltips=tooltips,
        style={"button_width": button_width, "description_width": label_width},
        layout=widgets.Layout(width=row_width),
    )  # fmt: skip
    return marked(buttons, css)


def set_value(element: widgets.ValueWidget, name: str, value: Any) -> None:
    """Let the element of setting `name` show `value`.

    Raises:
        ValueError: the element cannot show it.
    """
    if isinstance(element, StepsSlider):
        try:
            return element.offer(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    # A slider takes a value beyond its ends silently to the nearer end.
    low, high = getattr(element, "min", None), getattr(element, "max", None)
    if low is not None and isinstance(value, int | float) and not low <= value <= high:
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, got {value!r}")
    try:
        element.value = value
    except TraitError:
        options = getattr(element, "options", ())
        choices = [str(each[1] if isinstance(each, tuple) else each) for each in options]
        way_out = f"; choose one of {', '.join(choices)}" if choices else ""
        raise ValueError(f"{name} cannot be {value!r}{way_out}") from None
