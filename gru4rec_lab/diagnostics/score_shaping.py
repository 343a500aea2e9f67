"""What ELU and score regularisation do to scores: how they spread, what is left to pull with.

Sources
    [H18] Hidasi & Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
          Recommendations", arXiv 1706.03847.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..config import Config
from ..data.sessions import Sessions
from ..evaluation import evaluate
from ..losses import LOSSES, elu, elu_grad
from ..recommender import Recommender
from ..training.observe import at_epochs
from .gradients import GradientByRank, ranks
from .scores import probe_scores, targets_at_ranks
from .summaries import bent, rank_summary, score_summary, seen_by_loss

if TYPE_CHECKING:
    import pandas as pd

Target = Float[Tensor, "targets"]
Negatives = Float[Tensor, "targets negatives"]

FLAT = 0.1
TOP = 5


def flat_share(scores: Float[Tensor, "*any"], elu_param: float) -> float:
    """Share of the scores where ELU lets less than a tenth of a gradient through."""
    return float((elu_grad(scores, elu_param) < FLAT).cpu().double().mean())


def pull_through(
    loss: str, target: Target, negatives: Negatives, *, elu_param: float = 0.0
) -> Target:
    """-dL/dr_i by the linear score of each target: what ELU lets through of the loss's gradient.

    Score regularisation is not in it, as it does not look at the target.

    Raises:
        ValueError: an unknown loss.
    """
    by_target, _ = LOSSES[loss].gradient(elu(target, elu_param), bent(negatives, elu_param))
    return -by_target * elu_grad(target, elu_param)


def pull_by_place(rows: Negatives, *, elu_param: float = 0.0) -> GradientByRank:
    """`pull_through` of each loss against rank, for targets put between the negatives of `rows`.

    `rows` are sorted from the highest score down; a target of rank 0 stands .3 spreads above.
    """
    target, negatives = targets_at_ranks(rows, above=0.3 * float(rows.std(correction=0)))
    by_row = ranks(target, negatives).view(len(rows), -1)
    curves = {
        name: _median(pull_through(name, target, negatives, elu_param=elu_param).view_as(by_row))
        for name in LOSSES
    }
    count = np.full(by_row.shape[1], len(rows))
    return GradientByRank(_median(by_row), count, curves, dict.fromkeys(curves, np.nan))


def _median(by_row: Float[Tensor, "rows places"] | Int[Tensor, "rows places"]) -> np.ndarray:
    return by_row.cpu().double().quantile(0.5, dim=0).numpy()


def spread_summary(config: Config, target: Target, negatives: Negatives) -> dict[str, float]:
    """`score_summary` of what the loss of `config` sees, and what becomes of its gradient.

    Further keys: linear_spread (before ELU), flat (share of the negatives' scores where ELU lets
    less than a tenth through), pull (median -dL/dr_i of the targets with fewer than 5 negatives
    above them; NaN where there is none).
    """
    seen = seen_by_loss(config, target, negatives)
    elu_param = config.elu_param if seen[0] is not target else 0.0
    top = ranks(target, negatives) < TOP
    pull = pull_through(config.loss, target, negatives, elu_param=elu_param)[top]
    return score_summary(seen[1]) | {
        "linear_spread": score_summary(negatives)["spread"],
        "flat": flat_share(negatives[negatives > -torch.inf], elu_param),
        "pull": float(pull.cpu().double().quantile(0.5)) if len(pull) else float("nan"),
    }


def probe_of(
    model: Recommender, sessions: Sessions, support: Int[Tensor, "items"], max_targets: int = 2000
) -> tuple[Target, Negatives]:
    """`probe_scores` of the sessions as the model's own training would see them."""
    return probe_scores(model, sessions, support=support, max_targets=max_targets)


def spread_by_epoch(
    variants: Mapping[str, Config],
    sessions: Sessions,
    probe: Sessions,
    epochs: Iterable[float] = (0, 0.25, 0.5, 1),
) -> "pd.DataFrame":
    """Train each variant, observed after each of `epochs`: one row a variant and moment.

    Columns: model, epoch, step; those of `rank_summary` on the `probe` sessions; those of
    `spread_summary` on their scores with negatives drawn as in training.
    """
    import pandas as pd

    support = torch.from_numpy(sessions.support)

    def observe(model: Recommender) -> dict[str, float]:
        scores, ranked = probe_of(model, probe, support), evaluate(model, probe, all_ranks=True)
        return rank_summary(ranked) | spread_summary(model.config, *scores)

    rows = [
        {"model": name, "epoch": epoch, "step": step} | value
        for name, config in variants.items()
        for epoch, step, value in at_epochs(config, sessions, observe, epochs)
    ]
    return pd.DataFrame(rows)
