"""Stored results of trainings too long for a lesson: tables, and scores of a real model.

`make figures` measures the tables again. The scores are those of BPR on the flights at four moments
of its training. Of some test targets the scores of the whole catalogue are shipped, so that extra
negatives can be drawn here as in training, by any `sample_alpha`; `scripts/score_rows.py` makes the
file again and says in it when and with what. The flights are of the U.S. Bureau of Transportation
Statistics; the file holds scores and counts of clicks, no flights.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..device import generator
from ..losses import LOSSES, Loss
from ..sampling import Sampler, popularity_weight
from ..score_matrix import split_columns
from .gradients import GradientByRank, gradient_by_rank

if TYPE_CHECKING:
    import pandas as pd

RESULT_FOLDER = Path(__file__).with_name("results")
EPOCHS = (0, 0.3, 1, 4)
N_TARGETS = 40
N_IN_BATCH = 31
MOST_EXTRA = 32_768
SCORE_FILE = Path(__file__).with_name("bpr_flights_scores.npz")


def results(name: str, folder: Path = RESULT_FOLDER) -> "pd.DataFrame":
    """The stored table of this name; `.attrs` says where it is from.

    `attrs` has "made by" (the command), "date", "versions" and "data".

    Raises:
        ValueError: no such table; the message lists them.
    """
    import pandas as pd

    path = folder / f"{name}.csv"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.csv")))
        raise ValueError(f"no stored results {name!r}; choose one of {known}")
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:2] == "# "]
    table = pd.read_csv(path, comment="#")
    table.attrs = dict(line[2:].split(": ", 1) for line in head)
    return table


def stored_curves(
    gradients: "pd.DataFrame", *, model: str, epoch: float, n_sample: int
) -> GradientByRank:
    """Gradients against rank of one model at one moment, from the table "gradients".

    Raises:
        ValueError: that model, epoch or n_sample is not in the table; the message lists them.
    """
    chosen = gradients
    for column, value in {"model": model, "epoch": epoch, "n_sample": n_sample}.items():
        known = chosen[column].unique().tolist()
        if value not in known:
            choices = ", ".join(map(str, known))
            raise ValueError(f"no stored gradients for {column}={value!r}; choose one of {choices}")
        chosen = chosen[chosen[column] == value]
    by_loss = dict(list(chosen.groupby("loss", sort=False)))
    first = next(iter(by_loss.values()))
    return GradientByRank(
        first["rank"].to_numpy(float),
        first["count"].to_numpy(np.int64),
        {loss: part["pull"].to_numpy(float) for loss, part in by_loss.items()},
        {loss: float(part["badly_ranked"].iloc[0]) for loss, part in by_loss.items()},
    )


@dataclass(frozen=True, eq=False)
class TrainedScores:
    """Scores of every item at the places of `N_TARGETS` test targets, at one moment of training.

    Attributes:
        catalogue: [P, items] scores of all items.
        columns: [P, 32] items: the target first, then the other targets of its batch.
    """

    catalogue: Float[Tensor, "targets items"]
    columns: Int[Tensor, "targets columns"]

    @property
    def target(self) -> Float[Tensor, "targets"]:
        """The score of each target."""
        return self.catalogue.gather(1, self.columns[:, :1])[:, 0]

    def negatives(
        self, number: int, n_sample: int, sample_alpha: float = 0.5
    ) -> Float[Tensor, "negatives"]:
        """Scores of the negatives of target `number` (from 0): its batch's, then the extra ones.

        The extra ones are the first `n_sample` of `extra_items`, a copy of the target among them
        if it is drawn, as in training.
        """
        items = torch.cat([self.columns[number, 1:], extra_items(sample_alpha, n_sample)])
        return self.catalogue[number, items]

    def rows(
        self, n_sample: int | Literal["all"], sample_alpha: float = 0.5
    ) -> Float[Tensor, "targets negatives"]:
        """`negatives` of every target, a row each; with "all", the scores of all other items."""
        if n_sample == "all":
            return split_columns(self.catalogue, self.columns[:, 0])[1]
        extra = extra_items(sample_alpha, n_sample).expand(len(self.columns), -1)
        return self.catalogue.gather(1, torch.cat([self.columns[:, 1:], extra], dim=1))

    def ranks(self, n_sample: int, sample_alpha: float = 0.5) -> Float[Tensor, "targets"]:
        """Number of negatives that score above each target."""
        target = self.target[:, None]
        drawn = torch.bincount(
            extra_items(sample_alpha, n_sample), minlength=self.catalogue.shape[1]
        )
        in_batch = (self.catalogue.gather(1, self.columns) > target).sum(dim=1)
        return (self.catalogue > target).float() @ drawn.float() + in_batch


def trained_scores(epoch: float) -> TrainedScores:
    """The scores after this many epochs.

    Raises:
        ValueError: another epoch than those of `EPOCHS`.
    """
    if epoch not in EPOCHS:
        known = ", ".join(f"{known:g}" for known in EPOCHS)
        raise ValueError(f"no scores after {epoch} epochs; choose one of {known}")
    return TrainedScores(_file()["scores"][EPOCHS.index(epoch)], _file()["columns"])


def trained_support() -> Int[Tensor, "items"]:
    """Clicks on each item in the training part: what popularity is measured by."""
    return _file()["support"]


def extra_items(sample_alpha: float, n_sample: int = MOST_EXTRA) -> Int[Tensor, "n_sample"]:
    """`n_sample` items drawn with popularity^`sample_alpha`, with replacement, from one seed.

    A longer draw starts with the shorter one, so that raising `n_sample` only adds negatives.

    Raises:
        ValueError: more draws than `MOST_EXTRA`, or fewer than none.
    """
    if not 0 <= n_sample <= MOST_EXTRA:
        raise ValueError(f"0 to {MOST_EXTRA:,} extra negatives can be drawn, not {n_sample:,}")
    return _draws(sample_alpha)[:n_sample]


def extra_generator() -> torch.Generator:
    """What `extra_items` draws from."""
    return generator(0, "explorer")


def provenance() -> dict:
    """When, how and with what the shipped scores were made."""
    return _file()["made"]


@lru_cache(maxsize=32)
def _draws(sample_alpha: float) -> Int[Tensor, "n_sample"]:
    weight = popularity_weight(trained_support(), sample_alpha)
    return Sampler(weight, generator=extra_generator()).draw(MOST_EXTRA).clone()


@lru_cache(maxsize=1)
def _file() -> dict:
    with np.load(SCORE_FILE) as file:
        columns, support = (torch.from_numpy(file[name]).long() for name in ("columns", "support"))
        scores = torch.from_numpy(file["scores"]).float()
        made = json.loads(str(file["made"]))
    return {"scores": scores, "columns": columns, "support": support, "made": made}


def reference_gradients(n_sample: int | Literal["all"], sample_alpha: float) -> GradientByRank:
    """Gradients of all losses on shipped scores of a fully trained BPR model, linear, no ELU.

    Each test target has the 31 others of its batch as negatives, and `n_sample` extra ones drawn
    by popularity^`sample_alpha`, at most 32,768; with "all", all other items, each once.
    """
    known = n_sample if n_sample == "all" else min(n_sample, MOST_EXTRA)
    return _reference(known, sample_alpha, tuple(LOSSES.values()))


@lru_cache(maxsize=32)
def _reference(
    n_sample: int | str, sample_alpha: float, losses: tuple[Loss, ...]
) -> GradientByRank:
    # The losses are a part of the key: a learner adds and replaces them while the kernel lives.
    scores = trained_scores(EPOCHS[-1])
    rows = scores.rows(n_sample, sample_alpha)
    return gradient_by_rank(scores.target, rows, [loss.name for loss in losses])
