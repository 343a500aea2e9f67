"""Session-parallel mini-batches: B sessions advance side by side, one click a step.

    session 1   a b c d        step      1  2  3  4
    session 2   e f g          row 0     a  b  c  i   <- session 3 takes the place of session 1
    session 3   i j            row 1     e  f  .  .   <- no session left: the row goes

Each click but the first of its session is a target exactly once. Sessions start in the order given;
rows that end in the same step are refilled from the top.

Source
    Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", arXiv 1511.06939.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heapreplace
from itertools import chain, pairwise

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from .arguments import check_kind, whole
from .data.sessions import MAKE_THEM, Sessions


@dataclass(frozen=True)
class Batch:
    """One step of B sessions.

    Attributes:
        inputs: current item of each session.
        targets: next item of each session.
        carry: row of the previous step whose hidden state goes on here; -1 = a session starts.
    """

    inputs: Int[Tensor, "batch"]
    targets: Int[Tensor, "batch"]
    carry: Int[Tensor, "batch"]

    @cached_property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs, targets and carry as kernels take them; on a CPU only."""
        return self.inputs.numpy(), self.targets.numpy(), self.carry.numpy()

    def __len__(self) -> int:
        return len(self.targets)


class CpuBatch(Batch):
    """A `Batch` that is cut out of arrays; its tensors are made when they are first read.

    Kernels read none: to make three tensors and turn them back into arrays takes 4 % of the
    shortest steps. Indexing a schedule gives a plain `Batch`.
    """

    def __init__(self, *arrays: np.ndarray):
        self.__dict__["arrays"] = arrays

    inputs = cached_property(lambda self: torch.from_numpy(self.arrays[0]))
    targets = cached_property(lambda self: torch.from_numpy(self.arrays[1]))
    carry = cached_property(lambda self: torch.from_numpy(self.arrays[2]))

    def __len__(self) -> int:
        return len(self.arrays[0])


class Schedule:
    """All steps of one epoch, made once; iterating gives a `Batch` a step without a copy."""

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        carry: Tensor,
        starts: np.ndarray,
        target_click: np.ndarray,
    ):
        self.inputs, self.targets, self.carry = inputs, targets, carry
        self.target_click = target_click  # index of each target among the sessions' clicks
        self._starts = starts.tolist()

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, step: int) -> Batch:
        rows = self.rows(step)
        return Batch(self.inputs[rows], self.targets[rows], self.carry[rows])

    def __iter__(self) -> Iterator[Batch]:
        if self.inputs.device.type != "cpu":
            return (self[step] for step in range(len(self)))
        arrays = self.inputs.numpy(), self.targets.numpy(), self.carry.numpy()
        ends = pairwise(self._starts)
        return (CpuBatch(*(array[first:end] for array in arrays)) for first, end in ends)

    def rows(self, step: int) -> slice:
        """Where the rows of a step lie in `inputs`, `targets`, `carry` and `target_click`."""
        return slice(self._starts[step], self._starts[step + 1])

    @property
    def n_targets(self) -> int:
        """Number of targets, one for every click but the first of its session."""
        return len(self.targets)


def session_parallel(
    sessions: Sessions, batch_size: int, device: torch.device | str = "cpu"
) -> Schedule:
    """The steps of one epoch over `sessions`, `batch_size` of them at a time.

    Fewer sessions than `batch_size` make smaller batches. When no session waits any more, rows
    whose session ends are removed and those below move up, until none is left.

    Raises:
        ValueError: a `batch_size` that is no whole number from 1, no sessions, or sessions of fewer
            than two clicks.
    """
    check_kind(Sessions, MAKE_THEM, sessions=sessions)
    batch_size = whole("batch_size", batch_size)
    if sessions.n_sessions == 0:
        raise ValueError("there are no sessions; a step needs at least one session of two clicks")
    if short := int((sessions.lengths < 2).sum()):
        raise ValueError(
            f"{short} sessions have fewer than 2 clicks; filter them out first with .filtered()"
        )
    steps = sessions.lengths - 1
    n_slots = min(batch_size, len(steps))
    # Each of these is as large as the items of all clicks, and goes as soon as it was used.
    position = np.arange(steps.sum()) - np.repeat(np.cumsum(steps) - steps, steps)
    place = np.repeat(_first_places(steps, n_slots), steps) + n_slots * position
    click = np.repeat(sessions.offsets[:-1], steps) + position
    starts_here = position == 0
    del position
    order = np.argsort(place)
    step = place[order] // n_slots
    del place
    starts = np.concatenate([[0], np.cumsum(np.bincount(step))])
    row = np.empty(len(order), dtype=np.int64)
    row[order] = np.arange(len(order)) - starts[step]
    del step
    carry = np.where(starts_here, -1, np.concatenate([[-1], row[:-1]]))[order]
    del row
    target_click = click[order] + 1
    del click, order
    flat = (sessions.items[target_click - 1], sessions.items[target_click], carry)
    inputs, targets, carries = (torch.from_numpy(array).to(device) for array in flat)
    return Schedule(inputs, targets, carries, starts, target_click)


def _first_places(steps: np.ndarray, n_slots: int) -> np.ndarray:
    """Where each session starts, as step * n_slots + slot: in the slot that is free first.

    One number, since comparing pairs takes twice as long.
    """
    busy = (n_slots * steps).tolist()
    free = [slot + taken for slot, taken in enumerate(busy[:n_slots])]
    heapify(free)
    later = (heapreplace(free, free[0] + taken) for taken in busy[n_slots:])
    return np.fromiter(chain(range(n_slots), later), np.int64, len(steps))
