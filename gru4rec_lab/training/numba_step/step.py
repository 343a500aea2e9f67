"""`NumbaStep`: a `Step` that runs on compiled kernels where they support the settings."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from ...batches import Batch
from ...kernels.adagrad import learn
from ...kernels.draws import GuidedSearch
from ...losses import LOSSES
from ...model import Hidden
from ...score_matrix import Scores
from ..controls import Settings
from ..step import Step
from .layers import Stack
from .output import Columns, Corrections
from .supported import missing_kernel
from .tables import Dense, Table, rates


class _Knobs(NamedTuple):
    """Settings as kernels take them; worked out once, not once a step."""

    settings: Settings
    has_kernel: bool
    kind: int | None
    logq: np.floating
    loss_scale: np.floating
    bpreg: np.floating
    elu_param: np.floating
    rates: tuple[np.floating, ...]

    @classmethod
    def of(cls, settings: Settings, plain: Step, number: type) -> "_Knobs":
        loss, logq = LOSSES[settings.loss], settings.acting_logq
        floats = map(number, (logq, 1 / plain.batch_size, *plain.shaped(settings)))
        how = rates(settings.learning_rate, settings.momentum, number)
        has_kernel = missing_kernel(plain, settings) is None
        return cls(settings, has_kernel, loss.kernel, *floats, how)


class NumbaStep:
    """The interface and the arithmetic of a plain step, which must live on a CPU.

    It trains the plain step's network and optimiser in place, with its random numbers for dropout,
    and hands steps whose settings have no kernel to it. From the first step on whose loss, or one
    of whose scores, is not finite, the weights stand still.

    Attributes:
        name, search: "numba"; how samplers for this step find their draws.
        network, optimiser, finite, n_finite: the plain step's.
    """

    name, search = "numba", GuidedSearch

    def __init__(self, plain: Step):
        self._plain = plain
        self.network, self.optimiser = plain.network, plain.optimiser
        self.finite, self.n_finite = plain.finite, plain.n_finite
        # The same memory: reading and writing a tensor's only number takes a microsecond each.
        self._finite, self._n_finite = self.finite.numpy(), self.n_finite.numpy()
        self._number = self.network.items.detach().numpy().dtype.type
        self._corrections: Corrections | None = None
        self._knobs: _Knobs | None = None
        self._settle()

    def _settle(self) -> None:
        """Move the parameters into arrays that are laid out for kernels."""
        network, optimiser = self.network, self.optimiser
        self._one_table = network.inputs is None
        self._output = Table(optimiser, "items", bias="bias")
        self._input = self._output if self._one_table else Table(optimiser, "inputs")
        tables = ("items", "bias", "inputs")
        self._dense = Dense(optimiser, [n for n in optimiser.parameters if n not in tables])
        self._stores = {self._output, self._input, self._dense}
        self._items = network.items
        self._home = self._items.data_ptr()
        self._stack: Stack | None = None

    @property
    def hidden(self) -> Hidden:
        """The state of each row after the last step."""
        return [layer.clone() for layer in self._plain.hidden]

    @hidden.setter
    def hidden(self, hidden: Hidden) -> None:
        self._plain.hidden = hidden

    def set_sampling_weight(self, weight: Float[Tensor, "items"], sample_alpha: float) -> None:
        """As `Step.set_sampling_weight`."""
        self._plain.set_sampling_weight(weight, sample_alpha)

    def scores_of(self, batch: Batch, items: Int[Tensor, "items"]) -> Scores:
        """As `Step.scores_of`."""
        return self._plain.scores_of(batch, items)

    def begin_epoch(self) -> None:
        """Forget the hidden states."""
        self._plain.begin_epoch()

    def __call__(
        self, batch: Batch, negatives: Int[Tensor, "n_sample"] | None, settings: Settings
    ) -> Float[Tensor, ""] | float:
        """As `Step.__call__`; the loss is a plain number, since a CPU has it at once."""
        n_rows, each_once = len(batch), negatives is None
        n_sample = self.network.n_items if each_once else negatives.shape[0]
        if self._knobs is None or self._knobs.settings is not settings:
            self._knobs = _Knobs.of(settings, self._plain, self._number)
        knobs, plain = self._knobs, self._plain
        self._make_arrays(n_rows, n_sample)
        if n_rows + n_sample == 1 or not knobs.has_kernel:
            return plain(batch, negatives, settings)
        corrections = self._corrections_at(settings.sample_alpha) if knobs.logq else None
        inputs, targets, carry = batch.arrays
        items = (
            targets,
            np.arange(n_sample, dtype=np.int64) if each_once else negatives.numpy(),
            inputs,
        )
        self._columns.look_up(*items, corrections, knobs.logq, plain.mask, each_once)
        self._stack.forward(plain.hidden, carry)
        plain.hidden = self._stack.hidden
        loss = self._columns.loss(knobs.kind, knobs.loss_scale, knobs.bpreg, knobs.elu_param)
        if not math.isfinite(loss):
            self._finite[()] = False
        if self._finite:
            self._n_finite += 1
            self._update()
        return loss

    def _make_arrays(self, n_rows: int, n_sample: int) -> None:
        """See that there are arrays for that many rows, and for that many samples at least."""
        if self._home != self._items.data_ptr():
            self._settle()
        if self._knobs.settings.momentum:
            for store in self._stores:
                store.keep_velocity()
        if self._stack is None or n_rows != self._stack.n_rows:
            plain = self._plain
            keep = plain.keep_embed, plain.keep_hidden
            self._stack = Stack(self.network, self._dense.gradient, n_rows, plain.draw, *keep)
            self._by_inputs = np.zeros((n_rows, self._input.values.shape[1]), self._number)
        elif n_sample <= self._columns.n_sample:
            return
        self._columns = Columns(self._output, self._input, self._stack, n_sample)

    def _corrections_at(self, sample_alpha: float) -> Corrections:
        frequencies = self._plain.frequencies(sample_alpha)
        if self._corrections is None or self._corrections.frequencies is not frequencies:
            self._corrections = Corrections(frequencies, self._plain.exact)
        return self._corrections

    def _update(self) -> None:
        columns, dense = self._columns, self._dense
        gradients = (
            columns.by_rows, columns.by_bias, self._stack.backward(), dense.whole_gradient,
            self._by_inputs,
        )  # fmt: skip
        learn(
            self._output.state, self._input.state, dense.state, columns.numbers, gradients,
            self._knobs.rates, self._one_table, self._output.width, columns.n_columns,
            columns.n_rows,
        )  # fmt: skip
