"""Stored results of trainings too long for a lesson; `make figures` measures them again."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .gradients import GradientByRank

if TYPE_CHECKING:
    import pandas as pd

RESULT_FOLDER = Path(__file__).with_name("results")


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
