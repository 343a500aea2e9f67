"""`Run`: all that changes while a model trains, and how a checkpoint keeps and restores it."""

from dataclasses import asdict
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from ..batches import Batch
from ..device import generator
from ..evaluation import Evaluation
from ..recommender import Recommender, TrainingState
from ..sampling import NegativeSampler
from .choice import check_step, choose_step
from .controls import Settings
from .events import Report
from .step import Step, TrainingStep


class NonFiniteLoss(ArithmeticError):  # noqa: N818
    """The loss is no longer a number; the model has weights from before."""


class Run:
    """All that changes while a model trains; `step` names a step other than the config's.

    Attributes:
        model, step: what is trained, and what trains it.
        settings: those of the last step; before the first those of the config.
        n_done: number of steps done.
        tally: the losses of this epoch.
        best: the best epoch, where patience waits for a better one.
    """

    def __init__(
        self,
        model: Recommender,
        device: torch.device,
        *,
        patience: int | None = None,
        step: str | None = None,
    ):
        config, network, known = model.config, model.network.to(device), model.training
        self.model, self.device, self.settings, self.n_done = model, device, Settings.of(config), 0
        self._dropout, self._step_name = generator(config.seed, "dropout", device), step
        self.step: TrainingStep = Step.of(config, network, known.support, self._dropout)
        check_step(step or config.step, self.step, self.settings)
        optimiser = self.step.optimiser
        for kept, given in (
            (optimiser.accumulated, known.accumulated),
            (optimiser.velocity, known.velocity),
        ):
            kept |= {name: moments.to(network.items, copy=True) for name, moments in given.items()}
        # The optimiser's own dictionaries: what is saved is always what it has now.
        model.training = TrainingState(known.support, optimiser.accumulated, optimiser.velocity)
        self.tally, self.best = Tally(config.batch_size), Best(model, patience)
        self._trained_from: list[tuple[int, Settings]] = []
        self.keep_weights("the end of epoch 0")

    def choose_step(self) -> None:
        """Take the step that the config asks for, and negatives that suit it."""
        config, device = self.model.config, self.device
        self.step = choose_step(self._step_name or config.step, self.step, self.settings)
        draws_on = device if device.type == "cuda" else "cpu"
        self._negatives = NegativeSampler(
            self.model.training.support,
            sampler=config.sampler,
            collisions=config.collisions,
            generator=generator(config.seed, "negatives", draws_on),
            device=device,
            search=self.step.search,
        )
        self._draw_by(self.settings.sample_alpha)

    def _draw_by(self, sample_alpha: float) -> None:
        weight = self._negatives.set_sample_alpha(sample_alpha)
        self.step.set_sampling_weight(weight, sample_alpha)

    def begin_epoch(self) -> None:
        """Forget the hidden states and the losses."""
        self.step.begin_epoch()
        self.tally = Tally(self.model.config.batch_size)

    def train_on(self, batch: Batch, number: int) -> None:
        """Take step `number` with the settings in force."""
        if not self._trained_from or self._trained_from[-1][1] is not self.settings:
            self._trained_from.append((number, self.settings))
        began, settings, negatives = perf_counter(), self.settings, self._negatives
        if negatives.sample_alpha != settings.sample_alpha:
            self._draw_by(settings.sample_alpha)
        extra = negatives.pick(batch, settings.n_sample, self.step.scores_of)
        self.tally.add(self.step(batch, extra, settings), len(batch), perf_counter() - began)
        self.n_done = number

    def report(self, epoch: int) -> Report:
        """What was added since the last report.

        Raises:
            NonFiniteLoss: the loss of a step since the last report is not finite.
        """
        began = perf_counter()
        self.check()
        return self.tally.report(self.n_done, epoch, began, self.settings)

    def check(self) -> None:
        """Wait for the device and see that every loss so far was finite.

        Raises:
            NonFiniteLoss: one was not.
        """
        if not self.step.finite.item():
            self.model.network.load_state_dict(self._weights)
            raise NonFiniteLoss(self._failure(self.step.n_finite.item() + 1))

    def _failure(self, number: int) -> str:
        """Which step failed, with what settings: those in force now may have changed since."""
        settings, before = (
            next((each for first, each in reversed(self._trained_from) if first <= at), None)
            for at in (number, number - 1)
        )
        rate = f"{settings.learning_rate:g}"
        if before is not None and before.learning_rate != settings.learning_rate:
            rate += f" (the step before: {before.learning_rate:g})"
        return (
            f"the {settings.loss} loss is not finite at step {number} with learning_rate {rate}; "
            f"the model is back at {self._kept_at}; try a smaller learning_rate or momentum"
        )

    def keep_weights(self, at: str) -> None:
        """Keep a copy of the weights to go back to when the loss fails; `at` says of when."""
        self._weights, self._kept_at = _copied(self.model), at

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON-ready facts that `restore` needs, beside what the model saves."""
        tensors = {
            "run/dropout": self._dropout.get_state(),
            **{f"run/hidden/{level}": layer for level, layer in enumerate(self.step.hidden)},
            **{f"run/negatives/{name}": t for name, t in self._negatives.state().items()},
            **{f"run/best/{name}": weight for name, weight in self.best.weights.items()},
        }
        facts = {
            "n_done": self.n_done,
            "device": str(self.device),
            "step": self.step.name,
            "settings": asdict(self.settings),
            "tally": vars(self.tally) | {"losses": float(self.tally.losses)},
            "best": {
                "patience": self.best.patience,
                "mrr": self.best.mrr,
                "worse": self.best.worse,
            },
        }
        return tensors, facts

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Go on, after `choose_step`, where the run with this state was; its model is here."""

        def part(name: str) -> dict[str, Tensor]:
            first = f"run/{name}/"
            return {n.removeprefix(first): t for n, t in tensors.items() if n.startswith(first)}

        self.n_done, self.settings = facts["n_done"], Settings(**facts["settings"])
        self._trained_from = [(self.n_done, self.settings)]
        self.keep_weights(f"step {self.n_done}")
        self._draw_by(self.settings.sample_alpha)
        self._negatives.restore(part("negatives"))
        self._dropout.set_state(tensors["run/dropout"])
        hidden = part("hidden")
        self.step.hidden = [hidden[str(k)].to(self.device) for k in range(len(hidden))]
        self.step.n_finite.fill_(self.n_done)
        vars(self.tally).update(facts["tally"])
        vars(self.best).update(facts["best"], weights=part("best"))


class Tally:
    """Sums over the steps of an epoch, kept on the device until a report reads them.

    Attributes:
        losses, clicks, seconds: sums since the last report; a step's loss is its rows' sum over
            `batch_size`.
        epoch_total, epoch_clicks: the sums of the losses of targets, and targets, in all reports.
    """

    def __init__(self, batch_size: int):
        self.batch_size = batch_size
        self.epoch_total, self.epoch_clicks = 0.0, 0
        self._clear()

    def _clear(self) -> None:
        self.losses: torch.Tensor | float = 0.0
        self.clicks, self.seconds = 0, 0.0

    def add(self, loss: torch.Tensor | float, clicks: int, seconds: float) -> None:
        """Take in a step: its loss (sum of its rows over `batch_size`), targets and seconds."""
        if isinstance(loss, torch.Tensor):
            # MPS has no float64.
            loss = loss.cpu().double() if loss.device.type == "mps" else loss.double()
        self.losses += loss
        self.clicks += clicks
        self.seconds += seconds

    def report(self, number: int, epoch: int, began: float, settings: Settings) -> Report:
        """What was added since the last report; `began` is when reading the device began."""
        # A step's loss is its sum over `batch_size`, also where fewer rows are left.
        total = float(self.losses) * self.batch_size
        seconds = self.seconds + perf_counter() - began
        made = Report(number, epoch, total / self.clicks, self.clicks, seconds, settings)
        self.epoch_total += total
        self.epoch_clicks += self.clicks
        self._clear()
        return made

    @property
    def epoch_loss(self) -> float:
        """Mean loss of a target over all reports."""
        return self.epoch_total / max(self.epoch_clicks, 1)


class Best:
    """The weights of the epoch with the best MRR@20; nothing without `patience`.

    Attributes:
        mrr, weights: of that epoch.
        worse: epochs since then.
    """

    def __init__(self, model: Recommender, patience: int | None):
        self._model, self.patience = model, patience
        self.mrr, self.worse = -1.0, 0
        self.weights: dict[str, Tensor] = {}

    def take(self, quality: Evaluation | None) -> None:
        """An epoch has ended, with this quality."""
        if self.patience is None:
            return
        if quality.mrr[20] > self.mrr:
            self.mrr, self.worse, self.weights = quality.mrr[20], 0, _copied(self._model)
        else:
            self.worse += 1

    @property
    def is_past(self) -> bool:
        """Whether the best epoch lies `patience` epochs back."""
        return self.patience is not None and self.worse >= self.patience

    def restore(self) -> None:
        """Go back to the best epoch, if there was one."""
        if self.weights:
            self._model.network.load_state_dict(self.weights)


def _copied(model: Recommender) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.network.state_dict().items()}
