"""How scores and ranks go on while models with different settings train, side by side."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch

from .config import Config
from .diagnostics import rank_summary
from .diagnostics.spread import probe_of, spread_summary
from .evaluation import evaluate
from .recommend import Recommender
from .sessions import Sessions
from .watch import at_epochs

if TYPE_CHECKING:
    import pandas as pd


def spread_course(
    variants: Mapping[str, Config],
    sessions: Sessions,
    probe: Sessions,
    epochs: Iterable[float] = (0, 0.25, 0.5, 1),
) -> "pd.DataFrame":
    """Train each variant, and look at it after each of `epochs`: one row a variant and moment.

    Columns: model, epoch, step; those of `rank_summary` on the `probe` sessions; those of
    `spread_summary` on their scores with negatives drawn as in training.
    """
    import pandas as pd

    support = torch.from_numpy(sessions.support)

    def look(model: Recommender) -> dict[str, float]:
        scores, ranked = probe_of(model, probe, support), evaluate(model, probe, all_ranks=True)
        return rank_summary(ranked) | spread_summary(model.config, *scores)

    rows = [
        {"model": name, "epoch": epoch, "step": step} | value
        for name, config in variants.items()
        for epoch, step, value in at_epochs(config, sessions, look, epochs)
    ]
    return pd.DataFrame(rows)
