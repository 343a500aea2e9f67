"""One training step: scores, loss with its closed-form gradient, update of the touched rows.

`TrainingStep` is what every step offers. `Step` runs on any device, in any float type, from any
batch and negatives that it is handed, and nothing in it waits for the device.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from ..batches import Batch
from ..config import Config
from ..device import Strength
from ..losses import LOSSES, Loss
from ..model import Hidden, Network, carried
from ..sampling import BinarySearch, Frequencies, corrected, popularity_weight
from ..score_matrix import Scores, loss_and_gradient
from .controls import Settings
from .optim import Adagrad, Repeats


class Strengths(NamedTuple):
    """How strongly what may act in a step does so; 0 for not at all."""

    learning_rate: Strength
    momentum: Strength
    logq: Strength
    bpreg: Strength
    elu_param: Strength


@runtime_checkable
class TrainingStep(Protocol):
    """What a training asks of its step: call it with a batch and the batch's extra negatives.

    In place of these, None says that each item but its target is a negative of a row, once.

    Attributes:
        name: as in `Config.step`.
        search: how samplers for this step find their draws.
        network: what is trained.
        optimiser: its Adagrad.
        hidden: the state of each row after the last step; set it to go on from another run's.
        finite: device flag, False from the first step on whose loss is not finite; the weights
            stand still from there on.
        n_finite: device count of the steps before that one.
    """

    name: str
    search: Callable[[Tensor], Callable[[Tensor], Tensor]]
    network: Network
    optimiser: Adagrad
    finite: Tensor
    n_finite: Tensor

    @property
    def hidden(self) -> Hidden:
        """The state of each row after the last step."""

    @hidden.setter
    def hidden(self, hidden: Hidden) -> None: ...

    def set_sampling_weight(self, weight: Float[Tensor, "items"], sample_alpha: float) -> None:
        """Say by which weight extra samples are drawn at `sample_alpha`; else support^alpha."""

    def scores_of(self, batch: Batch, items: Int[Tensor, "items"]) -> Scores:
        """Scores of any items for a batch that is not trained on yet; linear, without dropout."""

    def begin_epoch(self) -> None:
        """Forget the hidden states."""

    def __call__(
        self, batch: Batch, negatives: Int[Tensor, "n_sample"] | None, settings: Settings
    ) -> Float[Tensor, ""] | float:
        """Train on one batch; the loss before the update, summed over rows / `batch_size`.

        The sum is divided by `batch_size` also when fewer rows are left, as in the official code. A
        single row without negatives only moves its hidden state.
        """


class Step:
    """The plain `TrainingStep`: torch operations and autograd, on any device."""

    name, search = "plain", BinarySearch

    def __init__(
        self,
        network: Network,
        support: Int[Tensor, "items"],
        *,
        batch_size: int,
        dropout_p_embed: float = 0.0,
        dropout_p_hidden: float = 0.0,
        shape_scores: str = "bpr-max",
        logq_mode: str = "official",
        mask_collisions: bool = False,
        generator: torch.Generator | None = None,
    ):
        self.network, self.batch_size = network, batch_size
        self.optimiser = Adagrad(dict(network.named_parameters()))
        device, dtype = network.items.device, network.items.dtype
        self._support = support.to(device, dtype)
        self.exact, self.mask = logq_mode == "exact", mask_collisions
        self._frequencies: tuple[float, Frequencies] | None = None
        self.keep_embed, self.keep_hidden = 1 - dropout_p_embed, 1 - dropout_p_hidden
        self._shape_all = shape_scores == "all"
        self.generator = generator
        tables = ("items", "bias", "inputs")
        self._dense = {n: p for n, p in network.named_parameters() if n not in tables}
        self._zero = network.items.new_zeros(())
        self.finite = torch.ones((), dtype=torch.bool, device=device)
        self.n_finite = torch.zeros((), dtype=torch.int64, device=device)
        self.begin_epoch()

    @classmethod
    def of(
        cls,
        config: Config,
        network: Network,
        support: Int[Tensor, "items"],
        generator: torch.Generator | None = None,
    ) -> "Step":
        """The step that a config asks for; `generator` draws what dropout leaves out."""
        return cls(
            network,
            support,
            batch_size=config.batch_size,
            dropout_p_embed=config.dropout_p_embed,
            dropout_p_hidden=config.dropout_p_hidden,
            shape_scores=config.shape_scores,
            logq_mode=config.logq_mode,
            mask_collisions=config.collisions == "mask",
            generator=generator,
        )

    def set_sampling_weight(self, weight: Float[Tensor, "items"], sample_alpha: float) -> None:
        """As `TrainingStep` says."""
        clicked = self._support.clamp(min=1)
        self._frequencies = (sample_alpha, Frequencies.of(clicked, weight.to(clicked)))

    @torch.no_grad()
    def scores_of(self, batch: Batch, items: Int[Tensor, "items"]) -> Scores:
        """As `TrainingStep` says."""
        network = self.network
        return network.scores(network.advance(batch.inputs, self.hidden, batch.carry), items)

    def begin_epoch(self) -> None:
        """As `TrainingStep` says."""
        self.hidden = self.network.start(self.batch_size)

    def compile(self) -> None:
        """Let torch.compile make few kernels of the loss and of the update, for each new shape."""
        self._loss, self._update = (
            torch.compile(part, dynamic=False) for part in (self._loss, self._update)
        )

    def __call__(
        self, batch: Batch, negatives: Int[Tensor, "n_sample"] | None, settings: Settings
    ) -> Float[Tensor, ""]:
        """As `TrainingStep` says."""
        if negatives is not None and len(batch) + len(negatives) == 1:
            network = self.network
            with torch.no_grad():
                self.hidden = network.advance(batch.inputs, self.hidden, batch.carry)
            self.n_finite += self.finite
            return network.items.new_zeros(())
        strengths = self.strengths(settings)
        frequencies = self.frequencies(settings.sample_alpha) if strengths.logq else None
        return self.learn(batch, negatives, LOSSES[settings.loss], strengths, frequencies)

    def strengths(self, settings: Settings) -> Strengths:
        """How strongly each term acts in these settings; 0 where it does not."""
        rates = settings.learning_rate, settings.momentum
        return Strengths(*rates, settings.acting_logq, *self.shaped(settings))

    def shaped(self, settings: Settings) -> tuple[float, float]:
        """`bpreg` and `elu_param` where they act on the loss, else 0."""
        acting = LOSSES[settings.loss].shapes_scores or self._shape_all
        return (settings.bpreg, settings.elu_param) if acting else (0.0, 0.0)

    def frequencies(self, sample_alpha: float) -> Frequencies:
        """How often items are negatives when extra samples are drawn at `sample_alpha`."""
        if self._frequencies is None or self._frequencies[0] != sample_alpha:
            self.set_sampling_weight(popularity_weight(self._support, sample_alpha), sample_alpha)
        return self._frequencies[1]

    def learn(
        self,
        batch: Batch,
        negatives: Int[Tensor, "n_sample"] | None,
        loss: Loss,
        strengths: Strengths,
        frequencies: Frequencies | None,
    ) -> Float[Tensor, ""]:
        """Train on a batch whose rows have negatives; its loss, as that of a call.

        Strengths may live on the device: which of them act decides what is computed, and nobody
        asks for their values.
        """
        network = self.network
        columns = None if negatives is None else torch.cat([batch.targets, negatives])
        items, rows, output, bias, clicked = self._look_up(batch.inputs, columns)
        hidden = network(
            self._dropout(clicked, self.keep_embed),
            carried(self.hidden, batch.carry),
            lambda layer: self._dropout(layer, self.keep_hidden),
        )
        scores = torch.addmm(bias.T, hidden[-1], output.T)
        value, by_scores = self._loss(
            scores.detach(), batch.targets, negatives, loss, strengths, frequencies
        )
        apart = [clicked] if clicked.is_leaf else []
        leaves = [rows, bias, *apart, *self._dense.values()]
        gradients = torch.autograd.grad(scores, leaves, by_scores)
        self.hidden = [layer.detach() for layer in hidden]
        self._update(value, items, columns, batch.inputs, gradients, strengths)
        return value

    def _look_up(self, inputs, columns):
        """Rows of the tables: which items', those as a leaf of the graph, output, bias, clicked.

        Without `columns` all rows are looked up, and not copied.
        """
        network, bias = self.network, _rows(self.network.bias, columns)
        if columns is None or network.inputs is not None:
            _, table = network.input_table()
            output, clicked = _rows(network.items, columns), _rows(table, inputs)
            return columns, output, output, bias, clicked
        # One table, one accumulator: gradients of input and output rows meet before squaring.
        items = torch.cat([columns, inputs])
        rows = _rows(network.items, items)
        output, clicked = rows.split([len(columns), len(inputs)])
        return items, rows, output, bias, clicked

    def _loss(self, scores, targets, negatives, loss, strengths, frequencies):
        """The loss, and its gradient by the scores."""
        logq, bpreg, elu_param = strengths.logq, strengths.bpreg, strengths.elu_param
        own, absent = targets, None
        if negatives is not None:
            own, how = None, {"logq": logq, "exact": self.exact, "mask": self.mask}
            scores, absent = corrected(scores, targets, negatives, frequencies, **how)
        by_row, gradient = loss_and_gradient(
            scores, loss, bpreg=bpreg, elu_param=elu_param, absent=absent, own=own
        )
        return by_row.sum() / self.batch_size, gradient.mul_(1 / self.batch_size)

    def _update(self, loss, items, columns, inputs, gradients, strengths: Strengths) -> None:
        # On the device, so that nobody waits for it: a bad step leaves every weight as it was.
        self.finite &= loss * 0 == 0
        self.n_finite += self.finite
        gradients = [torch.where(self.finite, gradient, self._zero) for gradient in gradients]
        by_rows, by_bias, *others = gradients
        rates = {"lr": strengths.learning_rate, "momentum": strengths.momentum}
        update_rows = partial(self.optimiser.update_rows, **rates)
        if self.network.inputs is not None:
            update_rows("inputs", inputs, Repeats.of(inputs).total(others.pop(0)))
        elif columns is None:
            by_clicked = Repeats.of(inputs).total(others.pop(0))
            by_rows.index_copy_(0, inputs, by_rows[inputs] + by_clicked)
        whole = dict(zip(self._dense, others, strict=True))
        if columns is None:
            whole |= {"items": by_rows, "bias": by_bias}
        else:
            # The bias moves in the rows of columns alone.
            by_bias = pad(by_bias, (0, 0, 0, len(items) - len(columns)))
            by_items = Repeats.of(items).total(torch.cat([by_rows, by_bias], dim=1))
            update_rows("items", items, by_items[:, :-1])
            update_rows("bias", columns, by_items[: len(columns), -1:])
        self.optimiser.update(whole, **rates)

    def _dropout(self, values: Tensor, keep: float) -> Tensor:
        if keep == 1:
            return values
        return values * (self.draw(values.shape) < keep) / keep

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """Uniform random numbers of that shape, for dropout."""
        like = self.network.items
        return torch.rand(shape, generator=self.generator, device=like.device, dtype=like.dtype)


def _rows(table: Tensor, items: Tensor | None) -> Tensor:
    rows = table.detach()
    return (rows if items is None else rows[items]).requires_grad_()
