"""This library behind the arguments of the official GRU4Rec, for benchmarks that pair the two.

Settings are the official constructor's, spelt as there; weights are numpy arrays under the names
of its state; clicks are a DataFrame of SessionId, ItemId, Time. Nothing of the official code is
needed here.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from gru4rec_lab import Config, Recommender, Sessions, evaluate, train
from gru4rec_lab.batches import Schedule, session_parallel
from gru4rec_lab.device import choose_device
from gru4rec_lab.recommender import network_of
from gru4rec_lab.training.events import StepDone

Settings = Mapping[str, Any]
# Ours to theirs; one-hot input has a cell of its own.
TABLES = {"items": "Wy.weight", "bias": "By.weight"}
ONE_HOT = {
    "inputs": "GE.Wx0.weight",
    "layers.0.recurrent_gates": "GE.Wrz0",
    "layers.0.recurrent_candidate": "GE.Wh0",
    "layers.0.bias": "GE.Bh0",
}


def config_of(settings: Settings, **ours: Any) -> Config:
    """The same settings as a `Config`, with `ours`; on the CPU, if they name no device."""
    layers = tuple(settings["layers"])
    return Config(**{**settings, "layers": layers, "device": "cpu"} | ours)


def make_trainer(
    clicks: pd.DataFrame, settings: Settings, weights: Any = None, *, step: str | None = None
) -> Callable[[int], None]:
    """A function that takes `n` more training steps; new weights of our own, as many as needed.

    `step` chooses the training step of `Config`; its default if None.
    """
    chosen = {} if step is None else {"step": step}
    config = config_of(settings, n_epochs=10**6, **chosen)
    events = train(config, Sessions.from_frame(clicks))

    def run(n: int) -> None:
        while n:
            n -= isinstance(next(events), StepDone)

    return run


def model_of(
    settings: Settings, weights: Mapping[str, np.ndarray], item_ids: np.ndarray, **ours: Any
) -> Recommender:
    """The model with the given official weights, on the CPU or the device that `ours` names."""
    config = config_of(settings, **ours)
    network = network_of(config, len(item_ids))
    theirs = TABLES | (ONE_HOT if network.one_hot else {})
    state = {
        name: torch.from_numpy(weights[theirs.get(name, name.replace("layers", "G"))])
        for name in network.state_dict()
    }
    network.load_state_dict(state)
    return Recommender(network.to(choose_device(config.device)), np.asarray(item_ids), config)


def make_evaluator(
    training: pd.DataFrame,
    test: pd.DataFrame,
    settings: Settings,
    weights: Mapping[str, np.ndarray],
    item_ids: np.ndarray,
) -> Callable[[], tuple[float, float]]:
    """A function that reads the test clicks and gives Recall@20 and MRR@20."""
    model = model_of(settings, weights, item_ids)

    def run() -> tuple[float, float]:
        result = evaluate(model, Sessions.from_frame(test), k=20)
        return result.recall[20], result.mrr[20]

    return run


def prepare(clicks: pd.DataFrame, settings: Settings) -> Schedule:
    """All that training needs before its first step: sessions and the steps of an epoch."""
    return session_parallel(Sessions.from_frame(clicks), settings["batch_size"])
