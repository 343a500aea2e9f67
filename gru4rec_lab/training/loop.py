"""Training as a generator of events: to pause, do not ask for the next one; to stop, close it."""

from collections.abc import Iterator
from time import perf_counter

import torch

from ..batches import Batch, Schedule, session_parallel
from ..config import Config
from ..data.sessions import Sessions
from ..device import choose_device, generator
from ..evaluation import evaluate
from ..recommender import Recommender, check_ids, network_of
from ..sampling import NegativeSampler
from .choice import check_step, choose_step
from .controls import Controls, Settings
from .events import EpochDone, Event, Finished, Report, Started, StepDone
from .step import Step, TrainingStep


class NonFiniteLoss(ArithmeticError):  # noqa: N818
    """The loss is no longer a number; the model has the weights of the last good epoch."""


def train(
    config: Config,
    sessions: Sessions,
    *,
    controls: Controls | None = None,
    validation: Sessions | None = None,
) -> Iterator[Event]:
    """Events of a training: `Started`, a `StepDone` at the end of each step, reports, `Finished`.

    `controls` may be changed from any thread between two steps. With `validation` sessions each
    epoch ends with an evaluation. The same config, sessions and changes give the same run, bit for
    bit on one torch thread or on one GPU, with the same versions of all packages.

    Raises:
        ValueError: no sessions, sessions of fewer than two clicks, item ids that a model could not
            be saved with, or a step that cannot run.
        NonFiniteLoss: from the generator, when the loss stops being finite.
    """
    device = choose_device(config.device)
    check_ids(sessions.item_ids)
    schedule = session_parallel(sessions, config.batch_size, device)
    return _events(
        _Run(config, sessions, device), schedule, controls or Controls.of(config), validation
    )


def _events(
    run: "_Run", schedule: Schedule, controls: Controls, validation: Sessions | None
) -> Iterator[Event]:
    config, n_steps, step, epoch = run.config, len(schedule), 0, 0
    # Here and not before: the import of numba must not hold up whoever asks for a run.
    run.choose_step()
    yield Started(run.model, n_steps, str(run.device), run.step.name, run.settings)
    for epoch in range(1, config.n_epochs + 1):
        run.begin_epoch()
        for step, batch in enumerate(schedule, (epoch - 1) * n_steps + 1):
            run.settings, changes = controls.before_step(step, run.settings)
            yield from changes
            run.train_on(batch, step)
            ends_epoch = step == epoch * n_steps
            if ends_epoch or step % config.report_every == 0:
                yield run.report(step, epoch)
            if ends_epoch:
                run.keep_weights()
                quality = evaluate(run.model, validation) if validation is not None else None
                yield EpochDone(step, epoch, run.tally.epoch_loss, quality)
            yield StepDone(step, epoch)
    yield Finished(step, epoch)


class _Run:
    """All that changes while a model trains.

    Attributes:
        model, step: what is trained, and what trains it.
        settings: those of the last step; before the first those of the config.
        tally: the losses of this epoch.
    """

    def __init__(self, config: Config, sessions: Sessions, device: torch.device):
        network = network_of(config, sessions.n_items, generator(config.seed, "weights")).to(device)
        self.config, self.device, self.settings = config, device, Settings.of(config)
        self.model = Recommender(network, sessions.item_ids, config)
        self._support = torch.from_numpy(sessions.support)
        self.step: TrainingStep = Step(
            network,
            self._support,
            batch_size=config.batch_size,
            dropout_p_embed=config.dropout_p_embed,
            dropout_p_hidden=config.dropout_p_hidden,
            shape_scores=config.shape_scores,
            logq_mode=config.logq_mode,
            mask_collisions=config.collisions == "mask",
            generator=generator(config.seed, "dropout", device),
        )
        check_step(config.step, self.step, self.settings)
        self._trained_from: list[tuple[int, Settings]] = []
        self.keep_weights()

    def choose_step(self) -> None:
        """Take the step that the config asks for, and negatives that suit it."""
        config, device = self.config, self.device
        self.step = choose_step(config.step, self.step, self.settings)
        draws_on = device if device.type == "cuda" else "cpu"
        self._negatives = NegativeSampler(
            self._support,
            sampler=config.sampler,
            collisions=config.collisions,
            generator=generator(config.seed, "negatives", draws_on),
            device=device,
            search=self.step.search,
        )

    def begin_epoch(self) -> None:
        """Forget the hidden states and the losses."""
        self.step.begin_epoch()
        self.tally = Tally(self.config.batch_size)

    def train_on(self, batch: Batch, number: int) -> None:
        """Take step `number` with the settings in force."""
        if not self._trained_from or self._trained_from[-1][1] is not self.settings:
            self._trained_from.append((number, self.settings))
        began, settings, negatives = perf_counter(), self.settings, self._negatives
        if negatives.sample_alpha != settings.sample_alpha:
            weight = negatives.set_sample_alpha(settings.sample_alpha)
            self.step.set_sampling_weight(weight, settings.sample_alpha)
        extra = negatives.pick(batch, settings.n_sample, self.step.scores_of)
        self.tally.add(self.step(batch, extra, settings), len(batch), perf_counter() - began)

    def report(self, number: int, epoch: int) -> Report:
        """What was added since the last report; the only place that waits for the device.

        Raises:
            NonFiniteLoss: the loss of a step since the last report is not finite.
        """
        began = perf_counter()
        if not self.step.finite.item():
            self.model.network.load_state_dict(self._weights)
            raise NonFiniteLoss(self._failure(self.step.n_finite.item() + 1, epoch))
        return self.tally.report(number, epoch, began, self.settings)

    def _failure(self, number: int, epoch: int) -> str:
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
            f"the model is back at the end of epoch {epoch - 1}; "
            f"try a smaller learning_rate or momentum"
        )

    def keep_weights(self) -> None:
        """Keep a copy of the weights to go back to when the loss fails."""
        state = self.model.network.state_dict()
        self._weights = {name: value.clone() for name, value in state.items()}


class Tally:
    """Sums over the steps of an epoch, kept on the device until a report reads them."""

    def __init__(self, batch_size: int):
        self._batch_size = batch_size
        self._epoch_total, self._epoch_clicks = 0.0, 0
        self._clear()

    def _clear(self) -> None:
        self._losses: torch.Tensor | float = 0.0
        self.clicks, self._seconds = 0, 0.0

    def add(self, loss: torch.Tensor | float, clicks: int, seconds: float) -> None:
        """Take in a step: its loss (sum of its rows over `batch_size`), targets and seconds."""
        if isinstance(loss, torch.Tensor):
            # MPS has no float64.
            loss = loss.cpu().double() if loss.device.type == "mps" else loss.double()
        self._losses += loss
        self.clicks += clicks
        self._seconds += seconds

    def report(self, number: int, epoch: int, began: float, settings: Settings) -> Report:
        """What was added since the last report; `began` is when reading the device began."""
        # A step's loss is its sum over `batch_size`, also where fewer rows are left.
        total = float(self._losses) * self._batch_size
        seconds = self._seconds + perf_counter() - began
        made = Report(number, epoch, total / self.clicks, self.clicks, seconds, settings)
        self._epoch_total += total
        self._epoch_clicks += self.clicks
        self._clear()
        return made

    @property
    def epoch_loss(self) -> float:
        """Mean loss of a target over all reports."""
        return self._epoch_total / max(self._epoch_clicks, 1)


def fit(
    config: Config,
    sessions: Sessions,
    *,
    validation: Sessions | None = None,
    patience: int | None = None,
    progress: bool = True,
) -> Recommender:
    """Train to the end and return the model, with a progress bar; Ctrl-C keeps the model so far.

    With `patience`, training ends after that many epochs without a better MRR@20 on the
    `validation` sessions, and the model has the weights of the best epoch.

    Raises:
        ValueError: no sessions, sessions of fewer than two clicks, or `patience` without
            `validation`.
        NonFiniteLoss: the loss stopped being finite.
    """
    from tqdm.auto import tqdm

    if patience is not None and (validation is None or patience < 1):
        raise ValueError(f"patience={patience} needs validation= sessions and must be at least 1")
    events = train(config, sessions, validation=validation)
    started = next(events)
    best = _Best(started.model, patience)
    total = started.n_steps * config.n_epochs
    with tqdm(total=total, unit="step", leave=False, disable=not progress) as bar:
        try:
            for event in events:
                if isinstance(event, StepDone):
                    bar.update()
                elif isinstance(event, Report):
                    bar.set_postfix_str(
                        f"epoch {event.epoch}, loss {event.loss:.4f}", refresh=False
                    )
                elif isinstance(event, EpochDone) and best.is_past(event):
                    break
        except KeyboardInterrupt:
            events.close()
    best.restore()
    return started.model


class _Best:
    """The weights of the epoch with the best MRR@20; nothing without patience."""

    def __init__(self, model: Recommender, patience: int | None):
        self._network, self._patience = model.network, patience
        self._mrr, self._weights, self._worse = -1.0, None, 0

    def is_past(self, end: EpochDone) -> bool:
        """Whether the best epoch lies `patience` epochs back."""
        if self._patience is None:
            return False
        if end.evaluation.mrr[20] > self._mrr:
            self._mrr, self._worse = end.evaluation.mrr[20], 0
            state = self._network.state_dict()
            self._weights = {name: value.clone() for name, value in state.items()}
        else:
            self._worse += 1
        return self._worse >= self._patience

    def restore(self) -> None:
        """Go back to the best epoch, if one was kept."""
        if self._weights is not None:
            self._network.load_state_dict(self._weights)
