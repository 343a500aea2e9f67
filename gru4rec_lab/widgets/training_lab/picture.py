"""The lab's picture: what a run did so far, and what its losses see in the scores it has now."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text

from ...diagnostics.stored import reference_gradients
from ...losses import LOSSES
from ...plots import LivePlot
from ...plots.panes import WEIGHT_COLOUR, GradientPane, ScorePane, WeightPane, loss_legend
from ...training.controls import Settings
from .comparison import QUALITY_NAMES, Pinned, quality_curves
from .history import History
from .observation import SCORE_BINS, Observation

HIGHEST = 3000
PANES = ("weights", "scores")
OF_THE_MODEL = "pull on the target, scores at step {:,} ({})"
OF_THE_REFERENCE = "pull on the target, scores of a trained BPR"
LOSS_LIMITS = [place * 10.0**power for power in range(-3, 9) for place in (1, 1.5, 2, 3, 5, 7)]
QUALITY_LIMITS = [0.2, 0.4, 0.6, 0.8, 1.05]
QUALITY = {
    "recall_20": ("black", "solid", "o"),
    "mrr_20": ("#666666", (0, (4, 2)), "s"),
    "recall_1": ("#999999", (0, (1, 1)), "D"),
}
GHOST = "#d0b9a0"


class LabPicture:
    """Draws a `History`; only what moves, unless a limit has to grow.

    Attributes:
        plot: the live plot behind it.
        pane: "weights" or "scores", what stands in the upper right corner.
    """

    def __init__(self):
        self.plot = plot = LivePlot(960, 660)
        self._loss = LossCurves(plot, _titled(plot.add_axes(65, 190, 450, 310), "training loss"))
        effective = plot.add_axes(65, 62, 450, 150)
        _titled(effective, "effective negatives (dashed: all negatives)")
        self._effective = EffectiveCurve(plot, effective, highest=HIGHEST)
        quality = plot.add_axes(535, 62, 915, 290)
        title = "quality on held-out sessions (marker: epoch end)"
        quality.set_title(title, fontsize=10, loc="left", pad=20)
        self._quality = QualityCurves(plot, quality)
        gradients = plot.add_axes(65, 395, 450, 605)
        self.gradients = GradientPane(plot, gradients, highest=HIGHEST)
        self._gradient_title = self._moving_title(gradients)
        self._right = self._right_panes()
        # The steps are written once, below the effective negatives.
        self._loss.axes.tick_params(labelbottom=False)
        self._over_steps = [self._loss.axes, effective, quality]
        self._changes = [self._mark_line(axes) for axes in self._over_steps]
        for axes in (effective, quality):
            axes.set_xlabel("step (dotted: a control changed)", fontsize=9)
        loss_legend(plot, list(LOSSES), left=65, top=654)
        self.pane = "weights"
        self.choose("weights")

    def _right_panes(self) -> dict[str, WeightPane | ScorePane]:
        places = {name: self.plot.add_axes(535, 395, 880, 605) for name in PANES}
        places["weights"].set_title("softmax weights of the negatives", fontsize=10, loc="left")
        bins = {"low": SCORE_BINS["low"], "high": SCORE_BINS["high"]}
        return {
            "weights": WeightPane(self.plot, places["weights"], highest=HIGHEST),
            "scores": ScorePane(
                self.plot, places["scores"], **bins, n_bins=SCORE_BINS["n_bins"]
            ),
        }  # fmt: skip

    def _moving_title(self, axes: Axes) -> Text:
        text = axes.text(0, 1.03, "", transform=axes.transAxes, fontsize=10)
        return self.plot.moving(text)

    def _mark_line(self, axes: Axes) -> Line2D:
        across = axes.get_xaxis_transform()
        (line,) = axes.plot([], [], color="#444444", lw=1, ls=(0, (1, 1.5)), transform=across)
        return self.plot.moving(line)

    def choose(self, pane: str) -> None:
        """Show "weights" or "scores" in the upper right corner from the next picture on."""
        with self.plot.lock:
            self.pane = pane
            for name, each in self._right.items():
                each.visible(name == pane)

    def pin(self, pinned: Pinned | None) -> None:
        """The quality of this run as a ghost from the next picture on; None: without one."""
        with self.plot.lock:
            self._quality.pin(pinned)

    def show(self, history: History, asked: Settings, *, on_reference: bool = False) -> bytes:
        """The picture of the run so far, as PNG bytes.

        The pull is that on the scores of the model as last observed, or, with `on_reference` and
        before that, on those of a trained BPR model with the negatives `asked` for.
        """
        with self.plot.lock:
            pinned = self._quality.pinned
            n_steps = max(history.n_steps, pinned.n_steps if pinned else 0) or 1000
            for axes in self._over_steps:
                self.plot.limits(axes, x=(0, n_steps))
            for part in (self._loss, self._effective, self._quality):
                part.show(history)
            self._show_changes([change.step for change in history.changes])
            self._show_pull(history, asked, on_reference or not history.observations)
            self._show_right(history.last_observation)
            return self.plot.png()

    def _show_changes(self, steps: list[int]) -> None:
        height = np.tile([0, 1, np.nan], len(steps)) if steps else []
        for line in self._changes:
            line.set_data(np.repeat(steps, 3), height)

    def _show_pull(self, history: History, asked: Settings, on_reference: bool) -> None:
        if on_reference:
            gradients = reference_gradients(asked.n_sample, asked.sample_alpha)
            title, loss = OF_THE_REFERENCE, asked.loss
        else:
            last = history.observations[-1]
            gradients, loss = last.value.gradients, last.settings.loss
            title = OF_THE_MODEL.format(last.step, loss)
        self.gradients.show(gradients, thick=loss)
        self._gradient_title.set_text(title)

    def _show_right(self, seen: Observation | None) -> None:
        if seen is None:
            for line in self._right["weights"].lines:
                line.set_data([], [])
            self._right["scores"].clear()
        elif self.pane == "weights":
            self._right["weights"].show(seen.weights)
        else:
            self._right["scores"].show(seen.scores)


def _titled(axes: Axes, title: str) -> Axes:
    axes.set_title(title, fontsize=10, loc="left")
    return axes


class LossCurves:
    """Mean loss since the last report, a line a loss, apart where the loss was changed."""

    def __init__(self, plot: LivePlot, axes: Axes):
        self._plot, self.axes = plot, axes
        axes.set_ylabel("mean a target", fontsize=9)
        self._lines = {name: self._line(name) for name in LOSSES}

    def _line(self, name: str) -> Line2D:
        (line,) = self.axes.plot([], [], color=LOSSES[name].colour, lw=2, marker=".", ms=4)
        return self._plot.moving(line)

    def show(self, history: History) -> None:
        """Draw the reports so far; the axis grows with them."""
        for name in history.losses.keys() - self._lines.keys():  # added since the panel was made
            self._lines[name] = self._line(name)
        for name, line in self._lines.items():
            points = _with_gaps(history.losses.get(name, []), history)
            line.set_data(points[:, 0], points[:, 1])
        seen = [loss for points in history.losses.values() for _, loss in points]
        self._plot.limits(self.axes, y=(0, top_of(seen, LOSS_LIMITS, at_least=1.0)))


class EffectiveCurve:
    """How many negatives count, and how many there are, in each observation; a logarithmic axis."""

    def __init__(self, plot: LivePlot, axes: Axes, *, highest: int):
        axes.set(yscale="log", ylim=(1, highest))
        axes.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
        axes.minorticks_off()
        (self._all,) = axes.plot([], [], color="#999999", lw=1.3, ls=(0, (4, 2)))
        (self._effective,) = axes.plot([], [], color=WEIGHT_COLOUR, lw=2, marker=".", ms=3)
        plot.moving(self._all)
        plot.moving(self._effective)

    def show(self, history: History) -> None:
        """Draw the observations so far."""
        steps = [seen.step for seen in history.observations]
        self._all.set_data(steps, [seen.value.n_negatives for seen in history.observations])
        self._effective.set_data(steps, [seen.value.effective for seen in history.observations])


class QualityCurves:
    """Recall and MRR: lines for the probe, markers for ends of epochs, pale for a pinned run."""

    def __init__(self, plot: LivePlot, axes: Axes):
        self._plot, self.axes = plot, axes
        self.pinned: Pinned | None = None
        self._ghosts = {name: self._ghost(name) for name in QUALITY}
        self._label = plot.moving(
            axes.text(
                1, -0.225, "", transform=axes.transAxes, ha="right", va="center", fontsize=8,
                color="#8a6d4b",
            )
        )  # fmt: skip
        self._live = {name: self._line(name, live=True) for name in QUALITY}
        self._ends = {name: self._line(name, live=False) for name in QUALITY}
        axes.set_ylabel("share of targets", fontsize=9)
        axes.legend(
            handles=self._keys(), fontsize=8, ncols=3, frameon=False, loc="lower left",
            bbox_to_anchor=(0, 1.0), borderaxespad=0, borderpad=0.4,
        )  # fmt: skip

    def _ghost(self, name: str) -> Line2D:
        _, dash, _ = QUALITY[name]
        (line,) = self.axes.plot([], [], color=GHOST, ls=dash, lw=2)
        return self._plot.moving(line)

    def _line(self, name: str, *, live: bool) -> Line2D:
        colour, dash, marker = QUALITY[name]
        look = {"ls": dash, "lw": 1.3} if live else {"ls": "none", "marker": marker, "ms": 6}
        (line,) = self.axes.plot([], [], color=colour, **look)
        return self._plot.moving(line)

    @staticmethod
    def _keys() -> list[Line2D]:
        return [
            Line2D(
                [],
                [],
                color=colour,
                ls=dash,
                marker=marker,
                ms=5,
                lw=1.3,
                label=QUALITY_NAMES[name],
            )
            for name, (colour, dash, marker) in QUALITY.items()
        ]

    def pin(self, pinned: Pinned | None) -> None:
        """Keep this run as a ghost; None: no ghost."""
        self.pinned = pinned
        for name, ghost in self._ghosts.items():
            observed = pinned.quality[name].observed if pinned else []
            ghost.set_data(*np.array(observed).reshape(-1, 2).T)
        self._label.set_text(f"pale: pinned run, {pinned.label}" if pinned else "")

    def show(self, history: History) -> None:
        """Draw the observations and ends of epochs so far; the axis grows with them."""
        seen = []
        for name, curves in quality_curves(history).items():
            self._live[name].set_data(*np.array(curves.observed).reshape(-1, 2).T)
            self._ends[name].set_data(*np.array(curves.ends).reshape(-1, 2).T)
            seen += [value for _, value in curves.observed + curves.ends]
        if self.pinned is not None:
            seen += [value for each in self.pinned.quality.values() for _, value in each.observed]
        self._plot.limits(self.axes, y=(0, top_of(seen, QUALITY_LIMITS, at_least=0.6)))


def top_of(seen: list[float], tops: list[float], *, at_least: float) -> float:
    """The upper limit for what is seen, out of few: each new one costs a drawing of the axes."""
    highest = max([value for value in seen if np.isfinite(value)], default=0) * 1.15
    return next((top for top in tops if top >= max(highest, at_least)), tops[-1])


def _with_gaps(points: list[tuple[int, float]], history: History) -> np.ndarray:
    """[points, 2], with a NaN where the loss changed, so that no line joins two stretches."""
    gaps = [(change.step - 0.5, np.nan) for change in history.changes if change.name == "loss"]
    return np.array(sorted(points + gaps)).reshape(-1, 2)
