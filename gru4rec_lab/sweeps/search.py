"""`search`: which settings are best, by Optuna, on the backends and in the store of `sweep`.

A round of points is chosen, trained side by side, and told to optuna in the order of their numbers
before the next round is chosen. So a slow point holds up its round, and a search depends on its
seed and on how many points a round has, and not on which of them ended first.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import whole
from ..config import Config, check_setting
from ..data.sessions import Sessions
from .data import SweepData
from .spaces import Space, choices_of, distribution, space_of, value_of
from .store import Results
from .sweep import Sweep
from .trial import Row, library_version, settings
from .trials import grid

if TYPE_CHECKING:
    import pandas as pd
    from distributed import Client
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import TPESampler
    from optuna.storages import JournalStorage
    from optuna.trial import FrozenTrial, TrialState

JOURNAL = "study.journal"
# Of the trials that ended well, how many importance looks for among the best, and in all.
AT_THE_TOP, AT_LEAST = 5, 10


class Search:
    """What a search has found so far.

    Attributes:
        study: optuna's own record.
        space: the settings that were searched, and their values.
        metric: what was maximised, a column of `frame()`.
    """

    def __init__(self, study: "Study", space: Space, metric: str, config: Config):
        self.study, self.space, self.metric = study, space, metric
        self._config, self._rows = config, {}

    @property
    def results(self) -> Results:
        """The trials that have ended, in the order in which they were chosen; with histories."""
        points = self._points()
        rows = [row for point in points if (row := self._row(point))]
        return Results(rows, len(points))

    @property
    def best(self) -> Config:
        """The settings of the trial with the highest metric, the first of several.

        Raises:
            ValueError: no trial has ended well.
        """
        done = [config for config, row in self._rows.items() if row["error"] is None]
        if not done:
            raise ValueError(f"no trial has ended well: {self!r}; frame()['error'] says why")
        return max(done, key=lambda config: self._rows[config][self.metric])

    @property
    def varying(self) -> Space:
        """The part of the space that has more than one value."""
        return {name: given for name, given in self.space.items()
                if isinstance(given, tuple) or len(choices_of(name, given)) > 1}  # fmt: skip

    def frame(self) -> "pd.DataFrame":
        """One row a trial, as `Results.frame` has it."""
        return self.results.frame()

    def importance(self) -> dict[str, float]:
        """The share of each setting in what tells the best trials from all, the greatest first.

        By PED-ANOVA, for the best tenth of the trials but at least five; settings of one value are
        left out, and the shares sum to 1. With few trials they say little.

        Raises:
            ValueError: fewer than 10 trials have ended well.
        """
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        n_done = sum(row["error"] is None for row in self.results.rows)
        if n_done < AT_LEAST:
            raise ValueError(
                f"importance needs {AT_LEAST} trials that ended well, here are {n_done}; search "
                f"again with a larger n_trials"
            )
        best = PedAnovaImportanceEvaluator(target_quantile=max(0.1, AT_THE_TOP / n_done))
        return get_param_importances(self.study, evaluator=best, params=list(self.varying))

    def __repr__(self) -> str:
        """How many trials there are, and the highest metric."""
        done = [row[self.metric] for row in self._rows.values() if row["error"] is None]
        return f"{self.results!r}" + (f"; {self.metric} up to {max(done):.4f}" if done else "")

    def _trials(self) -> "list[FrozenTrial]":
        """Without those whose choice was cut short: a process that is killed leaves such a one."""
        trials = self.study.get_trials(deepcopy=False)
        return [trial for trial in trials if trial.params.keys() >= self.space.keys()]

    def _points(self) -> list[Config | Row]:
        """The settings of each trial; where `Config` refuses them together, a row that says so."""
        points = []
        for trial in self._trials():
            drawn = trial.params
            changes = {name: value_of(name, self.space[name], drawn[name]) for name in self.space}
            try:
                points.append(self._config.with_changes(**changes))
            except ValueError as error:
                row = settings(self._config) | changes | {"finished_at": "", "history": []}
                layers = check_setting("layers", row["layers"])
                points.append(row | {"layers": list(layers), "error": f"ValueError: {error}"})
        return points

    def _row(self, point: Config | Row) -> Row | None:
        return self._rows.get(point) if isinstance(point, Config) else point

    def _go_on(
        self, n_trials: int, width: int, seed: int, train: Callable[[list[Config]], Results],
        on_trials: Callable[[int], Any],
    ) -> None:  # fmt: skip
        """Train what has been chosen, tell optuna, choose the next `width` points; and so on."""
        distributions = _distributions(self.space)
        while True:
            trials, points = self._trials(), self._points()
            new = [each for each in points if isinstance(each, Config) and each not in self._rows]
            results = train(list(dict.fromkeys(new))) if new else None
            self._rows |= {config: results.row(config) for config in new}
            for trial, point in zip(trials, points, strict=True):
                if trial.state.is_finished():
                    continue
                row = self._row(point)
                value, fail = row.get(self.metric), row["error"] is not None
                outcome = {"state": _failed()} if fail else {"values": value}
                self.study.tell(trial.number, **outcome)
            on_trials(len(points))
            if len(points) >= n_trials:
                return
            for number in range(len(points), min(len(points) + width, n_trials)):
                self.study.sampler = _sampler(seed, number)
                self.study.ask(distributions)


def search(
    space: str | Space,
    train_set: Sessions,
    test_set: Sessions,
    *,
    config: Config = Config(),  # noqa: B008, it is frozen
    n_trials: int = 100,
    metric: str = "mrr@20",
    seed: int = 0,
    backend: str = "serial",
    n_jobs: int | None = None,
    client: "Client | None" = None,
    store: str | Path | None = None,
    progress: bool = True,
) -> Search:
    """Look for the settings with the highest metric; Ctrl-C keeps what has been found so far.

    `space` is a name of `SPACES`, the official code's ranges for cross-entropy and BPR-max, or a
    dictionary as `sweeps.spaces` says; `config` holds all other settings. Give a validation split
    as `test_set`: what was optimised on measures quality no more. `metric` is "recall@" or "mrr@"
    and a cut-off. `seed` is that of optuna's choices (TPE); the trainings have the one of `config`.

    Backends are those of `sweep`. `n_jobs` points are chosen at a time: one with "serial"; unless
    said, as many as this machine has cores with "loky", and as the cluster has threads with "dask".
    The same space, config, data, seed and `n_jobs` choose the same points.

    With a `store`, a folder, what it holds is not trained again, whoever trained it, and optuna's
    journal lies there too, in `study.journal`. The same call goes on where it was ended, and beyond
    with a larger `n_trials`, which counts all trials so far. One process at a time.

    Raises:
        ValueError: before anything is trained: a space, a metric or numbers that make no sense,
            optuna is not there, and what `sweep` refuses.
        RuntimeError: as of `sweep`.
    """
    from tqdm.auto import tqdm

    space, cutoff, seed = space_of(space), _cutoff(metric), check_setting("seed", seed)
    n_trials = whole("n_trials", n_trials)
    distributions = _distributions(space)
    trials = grid(config, loss=[*choices_of("loss", space.get("loss", config.loss))])
    how = {"backend": backend, "client": client, "store": store, "k": {1, 20, cutoff}}
    width = _width(backend, n_jobs, client)
    if backend != "dask":
        how["n_jobs"] = n_jobs
    Sweep(trials, train_set, test_set, **how)  # refuses what cannot run
    data = SweepData.of(train_set, test_set).fingerprint
    basis = [[settings(each) for each in trials], data, library_version()]
    found = Search(_study(store, metric, seed, distributions, basis), space, metric, config)
    bar = tqdm(total=n_trials, unit="trial", leave=False, disable=not progress)
    with bar, _quiet(), suppress(KeyboardInterrupt):
        found._go_on(
            n_trials, width, seed, partial(_train, train_set, test_set, how),
            lambda n_ended: bar.update(n_ended - bar.n),
        )  # fmt: skip
    return found


def _train(
    train_set: Sessions, test_set: Sessions, how: dict[str, Any], trials: list[Config]
) -> Results:
    sweep = Sweep(trials, train_set, test_set, **how)
    for _ in sweep:
        pass
    return sweep.results


def _cutoff(metric: str) -> int:
    name, _, k = metric.partition("@") if isinstance(metric, str) else ("", "", "")
    if name not in ("recall", "mrr") or not k.isdecimal() or int(k) < 1:
        raise ValueError(f"unknown metric {metric!r}; it is recall@ or mrr@ and a cut-off, such as "
                         "'mrr@20'")  # fmt: skip
    return int(k)


def _width(backend: str, n_jobs: int | None, client: "Client | None") -> int:
    """How many points are chosen at a time; `Sweep` refuses what is wrong with "loky"."""
    if n_jobs is not None:
        return whole("n_jobs", n_jobs)
    if backend == "loky":
        from joblib import cpu_count

        return cpu_count()
    if backend == "dask":
        from .cluster import client_of

        return max(1, sum(client_of(client).nthreads().values()))
    return 1


def _distributions(space: Space) -> "dict[str, BaseDistribution]":
    try:
        return {name: distribution(name, given) for name, given in space.items()}
    except ImportError:
        raise ValueError(
            "search needs the package optuna: pip install 'gru4rec-lab[search]'"
        ) from None


def _failed() -> "TrialState":
    from optuna.trial import TrialState

    return TrialState.FAIL


def _sampler(seed: int, number: int) -> "TPESampler":
    """A new one for each point: its numbers do not depend on what this process has drawn before."""
    from optuna.samplers import TPESampler

    (word,) = np.random.SeedSequence([seed % 2**64, number]).generate_state(1)
    # Points that are being trained count as poor ones, so that a round is no cluster of points.
    return TPESampler(seed=int(word), constant_liar=True)


def _study(
    store: str | Path | None, metric: str, seed: int,
    distributions: "dict[str, BaseDistribution]", basis: list[Any],
) -> "Study":  # fmt: skip
    """The study of just this search: the one in the journal if there is one, else a new one."""
    import optuna
    from optuna.distributions import distribution_to_json

    drawn = {name: distribution_to_json(each) for name, each in distributions.items()}
    text = json.dumps([drawn, basis], sort_keys=True)
    name = f"{metric}, seed {seed}, {hashlib.sha256(text.encode()).hexdigest()[:12]}"
    storage = None if store is None else journal(store)
    with _quiet():
        return optuna.create_study(
            study_name=name, storage=storage, direction="maximize", load_if_exists=True
        )


def journal(store: str | Path) -> "JournalStorage":
    """Optuna's storage in a store, for `optuna.load_study` and its dashboard."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path = Path(store).expanduser() / JOURNAL
    if path.exists() and (text := path.read_bytes()) and not text.endswith(b"\n"):
        # Half a line of a process that was killed; the next one would be written behind it.
        path.write_bytes(text[: text.rfind(b"\n") + 1])
    return JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(path))))


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna says on stderr that it has made a study."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(before)
