"""`Recommender`: a network with its vocabulary, ready to recommend to a session as it clicks."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from .answers import best, recommendable
from .arguments import whole
from .config import Config
from .data.ids import check_spelling, shortlist
from .data.sessions import Sessions
from .device import choose_device
from .losses import LOSSES
from .model import Hidden, Network
from .storage import read_model, write_model


@dataclass(frozen=True)
class TrainingState:
    """What training goes on from, beside the weights.

    Attributes:
        support: clicks on each item so far.
        accumulated, velocity: Adagrad's, by the names of the parameters.
    """

    support: Int[Tensor, "items"]
    accumulated: dict[str, Tensor]
    velocity: dict[str, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """All by names that no weight has, for a file."""
        moments = {"accumulated": self.accumulated, "velocity": self.velocity}
        named = {f"training/{kind}/{n}": t for kind in moments for n, t in moments[kind].items()}
        return {"training/support": self.support} | named

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> "TrainingState | None":
        """Those in a file; None where it has none, as files of earlier versions."""
        if "training/support" not in tensors:
            return None
        kinds = ("training/accumulated/", "training/velocity/")
        moments = [
            {n.removeprefix(kind): t for n, t in tensors.items() if n.startswith(kind)}
            for kind in kinds
        ]
        return cls(tensors["training/support"], *moments)


class Recommender:
    """A GRU4Rec and the names of its items.

    Attributes:
        network: the trained network.
        item_ids: [items] the source's own name of every item index.
        config: the settings it was trained with.
        training: what `continue_training` goes on from; None if that is not known.
    """

    def __init__(
        self,
        network: Network,
        item_ids: np.ndarray,
        config: Config,
        training: TrainingState | None = None,
    ):
        self.network, self.item_ids, self.config = network, item_ids, config
        self.training = training
        self._index = {item: number for number, item in enumerate(item_ids.tolist())}

    @property
    def device(self) -> torch.device:
        """Where the network lives."""
        return self.network.items.device

    def start(self, batch_size: int) -> Hidden:
        """The hidden state of `batch_size` sessions before their first click."""
        return self.network.start(batch_size)

    def advance(self, inputs: Tensor, state: Hidden, carry: Tensor) -> Hidden:
        """The hidden state after each row's click."""
        return self.network.advance(inputs, state, carry)

    def scores(self, state: Hidden) -> Tensor:
        """Scores of all items, [B, items]."""
        return self.network.scores(state)

    def factors(self, state: Hidden) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [B, units], items [items, units] and bias [items, 1], which give the scores."""
        return state[-1], self.network.items, self.network.bias

    def session(self) -> "Visit":
        """A new session without clicks."""
        return Visit(self)

    def index(self, item: Any) -> int | None:
        """The index of an item, None if the model has never seen it.

        Raises:
            ValueError: a list or the like, which is no item.
        """
        try:
            return self._index.get(item)
        except TypeError:
            raise ValueError(f"{item!r} is no item; give one text or number at a time") from None

    def continue_training(
        self,
        sessions: Sessions,
        config: Config | None = None,
        *,
        validation: Sessions | None = None,
        patience: int | None = None,
        checkpoint: str | Path | None = None,
        checkpoint_every: int | None = None,
        progress: bool = True,
    ) -> "Recommender":
        """A model that has gone on training with newer `sessions`; this one stays as it is.

        Items that this model does not know come after its own, with new weights; nothing of an old
        item changes before a step that it is in. Adagrad goes on from its sums, and the clicks on
        an item, by which negatives are drawn and logq corrects, are the old and the new ones.
        `config`, by default that of this model, says how; the rest is as in `fit`.

        Raises:
            ValueError: other layers or embeddings than this model has; item ids of another kind;
                and as `fit`.
        """
        # By name: training stands above the models, which work without it.
        fit = import_module(".training.loop", __package__).fit
        return fit(
            config or self.config, sessions, start=self, validation=validation, patience=patience,
            checkpoint=checkpoint, checkpoint_every=checkpoint_every, progress=progress,
        )  # fmt: skip

    def save(self, path: str | Path) -> Path:
        """Write the model to one file, whole or not at all; its path.

        It holds weights, settings and vocabulary, and for `continue_training` Adagrad's sums, as
        many numbers again.

        Raises:
            ValueError: item ids that are neither text nor numbers.
        """
        return write_model(path, *self.contents())

    def contents(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and facts, as `save` writes them.

        Raises:
            ValueError: item ids that are neither text nor numbers.
        """
        check_ids(self.item_ids)
        facts = {"config": asdict(self.config), "items": self.item_ids.tolist()}
        state = {} if self.training is None else self.training.tensors()
        return self.network.state_dict() | state, facts

    def __repr__(self) -> str:
        return f"GRU4Rec: {len(self.item_ids):,} items, layers {self.config.layers}"


def check_ids(item_ids: np.ndarray) -> None:
    """Accept item ids that can be saved with a model.

    Raises:
        ValueError: item ids that are neither text nor numbers.
    """
    odd = [item for item in item_ids.tolist() if not isinstance(item, str | int | float)]
    if odd:
        raise ValueError(f"cannot save item id {odd[0]!r}; ids must be text or numbers")


def network_of(config: Config, n_items: int, generator: torch.Generator | None = None) -> Network:
    """The network that `config` describes, with new weights."""
    return Network(
        n_items,
        config.layers,
        embedding=config.embedding,
        constrained_embedding=config.constrained_embedding,
        cell=config.cell,
        generator=generator,
    )


def load_model(path: str | Path, *, device: str = "auto") -> Recommender:
    """The model that `Recommender.save` or a checkpoint wrote, on `device`; runs no code from it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a model of this library, a damaged one, or an unknown setting in it.
    """
    tensors, facts = read_model(path)
    known = {name: facts["config"].get(name) for name in Config.__dataclass_fields__}
    saved = {name: value for name, value in known.items() if value is not None}
    config = _config_of(saved)
    network = network_of(config, len(facts["items"])).to(tensors["items"].dtype)
    try:
        # Names with a slash are what training goes on from.
        network.load_state_dict({name: t for name, t in tensors.items() if "/" not in name})
    except RuntimeError as error:
        raise ValueError(f"the weights in {path} do not fit its settings: {error}") from None
    item_ids = np.array(facts["items"])
    if item_ids.tolist() != facts["items"]:  # floats of 64-bit hashes, text without its last NUL
        item_ids = np.array(facts["items"], dtype=object)
    state = TrainingState.of(tensors)
    return Recommender(network.to(choose_device(device)), item_ids, config, state)


def _config_of(saved: dict[str, Any]) -> Config:
    """The settings in a file; a model recommends also where its loss was never added."""
    loss = saved.get("loss", Config.loss)
    known = loss if loss in LOSSES or not isinstance(loss, str) else Config.loss
    config = Config(**saved | {"layers": tuple(saved["layers"]), "loss": known})
    object.__setattr__(config, "loss", loss)
    return config


@dataclass(frozen=True)
class Recommendation:
    """One recommended item, its score, and its name if names were given."""

    item: Any
    score: float
    name: str = ""


class Visit:
    """One session under way: `click` what happens, ask for the `top`.

    Attributes:
        clicks: the clicks so far on items that the model knows.
        unknown: those on items that it does not know; they change nothing.
    """

    def __init__(self, model: Recommender):
        self._model = model
        self._state = model.start(1)
        self.clicks: list[Any] = []
        self.unknown: list[Any] = []

    @torch.no_grad()
    def click(self, item: Any) -> bool:
        """Go on with a click; False, and no change, if the model does not know the item.

        Raises:
            ValueError: no item, or one that the model knows as another type: "101" for 101.
        """
        index = self._model.index(item)
        if index is None:
            check_spelling(item, self._model.index)
            self.unknown.append(item)
            return False
        row = 0 if self.clicks else -1
        device = self._model.device
        inputs, carry = (torch.tensor([number], device=device) for number in (index, row))
        self._state = self._model.advance(inputs, self._state, carry)
        self.clicks.append(item)
        return True

    @torch.no_grad()
    def top(
        self,
        k: int = 10,
        *,
        exclude: Iterable[Any] = (),
        exclude_seen: bool = False,
        only: Iterable[Any] | None = None,
        names: Mapping[Any, str] | None = None,
    ) -> list[Recommendation]:
        """The `k` items with the highest scores, best first; fewer, if fewer are allowed.

        Before the first known click the hidden state is zero, so the item biases decide.

        Args:
            exclude: items that are not recommended; unknown ones are warned of.
            exclude_seen: leave out the items clicked in this session.
            only: the items to choose from, for example those in stock; None for all.
            names: names of items, which go into the answer; "" for an item without one.

        Raises:
            ValueError: `k` is no whole number from 1; an item that the model knows as another type.
        """
        k, model, names = whole("k", k), self._model, {} if names is None else names
        (query,), items, bias = model.factors(self._state)
        # For one row a product with a vector is faster than `scores`, and its result is not shared.
        scores = torch.addmv(bias[:, 0], items, query)[None]
        allowed = recommendable(model._index, exclude=exclude, only=only)
        if exclude_seen:
            allowed[[model.index(item) for item in self.clicks]] = False
        found = best(scores.masked_fill_(~allowed.to(scores.device), -torch.inf), k)
        values, places = (each[0].cpu().numpy() for each in found)
        items = model.item_ids[places[values > -torch.inf]].tolist()
        pairs = zip(items, values.tolist(), strict=False)
        return [Recommendation(item, score, names.get(item, "")) for item, score in pairs]

    def __repr__(self) -> str:
        unknown = f"; unknown to the model: {shortlist(self.unknown)}" if self.unknown else ""
        return f"session of {len(self.clicks)} clicks{unknown}"
