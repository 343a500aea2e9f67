"""`ScoreShaper`: what ELU and score regularisation do to scores and to their gradients."""

import math
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import torch
from torch import Tensor

from ..diagnostics import GradientByRank, effective_negatives, gaussian_scores, trained_scores
from ..diagnostics.score_shaping import flat_share, pull_by_place, pull_through
from ..losses import LOSSES, Loss, elu
from ..plots.picture import Shown
from ..plots.shaping_panes import shaping_numbers, shaping_picture
from ..score_matrix import join_columns, loss_and_gradient, split_columns
from .controls import float_slider, labelled, marked
from .panel import PicturePanel

N_EXTRA, N_ROWS, RANK = 2048, 8, 5
N_NEGATIVES = 31 + N_EXTRA  # in a batch of 32
GAUSSIAN, STORED = "Gaussian", "BPR, trained"
GAUSSIAN_REACH = 24.0  # four of the widest spreads, so that the axis stays while it is dragged


class ScoreShaper(PicturePanel):
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

    Raises:
        ValueError: `scores` that are not finite, or fewer than 6 negatives.
    """

    def __init__(self, scores: Mapping[str, Tensor] | None = None, *, key: str = "ScoreShaper"):
        super().__init__(key)
        given = {**(scores or {}), STORED: trained_scores(4).rows(N_EXTRA)}
        self._rows = {name: _sorted(name, rows) for name, rows in given.items()}
        self.numbers: dict[str, Any] = {}
        self.curves: GradientByRank
        self._make_controls()
        self.words = marked(widgets.HTML(), "g4r-words")
        self.update()
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

    def _refresh(self, change: dict) -> None:
        self.spread.layout.display = None if self.source.value == GAUSSIAN else "none"
        self.update()

    def update(self) -> None:
        """Compute the numbers for the controls as they are, and draw them."""
        with self.lock:
            rows, loss, alpha = self._scores(), self.loss.value, self.elu_param.value
            pushes = self._measure(rows)
            reach = GAUSSIAN_REACH if self.source.value == GAUSSIAN else _reach(rows)
            picture = shaping_picture(loss, reach=reach, n_negatives=rows.shape[1])
            lines = shaping_numbers(rows, self.curves, pushes, elu_param=alpha, reach=reach)
            self.picture.show(picture, Shown(lines, _told(self.numbers, loss, alpha)))
            self.words.value = _sentences(self.numbers, loss)

    def _scores(self) -> Tensor:
        if self.source.value == GAUSSIAN:
            return gaussian_scores(N_NEGATIVES, self.spread.value).rows[:N_ROWS]
        return self._rows[self.source.value]

    def _measure(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the numbers of these scores; the pushes of the loss alone, and shaped."""
        alpha = self.elu_param.value
        target, seen = rows[:, RANK - 1 : RANK + 1].mean(dim=1), elu(rows, alpha)
        pulls = {name: pull_through(name, target, rows, elu_param=alpha) for name in LOSSES}
        one = target[:1], rows[:1], LOSSES[self.loss.value]
        shaped = _pushes(*one, bpreg=self.bpreg.value, elu_param=alpha)
        self.curves = pull_by_place(rows[:3], elu_param=alpha)
        self.numbers = {
            "negatives": rows.shape[1],
            "spread": float(rows.std(correction=0)),
            "effective": effective_negatives(rows),
            "spread_seen": float(seen.std(correction=0)),
            "effective_seen": effective_negatives(seen),
            "flat": flat_share(rows, alpha),
            "pull": {name: float(pull.quantile(0.5)) for name, pull in pulls.items()},
            "pushed_up": float((shaped < 0).double().mean()),
        }
        return _pushes(*one), shaped


def _sorted(name: str, rows: Tensor) -> Tensor:
    rows = torch.as_tensor(rows).detach().float().cpu()
    if rows.dim() != 2 or rows.shape[1] <= RANK or not rows.isfinite().all():
        raise ValueError(
            f"scores of {name!r} must be finite, [rows, at least {RANK + 1} negatives], got "
            f"{'inf or NaN' if rows.dim() == 2 and rows.shape[1] > RANK else tuple(rows.shape)}"
        )
    return rows[:N_ROWS].sort(dim=1, descending=True).values


def _reach(rows: Tensor) -> float:
    """The power of 2 that no score lies beyond, for axes that fit; at least 2."""
    return 2.0 ** max(1, math.ceil(math.log2(max(1.0, float(rows.abs().max())))))


def _pushes(target: Tensor, row: Tensor, loss: Loss, **shape: float) -> Tensor:
    """[negatives] dL/dr_j of one row by the linear scores, ELU's slope and bpreg in it."""
    _, gradient = loss_and_gradient(join_columns(target, row), loss, **shape)
    return split_columns(gradient)[1][0]


def _told(numbers: dict[str, Any], loss: str, elu_param: float) -> str:
    """The picture in words, for those who do not see it."""
    pulls = ", ".join(f"{name} {pull:.2g}" for name, pull in numbers["pull"].items())
    return (
        f"Scores of {numbers['negatives']:,} negatives, spread {numbers['spread']:.3g} before and "
        f"{numbers['spread_seen']:.3g} after ELU with elu_param {elu_param:g}. Pull on a target "
        f"with {RANK} negatives above it: {pulls}. {loss} pushes {numbers['pushed_up']:.0%} of the "
        "negatives up."
    )


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
