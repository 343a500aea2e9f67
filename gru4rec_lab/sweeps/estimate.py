"""How long a sweep will take, from a few steps of training and a part of the evaluation."""

from collections.abc import Iterable
from dataclasses import replace
from time import perf_counter

from ..config import Config
from ..data.sessions import Sessions
from ..evaluation import evaluate
from ..training.events import Started, StepDone
from ..training.loop import train

# Steps that are measured, after those that warm up; extra negatives between which is interpolated.
STEPS, WARM = 20, 5
FEW, MANY = 0, 512
N_TEST = 200


class Estimator:
    """Seconds that trials take on these sessions, each measurement made once.

    The cost of a step is taken to grow evenly with the extra negatives, and to be the same for all
    losses, seeds and learning rates; processes are taken not to slow each other down.
    """

    def __init__(self, train_set: Sessions, test_set: Sessions):
        self._train, self._test = train_set, test_set
        self._measured: dict[Config, tuple[float, float, int]] = {}
        self._evaluation = 0.0

    def seconds(self, trials: Iterable[Config], n_jobs: int = 1) -> float:
        """Of all trials together, on so many processes."""
        each = [self._trial(trial) for trial in trials]
        return max(sum(each) / n_jobs, max(each, default=0.0))

    def _trial(self, trial: Config) -> float:
        like = replace(
            Config(), layers=trial.layers, batch_size=trial.batch_size, device=trial.device,
            step=trial.step, constrained_embedding=trial.constrained_embedding,
            embedding=trial.embedding,
        )  # fmt: skip
        if like not in self._measured:
            few, n_steps = self._step(like, FEW)
            self._measured[like] = few, (self._step(like, MANY)[0] - few) / (MANY - FEW), n_steps
        step, more, n_steps = self._measured[like]
        extra = self._train.n_items if trial.n_sample == "all" else trial.n_sample
        return trial.n_epochs * (n_steps * (step + max(0.0, more) * extra) + self._evaluation)

    def _step(self, config: Config, n_sample: int) -> tuple[float, int]:
        """Seconds of a step, and the steps of an epoch."""
        times = []
        for event in train(config.with_changes(n_sample=n_sample), self._train):
            if isinstance(event, Started):
                model, n_steps = event.model, event.n_steps
            if isinstance(event, StepDone):
                times.append(perf_counter())
                if len(times) == WARM + STEPS:
                    break
        if not self._evaluation:
            part = self._test.sample(N_TEST)
            evaluate(model, part)  # warms up
            began = perf_counter()
            evaluate(model, part)
            self._evaluation = (perf_counter() - began) * self._test.n_sessions / part.n_sessions
        warm = min(WARM, len(times) - 2)
        return (times[-1] - times[warm]) / (len(times) - 1 - warm), n_steps
