"""The parameters in arrays that are laid out for kernels; they stay the network's own tensors.

Parameters, accumulators and velocities are moved once into these arrays, and the network and its
optimiser keep views of them: weights can be read and loaded between two steps as always.
"""

import numpy as np
import torch
from torch import Tensor

from ...kernels.jit import CACHE_LINE
from ..optim import EPS, Adagrad


def aligned(*shape: int, like: np.ndarray) -> np.ndarray:
    """Zeros of that shape and `like`'s type that begin with a cache line.

    They are cut out of numpy's array, which asks for huge pages: with pages of 4 kB nearly every
    row of an item table would also wait until its address is translated.
    """
    size, n = like.itemsize, int(np.prod(shape))
    longer = np.zeros(n + CACHE_LINE // size, like.dtype)
    first = (-longer.ctypes.data % CACHE_LINE) // size
    return longer[first : first + n].reshape(shape)


def padded(n_numbers: int, like: np.ndarray) -> int:
    """The least length of a row of `n_numbers` or more that ends with a cache line."""
    per_line = CACHE_LINE // like.itemsize
    return -(-n_numbers // per_line) * per_line


class _Stored:
    """Three arrays of one shape that hold some parameters.

    Attributes:
        state: values, accumulators and velocities, a store of `kernels.adagrad`; the velocities
            have no rows while momentum is 0.
    """

    def __init__(self, optimiser: Adagrad, places: dict, like: np.ndarray, *shape: int):
        self._optimiser, self._places = optimiser, places
        values, accumulated = (aligned(*shape, like=like) for _ in range(2))
        self.state = values, accumulated, np.zeros((0, *shape[1:]), like.dtype)
        for name, place in places.items():
            parameter, sums = optimiser.parameters[name], optimiser.accumulated
            # Sums first: while they are zeros, the system has given no memory for them yet.
            sums[name] = _move(sums[name], accumulated, place)
            parameter.data = _move(parameter.data, values, place)
        if any(name in optimiser.velocity for name in places):
            self.keep_velocity()

    @property
    def values(self) -> np.ndarray:
        """The parameters."""
        return self.state[0]

    def keep_velocity(self) -> None:
        """Make the velocities, if there are none yet."""
        values, accumulated, velocity = self.state
        if len(velocity):
            return
        velocity = aligned(*values.shape, like=values)
        self.state = values, accumulated, velocity
        known = self._optimiser.velocity
        for name, place in self._places.items():
            known[name] = _move(known.get(name, torch.zeros(())), velocity, place)


def _none_like(tensor: Tensor) -> np.ndarray:
    """An empty array of a tensor's type; a view would keep the whole tensor in memory."""
    return np.zeros(0, tensor.detach().numpy().dtype)


def _move(tensor: Tensor, array: np.ndarray, place) -> Tensor:
    """Copy `tensor` into that place of `array`, which is all zeros; returns a view of the place."""
    view = place(torch.from_numpy(array))
    return view.copy_(tensor) if tensor.any() else view


class Table(_Stored):
    """An item table in rows of whole cache lines, with an item's bias behind its row.

    Two items then never share a line, and row and bias are one wait for memory.

    Attributes:
        width: length of a row without bias; the bias stands in this column.
        place: [items] for `columns.merge`; -1 between steps.
    """

    def __init__(self, optimiser: Adagrad, name: str, *, bias: str | None = None):
        tensor = optimiser.parameters[name]
        like = _none_like(tensor)
        n_items, self.width = tensor.shape
        self.place = np.full(n_items, -1, np.int32)
        places = {name: lambda all_: all_[:, : self.width]}
        if bias is not None:
            places[bias] = lambda all_: all_[:, self.width : self.width + 1]
        super().__init__(
            optimiser, places, like, n_items, padded(self.width + (bias is not None), like)
        )


class Dense(_Stored):
    """All parameters but the item tables in one vector, so that one call updates them.

    Attributes:
        gradient: a tensor for the gradient of each parameter, by name, a part of `whole_gradient`.
    """

    def __init__(self, optimiser: Adagrad, names: list[str]):
        like = _none_like(optimiser.parameters[names[0]])
        places, end = {}, 0
        for name in names:
            first, end = end, end + optimiser.parameters[name].numel()
            places[name] = _part(first, end, optimiser.parameters[name].shape)
        super().__init__(optimiser, places, like, end)
        self.whole_gradient = aligned(end, like=like)
        whole = torch.from_numpy(self.whole_gradient)
        self.gradient = {name: place(whole) for name, place in places.items()}


def _part(first: int, end: int, shape):
    return lambda vector: vector[first:end].view(shape)


def rates(lr: float, momentum: float, number) -> tuple:
    """The `rates` of `kernels.adagrad`: learning rate, momentum, constant; of type `number`."""
    return number(lr), number(momentum), number(EPS)
