"""The layers of a step, forward and backward: torch multiplies matrices, kernels do the rest.

Arrays and their transposed views are made once for a number of rows: without extra samples a step
of 32 rows takes a third of a millisecond, and making a view takes a microsecond.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ...kernels import cells
from ...model import Hidden, Network, OneHotCell


class Pair:
    """An array of zeros for kernels, and the same memory for torch: a tensor, and its transpose."""

    def __init__(self, like: Tensor, *shape: int):
        self.tensor = like.new_zeros(shape)
        self.array, self.transposed = self.tensor.numpy(), self.tensor.T


class GruLayer:
    """A `torch.nn.GRUCell` for a fixed number of rows.

    Attributes:
        clicked, by_clicked: [rows, width] its input and the loss's gradient by that.
        before, after: [rows, units] the hidden state.
    """

    def __init__(self, cell, gradient: dict[str, Tensor], clicked: Pair):
        n_rows, units = len(clicked.array), cell.hidden_size
        self._input, hidden = cell.weight_ih.detach(), cell.weight_hh.detach()
        self._input_transposed, self._hidden_transposed = self._input.T, hidden.T
        self.clicked, self.by_clicked = clicked, Pair(hidden, *clicked.array.shape)
        self.before, self.after = (Pair(hidden, n_rows, units) for _ in range(2))
        self._a, self._b = (Pair(hidden, n_rows, 3 * units) for _ in range(2))
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
        cells.gru_forward(*self._forward)

    def backward(self, by_after: np.ndarray) -> None:
        """Write the gradients by the parameters and by the input."""
        a, b = self._a, self._b
        cells.gru_backward(by_after, *self._backward)
        torch.mm(a.transposed, self.clicked.tensor, out=self._by_input)
        torch.mm(b.transposed, self.before.tensor, out=self._by_hidden)
        torch.mm(a.tensor, self._input, out=self.by_clicked.tensor)


class OneHotLayer:
    """A `gru4rec_lab.model.OneHotCell` for a fixed number of rows; attributes as `GruLayer`'s.

    Its input is written over.
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
        cells.one_hot_gates(row, self._bias, self._from_hidden.array, before, self._reset.array)
        torch.mm(self._reset.tensor, self._candidate, out=self._from_reset.tensor)
        cells.one_hot_state(row, self._bias, self._from_reset.array, before, self.after.array)

    def backward(self, by_after: np.ndarray) -> None:
        """Write the gradients by the parameters and by the input."""
        row, before, by_row = self.clicked.array, self.before.array, self.by_clicked.array
        by_candidate, by_gates = self._by_blocks
        cells.one_hot_by_candidate(by_after, row, before, by_row)
        torch.mm(by_candidate, self._candidate_transposed, out=self._by_reset.tensor)
        cells.one_hot_by_reset(self._by_reset.array, row, before, by_row, self._by_bias)
        torch.mm(self._reset.transposed, by_candidate, out=self._by_candidate)
        torch.mm(self.before.transposed, by_gates, out=self._by_gates)


class Dropout:
    """Dropout in place, with the plain step's random numbers."""

    def __init__(self, draw: Callable[[tuple[int, ...]], Tensor], keep: float):
        self._draw, self._keep = draw, keep

    def forward(self, values: np.ndarray) -> None:
        """Draw which units are dropped, and drop them."""
        if self._keep < 1:
            self._drawn = self._draw(values.shape).numpy()
            cells.drop(values, self._drawn, values.dtype.type(self._keep))

    def backward(self, gradient: np.ndarray) -> None:
        """Drop the same units of the gradient."""
        if self._keep < 1:
            cells.drop(gradient, self._drawn, gradient.dtype.type(self._keep))


class Stack:
    """The layers, from clicked rows to the hidden state that is scored, and back.

    Attributes:
        n_rows: sessions side by side.
        clicked: [rows, width] the inputs' rows; write them before `forward`.
        by_hidden: [rows, units] the loss's gradient by `top`; write it before `backward`.
        hidden, top: the states after the last step, and that of the last layer, which is scored;
            the next step writes over them.
    """

    def __init__(
        self,
        network: Network,
        gradient: dict[str, Tensor],
        n_rows: int,
        draw: Callable[[tuple[int, ...]], Tensor],
        keep_embed: float,
        keep_hidden: float,
    ):
        like = network.items.detach()
        self.n_rows = n_rows
        self.clicked = below = Pair(like, n_rows, network.input_table()[1].shape[1])
        self.by_hidden = Pair(like, n_rows, like.shape[1])
        self._layers: list[GruLayer | OneHotLayer] = []
        for level, cell in enumerate(network.layers):
            prefix = f"layers.{level}."
            own = {n.removeprefix(prefix): g for n, g in gradient.items() if n.startswith(prefix)}
            make = OneHotLayer if isinstance(cell, OneHotCell) else GruLayer
            self._layers.append(make(cell, own, below))
            below = self._layers[-1].after
        self._embed = Dropout(draw, keep_embed)
        self._dropouts = [Dropout(draw, keep_hidden) for _ in self._layers]
        self.hidden: Hidden = [layer.after.tensor for layer in self._layers]
        self.top, self._last = self.hidden[-1], [layer.after.array for layer in self._layers]

    def forward(self, hidden: Hidden, carry: np.ndarray) -> None:
        """Advance from the states `hidden` of the previous step."""
        self._embed.forward(self.clicked.array)
        own = hidden is self.hidden
        last = self._last if own else [layer.numpy() for layer in hidden]
        for layer, before in zip(self._layers, last, strict=True):
            cells.carry_on(before, carry, layer.before.array)
        for layer, dropout in zip(self._layers, self._dropouts, strict=True):
            layer.forward()
            dropout.forward(layer.after.array)

    def backward(self) -> np.ndarray:
        """Write the gradients of all layers; returns the one by `clicked`, [rows, width]."""
        by = self.by_hidden.array
        for layer, dropout in zip(self._layers[::-1], self._dropouts[::-1], strict=True):
            dropout.backward(by)
            layer.backward(by)
            by = layer.by_clicked.array
        self._embed.backward(by)
        return by
