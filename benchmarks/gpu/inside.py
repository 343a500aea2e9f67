"""What happens inside of a step: kernels, waits for the GPU, and whether a run repeats.

This part comes last, since a profiler, once loaded, may slow every later launch.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from .bench import Bench, Side, Trainer, error_text

HEAD = ("case, step", "kernels a step", "waits for the GPU", "ms that a slider costs",
        "two runs with the same seed")  # fmt: skip
SECONDS = 15
COPIES = "memcpy", "memset"


def rows(bench: Bench) -> dict[str, Callable[[], tuple[str, ...]]]:
    """A row a case and step: the one that `Config` takes by itself, and the plain one."""
    steps = dict.fromkeys((bench.step, "plain"))
    return {
        f"{case}, {step}": partial(measure, bench, bench.settings(case), step)
        for case in bench.cases
        for step in steps
    }


def measure(bench: Bench, settings: Mapping[str, Any], step: str) -> tuple[str, ...]:
    """The row of one case and step; each of its cells may fail by itself."""
    cells = []
    for count in kernels, waits, slider, differences:
        try:
            cells.append(count(bench, settings, step))
        except Exception as error:
            cells.append(error_text(error))
    return tuple(cells)


def kernels(bench: Bench, settings: Mapping[str, Any], step: str) -> str:
    """Kernels of a step, those that a graph replays included; on a CPU its operators."""
    side, n = bench.ours(settings, step=step), bench.sizes.profiled
    bench.block(side, bench.sizes.warm)
    kinds = [ProfilerActivity.CPU, *[ProfilerActivity.CUDA] * bench.cuda]
    with profile(activities=kinds, acc_events=True) as watch:
        bench.block(side, n)
    side.close()
    place = DeviceType.CUDA if bench.cuda else DeviceType.CPU
    names = (event.name.lower() for event in watch.events() if event.device_type == place)
    return f"{sum(not name.startswith(COPIES) for name in names) / n:.1f}"


def waits(bench: Bench, settings: Mapping[str, Any], step: str) -> str:
    """Which lines wait for the GPU, and how often in the watched steps; reports aside."""
    side = bench.ours(settings, step=step, report_every=10**9)
    bench.block(side, bench.sizes.warm)
    found = Counter(watched(side, bench.sizes.watched) if bench.cuda else [])
    side.close()
    return ", ".join(f"{place} ({n})" for place, n in found.most_common(5)) or "none"


def watched(side: Side, n: int) -> Iterable[str]:
    """file:line of each operation that waits for the GPU while the side takes `n` steps."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            side(n)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    # Turning it on warns too: that it is a prototype.
    return [
        f"{Path(each.filename).name}:{each.lineno}"
        for each in seen
        if "called a synchronizing" in str(each.message)
    ]


def slider(bench: Bench, settings: Mapping[str, Any], step: str) -> str:
    """What a changed `n_sample` costs once, beyond the steps that it is trained in."""
    side, n = bench.ours(settings, step=step), 3
    bench.block(side, bench.sizes.warm)
    usual = bench.block(side, n)
    side.controls.n_sample = settings["n_sample"] + 1
    changed = bench.block(side, n)
    side.close()
    return f"{n * (changed - usual):.0f}"


def differences(bench: Bench, settings: Mapping[str, Any], step: str) -> str:
    """How many weights differ in a bit after two runs of the same config."""
    runs = [weights_after(bench.ours(settings, step=step), bench.sizes.repeated) for _ in "12"]
    differ = sum(int((one != other).sum()) for one, other in zip(*runs, strict=True))
    n_weights = sum(weight.numel() for weight in runs[0])
    return f"{differ:,} of {n_weights:,} weights differ" if differ else "equal"


def weights_after(side: Trainer, n: int) -> list[torch.Tensor]:
    """The bits of all weights after `n` steps."""
    side(n)
    state = side.started.model.network.state_dict()
    bits = [weight.clone().view(torch.int32) for weight in state.values()]
    side.close()
    return bits
