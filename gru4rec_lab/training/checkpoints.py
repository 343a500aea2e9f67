"""Checkpoints: a model file with all that its training needs to go on, bit for bit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..arguments import whole
from ..data.sessions import Sessions
from ..device import choose_device
from ..recommender import load_model
from ..storage import fingerprint, model_path, read_model, remove_unfinished, write_model
from .controls import ControlChanged, Controls, Settings
from .run import Run


@dataclass(frozen=True)
class Checkpoints:
    """Where a training writes its checkpoints, each in place of the last one.

    Attributes:
        path: the file.
        every: steps between two; they are written at the ends of epochs too.
        data, validation: fingerprints of the sessions.
    """

    path: Path
    every: int | None
    data: str
    validation: str | None

    @classmethod
    def begun(
        cls, path: str | Path, every: int | None, sessions: Sessions, validation: Sessions | None
    ) -> "Checkpoints":
        """Those of a new training.

        Raises:
            ValueError: `every` is below 1.
            FileExistsError: there is a file already.
        """
        path = model_path(path)
        if every is not None:
            every = whole("checkpoint_every", every)
        if path.exists():
            raise FileExistsError(
                f"there is a file {path}: resume(path, sessions) goes on from a checkpoint; "
                f"to begin anew, delete the file or name another"
            )
        later = None if validation is None else print_of(validation)
        return cls(path, every, print_of(sessions), later)

    def due(self, step: int, ends_epoch: bool) -> bool:
        """Whether to write one after this step."""
        return ends_epoch or (self.every is not None and step % self.every == 0)

    def write(self, run: Run, controls: Controls) -> None:
        """Write one now.

        Raises:
            NonFiniteLoss: the loss was not finite at a step before; nothing is written.
        """
        run.check()
        tensors, facts = run.model.contents()
        state, of_run = run.state()
        changes = [[each.step, each.name, each.old, each.new] for each in controls.replay]
        asked = {"settings": vars(controls.settings), "replay": changes}
        own = {"every": self.every, "data": self.data, "validation": self.validation}
        facts |= {"run": of_run, "controls": asked, "checkpoints": own}
        write_model(self.path, tensors | state, facts)


def print_of(sessions: Sessions) -> str:
    """A fingerprint of the clicks that a training sees: items by number, and their sessions."""
    arrays = {"items": sessions.items, "offsets": sessions.offsets}
    return fingerprint(
        (f"{name}{array.shape}", np.asarray(array, dtype="<i8", order="C"))
        for name, array in arrays.items()
    )


@dataclass(frozen=True)
class Kept:
    """What a checkpoint says, checked.

    Attributes:
        run: a run of the same model; `Run.restore` gives it the `state`, after its step is chosen.
        controls: as they were.
        sessions: those given, over the model's items.
        checkpoints: where the run goes on writing.
        state: tensors and facts.
    """

    run: Run
    controls: Controls
    sessions: Sessions
    checkpoints: Checkpoints
    state: tuple[dict[str, Tensor], dict[str, Any]]


def read_checkpoint(
    path: str | Path, sessions: Sessions, validation: Sessions | None, n_epochs: int | None
) -> Kept:
    """The run in a checkpoint, for the sessions it was on; with another `n_epochs`, if given.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a damaged file or no checkpoint, other sessions, or a device or step that is
            not here.
    """
    path = model_path(path)
    tensors, facts = read_model(path)
    if "run" not in facts:
        raise ValueError(
            f"{path} is a model without the state of its training; checkpoints are what fit(..., "
            f"checkpoint=path) writes; load_model(path).continue_training(sessions) trains it anew"
        )
    state, checkpoints = facts["run"], Checkpoints(path, **facts["checkpoints"])
    model, patience = load_model(path, device=_here(state["device"])), state["best"]["patience"]
    sessions = sessions.with_items(model.item_ids)
    _check("sessions", sessions, checkpoints.data)
    if patience is not None:
        _check("validation sessions", validation, checkpoints.validation)
    changes = {} if n_epochs is None else {"n_epochs": n_epochs}
    model.config = model.config.with_changes(**changes)  # checks that its loss is here
    run = Run(model, model.device, patience=patience, step=state["step"])
    asked = facts["controls"]
    replay = [ControlChanged(*change) for change in asked["replay"]]
    controls = Controls(Settings(**asked["settings"]), replay=replay)
    remove_unfinished(path)
    return Kept(run, controls, sessions, checkpoints, (tensors, state))


def _check(which: str, sessions: Sessions | None, expected: str) -> None:
    if sessions is None or print_of(sessions) != expected:
        raise ValueError(
            f"the checkpoint was trained on other {which} than {sessions!r}: give the same ones; "
            f"load_model(path).continue_training(sessions) goes on with others"
        )


def _here(device: str) -> str:
    try:
        return str(choose_device(device))
    except ValueError as error:
        raise ValueError(
            f"the checkpoint was trained on {device!r}: {error}; "
            f"load_model(path).continue_training(sessions) goes on elsewhere"
        ) from None
