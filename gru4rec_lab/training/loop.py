"""Training as a generator of events: to pause, do not ask for the next one; to stop, close it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..arguments import check_kind, whole
from ..batches import Schedule, session_parallel
from ..config import Config
from ..data.sessions import MAKE_THEM, Sessions
from ..device import choose_device
from ..evaluation import evaluate
from ..recommender import Recommender, check_ids
from .checkpoints import Checkpoints, read_checkpoint
from .controls import Controls
from .events import EpochDone, Event, Finished, Report, Started, StepDone
from .grow import grown, new_model
from .run import Run


def train(
    config: Config,
    sessions: Sessions,
    *,
    start: Recommender | None = None,
    controls: Controls | None = None,
    validation: Sessions | None = None,
    patience: int | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | None = None,
) -> Iterator[Event]:
    """Events of a training: `Started`, a `StepDone` at the end of each step, reports, `Finished`.

    It begins with a new model, or with a copy of `start` as `Recommender.continue_training` does.
    `controls` may be changed from any thread between two steps. With `validation` sessions each
    epoch ends with an evaluation; `patience` is as in `fit`. A `checkpoint` is written at the
    start, at the end of each epoch, and every `checkpoint_every` steps: `resume` and `train_from`
    go on from it. The same config, sessions and changes give the same run, bit for bit on one torch
    thread or on one GPU, with the same versions of all packages.

    Raises:
        ValueError: an argument of another kind, no sessions, sessions of fewer than two clicks,
            item ids that a model could not be saved with, a step that cannot run, or what else does
            not fit together.
        FileExistsError: there is a file at `checkpoint`.
        NonFiniteLoss: from the generator, when the loss stops being finite.
    """
    check_kind(Config, "the order is (config, sessions)", config=config)
    check_kind(Recommender | None, "load_model(path) gives one", start=start)
    _check(sessions, validation, controls)
    if patience is not None and whole("patience", patience) and validation is None:
        raise ValueError(f"patience={patience} needs validation= sessions, to see what is better")
    if checkpoint is None and checkpoint_every is not None:
        raise ValueError(f"checkpoint_every={checkpoint_every} needs checkpoint=, a path")
    device = choose_device(config.device)
    check_ids(sessions.item_ids)
    if start is not None:
        model, sessions = grown(start, config, sessions)
    schedule = session_parallel(sessions, config.batch_size, device)
    if start is None:
        model = new_model(config, sessions)
    if validation is not None and not validation.with_targets(model.item_ids).n_sessions:
        raise ValueError(
            "no validation session has two clicks on items that are trained on; give others as "
            "validation="
        )
    run, checkpoints = Run(model, device, patience=patience), None
    if checkpoint is not None:
        checkpoints = Checkpoints.begun(checkpoint, checkpoint_every, sessions, validation)
    return _events(run, schedule, controls or Controls.of(config), validation, checkpoints)


def train_from(
    path: str | Path,
    sessions: Sessions,
    *,
    controls: Controls | None = None,
    validation: Sessions | None = None,
    n_epochs: int | None = None,
) -> Iterator[Event]:
    """The events after a checkpoint of `train` or `fit`, as they would have been without a stop.

    The run goes on to write checkpoints there. `controls` are those that it had; with others, given
    here, and with another `n_epochs`, it is another run from here on.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a damaged file or no checkpoint, other sessions, or a device or step that is
            not here.
        NonFiniteLoss: from the generator, when the loss stops being finite.
    """
    _check(sessions, validation, controls)
    kept = read_checkpoint(path, sessions, validation, n_epochs)
    schedule = session_parallel(kept.sessions, kept.run.model.config.batch_size, kept.run.device)
    controls = controls or kept.controls
    return _events(kept.run, schedule, controls, validation, kept.checkpoints, kept.state)


def _check(sessions: Sessions, validation: Sessions | None, controls: Controls | None) -> None:
    check_kind(Sessions, MAKE_THEM, sessions=sessions)
    check_kind(Sessions | None, MAKE_THEM, validation=validation)
    check_kind(Controls | None, "Controls.of(config) makes some", controls=controls)


def _events(
    run: Run,
    schedule: Schedule,
    controls: Controls,
    validation: Sessions | None,
    checkpoints: Checkpoints | None,
    state: tuple | None = None,
) -> Iterator[Event]:
    model, n_steps = run.model, len(schedule)
    # Here and not before: the import of numba must not hold up whoever asks for a run.
    run.choose_step()
    if state is not None:
        run.restore(*state)
    elif checkpoints is not None:
        checkpoints.write(run, controls)
    yield Started(model, n_steps, str(run.device), run.step.name, run.settings, run.n_done)
    try:
        for epoch in range(run.n_done // n_steps + 1, model.config.n_epochs + 1):
            if run.best.is_past:
                break
            done = run.n_done % n_steps
            if not done:
                run.begin_epoch()
            for step, batch in enumerate(islice(schedule, done, None), run.n_done + 1):
                run.settings, changes = controls.before_step(step, run.settings)
                yield from changes
                run.train_on(batch, step)
                ends_epoch = step == epoch * n_steps
                if ends_epoch or step % model.config.report_every == 0:
                    yield run.report(epoch)
                if ends_epoch:
                    run.keep_weights(f"the end of epoch {epoch}")
                    quality = evaluate(model, validation) if validation is not None else None
                    run.best.take(quality)
                    yield EpochDone(step, epoch, run.tally.epoch_loss, quality)
                if checkpoints is not None and checkpoints.due(step, ends_epoch):
                    checkpoints.write(run, controls)
                    run.keep_weights(f"step {step}")
                yield StepDone(step, epoch)
    except (GeneratorExit, KeyboardInterrupt):
        run.best.restore()
        raise
    run.best.restore()
    yield Finished(run.n_done, run.n_done // n_steps)


def fit(
    config: Config,
    sessions: Sessions,
    *,
    start: Recommender | None = None,
    validation: Sessions | None = None,
    patience: int | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | None = None,
    progress: bool = True,
) -> Recommender:
    """Train to the end and return the model, with a progress bar; Ctrl-C keeps the model so far.

    With `patience`, training ends after that many epochs without a better MRR@20 on the
    `validation` sessions, and the model has the weights of the best epoch. The rest is as in
    `train`.

    Raises:
        ValueError: as `train`; or `patience` without `validation`.
        FileExistsError: there is a file at `checkpoint`.
        NonFiniteLoss: the loss stopped being finite.
    """
    events = train(
        config, sessions, start=start, validation=validation, patience=patience,
        checkpoint=checkpoint, checkpoint_every=checkpoint_every,
    )  # fmt: skip
    return _to_the_end(events, progress)


def resume(
    path: str | Path,
    sessions: Sessions,
    *,
    validation: Sessions | None = None,
    n_epochs: int | None = None,
    progress: bool = True,
) -> Recommender:
    """Go on with a training from its checkpoint to the end; its model, as if it had not stopped.

    It is the same bit for bit where `train` is. `sessions` are those it was on, the `validation`
    sessions too if it had `patience`; settings and changes come from the file. Another `n_epochs`
    makes it longer. `load_model(path)` is the model as it was.

    Raises:
        FileNotFoundError: no such file.
        ValueError: as `train_from`.
        NonFiniteLoss: the loss stopped being finite.
    """
    events = train_from(path, sessions, validation=validation, n_epochs=n_epochs)
    return _to_the_end(events, progress)


def _to_the_end(events: Iterator[Event], progress: bool) -> Recommender:
    from tqdm.auto import tqdm

    started = next(events)
    model, total = started.model, started.n_steps * started.model.config.n_epochs
    with tqdm(
        total=total, initial=started.n_done, unit="step", leave=False, disable=not progress
    ) as bar:
        try:
            for event in events:
                if isinstance(event, StepDone):
                    bar.update()
                elif isinstance(event, Report):
                    bar.set_postfix_str(
                        f"epoch {event.epoch}, loss {event.loss:.4f}", refresh=False
                    )
        except KeyboardInterrupt:
            events.close()
    return model
