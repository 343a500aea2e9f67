"""Training as a generator of events: to pause, do not ask for the next one; to stop, close it."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import torch

from ..batches import Batch, Schedule, session_parallel
from ..config import Config
from ..data.sessions import Sessions
from ..device import choose_device, generator
from ..evaluation import evaluate
from ..recommend import Recommender, network_of
from ..sampling import POOL, WEIGHTS, Sampler, first_without, hardest
from .controls import ControlChanged, Controls, Settings
from .events import EpochDone, Event, Finished, Observed, Report, Started, StepDone, Tally
from .numba_step.choice import check_step, choose_step
from .step import Step


class NonFiniteLoss(ArithmeticError):  # noqa: N818
    """The loss is no longer a number; the model has the weights of the last good epoch."""


def train(
    config: Config,
    sessions: Sessions,
    *,
    controls: Controls | None = None,
    validation: Sessions | None = None,
) -> Iterator[Event]:
    """Events of a training: `Started`, a `StepDone` a step, reports between them, `Finished`.

    `controls` may be changed from any thread between two steps. With `validation` sessions each
    epoch ends with an evaluation. The same config, sessions and changes give the same run, bit for
    bit on one torch thread.

    Raises:
        ValueError: no sessions, sessions of fewer than two clicks, or a step that cannot run.
        NonFiniteLoss: from the generator, when the loss stops being finite.
    """
    device = choose_device(config.device)
    schedule = session_parallel(sessions, config.batch_size, device)
    run = _Run(config, sessions, schedule, device)
    return run.events(controls or Controls.of(config), validation)


class _Run:
    def __init__(self, config: Config, sessions: Sessions, schedule: Schedule, device):
        network = network_of(config, sessions.n_items, generator(config.seed, "weights")).to(device)
        support = torch.from_numpy(sessions.support)
        self._step = Step(
            network,
            support,
            batch_size=config.batch_size,
            dropout_p_embed=config.dropout_p_embed,
            dropout_p_hidden=config.dropout_p_hidden,
            shape_scores=config.shape_scores,
            logq_mode=config.logq_mode,
            mask_collisions=config.collisions == "mask",
            generator=generator(config.seed, "dropout", device),
        )
        check_step(config.step, self._step, Settings.of(config))
        self.model = Recommender(network, sessions.item_ids, config)
        self._config, self._schedule, self._device = config, schedule, device
        self._support = support
        draws_on = device if device.type == "cuda" else "cpu"
        self._draws = generator(config.seed, "negatives", draws_on)
        self._sampler: Sampler | None = None
        self._alpha = -1.0
        self._keep_copy()

    def events(self, controls: Controls, validation: Sessions | None) -> Iterator[Event]:
        settings, number, epoch = Settings.of(self._config), 0, 0
        # Here and not before: the import of numba must not hold up whoever asks for a run.
        self._step = choose_step(self._config.step, self._step, settings)
        yield Started(self.model, len(self._schedule), str(self._device), self._step.name)
        for epoch in range(1, self._config.n_epochs + 1):
            self._step.begin_epoch()
            tally = Tally(self._config.batch_size)
            for batch in self._schedule:
                settings, changes = controls.before_step(number + 1, settings)
                yield from changes
                number += 1
                began = perf_counter()
                loss = self._step(batch, self._negatives(batch, settings), settings)
                tally.add(loss, len(batch), perf_counter() - began)
                yield StepDone(number, epoch)
                if number % self._config.report_every == 0:
                    yield self._report(tally, number, epoch, settings)
            if tally.clicks:
                yield self._report(tally, number, epoch, settings)
            self._keep_copy()
            result = evaluate(self.model, validation) if validation is not None else None
            yield EpochDone(number, epoch, tally.epoch_loss, result)
        yield Finished(number, epoch)

    def _negatives(self, batch: Batch, settings: Settings) -> torch.Tensor:
        if self._sampler is None or self._alpha != settings.sample_alpha:
            self._alpha = settings.sample_alpha
            weight = WEIGHTS[self._config.sampler](self._support, self._alpha)
            how = {"generator": self._draws, "device": self._device}
            self._sampler = Sampler(weight, **how, search=self._step.search)
            self._step.set_sampling_weight(weight, self._alpha)
        if self._config.sampler == "hard" and settings.n_sample:
            pool = self._sampler.draw(POOL * settings.n_sample)
            scores = self._step.scores_of(batch, pool)
            return hardest(pool, scores, batch.targets, settings.n_sample)
        if self._config.collisions == "resample":
            pool = self._sampler.draw(POOL * settings.n_sample)
            return first_without(pool, batch.targets, settings.n_sample)
        return self._sampler.draw(settings.n_sample)

    def _report(self, tally: "Tally", number: int, epoch: int, settings: Settings) -> Report:
        began = perf_counter()
        if not self._step.finite.item():
            bad = self._step.n_finite.item() + 1
            self.model.network.load_state_dict(self._copy)
            raise NonFiniteLoss(
                f"the {settings.loss} loss is not finite at step {bad} with learning_rate "
                f"{settings.learning_rate:g}; the model is back at the end of epoch {epoch - 1}; "
                f"try a smaller learning_rate or momentum"
            )
        return tally.report(number, epoch, began)

    def _keep_copy(self) -> None:
        state = self.model.network.state_dict()
        self._copy = {name: value.clone() for name, value in state.items()}


def observed(
    events: Iterator[Event], every: int, observe: Callable[[Recommender], Any]
) -> Iterator[Event]:
    """The events, and what `observe(model)` gives now and then.

    That is at the start, after every `every` steps, after the first step with a changed control,
    and at the ends of epochs.
    """
    model, step, epoch, changed = None, 0, 1, False
    for event in events:
        yield event
        due = isinstance(event, Started | EpochDone)
        if isinstance(event, Started):
            model = event.model
        elif isinstance(event, ControlChanged):
            changed = True
        elif isinstance(event, StepDone):
            step, epoch = event.step, event.epoch
            due, changed = changed or step % every == 0, False
        if due:
            yield Observed(step, epoch, observe(model))


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
