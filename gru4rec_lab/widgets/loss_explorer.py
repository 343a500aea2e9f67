"""`LossExplorer`: drag the number of negatives and see which losses let go of the target."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..diagnostics import (
    GradientByRank,
    NegativeGradients,
    SoftmaxWeights,
    effective_negatives,
    gaussian_scores,
    gradient_by_rank,
    negative_gradients,
    ranks,
    softmax_weights,
    target_gradients,
    top_share,
)
from ..plots import LivePlot
from ..plots.panes import GradientPane, PushPane, WeightPane, loss_legend
from .explorer_controls import ExplorerControls
from .explorer_frame import frame_of
from .explorer_settings import from_text, to_text
from .explorer_sources import MOST_TRAINED, Scores, gaussian, median_rank, pasted, trained
from .explorer_words import effective_by_theory, formula, sentences
from .panel import Panel, marked, picture_of

if TYPE_CHECKING:
    import pandas as pd

HIGHEST = 40_000


class LossExplorer(Panel):
    """Gradients and softmax weights of the losses on made-up, real or pasted scores; no training.

    The target's negatives are the other targets of a batch and `n_sample` extra ones, as in
    training. Gaussian scores are drawn from N(0, spread^2), always from the same seed; those of
    the trained model are of one test target, whose extra negatives end at 2048.

    Every setting of `ExplorerControls.elements` is an attribute: `source`, `n_sample` (0 to
    32,768), `spread`, `target_score`, `epoch`, `number`, `pasted`, `temperature`, `bpreg`,
    `scale` ("raw" or "relative" to badly ranked targets) and `pane` ("weights" or "pushes").

    Attributes:
        controls: all controls.
        losses: loss name to the checkbox that shows it.
        preset: menu of settings to start from.
        curves: the gradients against rank that are drawn.
        weights: the softmax weights that are drawn.
        pushes: dL/dr_j of the negatives of the chosen target.
        numbers: what the words say: `negatives`, `spread`, `effective`, `effective_theory` (where
            it holds), `top_5`, `target` (its score), `rank` (of the target), `gradient` (loss
            name to -dL/dr_i of the target), `pushed_up` and `push_top_5` (loss name to share);
            `median_rank` (of all test targets of the trained model).
    """

    def __init__(
        self, *, batch_size: int = 32, key: str = "LossExplorer", settings: dict | None = None
    ):
        super().__init__(key)
        self._batch_size = batch_size
        self.curves: GradientByRank
        self.weights: SoftmaxWeights
        self.pushes: NegativeGradients
        self.numbers: dict = {}
        self.controls = ExplorerControls(self.guarded(self._refresh))
        for name, element in self.controls.elements.items():
            setattr(self, name, element)
        self.losses, self.preset = self.controls.losses, self.controls.preset
        self._make_plot()
        self.words = marked(widgets.HTML(), "g4r-words")
        self.formula = marked(widgets.HTMLMath(formula("bpr-max")), "g4r-formula")
        if settings:
            self.controls.load(settings)
        self.update()
        self.picture = picture_of(self._plot)
        self.reveal([self.controls, self.error_box, self.picture, self.words, self.formula])

    @classmethod
    def restore(cls, text: str, *, batch_size: int = 32, key: str = "LossExplorer"):
        """A new panel with the settings of a `settings_string`; others are as usual.

        Raises:
            ValueError: an unknown setting or loss, or a value that it cannot take.
        """
        return cls(batch_size=batch_size, key=key, settings=from_text(text))

    @property
    def settings_string(self) -> str:
        """The settings as one line of text, for `restore`."""
        return to_text(self.controls.settings())

    def frame(self) -> "pd.DataFrame":
        """The numbers drawn: `quantity` (pull, push, weight, mass), `loss`, `place`, `value`."""
        with self._plot.lock:
            return frame_of(self.curves, self.weights, self.pushes)

    def save_picture(self, path: str | Path) -> Path:
        """Write the picture as it is to `path`, in the format that its ending names; the path.

        Raises:
            ValueError: an ending other than .png and .svg.
        """
        path = Path(path)
        if path.suffix.lower() not in (".png", ".svg"):
            raise ValueError(f"cannot write {path.name!r}; end it in .png or .svg")
        with self._plot.lock:
            self._plot.figure.savefig(path, dpi=self._plot.figure.dpi)
            self._plot.redraw()
        return path

    def _make_plot(self) -> None:
        self._plot = plot = LivePlot(960, 380)
        gradients = plot.add_axes(70, 50, 500, 335)
        weights = plot.add_axes(610, 50, 900, 335)
        pushes = plot.add_axes(610, 50, 900, 335)
        gradients.set_title("pull on the target", fontsize=10, loc="left")
        weights.set_title("softmax weights of the negatives", fontsize=10, loc="left")
        pushes.set_title("push on the negatives", fontsize=10, loc="left")
        self._gradients = GradientPane(plot, gradients, highest=HIGHEST)
        self._right = {
            "weights": WeightPane(plot, weights, highest=HIGHEST),
            "pushes": PushPane(plot, pushes, highest=HIGHEST),
        }
        self._named: list[str] | None = None
        self._shown_pane = ""

    def _refresh(self, change: dict) -> None:
        self.controls.show_used()
        for name, box in self.losses.items():
            if change["owner"] is box:
                self.formula.value = formula(name)
        self.update()
        self.picture.value = self._plot.png()

    def update(self) -> None:
        """Compute the numbers for the controls as they are, and draw them.

        Raises:
            ValueError: pasted scores that are none.
        """
        # Callbacks and cells run in threads of their own: numbers and picture belong together.
        with self._plot.lock:
            settings = self.controls.settings()
            self._update(settings)
            self.words.value = sentences(self.numbers, settings, self._batch_size)

    def _scores(self, of: dict[str, Any]) -> Scores:
        negatives = self._batch_size - 1 + of["n_sample"]
        if of["source"] == "pasted":
            return pasted(of["pasted"])
        if of["source"] == "trained":
            most = self._batch_size - 1 + MOST_TRAINED
            return trained(of["epoch"], min(negatives, most), of["number"])
        return gaussian(gaussian_scores(negatives, of["spread"]), of["target_score"])

    def _update(self, of: dict[str, Any]) -> None:
        scores = self._scores(of).divided_by(of["temperature"])
        rows, target, shown = scores.rows, scores.target, of["losses"]
        curves = gradient_by_rank(*scores.at_ranks, shown, scores.edges)
        pulls = target_gradients(target, rows, shown)
        relative = of["scale"] == "relative"
        self.curves = curves.relative() if relative else curves
        self.weights = softmax_weights(rows)
        self.pushes = negative_gradients(target, rows, shown, bpreg=of["bpreg"])
        spread = of["spread"] / of["temperature"]
        self.numbers = {
            "negatives": rows.shape[1],
            "spread": float(rows.std(correction=0)),
            "effective": effective_negatives(rows),
            "top_5": top_share(rows, 5),
            "target": float(target[0]),
            "rank": float(ranks(target, rows).double().quantile(0.5)),
            "gradient": pulls,
            "pushed_up": self.pushes.pushed_up,
            "push_top_5": self.pushes.top_5,
        } | effective_by_theory(of["source"], rows.shape[1], spread)
        if of["source"] == "trained":
            self.numbers["median_rank"] = median_rank(of["epoch"], rows.shape[1])
        dots = {name: pull / (curves.badly_ranked[name] or 1) for name, pull in pulls.items()}
        self._draw(of, dots if relative else pulls)

    def _draw(self, of: dict[str, Any], dots: dict[str, float]) -> None:
        if of["losses"] != self._named:
            self._named = of["losses"]
            loss_legend(self._plot, self._named, left=66, top=376)
        if of["pane"] != self._shown_pane:
            self._shown_pane = of["pane"]
            for name, pane in self._right.items():
                pane.visible(name == of["pane"])
            self._plot.redraw()
        (self._gradients.relative if of["scale"] == "relative" else self._gradients.raw)()
        self._gradients.show(self.curves)
        self._gradients.show_target(self.numbers["rank"], dots)
        self._right["weights"].show(self.weights)
        self._right["pushes"].show(self.pushes)
