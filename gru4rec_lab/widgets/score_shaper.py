"""`ScoreShaper`: what ELU and score regularisation do to scores and to their gradients."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from ..diagnostics import GradientByRank, effective_negatives, gaussian_scores, trained_scores
from ..diagnostics.score_shaping import flat_share, pull_by_place, pull_through
from ..losses import LOSSES, Loss, elu, elu_grad
from ..plots import LivePlot
from ..plots.panes import GradientPane, HistogramPane, PushByScorePane, loss_legend
from ..score_matrix import join_columns, loss_and_gradient, split_columns
from .controls import float_slider, labelled, marked
from .panel import Panel, picture_of

N_EXTRA, N_ROWS, RANK = 2048, 8, 5
N_NEGATIVES = 31 + N_EXTRA  # in a batch of 32
GAUSSIAN, STORED = "Gaussian", "BPR, trained"


class ScoreShaper(Panel):
    """What a loss sees of scores through ELU, and the gradients that come back; no training.

    Each row has a target with `RANK` negatives above it; the curves against rank put targets
    between the same negatives. Gradients are by the linear scores: ELU's slope is in them.

    Attributes:
        source: "Gaussian", "BPR, trained" (a model of the flights), or a name of `scores`.
        spread: standard deviation of Gaussian scores; of no effect on the other sources.
        elu_param, bpreg: as in `Config`, here on any loss (`shape_scores="all"`).
        loss: whose push on the negatives is drawn.
        curves: the pull on the target against rank that is drawn.
        numbers: what the words say: `negatives`, `spread` and `effective` of the linear scores,
            `spread_seen` and `effective_seen` after ELU, `flat` (share of scores where ELU lets
            less than a tenth through), `pull` (loss name to -dL/dr_i of the target), `pushed_up`
            (share of negatives with dL/dr_j < 0, of `loss` with `bpreg`).
    """

    def __init__(self, scores: Mapping[str, Tensor] | None = None, *, key: str = "ScoreShaper"):
        super().__init__(key)
        self._rows = {name: _sorted(rows) for name, rows in (scores or {}).items()}
        self._rows |= {STORED: _sorted(trained_scores(4).rows(N_EXTRA))}
        self.numbers: dict[str, Any] = {}
        self.curves: GradientByRank
        self._make_controls()
        self._make_plot()
        self.words = marked(widgets.HTML(), "g4r-words")
        self.update()
        self.picture = picture_of(self._plot)
        refresh = self.guarded(self._refresh)
        for control in (self.source, self.spread, self.elu_param, self.bpreg, self.loss):
            control.observe(refresh, "value")
        left = widgets.VBox([self.source, self.spread, self.loss])
        right = widgets.VBox([self.elu_param, self.bpreg])
        controls = widgets.HBox([left, right], layout=widgets.Layout(flex_flow="row wrap"))
        self.reveal([controls, self.error_box, self.picture, self.words])

    def _make_controls(self) -> None:
        self.source = labelled(
            widgets.Dropdown, "scores", options=[GAUSSIAN, *self._rows], css="g4r-source",
            width=None, tooltip="made up, or of the negatives of a real model")  # fmt: skip
        self.spread = float_slider(
            "score spread (std)", 4.0, 0.1, 6.0, 0.1, css="g4r-spread",
            tooltip="standard deviation of Gaussian scores (score units)")  # fmt: skip
        self.elu_param = float_slider(
            "elu_param", 0.0, 0.0, 2.0, 0.1, css="g4r-elu",
            tooltip="scores below 0 become elu_param (e^r - 1); 0 leaves them linear")  # fmt: skip
        self.bpreg = float_slider(
            "bpreg", 0.0, 0.0, 3.0, 0.1, css="g4r-bpreg",
            tooltip="strength of the score regularisation, here on any loss")  # fmt: skip
        self.loss = labelled(
            widgets.Dropdown, "push of the loss", options=list(LOSSES), value="bpr",
            css="g4r-loss", width=None,
            tooltip="whose push on the negatives is drawn on the right")  # fmt: skip

    def _make_plot(self) -> None:
        self._plot = plot = LivePlot(930, 360)
        places = [(60, 270, "scores"), (385, 610, "pull on the target"),
                  (690, 915, "push on the negatives")]  # fmt: skip
        panes = [plot.add_axes(left, 50, right, 300) for left, right, _ in places]
        for axes, (_, _, title) in zip(panes, places, strict=True):
            axes.set_title(title, fontsize=10, loc="left")
        self._histogram = HistogramPane(plot, panes[0])
        self._gradients = GradientPane(plot, panes[1], highest=3000)
        self._pushes = PushByScorePane(plot, panes[2])
        loss_legend(plot, list(LOSSES), left=60, top=352)

    def _refresh(self, change: dict) -> None:
        self.spread.layout.display = None if self.source.value == GAUSSIAN else "none"
        self.update()
        self.picture.value = self._plot.png()

    def update(self) -> None:
        """Compute the numbers for the controls as they are, and draw them."""
        # Callbacks and cells run in threads of their own: numbers and picture belong together.
        with self._plot.lock:
            rows = self._scores()
            self._measure(rows)
            self.words.value = _sentences(self.numbers, self.loss.value)
            self._draw(rows)

    def _scores(self) -> Tensor:
        if self.source.value == GAUSSIAN:
            return gaussian_scores(N_NEGATIVES, self.spread.value).rows[:N_ROWS]
        return self._rows[self.source.value]

    def _measure(self, rows: Tensor) -> None:
        alpha = self.elu_param.value
        target, seen = rows[:, RANK - 1 : RANK + 1].mean(dim=1), elu(rows, alpha)
        pulls = {name: pull_through(name, target, rows, elu_param=alpha) for name in LOSSES}
        one = target[:1], rows[:1], LOSSES[self.loss.value]
        self._alone = _pushes(*one)
        self._shaped = _pushes(*one, bpreg=self.bpreg.value, elu_param=alpha)
        self.curves = pull_by_place(rows[:3], elu_param=alpha)
        self.numbers = {
            "negatives": rows.shape[1],
            "spread": float(rows.std(correction=0)),
            "effective": effective_negatives(rows),
            "spread_seen": float(seen.std(correction=0)),
            "effective_seen": effective_negatives(seen),
            "flat": flat_share(rows, alpha),
            "pull": {name: float(pull.quantile(0.5)) for name, pull in pulls.items()},
            "pushed_up": float((self._shaped < 0).double().mean()),
        }

    def _draw(self, rows: Tensor) -> None:
        alpha = self.elu_param.value
        axis = torch.linspace(-16, 16, 257)
        self._histogram.show(rows, elu(rows, alpha), (axis, elu_grad(axis, alpha)))
        self._gradients.show(self.curves)
        self._pushes.show(self.loss.value, rows[0], self._alone, self._shaped)


def _sorted(rows: Tensor) -> Tensor:
    return rows[:N_ROWS].detach().float().cpu().sort(dim=1, descending=True).values


def _pushes(target: Tensor, row: Tensor, loss: Loss, **shape: float) -> Tensor:
    """[negatives] dL/dr_j of one row by the linear scores, ELU's slope and bpreg in it."""
    _, gradient = loss_and_gradient(join_columns(target, row), loss, **shape)
    return split_columns(gradient)[1][0]


def _sentences(numbers: dict[str, Any], loss: str) -> str:
    """The numbers of the panel in words, as HTML."""
    pulls = ", ".join(f"{name} <b>{pull:.3g}</b>" for name, pull in numbers["pull"].items())
    return "<br>".join(
        [
            f"<b>{numbers['negatives']:,}</b> negatives, spread {numbers['spread']:.3g}; the loss "
            f"sees <b>{numbers['spread_seen']:.3g}</b>. They weigh like "
            f"{numbers['effective']:,.0f} equal ones, as the loss sees them like "
            f"<b>{numbers['effective_seen']:,.0f}</b> (effective negatives).",
            f"ELU lets less than a tenth of the gradient through at <b>{numbers['flat']:.0%}</b> "
            f"of the scores. {loss} pushes <b>{numbers['pushed_up']:.0%}</b> of the negatives up.",
            f"Pull &minus;dL/dr<sub>i</sub> on a target with {RANK} negatives above it: {pulls}.",
        ]
    )
