"""`GraphStep`: the plain step as a CUDA graph, captured once and replayed from fixed places.

The plain step starts some hundred kernels, and starting one takes longer than most of them run:
the GPU waits nine tenths of the time. A graph is all of them in one launch. It reads and writes the
same memory each time, so batch, samples, strengths and hidden state get places of their own.
"""

import os
import shutil
import warnings
from collections.abc import Callable
from copy import copy
from importlib.util import find_spec
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..batches import Batch
from ..losses import LOSSES, Loss
from ..model import Hidden
from ..sampling import BinarySearch
from ..score_matrix import Scores
from .controls import Settings
from .step import Step, Strengths

Replay = Callable[[], None]
KEPT = 8  # graphs, so that a slider dragged to and fro captures each of its positions once


def missing_graph(plain: Step, settings: Settings) -> str | None:
    """Why this step cannot be captured; None if it can."""
    device = plain.network.items.device
    return None if device.type == "cuda" else f"a CUDA graph runs on CUDA, not on {device}"


def missing_compiler(plain: Step, settings: Settings) -> str | None:
    """Why this step cannot be compiled and captured; None if it can."""
    compilers = [os.environ.get("CC", "cc"), "gcc", "clang"]
    if reason := missing_graph(plain, settings):
        return reason
    if find_spec("triton") is None:
        return "torch.compile needs triton on CUDA, which is not installed"
    return None if any(map(shutil.which, compilers)) else "torch.compile finds no C compiler"


class CudaCapture:
    """Captures what a function does on a CUDA device, without doing it; all graphs share memory.

    The function must have run before: the first time loads libraries, which cannot be captured.
    """

    def __init__(self, device: torch.device, generator: torch.Generator | None):
        self._device, self._generator = device, generator
        self._pool, self._aside = torch.cuda.graph_pool_handle(), torch.cuda.Stream(device)

    def __call__(self, work: Callable[[], None]) -> Replay:
        """What does `work` once more each time it is called.

        Raises:
            RuntimeError: `work` asks the device for a value, or its memory is used up.
        """
        with torch.cuda.device(self._device):
            graph, aside = torch.cuda.CUDAGraph(), self._aside
            if self._generator is not None:
                graph.register_generator_state(self._generator)
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                # Other threads may draw or observe meanwhile.
                graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
                try:
                    work()
                finally:
                    graph.capture_end()
            torch.cuda.current_stream().wait_stream(aside)
        return graph.replay


class _Body(NamedTuple):
    """What is baked into a graph; any other value needs another one."""

    loss: Loss
    n_sample: int | None  # None: all items
    acting: tuple[bool, ...]
    has_velocity: bool
    sample_alpha: float | None  # where the loss is corrected by how often items are drawn


class _Graph(NamedTuple):
    """A function that takes a step, and the place that it reads the step's samples from."""

    negatives: Int[Tensor, "n_sample"] | None
    run: Replay


class GraphStep:
    """The interface, the arithmetic and the random numbers of a plain step, which is on CUDA.

    In the body of an epoch all steps have equally many rows. The first one with new settings runs
    as it is and is then captured; those that follow are replayed. The tail of an epoch, whose rows
    become fewer, runs as it is. Learning rate, momentum, logq, bpreg and ELU change without another
    capture, unless they go to or from 0.

    With `compiled`, torch.compile makes few kernels of loss and update before they are captured.
    That takes some ten seconds for each new loss or number of samples, and it is waited for: a
    change of kernels at a moment of its own would give other last bits in each run.

    Attributes:
        name: "graph" or "compiled".
        search: how samplers for this step find their draws.
        network, optimiser, finite, n_finite: the plain step's.
    """

    search = BinarySearch

    def __init__(
        self,
        plain: Step,
        *,
        compiled: bool = False,
        capture: Callable[[Callable[[], None]], Replay] | None = None,
    ):
        # Two views of one state: that of the body may be compiled, for its numbers of rows alone.
        self._plain, self._body = plain, copy(plain)
        self.name = "compiled" if compiled else "graph"
        if compiled:
            self._body.compile()
        self.network, self.optimiser = plain.network, plain.optimiser
        self.finite, self.n_finite = plain.finite, plain.n_finite
        self._items = self.network.items
        self._capture = capture or CudaCapture(self._items.device, plain.generator)
        self._graphs: dict[_Body, _Graph] = {}
        self._home = self._items.data_ptr()
        self._settings: Settings | None = None
        # The places: what changes from step to step, and what a step leaves.
        self._strengths = Strengths(*(self._items.new_zeros(()) for _ in Strengths._fields))
        self._batch: Batch | None = None
        self._hidden: Hidden = []
        self._joins_midway = False
        self._loss = self._items.new_zeros(())

    @property
    def hidden(self) -> Hidden:
        """The state of each row after the last step."""
        return [layer.clone() for layer in self._plain.hidden]

    @hidden.setter
    def hidden(self, hidden: Hidden) -> None:
        self._plain.hidden, self._joins_midway = hidden, True
        self._forget_places()

    def _forget_places(self) -> None:
        self._batch, self._hidden = None, []
        self._graphs.clear()

    def set_sampling_weight(self, weight: Float[Tensor, "items"], sample_alpha: float) -> None:
        """As `TrainingStep` says."""
        self._plain.set_sampling_weight(weight, sample_alpha)

    def scores_of(self, batch: Batch, items: Int[Tensor, "items"]) -> Scores:
        """As `TrainingStep` says."""
        return self._plain.scores_of(batch, items)

    def begin_epoch(self) -> None:
        """As `TrainingStep` says."""
        self._plain.begin_epoch()
        if self._joins_midway:
            # Its places may be those of a tail.
            self._joins_midway = False
            self._forget_places()
        if self._hidden:
            for layer in self._hidden:
                layer.zero_()
            self._plain.hidden = self._hidden

    def __call__(
        self, batch: Batch, negatives: Int[Tensor, "n_sample"] | None, settings: Settings
    ) -> Float[Tensor, ""]:
        """As `TrainingStep` says."""
        # Midway, where rows have just gone, `carry` may name any of those before.
        if self._batch is None and not (
            self._joins_midway and len(batch) < len(self._plain.hidden[0])
        ):
            self._make_places(batch)
        is_body = self._plain.hidden is self._hidden and len(batch) == len(self._batch)
        n_sample = None if negatives is None else len(negatives)
        if not is_body or (len(batch) == 1 and n_sample == 0):
            return self._plain(batch, negatives, settings)
        if settings is not self._settings:
            self._take(settings)
        if self._home != self._items.data_ptr():  # the weights were moved away
            self._graphs.clear()
            self._home = self._items.data_ptr()
        baked = self._baked._replace(
            n_sample=n_sample,
            has_velocity=settings.momentum != 0 or bool(self.optimiser.velocity),
        )
        known = baked in self._graphs
        if not known:
            self._graphs[baked] = self._as_it_is(baked, negatives)
        graph = self._graphs[baked]
        places = [self._batch.inputs, self._batch.targets, self._batch.carry]
        given = [batch.inputs, batch.targets, batch.carry]
        if negatives is not None:
            places, given = [*places, graph.negatives], [*given, negatives]
        torch._foreach_copy_(places, given)
        graph.run()
        if not known:
            self._graphs[baked] = self._captured(graph)
        return self._loss.clone()

    def _make_places(self, batch: Batch) -> None:
        inputs, targets, carry = (
            part.clone() for part in (batch.inputs, batch.targets, batch.carry)
        )
        self._batch = Batch(inputs, targets, carry)
        self._hidden = [layer[: len(batch)].clone() for layer in self._plain.hidden]
        self._plain.hidden = self._hidden

    def _take(self, settings: Settings) -> None:
        """Put the strengths in their places, and see what of the settings is baked in."""
        self._settings, strengths = settings, self._plain.strengths(settings)
        for place, strength in zip(self._strengths, strengths, strict=True):
            place.fill_(strength)
        alpha = settings.sample_alpha if strengths.logq else None
        acting = tuple(strength != 0 for strength in strengths)
        self._baked = _Body(LOSSES[settings.loss], 0, acting, False, alpha)

    def _as_it_is(self, baked: _Body, negatives: Int[Tensor, "n_sample"] | None) -> _Graph:
        """A step on the places that is not captured yet."""
        while len(self._graphs) >= KEPT:
            del self._graphs[next(iter(self._graphs))]
        body, alpha = self._body, baked.sample_alpha
        place = None if negatives is None else negatives.clone()
        pairs = zip(self._strengths, baked.acting, strict=True)
        strengths = Strengths(*(strength if acts else 0.0 for strength, acts in pairs))
        frequencies = None if alpha is None else self._plain.frequencies(alpha)

        def run() -> None:
            body.hidden = self._hidden
            loss = body.learn(self._batch, place, baked.loss, strengths, frequencies)
            self._loss.copy_(loss)
            for kept, layer in zip(self._hidden, body.hidden, strict=True):
                kept.copy_(layer)

        return _Graph(place, run)

    def _captured(self, graph: _Graph) -> _Graph:
        """The same as a captured graph; as it is, where that cannot be."""
        try:
            return graph._replace(run=self._capture(graph.run))
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            warnings.warn(
                f"no CUDA graph for these settings ({reason}); the plain step trains them, slower",
                RuntimeWarning,
                stacklevel=2,
            )
            return graph
