"""The GRU layers of a step: torch multiplies, kernels do the gates.

Everything is made once for a number of rows, transposed views included: at 32 rows and without
extra samples a step takes a third of a millisecond, and every view would cost it a microsecond.
"""

import numpy as np
import torch
from torch import Tensor

from ..kernels import gru, one_hot


class Pair:
    """A new array of zeros and the tensors that share its memory, as it is and transposed."""

    def __init__(self, like: Tensor, *shape: int):
        self.tensor = like.new_zeros(shape)
        self.array, self.transposed = self.tensor.numpy(), self.tensor.T


class GruLayer:
    """A `torch.nn.GRUCell` for a fixed number of rows.

    Attributes:
        clicked, before, after: its input, the hidden state before and after.
        by_clicked: gradient by the input.
    """

    def __init__(self, cell, gradient: dict[str, Tensor], clicked: Pair):
        like, n_rows, units = cell.weight_hh.detach(), len(clicked.array), cell.hidden_size
        self.clicked = clicked
        self.by_clicked = Pair(like, *clicked.array.shape)
        self.before, self.after = (Pair(like, n_rows, units) for _ in range(2))
        self._a, self._b = (Pair(like, n_rows, 3 * units) for _ in range(2))
        self._input, self._hidden = cell.weight_ih.detach(), like
        self._input_transposed, self._hidden_transposed = self._input.T, like.T
        biases = cell.bias_ih.detach().numpy(), cell.bias_hh.detach().numpy()
        by_biases = gradient["bias_ih"].numpy(), gradient["bias_hh"].numpy()
        self._by_input, self._by_hidden = gradient["weight_ih"], gradient["weight_hh"]
        products, before = (self._a.array, self._b.array), self.before.array
        self._forward = *products, *biases, before, self.after.array
        self._backward = *products, before, *by_biases

    def forward(self) -> None:
        """Write the next hidden state into `after`."""
        torch.mm(self.clicked.tensor, self._input_transposed, out=self._a.tensor)
        torch.mm(self.before.tensor, self._hidden_transposed, out=self._b.tensor)
        gru.forward(*self._forward)

    def backward(self, by_after: np.ndarray) -> None:
        """Write the gradients of the parameters and of the input."""
        a, b = self._a, self._b
        gru.backward(by_after, *self._backward)
        torch.mm(a.transposed, self.clicked.tensor, out=self._by_input)
        torch.mm(b.transposed, self.before.tensor, out=self._by_hidden)
        torch.mm(a.tensor, self._input, out=self.by_clicked.tensor)


class OneHotLayer:
    """The one-hot mode's cell for a fixed number of rows; attributes as `GruLayer`'s.

    Its input is written over. See `gru4rec_lab.model.OneHotCell`.
    """

    def __init__(self, cell, gradient: dict[str, Tensor], clicked: Pair):
        n_rows, units = len(clicked.array), cell.hidden_size
        self._gates, self._candidate = (
            weight.detach() for weight in (cell.recurrent_gates, cell.recurrent_candidate)
        )
        self._candidate_transposed = self._candidate.T
        self._bias, self._by_bias = cell.bias.detach().numpy(), gradient["bias"].numpy()
        self._by_gates = gradient["recurrent_gates"]
        self._by_candidate = gradient["recurrent_candidate"]
        self.clicked, self.by_clicked = clicked, Pair(self._gates, n_rows, 3 * units)
        self._by_blocks = self.by_clicked.tensor.split([units, 2 * units], dim=1)
        self._from_hidden = Pair(self._gates, n_rows, 2 * units)
        self.before, self.after, self._reset, self._from_reset, self._by_reset = (
            Pair(self._gates, n_rows, units) for _ in range(5)
        )

    def forward(self) -> None:
        """Write the next hidden state into `after`."""
        row, before = self.clicked.array, self.before.array
        torch.mm(self.before.tensor, self._gates, out=self._from_hidden.tensor)
        one_hot.gates(row, self._bias, self._from_hidden.array, before, self._reset.array)
        torch.mm(self._reset.tensor, self._candidate, out=self._from_reset.tensor)
        one_hot.state(row, self._bias, self._from_reset.array, before, self.after.array)

    def backward(self, by_after: np.ndarray) -> None:
        """Write the gradients of the parameters and of the input."""
        row, before, by_row = self.clicked.array, self.before.array, self.by_clicked.array
        by_candidate, by_gates = self._by_blocks
        one_hot.by_candidate(by_after, row, before, by_row)
        torch.mm(by_candidate, self._candidate_transposed, out=self._by_reset.tensor)
        one_hot.by_reset(self._by_reset.array, row, before, by_row, self._by_bias)
        torch.mm(self._reset.transposed, by_candidate, out=self._by_candidate)
        torch.mm(self.before.transposed, by_gates, out=self._by_gates)
