"""One training step: scores, loss with its closed-form gradient, update of the touched rows.

`TrainingStep` is what every step offers. `Step` runs on any device, in any float type, from any
batch and negatives that it is handed, and nothing in it waits for the device.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..batches import Batch
from ..losses import LOSSES
from ..model import Hidden, Network, carried
from ..sampling import BinarySearch, Frequencies, corrected, popularity_weight
from ..score_matrix import RankingLoss, Scores
from .controls import Settings
from .optim import Adagrad


@runtime_checkable
class TrainingStep(Protocol):
    """What a training asks of its step: call it with a batch and the batch's extra negatives.

    Attributes:
        name: as in `Config.step`.
        search: how samplers for this step find their draws.
        network: what is trained.
        optimiser: its Adagrad.
        hidden: the state of each row after the last step.
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

    def set_sampling_weight(self, weight: Float[Tensor, "items"], sample_alpha: float) -> None:
        """Say by which weight extra samples are drawn at `sample_alpha`; else support^alpha."""

    def scores_of(self, batch: Batch, items: Int[Tensor, "items"]) -> Scores:
        """Scores of any items for a batch that is not trained on yet; linear, without dropout."""

    def begin_epoch(self) -> None:
        """Forget the hidden states."""

    def __call__(
        self, batch: Batch, negatives: Int[Tensor, "n_sample"], settings: Settings
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
        self._generator = generator
        self.finite = torch.ones((), dtype=torch.bool, device=device)
        self.n_finite = torch.zeros((), dtype=torch.int64, device=device)
        self.begin_epoch()

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

    def __call__(
        self, batch: Batch, negatives: Int[Tensor, "n_sample"], settings: Settings
    ) -> Float[Tensor, ""]:
        """As `TrainingStep` says."""
        network = self.network
        columns = torch.cat([batch.targets, negatives])
        if len(columns) == 1:
            with torch.no_grad():
                self.hidden = network.advance(batch.inputs, self.hidden, batch.carry)
            self.n_finite += self.finite
            return network.items.new_zeros(())
        clicked, output, bias, leaves = self._look_up(batch.inputs, columns)
        clicked = self._dropout(clicked, self.keep_embed)
        hidden = network(
            clicked,
            carried(self.hidden, batch.carry),
            lambda layer: self._dropout(layer, self.keep_hidden),
        )
        scores = torch.addmm(bias.T, hidden[-1], output.T)
        loss = self._loss(scores, batch.targets, negatives, settings)
        self._update(loss, leaves, settings)
        self.hidden = [layer.detach() for layer in hidden]
        return loss.detach()

    def _look_up(self, inputs, columns):
        """Rows of the tables as leaves of the graph: (table name, item indices, rows) each."""
        network = self.network
        name, table = network.input_table()
        bias = _rows(network.bias, columns)
        if name == "items":
            # One table, one accumulator: gradients of input and output rows meet before squaring.
            items = torch.cat([inputs, columns])
            rows = _rows(table, items)
            clicked, output = rows.split([len(inputs), len(columns)])
            return clicked, output, bias, [("items", items, rows), ("bias", columns, bias)]
        clicked, output = _rows(table, inputs), _rows(network.items, columns)
        leaves = [("inputs", inputs, clicked), ("items", columns, output), ("bias", columns, bias)]
        return clicked, output, bias, leaves

    def _loss(self, scores, targets, negatives, settings: Settings) -> Tensor:
        loss = LOSSES[settings.loss]
        logq = settings.logq if loss.corrects_logq else 0.0
        frequencies = self.frequencies(settings.sample_alpha) if logq else None
        how = {"logq": logq, "exact": self.exact, "mask": self.mask}
        scores, absent = corrected(scores, targets, negatives, frequencies, **how)
        bpreg, elu_param = self.shaped(settings)
        return RankingLoss.apply(scores, loss, bpreg, elu_param, absent) / self.batch_size

    def shaped(self, settings: Settings) -> tuple[float, float]:
        """`bpreg` and `elu_param` where they act on the loss, else 0."""
        acts = LOSSES[settings.loss].shapes_scores or self._shape_all
        return (settings.bpreg, settings.elu_param) if acts else (0.0, 0.0)

    def frequencies(self, sample_alpha: float) -> Frequencies:
        """How often items are negatives when extra samples are drawn at `sample_alpha`."""
        if self._frequencies is None or self._frequencies[0] != sample_alpha:
            self.set_sampling_weight(popularity_weight(self._support, sample_alpha), sample_alpha)
        return self._frequencies[1]

    def _update(self, loss: Tensor, leaves: list, settings: Settings) -> None:
        tables = {name for name, _, _ in leaves}
        dense = [(n, p) for n, p in self.network.named_parameters() if n not in tables]
        inputs = [rows for _, _, rows in leaves] + [parameter for _, parameter in dense]
        gradients = torch.autograd.grad(loss, inputs)
        # On the device, so that nobody waits for it: a bad step leaves every weight as it was.
        self.finite &= loss.detach().isfinite()
        self.n_finite += self.finite
        gradients = [torch.where(self.finite, gradient, 0.0) for gradient in gradients]
        how = {"lr": settings.learning_rate, "momentum": settings.momentum}
        for (name, items, _), gradient in zip(leaves, gradients, strict=False):
            self.optimiser.update_rows(name, items, gradient, **how)
        for (name, _), gradient in zip(dense, gradients[len(leaves) :], strict=True):
            self.optimiser.update(name, gradient, **how)

    def _dropout(self, values: Tensor, keep: float) -> Tensor:
        if keep == 1:
            return values
        return values * (self.draw(values.shape) < keep) / keep

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """Uniform random numbers of that shape, for dropout."""
        like = self.network.items
        return torch.rand(shape, generator=self._generator, device=like.device, dtype=like.dtype)


def _rows(table: Tensor, items: Tensor) -> Tensor:
    return table.detach()[items].requires_grad_()
