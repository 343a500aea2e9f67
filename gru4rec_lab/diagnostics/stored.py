"""Stored results of trainings too long for a lesson: tables, and scores of a real model.

`make figures` measures the tables again. The scores are those of three `MODELS` at four moments of
their training. Of some test targets the scores of the whole catalogue are shipped, so that extra
negatives can be drawn here as in training, by any `sample_alpha`; `scripts/score_rows.py` makes the
files again and says in them when and with what. The flights are of the U.S. Bureau of
Transportation Statistics, the e-shop clicks of M. Łapczyński and S. Białowąs (UCI 553, CC BY 4.0);
the files hold scores and counts of clicks, no ids, no flights and no clicks.
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
from ..evaluation.compare import METRICS
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
MODELS = {
    "flights-bpr": "bpr_flights_scores.npz",
    "e-shop-bpr": "bpr_e-shop_scores.npz",
    "e-shop-bpr-max": "bpr-max_e-shop_scores.npz",
}
FLIGHTS = "flights-bpr"


def results(name: str, folder: Path = RESULT_FOLDER) -> "pd.DataFrame":
    """The stored table of this name; `.attrs` says where it is from.

    `attrs` has "made by" (the command), "date", "versions" and "data". A column `n_sample` with
    "all" in it holds whole numbers beside that, as the results of a sweep do.

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
    if "n_sample" in table and table["n_sample"].isin(["all"]).any():
        sizes = [size if size == "all" else int(size) for size in table["n_sample"]]
        table["n_sample"] = pd.Series(sizes, dtype=object)
    table.attrs = dict(line[2:].split(": ", 1) for line in head)
    return table


def by_method(table: "pd.DataFrame") -> "pd.DataFrame":
    """A stored table of methods with one row a method, its seeds together.

    Columns are those of `Comparison.frame`; `_se` is the mean of those of the seeds, which is a
    little more than the error of their mean.
    """
    import pandas as pd

    methods = table.groupby("method", sort=False)
    columns = {"n_targets": methods["targets"].first(), "n_models": methods.size()}
    for metric in METRICS:
        error = f"{metric}_se"
        columns |= {metric: methods[metric].mean(), error: methods[error].mean(),
                    f"{metric}_sd": methods[metric].std()}  # fmt: skip
    return pd.DataFrame(columns)


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
        model: the name of the model in `MODELS`.
    """

    catalogue: Float[Tensor, "targets items"]
    columns: Int[Tensor, "targets columns"]
    model: str = FLIGHTS

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
        extra = extra_items(sample_alpha, n_sample, self.model)
        items = torch.cat([self.columns[number, 1:], extra])
        return self.catalogue[number, items]

    def rows(
        self, n_sample: int | Literal["all"], sample_alpha: float = 0.5
    ) -> Float[Tensor, "targets negatives"]:
        """`negatives` of every target, a row each; with "all", the scores of all other items."""
        if n_sample == "all":
            return split_columns(self.catalogue, self.columns[:, 0])[1]
        extra = extra_items(sample_alpha, n_sample, self.model).expand(len(self.columns), -1)
        return self.catalogue.gather(1, torch.cat([self.columns[:, 1:], extra], dim=1))

    def ranks(self, n_sample: int, sample_alpha: float = 0.5) -> Float[Tensor, "targets"]:
        """Number of negatives that score above each target."""
        target = self.target[:, None]
        extra = extra_items(sample_alpha, n_sample, self.model)
        drawn = torch.bincount(extra, minlength=self.catalogue.shape[1])
        in_batch = (self.catalogue.gather(1, self.columns) > target).sum(dim=1)
        return (self.catalogue > target).float() @ drawn.float() + in_batch


def score_file(model: str = FLIGHTS) -> Path:
    """Where the scores of a model lie.

    Raises:
        ValueError: no such model.
    """
    if model not in MODELS:
        raise ValueError(f"no scores of a model {model!r}; choose one of {', '.join(MODELS)}")
    return Path(__file__).with_name(MODELS[model])


def trained_scores(epoch: float, model: str = FLIGHTS) -> TrainedScores:
    """The scores of a model of `MODELS` after this many epochs.

    Raises:
        ValueError: no such model, or another epoch than those of `EPOCHS`.
    """
    if epoch not in EPOCHS:
        known = ", ".join(f"{known:g}" for known in EPOCHS)
        raise ValueError(f"no scores after {epoch} epochs; choose one of {known}")
    held = _file(model)
    return TrainedScores(held["scores"][EPOCHS.index(epoch)], held["columns"], model)


def trained_support(model: str = FLIGHTS) -> Int[Tensor, "items"]:
    """Clicks on each item in the model's training part: what popularity is measured by."""
    return _file(model)["support"]


def extra_items(
    sample_alpha: float, n_sample: int = MOST_EXTRA, model: str = FLIGHTS
) -> Int[Tensor, "n_sample"]:
    """`n_sample` of the model's items, drawn with popularity^`sample_alpha` from one seed.

    With replacement. A longer draw starts with the shorter one, so that raising `n_sample` only
    adds negatives.

    Raises:
        ValueError: no such model, more draws than `MOST_EXTRA`, or fewer than none.
    """
    if not 0 <= n_sample <= MOST_EXTRA:
        raise ValueError(f"0 to {MOST_EXTRA:,} extra negatives can be drawn, not {n_sample:,}")
    return _draws(sample_alpha, model)[:n_sample]


def extra_generator() -> torch.Generator:
    """What `extra_items` draws from."""
    return generator(0, "explorer")


def provenance(model: str = FLIGHTS) -> dict:
    """When, how and with what the shipped scores of a model were made."""
    return _file(model)["made"]


@lru_cache(maxsize=32)
def _draws(sample_alpha: float, model: str) -> Int[Tensor, "n_sample"]:
    weight = popularity_weight(trained_support(model), sample_alpha)
    return Sampler(weight, generator=extra_generator()).draw(MOST_EXTRA).clone()


@lru_cache(maxsize=len(MODELS))
def _file(model: str) -> dict:
    with np.load(score_file(model)) as file:
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
