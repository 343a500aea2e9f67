"""A pinned run: its quality stays in the picture as a pale ghost while the next one trains."""

from dataclasses import dataclass
from typing import NamedTuple

import ipywidgets as widgets

from ..config import Config
from ..controls import ControlChanged
from .lab_controls import labelled_buttons
from .lab_course import Course

QUALITY_NAMES = {"recall_20": "Recall@20", "mrr_20": "MRR@20", "recall_1": "Recall@1"}
BUTTONS = {
    "pin": ("Pin", "keep the curves of this run in grey, to compare the next run with"),
    "unpin": ("Unpin", "take the grey curves of the pinned run away"),
    "replay": ("Replay", "run again: same settings, same seed, same changes at the same steps"),
}


class Curves(NamedTuple):
    """One measure of a run as (step, share of targets): looks at the probe, ends of epochs."""

    looks: list[tuple[int, float]]
    ends: list[tuple[int, float]]


@dataclass(frozen=True)
class Pinned:
    """What is kept of a run to compare others with.

    Attributes:
        label: what the run is called.
        config: the settings it began with.
        data: the data set it was trained on; None: the sessions given to the panel.
        changes: the controls changed on the way.
        n_steps: steps that the whole run has or would have had.
        quality: "recall_20", "mrr_20", "recall_1" to their curves.
    """

    label: str
    config: Config
    data: str | None
    changes: list[ControlChanged]
    n_steps: int
    quality: dict[str, Curves]

    @property
    def epochs_done(self) -> int:
        """Epochs that the run has finished."""
        return len(self.quality["recall_20"].ends)

    @property
    def last_look(self) -> int:
        """The step of the last look at the run."""
        return self.quality["recall_20"].looks[-1][0]


def quality_curves(course: Course) -> dict[str, Curves]:
    """The curves of "recall_20", "mrr_20" and "recall_1" so far."""
    return {
        name: Curves(
            [(step, getattr(view, name)) for step, view in course.views],
            [(end.step, _measure(end.evaluation, name)) for end in course.epochs],
        )
        for name in QUALITY_NAMES
    }


def pinned_run(course: Course, config: Config, data: str | None, label: str) -> Pinned:
    """The run as it is now; later events do not change it.

    Raises:
        ValueError: the run has not been looked at yet.
    """
    if not course.views:
        raise ValueError("there is no run to pin yet; press Start and wait for the first look")
    changes, quality = list(course.marks), quality_curves(course)
    return Pinned(label, config, data, changes, course.n_steps, quality)


def run_label(config: Config, changes: list[ControlChanged]) -> str:
    """The losses of a run in order, its extra negatives, layers and seed, in one line."""
    losses, sizes = [config.loss], [f"{config.n_sample:,}"]
    for change in changes:
        if change.name == "loss":
            losses.append(change.new)
        elif change.name == "n_sample":
            sizes.append(f"{change.new:,}")
    layers = "-".join(map(str, config.layers))
    negatives = f"{_route(sizes)} extra negatives"
    return f"{_route(losses)}, {negatives}, layers {layers}, seed {config.seed}"


def _route(stations: list[str]) -> str:
    """At most four stations, as a learner may drag a slider through many."""
    shown = stations if len(stations) <= 4 else [*stations[:2], "...", stations[-1]]
    return " > ".join(shown)


def _measure(evaluation, name: str) -> float:
    metric, k = name.split("_")
    return getattr(evaluation, metric)[int(k)]


def pin_buttons() -> dict[str, widgets.Button]:
    """The buttons "pin", "unpin" and "replay"."""
    return labelled_buttons(BUTTONS)
