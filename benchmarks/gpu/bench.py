"""What the parts share: sizes, data, time that is left, and sides that take their turns."""

import gc
import statistics
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from time import monotonic, perf_counter
from typing import Any

import pandas as pd
import torch

from gru4rec_lab import Controls, Sessions, train
from gru4rec_lab.training.events import StepDone

from .. import clicks
from ..cases import CASES
from ..official import OfficialTrainer
from ..official_adapter import config_of
from ..paired import ratio

Side = Callable[[int], object]  # does its work n times


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        items, most_clicks: of the click log.
        most_units, most_rows: of each case; rows are those of the batch, and samples.
        block: seconds that a side works at a time.
        warm: steps before that.
        profiled, watched, repeated: steps that are looked into.
        catalogues: numbers of items by which growth is measured.
    """

    items: int = 37_000
    most_clicks: int = 10**9
    most_units: int = 10**6
    most_rows: int = 10**6
    block: float = 0.3
    warm: int = 12
    profiled: int = 20
    watched: int = 50
    repeated: int = 200
    catalogues: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)


USUAL = Sizes()
TINY = Sizes(items=200, most_clicks=3_000, most_units=8, most_rows=8, block=0.0, warm=1,
             profiled=2, watched=3, repeated=5, catalogues=(50, 80))  # fmt: skip


class Trainer:
    """This library's `train`, as a user drives it; call it with the number of steps to take.

    Attributes:
        started: the first event of the run: its model, and which step it takes.
        controls: what may be changed while it trains.
    """

    def __init__(self, sessions: Sessions, settings: Mapping[str, Any], **ours: Any):
        config = config_of(settings, n_epochs=10**6, **ours)
        self.controls = Controls.of(config)
        self._events = train(config, sessions, controls=self.controls)
        self.started = next(self._events)

    def __call__(self, n: int) -> None:
        while n:
            n -= isinstance(next(self._events), StepDone)

    def close(self) -> None:
        """End the run."""
        self._events.close()


class Bench:
    """One run of the benchmark: its arguments, and what all its parts need.

    Attributes:
        step: what `Config.step` is for our side; on a CPU the plain step stands in for the graph.
    """

    def __init__(self, arguments: Namespace):
        self.device, self.cases = arguments.device, arguments.cases
        self.official, self.rounds = arguments.official, arguments.rounds
        self.sizes = TINY if arguments.tiny else USUAL
        self._n_clicks = min(arguments.clicks, self.sizes.most_clicks)
        self._end = monotonic() + arguments.seconds
        self.cuda = self.device.startswith("cuda")
        self.step = "auto" if self.cuda else "plain"

    def left(self) -> float:
        """Seconds that are left."""
        return self._end - monotonic()

    def settings(self, case: str) -> dict[str, Any]:
        """The settings of a case, made smaller for a trial."""
        settings, most = CASES[case], self.sizes.most_rows
        small = {name: min(settings[name], most) for name in ("batch_size", "n_sample")}
        return settings | small | {"layers": [min(settings["layers"][0], self.sizes.most_units)]}

    @cached_property
    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Training and test clicks."""
        made = clicks.make_clicks(n_items=self.sizes.items, n_clicks=self._n_clicks)
        return clicks.split_last_day(made)

    @cached_property
    def sessions(self) -> Sessions:
        """The training sessions."""
        return Sessions.from_frame(self.frames[0])

    def ours(self, settings: Mapping[str, Any], **ours: Any) -> Trainer:
        """A training of our own, by `step` on `device` unless told otherwise."""
        return Trainer(self.sessions, settings, **{"step": self.step, "device": self.device} | ours)

    def theirs(self, settings: Mapping[str, Any]) -> OfficialTrainer:
        """An official training."""
        return OfficialTrainer(self.official, self.frames[0], settings, self.device)

    def wait(self) -> None:
        """Until the GPU has done what it was given."""
        if self.cuda:
            torch.cuda.synchronize(self.device)

    def block(self, side: Side, n: int) -> float:
        """Milliseconds that each of `n` things takes, the GPU's work included."""
        self.wait()
        began = perf_counter()
        side(n)
        self.wait()
        return 1000 * (perf_counter() - began) / n

    def count(self, side: Side) -> int:
        """How many things fill a block, after some that do not count."""
        self.block(side, self.sizes.warm)
        each = self.block(side, max(1, self.sizes.warm // 3)) / 1000
        return max(1, min(2000, int(self.sizes.block / each)))

    def allocated(self) -> int:
        """Bytes that live on the GPU now, which is where its peak starts again."""
        if not self.cuda:
            return 0
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self.device)
        return torch.cuda.memory_allocated(self.device)

    def megabytes(self, before: int) -> str:
        """The peak since then, beyond what lived there `before`."""
        if not self.cuda:
            return "-"
        return f"{(torch.cuda.max_memory_allocated(self.device) - before) / 2**20:,.0f}"


class Race:
    """Sides that work in turn, block by block; a side that fails leaves its error.

    Attributes:
        sides: those that run.
        times: milliseconds for one thing, by side and round.
        megabytes: each side's peak on the GPU, as text.
    """

    def __init__(self, bench: Bench, makers: Mapping[str, Callable[[], Side]]):
        self.sides: dict[str, Side] = {}
        self.megabytes: dict[str, str] = {}
        self._errors: dict[str, str] = {}
        counts: dict[str, int] = {}
        for name, make in makers.items():
            before = bench.allocated()
            try:
                self.sides[name] = make()
                counts[name] = bench.count(self.sides[name])
                self.megabytes[name] = bench.megabytes(before)
            except Exception as error:
                self._drop(name, error)
        self.times: dict[str, list[float]] = {name: [] for name in self.sides}
        for number in range(bench.rounds + 1):
            for name, side in list(self.sides.items()):
                try:
                    taken = bench.block(side, counts[name])
                except Exception as error:
                    self._drop(name, error)
                else:
                    # The first round does not count.
                    self.times[name] += [taken] if number else []

    def _drop(self, name: str, error: Exception) -> None:
        self._errors[name] = error_text(error)
        self.sides.pop(name, None)

    def cell(self, text: Callable[[], str], name: str, *others: str) -> str:
        """The text, the error of the side `name`, or "-" without it or the others."""
        if name not in self.sides:
            return self._errors.get(name, "-")
        return text() if all(other in self.sides for other in others) else "-"

    def milliseconds(self, name: str) -> str:
        """What one thing takes."""
        return self.cell(lambda: f"{statistics.median(self.times[name]):.3f}", name)

    def times_faster(self, slow: str, fast: str) -> str:
        """How many times `fast` goes into `slow`, with quartiles."""
        return self.cell(lambda: str(ratio(self.times, slow, fast)), slow, fast)

    def close(self) -> None:
        """End every training."""
        for side in self.sides.values():
            if isinstance(side, Trainer | OfficialTrainer):
                side.close()


def error_text(error: Exception) -> str:
    """One line for a cell of a table."""
    lines = f"{type(error).__name__}: {error}".splitlines()
    return lines[0][:120].replace("|", "/")
