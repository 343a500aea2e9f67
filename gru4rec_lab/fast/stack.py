"""All layers of a step with a fixed number of rows, and the dropout between them."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from ..kernels.rows import drop, pick
from ..model import Hidden, Network, OneHotCell
from .layers import GruLayer, OneHotLayer, Pair


class Dropout:
    """Dropout in place, with the plain step's random numbers."""

    def __init__(self, draw: Callable[[tuple[int, ...]], Tensor], keep: float):
        self._draw, self._keep = draw, keep

    def forward(self, values: np.ndarray) -> None:
        """Draw what is dropped, and drop it."""
        if self._keep < 1:
            self._drawn = self._draw(values.shape).numpy()
            drop(values, self._drawn, values.dtype.type(self._keep))

    def backward(self, gradient: np.ndarray) -> None:
        """Drop the same units of the gradient."""
        if self._keep < 1:
            drop(gradient, self._drawn, gradient.dtype.type(self._keep))


class Stack:
    """The layers, from clicked rows to the hidden state that is scored, and back.

    Attributes:
        n_rows: sessions side by side.
        clicked: [rows, width] the inputs' rows; to be written before `forward`.
        by_hidden: [rows, units] the loss's gradient by `top`; to be written before `backward`.
        hidden: the states after the last step, not copies; the last one, which is scored, is `top`.
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
            prefix, kind = (
                f"layers.{level}.",
                OneHotLayer if isinstance(cell, OneHotCell) else GruLayer,
            )
            own = {n.removeprefix(prefix): g for n, g in gradient.items() if n.startswith(prefix)}
            self._layers.append(kind(cell, own, below))
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
            pick(before, carry, layer.before.array)
        for layer, dropout in zip(self._layers, self._dropouts, strict=True):
            layer.forward()
            dropout.forward(layer.after.array)

    def backward(self) -> np.ndarray:
        """Write the gradients of all layers; the one by `clicked`."""
        by = self.by_hidden.array
        for layer, dropout in zip(self._layers[::-1], self._dropouts[::-1], strict=True):
            dropout.backward(by)
            layer.backward(by)
            by = layer.by_clicked.array
        self._embed.backward(by)
        return by
