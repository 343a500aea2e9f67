"""The grids of lessons 05, 06, 09 and 13: trainings by `sweep`, each a row of a stored table."""

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter

import methods
from plan import Plan

from gru4rec_lab import (
    Config,
    Sessions,
    add_bpr_max_at,
    add_bpr_top,
    add_gbce,
    add_psl,
    add_top1_max_at,
    grid,
    load_sessions,
    load_split,
    sweep,
)
from gru4rec_lab.environment import usable_cores
from gru4rec_lab.sweeps.estimate import Estimator
from gru4rec_lab.sweeps.store import Results
from gru4rec_lab.sweeps.trials import Trials

STORE = Path(__file__).parents[2] / "runs" / "figures"
SETTINGS = ("loss", "n_sample", "sample_alpha", "batch_size", "seed")
METRICS = ("recall@1", "recall@20", "mrr@20")
LOSSES = ("top1", "bpr", "cross-entropy", "top1-max", "bpr-max")
SHAPED = ("cross-entropy", "top1-max", "bpr-max")
# What came after, each under its name in the tables of lesson 13.
NEWER = {
    "psl": add_psl,
    "psl-relu": partial(add_psl, "relu"),
    "bpr-top-16": partial(add_bpr_top, 16),
    "bpr-max-at-0": partial(add_bpr_max_at, 0),
    "bpr-max-at-inf": partial(add_bpr_max_at, math.inf),
    "top1-max-at-0": partial(add_top1_max_at, 0),
}
# Its weight holds for one number of items: that of the flights, and what a target of the lab has.
GBCE = {
    "bce": partial(add_gbce, 575, 1881, 0.0),
    "gbce": partial(add_gbce, 575, 1881, 0.75),
}
FLIGHTS = "flights: most recent 20 % of the training sessions, later flights to rank; routes of " \
    "aircraft, not clicks of people"  # fmt: skip
E_SHOP = "e-shop: clicks in a clothing shop in 2008 (UCI 553, CC BY 4.0), the last tenth of the " \
    "sessions to rank"  # fmt: skip
YOOCHOOSE = "yoochoose1_64: the most recent 1/64 of the clicks in a shop of the RecSys Challenge " \
    "2015 (CC BY-NC-ND 4.0), its last day to rank"  # fmt: skip
DIGINETICA = "diginetica: clicks in a shop of the CIKM Cup 2016, the last week to rank"


@dataclass(frozen=True)
class Grid:
    """A grid of trainings and the table that it fills.

    Attributes:
        table: the name of the table.
        data: what the sessions are, for its head.
        split: gives the sessions to train on and those that judge.
        trials: the trainings.
        by_epoch: a row is an epoch of a training, not its end.
        methods: the baselines have rows too.
    """

    table: str
    data: str
    split: Callable[[], tuple[Sessions, Sessions]]
    trials: Trials
    by_epoch: bool = False
    methods: bool = False

    @property
    def head(self) -> str:
        """The data, and what was run on it."""
        seeds = ", ".join(map(str, sorted({trial.seed for trial in self.trials})))
        epochs = ", ".join(map(str, sorted({trial.n_epochs for trial in self.trials})))
        head = f"{self.data}; {len(self.trials)} trainings, epochs {epochs}, seeds {seeds}, " \
            "all else as in the preset lab"  # fmt: skip
        if self.methods:
            head += f", n_sample {self.trials[0].n_sample}; {methods.ABOUT}"
        return head


def full() -> list[Grid]:
    """Flights and e-shop with three seeds; yoochoose and diginetica, an epoch, with fewer."""
    lab = Config.preset("lab", n_epochs=3, device="cpu")
    flights = FLIGHTS, partial(load_split, "flights")
    shop = E_SHOP, partial(load_split, "e-shop")
    seed, alphas = (0, 1, 2), (0, 0.25, 0.5, 0.75, 1)
    sizes, few = [0, 32, 128, 512, 2048, "all"], [0, 32, 128, 512, "all"]
    batches = grid(lab, loss=["bpr", "bpr-max"], batch_size=[32, 64, 128, 512], seed=seed)
    by_size = partial(grid, lab, loss=LOSSES, seed=seed)
    by_alpha = partial(grid, lab, loss=SHAPED, sample_alpha=alphas, seed=seed)
    large = partial(grid, lab, loss=LOSSES, n_epochs=1)
    # One seed where three take hours.
    sized = large(n_sample=[0, 512, 2048], seed=seed)
    yoochoose = Trials(sized + large(n_sample=[32, 128, "all"]))
    yoo = YOOCHOOSE, partial(_dev_split, "yoochoose1_64")
    digi = DIGINETICA, partial(_dev_split, "diginetica")
    known = ["bpr", "cross-entropy", "top1-max", "bpr-max"]
    newer = partial(grid, lab, seed=seed, loss=known + _added(NEWER))
    uniform = grid(lab, n_epochs=2, seed=seed, sample_alpha=0, loss=_added(GBCE))
    # The methods train what the other grids train: the store has it.
    return [
        Grid("sweep_flights", *flights, by_size(n_sample=sizes)),
        Grid("sweep_e-shop", *shop, by_size(n_sample=few)),
        Grid("sweep_yoochoose1_64", *yoo, yoochoose),
        Grid("sweep_diginetica", *digi, large(n_sample=[0, 512, 2048])),
        Grid("batch_flights", *flights, batches, by_epoch=True),
        Grid("alpha_flights", *flights, by_alpha(n_sample=[32, 2048])),
        # An epoch of the shop has three times the steps of one of the flights.
        Grid("alpha_e-shop", *shop, by_alpha(n_sample=[32, 128], n_epochs=1)),
        Grid("methods_flights", *flights, by_size(), methods=True),
        Grid("methods_e-shop", *shop, by_size(), methods=True),
        Grid("methods_yoochoose1_64", *yoo, large(n_sample=2048, seed=seed), methods=True),
        Grid("methods_diginetica", *digi, large(n_sample=2048), methods=True),
        Grid("newer_flights", *flights, Trials(newer(n_epochs=2) + uniform)),
        Grid("newer_e-shop", *shop, newer(n_epochs=2)),
        Grid("newer_yoochoose1_64", *yoo, newer(n_epochs=1)),
    ]


def _added(losses: dict[str, Callable]) -> list[str]:
    """Their names, which the registry has from now on."""
    return [add(name=name).name for name, add in losses.items()]


def _dev_split(name: str) -> tuple[Sessions, Sessions]:
    """Sets that may not be handed on: from the folder that GRU4REC_LAB_DEV_DATA names.

    Raises:
        FileNotFoundError: they are not there.
    """
    folder = os.environ.get("GRU4REC_LAB_DEV_DATA")
    if folder is None:
        raise FileNotFoundError("GRU4REC_LAB_DEV_DATA, the folder with its data/, is not set")
    ids = {"session": "SessionId", "item": "ItemId", "time": "Time"}
    parts = (Path(folder, "data", f"{name}_{part}.parquet") for part in ("train", "test"))
    train_set, test_set = (load_sessions(path, **ids) for path in parts)
    return train_set, test_set


def fast(plan: Plan) -> list[Grid]:
    """The same tables from the tiny world of a plan."""
    trials = partial(grid, plan.config, n_epochs=1, loss=["bpr", "bpr-max"])
    by_kind = {
        "sweep": trials(n_sample=[0, "all"]),
        "batch": trials(batch_size=plan.batch_sizes),
        "alpha": trials(sample_alpha=plan.alphas),
        "methods": trials(),
        "newer": trials(loss=_added(NEWER)),
    }
    return [
        replace(
            each,
            data=plan.data,
            split=lambda: (plan.training, plan.test),
            trials=by_kind[each.table.partition("_")[0]],
        )
        for each in full()
    ]


def run(each: Grid, store: Path | None) -> list[dict]:
    """The rows of the table; what it will cost is said first.

    Trainings that are in the store are not run again.

    Raises:
        FileNotFoundError: the data was not fetched.
        RuntimeError: a training failed; the message is its error.
    """
    train_set, test_set = each.split()
    n_jobs, began = usable_cores(), perf_counter()
    seconds = Estimator(train_set, test_set).seconds(each.trials, n_jobs)
    print(f"{each.table}: {len(each.trials)} trainings, about {seconds:.0f} s", flush=True)
    how = {"backend": "loky", "n_jobs": n_jobs} if store else {}
    found = sweep(each.trials, train_set, test_set, store=store, progress=False, **how)
    for row in found.rows:
        if row["error"]:
            raise RuntimeError(f"{each.table}: {row['loss']}, seed {row['seed']}: {row['error']}")
    if len(found) < found.n_trials:
        raise RuntimeError(f"{each.table}: {found!r}; call it again, and it goes on from there")
    print(f"{each.table}: {found!r} in {perf_counter() - began:.0f} s", flush=True)
    if each.methods:
        return list(methods.rows(found, train_set, test_set))
    return list(_by_epoch(found) if each.by_epoch else _at_end(found))


def _at_end(found: Results) -> Iterator[dict]:
    for row in found.rows:
        kept = (*SETTINGS, "epochs", "steps", *METRICS, "recall@20_se", "mrr@20_se", "seconds")
        yield {name: row[name] for name in kept}


def _by_epoch(found: Results) -> Iterator[dict]:
    for row in found.rows:
        ends = [each for each in row["history"] if "mrr@20" in each]
        for epoch, end in enumerate(ends, 1):
            at = {"epoch": epoch, "step": end["step"]}
            yield (
                {name: row[name] for name in SETTINGS} | at | {name: end[name] for name in METRICS}
            )
