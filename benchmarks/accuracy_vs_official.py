"""Accuracy beside the official PyTorch code: same clicks, same settings, several seeds.

    git clone https://github.com/hidasib/GRU4Rec_PyTorch_Official official   # at d1fc311
    python benchmarks/accuracy_vs_official.py --official official --train train.parquet \
        --test test.parquet --loss bpr-max --seeds 0 1 2 --epochs 2 --fraction 0.25

Both sides read the sessions in the same order and each evaluates with its own code (all items,
conservative ties). The official `fit` and `batch_eval` run as they are but for three shims: its
initial weights are float32 and follow the seed (they are float64 on numpy 2, and seeded with 42),
and `torch.tensor` takes a pandas Series.
"""

import argparse
import contextlib
import importlib
import io
import statistics
import sys
from collections.abc import Iterator
from time import perf_counter
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch

from gru4rec_lab import Config, Sessions, evaluate, fit

SETTINGS = {
    "cross-entropy": {"logq": 1.0},
    "bpr-max": {"logq": 0.0, "elu_param": 0.5, "bpreg": 1.0},
}
SHARED = {"batch_size": 128, "learning_rate": 0.1, "n_sample": 2048, "sample_alpha": 0.5}
Result = tuple[float, float]


def read(arguments: argparse.Namespace) -> tuple[Sessions, Sessions]:
    """Training and test sessions over the training items, of two clicks or more."""
    train = Sessions.from_frame(pd.read_parquet(arguments.train)).filtered(min_item=1)
    train = train.most_recent(arguments.fraction)
    test = Sessions.from_frame(pd.read_parquet(arguments.test)).with_items(train.item_ids)
    return train, test.take(test.lengths >= 2)


def in_order(sessions: Sessions) -> pd.DataFrame:
    """One click a row; numbers instead of ids and times, so that no tie can change the order."""
    return pd.DataFrame(
        {
            "SessionId": sessions.session_of_click,
            "ItemId": sessions.items,
            "Time": np.arange(sessions.n_clicks),
        }
    )


@contextlib.contextmanager
def shims(official, seed: int) -> Iterator[None]:
    """The official code on current numpy, pandas and torch, with seeded initial weights."""
    draw, tensor = np.random.default_rng(seed), torch.tensor

    def weights(model, shape):
        bound = np.sqrt(6 / sum(shape))
        return draw.uniform(-bound, bound, shape).astype("float32")

    def from_series(values, *rest, **named):
        return tensor(getattr(values, "values", values), *rest, **named)

    torch.manual_seed(seed)
    with (
        patch.object(official.GRU4RecModel, "_init_numpy_weights", weights),
        patch.object(torch, "tensor", from_series),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        yield


def theirs(arguments: argparse.Namespace, train: Sessions, test: Sessions, seed: int) -> Result:
    """Recall@20 and MRR@20 of the official code."""
    official = importlib.import_module("gru4rec_pytorch")
    settings = SHARED | SETTINGS[arguments.loss]
    with shims(official, seed):
        model = official.GRU4Rec(
            layers=[arguments.units],
            loss=arguments.loss,
            n_epochs=arguments.epochs,
            device=torch.device("cpu"),
            **settings,
        )
        model.fit(in_order(train))
        recall, mrr = importlib.import_module("evaluation").batch_eval(model, in_order(test), [20])
    return float(recall[20]), float(mrr[20])


def ours(arguments: argparse.Namespace, train: Sessions, test: Sessions, seed: int) -> Result:
    """Recall@20 and MRR@20 of this library."""
    config = Config(
        layers=(arguments.units,),
        loss=arguments.loss,
        n_epochs=arguments.epochs,
        seed=seed,
        device="cpu",
        **(SHARED | SETTINGS[arguments.loss]),
    )
    result = evaluate(fit(config, train, progress=False), test, k=20)
    return result.recall[20], result.mrr[20]


def compare(arguments: argparse.Namespace) -> None:
    """Print the metrics of each seed, then the difference of the means and its standard error."""
    train, test = read(arguments)
    print(f"train: {train}\ntest:  {test}\n{arguments.loss}, {arguments.epochs} epochs", flush=True)
    sides = {"official": theirs, "lab": ours}
    results: dict[str, list[Result]] = {side: [] for side in sides}
    for seed in arguments.seeds:
        for side, run in sides.items():
            began = perf_counter()
            recall, mrr = run(arguments, train, test, seed)
            results[side].append((recall, mrr))
            line = f"seed {seed} {side:9}Recall@20 {recall:.4f} MRR@20 {mrr:.4f}"
            print(f"{line} ({perf_counter() - began:.0f} s)", flush=True)
    for number, metric in enumerate(("Recall@20", "MRR@20")):
        official, lab = ([result[number] for result in results[side]] for side in sides)
        print(f"{metric}: {summary(official, lab)}")


def summary(official: list[float], lab: list[float]) -> str:
    """Means, their difference, and its standard error from the spread over the seeds."""
    text = f"official {statistics.mean(official):.4f}, lab {statistics.mean(lab):.4f}"
    text += f", lab - official {statistics.mean(lab) - statistics.mean(official):+.4f}"
    if len(lab) > 1:
        variance = statistics.variance(official) + statistics.variance(lab)
        text += f" +- {(variance / len(lab)) ** 0.5:.4f}"
    return text


def main() -> None:
    """Parse the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--official", required=True, help="checkout of GRU4Rec_PyTorch_Official")
    parser.add_argument("--train", required=True, help="parquet: SessionId, ItemId, Time")
    parser.add_argument("--test", required=True, help="parquet: SessionId, ItemId, Time")
    parser.add_argument("--loss", choices=SETTINGS, default="cross-entropy")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--fraction", type=float, default=1.0, help="most recent training sessions")
    parser.add_argument("--units", type=int, default=100)
    arguments = parser.parse_args()
    sys.path.insert(0, arguments.official)
    compare(arguments)


if __name__ == "__main__":
    main()
