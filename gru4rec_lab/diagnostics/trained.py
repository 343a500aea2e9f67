"""Score rows of a real model: BPR on the flights, at four moments of its training.

`scripts/score_rows.py` makes them again. The flights are of the U.S. Bureau of Transportation
Statistics; the rows hold scores only, no flights.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

EPOCHS = (0, 0.3, 1, 4)
N_TARGETS = 60
SCORE_FILE = Path(__file__).with_name("bpr_flights_scores.npz")


@dataclass(frozen=True, eq=False)
class TrainedScores:
    """Scores of test targets and of the negatives of each; a row keeps its items at every epoch.

    Attributes:
        target: [P] scores of the targets.
        negatives: [P, N] scores of their negatives: the 31 other targets of the batch first, then
            the extra draws in the order they were drawn.
    """

    target: Float[Tensor, "targets"]
    negatives: Float[Tensor, "targets negatives"]


def trained_scores(epoch: float, n_negatives: int | None = None) -> TrainedScores:
    """The rows after this many epochs, with the first `n_negatives` negatives (all, if None).

    Raises:
        ValueError: another epoch than those of `EPOCHS`, or more negatives than there are.
    """
    if epoch not in EPOCHS:
        known = ", ".join(f"{known:g}" for known in EPOCHS)
        raise ValueError(f"no score rows after {epoch} epochs; choose one of {known}")
    target, negatives = (part[EPOCHS.index(epoch)] for part in _rows())
    if n_negatives is not None and not 1 <= n_negatives <= negatives.shape[1]:
        raise ValueError(
            f"a row has 1 to {negatives.shape[1]:,} negatives, {n_negatives:,} are asked for"
        )
    return TrainedScores(target, negatives[:, :n_negatives])


@lru_cache(maxsize=1)
def _rows() -> tuple[Tensor, Tensor]:
    with np.load(SCORE_FILE) as file:
        return tuple(torch.from_numpy(file[name]).float() for name in ("target", "negatives"))
