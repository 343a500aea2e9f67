"""The model that a training begins with: a new one, or a trained one with rows for new items."""

import warnings

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from ..config import Config
from ..data.sessions import Sessions
from ..device import generator
from ..recommender import Recommender, TrainingState, network_of

# The settings that say which parameters there are.
SHAPE = ("layers", "embedding", "constrained_embedding", "cell")


def new_model(config: Config, sessions: Sessions) -> Recommender:
    """A model with new weights over the items of `sessions`."""
    network = network_of(config, sessions.n_items, generator(config.seed, "weights"))
    state = TrainingState(torch.from_numpy(sessions.support), {}, {})
    return Recommender(network, sessions.item_ids, config, state)


def grown(model: Recommender, config: Config, sessions: Sessions) -> tuple[Recommender, Sessions]:
    """A copy of `model` with `config` and a row for each new item, and the sessions over its items.

    The new items stand behind the old ones, with weights as in a new model.

    Raises:
        ValueError: other layers or embeddings than the model has, or item ids of another kind.
    """
    for name in SHAPE:
        if (has := getattr(model.config, name)) != (asked := getattr(config, name)):
            raise ValueError(
                f"the model has {name}={has!r}, not {asked!r}; go on with "
                f"model.config.with_changes(...) of other settings, or fit a new model"
            )
    n_old, item_ids = len(model.item_ids), _joined(model.item_ids, sessions.item_ids)
    sessions = sessions.with_items(item_ids)
    random = generator(config.seed, f"weights of items from {n_old} on")
    network = network_of(config, len(item_ids), random).to(model.network.items)
    known = model.training
    if known is None:
        warnings.warn(
            "the model was saved without Adagrad's sums and the clicks of its items, by an earlier "
            "version: it goes on with the large first steps of a new model",
            stacklevel=2,
        )
        known = TrainingState(torch.zeros(n_old, dtype=torch.int64), {}, {})
    weights = network.state_dict()
    with torch.no_grad():
        for name, old in model.network.state_dict().items():
            weights[name][: len(old)] = old
    added = len(item_ids) - n_old
    support = pad(known.support.cpu(), (0, added)) + torch.from_numpy(sessions.support)
    moments = (
        {name: _longer(old, len(weights[name])) for name, old in each.items()}
        for each in (known.accumulated, known.velocity)
    )
    return Recommender(network, item_ids, config, TrainingState(support, *moments)), sessions


def _longer(rows: Tensor, n_rows: int) -> Tensor:
    """The rows, and zeros behind them."""
    return torch.cat([rows, rows.new_zeros(n_rows - len(rows), *rows.shape[1:])])


def _joined(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The old ids, and behind them those of the new ones that are not among them."""
    if len(old) and len(new) and isinstance(old[0], str) != isinstance(new[0], str):
        raise ValueError(
            f"the model's items are named as {old[:1].tolist()[0]!r}, those of the sessions as "
            f"{new[:1].tolist()[0]!r}; name both by text or both by numbers: a frame read with "
            "pd.read_csv(path, dtype=str) holds text alone"
        )
    known = set(old.tolist())
    added = [item for item in new.tolist() if item not in known]
    if old.dtype.kind == new.dtype.kind:
        return np.concatenate([old, np.array(added, new.dtype)])
    # Signed and unsigned together would become floats, and lose digits.
    return np.array([*old.tolist(), *added], dtype=object)
