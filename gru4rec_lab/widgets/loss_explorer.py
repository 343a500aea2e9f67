"""`LossExplorer`: drag the number of negatives and see which losses let go of the target."""

import ipywidgets as widgets
import torch

from ..diagnostics import (
    GradientByRank,
    SoftmaxWeights,
    effective_negatives,
    gaussian_scores,
    gradient_by_rank,
    ranks,
    softmax_weights,
    target_gradients,
    top_share,
)
from ..losses import LOSSES
from ..plots import LivePlot
from ..plots.panes import GradientPane, WeightPane, loss_legend
from .panel import Panel, float_slider, marked, picture_of, steps_slider

N_SAMPLES = [0] + [2**power for power in range(3, 16)]
HIGHEST = 40_000


class LossExplorer(Panel):
    """Gradients and softmax weights of the losses on Gaussian scores; nothing is trained.

    The target's negatives are the other targets of a batch and `n_sample` extra ones, as in
    training. Their scores are drawn from N(0, spread^2), always from the same seed.

    Attributes:
        n_sample: control of the extra negatives, 0 to 32,768.
        spread: control of the standard deviation of the scores.
        target_score: control of the score of the target that the dots and the words are about.
        losses: loss name to the checkbox that shows it.
        scale: control "raw" or "relative" (to badly ranked targets).
        curves: the gradients against rank that are drawn.
        weights: the softmax weights that are drawn.
        numbers: what the words say: `negatives`, `effective`, `top_5`, `rank` (of the target) and
            `gradient` (loss name to -dL/dr_i of the target).
    """

    def __init__(self, *, batch_size: int = 32, key: str = "LossExplorer"):
        super().__init__(key)
        self._batch_size = batch_size
        self.curves: GradientByRank
        self.weights: SoftmaxWeights
        self.numbers: dict = {}
        self._make_controls()
        self._make_plot()
        self.words = marked(widgets.HTML(), "g4r-words")
        self.update()
        self.picture = picture_of(self._plot)
        sliders = widgets.VBox([self.n_sample, self.spread, self.target_score])
        choices = widgets.VBox([widgets.HBox(list(self.losses.values())), self.scale])
        head = widgets.HBox([sliders, choices], layout=widgets.Layout(flex_flow="row wrap"))
        self.reveal([head, self.error_box, self.picture, self.words])

    def _make_controls(self) -> None:
        self.n_sample = steps_slider(
            "extra negatives", 0, N_SAMPLES, css="g4r-n-sample",
            tooltip="n_sample: extra negatives besides the other targets of the batch (items)",
        )  # fmt: skip
        self.spread = float_slider(
            "score spread (std)", 4.0, 0.1, 6.0, 0.1, css="g4r-spread",
            tooltip="standard deviation of the negatives' scores (score units); models widen it",
        )  # fmt: skip
        self.target_score = float_slider(
            "target's score (dot)", 8.0, -10.0, 30.0, 0.5, css="g4r-target-score",
            tooltip="score of the target that the dots and the words are about (score units)",
        )  # fmt: skip
        self.losses = {name: self._checkbox(name) for name in LOSSES}
        self.scale = widgets.ToggleButtons(
            options=["raw", "relative"],
            description="gradient",
            tooltips=["-dL/dr_i itself", "divided by that of badly ranked targets"],
            style={"button_width": "90px", "description_width": "70px"},
        )
        marked(self.scale, "g4r-scale")
        for control in (self.n_sample, self.spread, self.target_score, self.scale):
            control.observe(self.guarded(self._refresh), "value")

    def _checkbox(self, name: str) -> widgets.Checkbox:
        box = widgets.Checkbox(
            value=True, description=name, indent=False, tooltip=f"show the {name} loss",
            layout=widgets.Layout(width="auto", margin="0 14px 0 0"),
        )  # fmt: skip
        box.observe(self.guarded(self._refresh), "value")
        return marked(box, "g4r-loss", f"g4r-loss-{name}")

    def _make_plot(self) -> None:
        self._plot = plot = LivePlot(960, 380)
        gradients = plot.add_axes(70, 50, 520, 335)
        weights = plot.add_axes(610, 50, 900, 335)
        gradients.set_title("pull on the target", fontsize=10, loc="left")
        weights.set_title("softmax weights of the negatives", fontsize=10, loc="left")
        self._gradients = GradientPane(plot, gradients, highest=HIGHEST)
        self._weights = WeightPane(plot, weights, highest=HIGHEST)
        self._named: list[str] = []

    def _refresh(self, _change: dict) -> None:
        self.update()
        self.picture.value = self._plot.png()

    def update(self) -> None:
        """Compute the numbers for the controls as they are, and draw them."""
        # Callbacks and cells run in threads of their own: numbers and picture belong together.
        with self._plot.lock:
            self._update()
            self.words.value = self._sentences()

    def _update(self) -> None:
        shown = [name for name, box in self.losses.items() if box.value]
        negatives = self._batch_size - 1 + self.n_sample.value
        scores = gaussian_scores(negatives, self.spread.value)
        curves = gradient_by_rank(scores.target, scores.negatives, shown)
        target = torch.full((len(scores.rows),), self.target_score.value)
        relative = self.scale.value == "relative"
        pulls = target_gradients(target, scores.rows, shown)
        self.weights = softmax_weights(scores.rows)
        self.curves = curves.relative() if relative else curves
        self.numbers = {
            "negatives": negatives,
            "effective": effective_negatives(scores.rows),
            "top_5": top_share(scores.rows, 5),
            "rank": float(ranks(target, scores.rows).double().quantile(0.5)),
            "gradient": pulls,
        }
        dots = {name: pull / curves.badly_ranked[name] for name, pull in pulls.items()}
        self._draw(shown, dots if relative else pulls)

    def _draw(self, shown: list[str], dots: dict[str, float]) -> None:
        with self._plot.lock:
            if shown != self._named:
                loss_legend(self._plot, shown, left=66, top=376)
                self._named = shown
            describe = (
                self._gradients.raw if self.scale.value == "raw" else self._gradients.relative
            )
            describe()
            self._gradients.show(self.curves)
            self._gradients.show_target(self.numbers["rank"], dots)
            self._weights.show(self.weights)

    def _sentences(self) -> str:
        of = self.numbers
        pulls = ", ".join(f"{name} <b>{pull:.3g}</b>" for name, pull in of["gradient"].items())
        return (
            f"<b>{of['negatives']:,}</b> negatives = {self._batch_size - 1} in the batch + "
            f"{self.n_sample.value:,} extra. They weigh like <b>{of['effective']:,.3g}</b> equal "
            f"ones (effective negatives); the 5 best carry <b>{of['top_5']:.0%}</b> of the weight."
            f"<br>A target scoring {self.target_score.value:g} has {of['rank']:,.0f} negatives "
            f"above it (the dots). Its gradient &minus;dL/dr<sub>i</sub>: {pulls or 'none shown'}."
        )
