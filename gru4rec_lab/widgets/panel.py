"""What all panels share: errors that show, a registry of live panels, labelled controls."""

import html
from collections.abc import Callable
from math import inf
from typing import Any

import ipywidgets as widgets
from traitlets import Bunch, TraitError

from ..plots import LivePlot

_LIVE: dict[str, "Panel"] = {}
LABEL = {"description_width": "150px"}
# The sliders of ipywidgets show no focus, and its rows of buttons stand below their labels.
_STYLE = """<style>
.g4r-panel .noUi-handle:focus, .g4r-panel select:focus, .g4r-panel textarea:focus,
.g4r-panel input:focus, .g4r-panel button:focus-visible, .g4r-panel .widget-readout:focus {
  outline: 3px solid #1c6ea4 !important; outline-offset: 1px; }
.g4r-panel .widget-toggle-buttons { display: flex; align-items: center; }
.g4r-panel .widget-toggle-buttons > .widget-label {
  flex: 0 0 auto; text-align: right; margin-right: 8px; }
</style>"""


def live_panels() -> dict[str, "Panel"]:
    """The panels that are not closed, by key."""
    return dict(_LIVE)


class Panel(widgets.VBox):
    """A box of controls and a picture that shows what goes wrong in it.

    A new panel closes the one with the same key, so that running a cell again leaves no thread and
    no picture behind. Two panels side by side need two keys.

    Attributes:
        key: what the panel is known by.
        error_box: where an exception of a callback is shown; empty otherwise.
    """

    # On the class, as close() asks for it also of a panel whose making failed.
    key: str = ""

    def __init__(self, key: str):
        if key in _LIVE:
            _LIVE[key].close()
        super().__init__()
        self.key = key
        self.error_box = marked(widgets.HTML(), "g4r-error")
        self.add_class("g4r-panel")

    def reveal(self, children: list[widgets.Widget]) -> None:
        """Show these elements and count as live; the last act of making a panel."""
        self.children = [_style(), *children]
        _LIVE[self.key] = self

    @property
    def error(self) -> str:
        """The message in the error box; empty if there is none."""
        return html.unescape(self.error_box.value.partition("</b> ")[2].removesuffix("</div>"))

    def show_error(self, error: BaseException) -> None:
        """Show this exception in the panel."""
        text = html.escape(f"{type(error).__name__}: {error}", quote=False)
        style = "color:#8b0000;background:#fdecea;padding:4px 8px;border-left:4px solid #8b0000"
        self.error_box.value = f'<div role="alert" style="{style}"><b>Error.</b> {text}</div>'

    def clear_error(self) -> None:
        """Empty the error box."""
        self.error_box.value = ""

    def guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """`callback`, but an exception in it lands in the error box; success empties the box.

        Jupyter shows exceptions of widget callbacks nowhere in the notebook.
        """

        def safely(*event: Any) -> None:
            try:
                callback(*event)
            except Exception as error:
                self.show_error(error)
            else:
                self.clear_error()

        return safely

    def __repr__(self) -> str:
        return f"{type(self).__name__}: a panel of controls and pictures; run the cell to use it"

    def close(self) -> None:
        """Remove the panel with all its controls; it cannot be shown again."""
        if _LIVE.get(self.key) is self:
            del _LIVE[self.key]
        _close_tree(self.children)
        super().close()


def _style() -> widgets.HTML:
    """An element without a size of its own that styles what is in any panel."""
    layout = widgets.Layout(height="0px", margin="0px", overflow="hidden")
    return marked(widgets.HTML(_STYLE, layout=layout), "g4r-style")


def _close_tree(children: tuple[widgets.Widget, ...]) -> None:
    for child in children:
        _close_tree(getattr(child, "children", ()))
        child.close()


def advice(text: str) -> str:
    """The text as a line of advice in HTML."""
    # Two lines high in any case, so that the picture below stays where it is.
    style = "color:#1c6ea4;line-height:1.5;min-height:3em;max-width:960px"
    return f'<div style="{style}"><b>Try:</b> {text}</div>'


def marked(widget: widgets.DOMWidget, *css_classes: str) -> widgets.DOMWidget:
    """The widget with css classes, by which browser tests and style sheets find it."""
    for css_class in css_classes:
        widget.add_class(css_class)
    return widget


def picture_of(plot: LivePlot) -> widgets.Image:
    """An image of the plot's size on the page."""
    size = {"width": f"{plot.width}px", "height": f"{plot.height}px"}
    layout = widgets.Layout(**size, flex="0 0 auto", max_width="none")
    picture = widgets.Image(format="png", value=plot.png(), layout=layout)
    return marked(picture, "g4r-picture")


def float_slider(
    label: str, value: float, low: float, high: float, step: float, *, css: str, tooltip: str
) -> widgets.FloatSlider:
    """A labelled slider; the unit belongs in the label."""
    slider = widgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=label, tooltip=tooltip,
        style=LABEL, layout=widgets.Layout(width="430px"), readout_format=".2f",
    )  # fmt: skip
    return marked(slider, css)


class StepsSlider(widgets.SelectionSlider):
    """A slider over whole numbers that are not evenly spaced, to which others can be added.

    `words` says what a number is called, `most` is the highest that can be added, and numbers
    stand in the order of `order`.
    """

    def __init__(
        self,
        value: int,
        steps: list[int],
        *,
        words: Callable[[int], str] = "{:,}".format,
        most: float = inf,
        order: Callable[[int], float] = float,
        **look: Any,
    ):
        self._words, self._most, self._order = words, most, order
        self._quiet = False
        super().__init__(options=self._named({*steps, value}), value=value, **look)

    def _named(self, steps: set[int]) -> list[tuple[str, int]]:
        return [(self._words(step), step) for step in sorted(steps, key=self._order)]

    def offer(self, value: Any) -> None:
        """Show this number, as a step of its own if it was none.

        Raises:
            ValueError: not a whole number from 0 to the highest one.
        """
        if not isinstance(value, int) or not 0 <= value <= self._most:
            most = "on" if self._most == inf else f"to {self._most:,}"
            raise ValueError(f"must be a whole number from 0 {most}, got {value!r}")
        before, steps = self.value, {step for _, step in self.options}
        if value in steps:
            self.value = value
            return
        # Other options show the first of them for a moment, which nobody has asked for.
        self._quiet = True
        try:
            self.options = self._named({*steps, value})
            self.index = [step for _, step in self.options].index(value)
        finally:
            self._quiet = False
        self.notify_change(Bunch(name="value", old=before, new=value, owner=self, type="change"))

    def notify_change(self, change: Bunch) -> None:
        """Tell who observes; not of values between two that were asked for."""
        if not (self._quiet and change["name"] == "value"):
            super().notify_change(change)


def steps_slider(
    label: str, value: int, steps: list[int], *, css: str, tooltip: str, **how: Any
) -> StepsSlider:
    """A labelled `StepsSlider`."""
    slider = StepsSlider(
        value, steps, description=label, tooltip=tooltip, style=LABEL,
        layout=widgets.Layout(width="430px"), **how,
    )  # fmt: skip
    return marked(slider, css)


def toggle_buttons(
    label: str, options: dict[str, str], tooltips: list[str], *, css: str
) -> widgets.ToggleButtons:
    """A labelled choice among few: what a button says to the value it stands for."""
    buttons = widgets.ToggleButtons(
        options=list(options.items()), description=label, tooltips=tooltips,
        style={"button_width": "140px", "description_width": "150px"},
        layout=widgets.Layout(width="460px"),
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
