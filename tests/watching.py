"""What torch does inside a block: one entry an operation, with the sizes it reads and writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Operation(NamedTuple):
    """One operation: its name and the shapes of the tensors that go in and come out."""

    name: str
    reads: tuple[tuple[int, ...], ...]
    writes: tuple[tuple[int, ...], ...]


class Watch(TorchDispatchMode):
    """Records every operation that runs inside, backward passes too.

    Attributes:
        operations: what ran, in order.
    """

    def __init__(self):
        super().__init__()
        self.operations: list[Operation] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        name = function._schema.name.removeprefix("aten::")
        shapes = (_shapes(args, kwargs), _shapes(result))
        self.operations.append(Operation(name, *shapes))
        return result


def _shapes(*values) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(leaf.shape) for leaf in tree_leaves(values) if torch.is_tensor(leaf))


@contextmanager
def names_inside() -> Iterator[set[str]]:
    """The names of all operations, also of those that operations call: full when the block ends."""
    names: set[str] = set()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        yield names
    names.update(event.name.removeprefix("aten::") for event in seen.events())
