"""The probe session: ten recommendations that change as the model learns."""

import html
from collections.abc import Callable
from typing import Any, NamedTuple

import ipywidgets as widgets

from ...data.sessions import Sessions
from ...recommend import Recommendation, Recommender
from ..controls import LABEL, marked

N_CHOICES, N_TOP = 8, 10


class Recommended(NamedTuple):
    """What the model recommends after a session.

    `clicks` are the clicks it knows, `unknown` those it does not, `answer` is what came next in a
    validation session (None for a session typed in), `top` the best items, best first.
    """

    clicks: list[Any]
    unknown: list[Any]
    answer: Any
    top: list[Recommendation]


class Probe:
    """Which session is asked about; set from any thread, read in the training thread.

    Attributes:
        choice: the number of a validation session, from 0, or the names of items as text.
    """

    def __init__(self) -> None:
        self.choice: int | tuple[str, ...] = 0

    def recommend(self, model: Recommender, validation: Sessions) -> Recommended:
        """The ten best items after the session; of a validation session its last click is held out.

        A number beyond the last validation session starts again at the first.
        """
        choice, answer = self.choice, None
        if isinstance(choice, int):
            place = choice % validation.n_sessions
            inside = slice(*validation.offsets[place : place + 2])
            *clicks, answer = validation.item_ids[validation.items[inside]].tolist()
        else:
            by_name = {str(item): item for item in model.item_ids.tolist()}
            clicks = [by_name.get(name, name) for name in choice]
        visit = model.session()
        for item in clicks:
            visit.click(item)
        return Recommended(visit.clicks, visit.unknown, answer, visit.top(N_TOP))


class ProbeBox(widgets.VBox):
    """A choice of validation sessions, a box for item names, and the list below them.

    Attributes:
        number: the dropdown of validation sessions.
        items: text, item names with commas between them; empty: the dropdown counts.
        top: the list as HTML.
    """

    def __init__(self) -> None:
        options = [(f"validation session {place + 1}", place) for place in range(N_CHOICES)]
        layout = widgets.Layout(width="420px")
        self.number = widgets.Dropdown(
            options=options, value=0, description="probe session", style=LABEL, layout=layout,
            tooltip="the session to recommend for; its last click is held out",
        )  # fmt: skip
        self.items = widgets.Text(
            description="or items", placeholder="names, with commas between them",
            style=LABEL, layout=layout, continuous_update=False,
            tooltip="clicks of a session of your own, in order; Enter takes them",
        )  # fmt: skip
        marked(self.number, "g4r-probe")
        marked(self.items, "g4r-probe-items")
        self.top = marked(widgets.HTML(), "g4r-recommendations")
        super().__init__([self.number, self.items, self.top])

    @property
    def choice(self) -> int | tuple[str, ...]:
        """What is asked about, as `Probe.choice` takes it."""
        names = tuple(name.strip() for name in self.items.value.split(",") if name.strip())
        return names or self.number.value

    def on_change(self, callback: Callable[[dict], None]) -> None:
        """Call `callback` with the change whenever another session is chosen."""
        self.number.observe(callback, "value")
        self.items.observe(callback, "value")


def recommendations_list(step: int, seen: Recommended) -> str:
    """The session and its ten recommendations as HTML; what came next is bold."""
    rows = "".join(_entry(each, seen.answer) for each in seen.top)
    words = f"after {_names(seen.clicks) or 'no click'}"
    if seen.unknown:
        words += f" (unknown: {_names(seen.unknown)})"
    if seen.answer is not None:
        words += f"; next came <b>{_names([seen.answer])}</b>"
    best = f"<ol style='margin:0;line-height:1.5'>{rows}</ol>"
    return f"<b>recommended at step {step:,}</b><br>{words}{best}"


def _entry(each: Recommendation, answer: Any) -> str:
    name = html.escape(str(each.item))
    hit = answer is not None and each.item == answer
    return f"<li>{f'<b>{name}</b> &#10003;' if hit else name} ({each.score:.2f})</li>"


def _names(items: list[Any]) -> str:
    """The last six names; earlier ones become an ellipsis."""
    names = [html.escape(str(item)) for item in items]
    return " &gt; ".join(["..."] * (len(names) > 6) + names[-6:])
