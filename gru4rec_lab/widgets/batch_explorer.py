"""`BatchExplorer`: step through session-parallel mini-batches and see what the loss sees."""

import ipywidgets as widgets
import numpy as np
import torch

from ..data.sessions import Sessions
from ..diagnostics.steps import Replay, StepView
from ..plots.batches import BEFORE, MOST_EXTRA, MOST_ROWS, N_STEPS, batch_picture, batch_shown
from ..recommender import Recommender
from .controls import Updating, labelled, marked, set_value
from .markup import bold
from .panel import PicturePanel


class BatchExplorer(PicturePanel):
    """Sessions side by side around one step, and the score matrix of that step; no training.

    The rows hold the first `n_sessions` of `sessions`; extra samples are drawn by the support of
    all of them, and a step keeps its samples when more are asked for.

    Attributes:
        session: slider of the session to follow; moving it goes to the step where it starts.
        batch_size: slider of the sessions side by side (1 to 8).
        step: slider of the step.
        n_sample: slider of the extra samples (0 to 24).
        next_copy: button that goes to the next step where a negative is the row's own target.
        view: the step as the loss sees it.
        numbers: what the words say: `step`, `rows`, `columns`, `negatives` (of each row), `copies`
            ((row, column) of each), and of the followed session, where it takes part in the step,
            `row`, `input`, `target`, `carry` and `rank` (columns that score above the target).

    Raises:
        ValueError: a batch size or extra samples beyond the sliders.
    """

    def __init__(
        self,
        model: Recommender,
        sessions: Sessions,
        *,
        n_sessions: int = 30,
        batch_size: int = 4,
        n_sample: int = 8,
        key: str = "BatchExplorer",
    ):
        super().__init__(key)
        self._model, self._support = model, torch.as_tensor(sessions.support)
        self._sessions = sessions.take(np.arange(sessions.n_sessions) < n_sessions)
        self._updating = Updating()
        self.view: StepView
        self.numbers: dict = {}
        self._make_controls(batch_size, n_sample)
        self.words = marked(widgets.HTML(), "g4r-words")
        self._regroup()
        self.update()
        columns = [[self.session, self.batch_size], [self.step, self.n_sample, self.next_copy]]
        layout = widgets.Layout(flex_flow="row wrap")
        controls = widgets.HBox([widgets.VBox(column) for column in columns], layout=layout)
        self.reveal([controls, self.error_box, self.picture, self.words])

    def _make_controls(self, batch_size: int, n_sample: int) -> None:
        self.session = labelled(
            widgets.IntSlider, "follow session", max=self._sessions.n_sessions - 1,
            css="g4r-session",
            tooltip="number of the session to follow, from 0; goes to the step where it starts",
        )  # fmt: skip
        most_rows = min(MOST_ROWS, self._sessions.n_sessions)
        self.batch_size = labelled(
            widgets.IntSlider, "batch size (sessions)", value=1, min=1, max=most_rows,
            css="g4r-batch-size", tooltip="sessions side by side; there is a row for each",
        )  # fmt: skip
        self.step = labelled(
            widgets.IntSlider, "step", max=1, css="g4r-step",
            tooltip="number of the step, from 0; each row clicks once",
        )  # fmt: skip
        self.n_sample = labelled(
            widgets.IntSlider, "extra samples (items)", max=MOST_EXTRA,
            css="g4r-n-sample",
            tooltip="n_sample: negatives drawn for all rows, besides the other targets",
        )  # fmt: skip
        self.next_copy = widgets.Button(
            description="Next copy",
            tooltip="go to the next step where a negative is the row's own target",
        )
        marked(self.next_copy, "g4r-next-copy")
        set_value(self.batch_size, "batch_size", min(batch_size, self._sessions.n_sessions))
        set_value(self.n_sample, "n_sample", n_sample)
        for control in (self.session, self.batch_size, self.step, self.n_sample):
            control.observe(self.guarded(self._changed), "value")
        self.next_copy.on_click(self.guarded(self._go_to_next_copy))

    def _changed(self, change: dict) -> None:
        if self._updating:
            return
        if change["owner"] is self.batch_size:
            self._regroup()
        elif change["owner"] is self.session:
            self._go_to(self._replay.first_step(self.session.value))
        self.update()

    def _regroup(self) -> None:
        self._replay = Replay(
            self._model,
            self._sessions,
            self.batch_size.value,
            support=self._support,
            most_extra=MOST_EXTRA,
        )
        self._go_to(self._replay.first_step(self.session.value))

    def _go_to(self, step: int) -> None:
        with self._updating:
            self.step.max = len(self._replay) - 1
            self.step.value = step

    def _go_to_next_copy(self, _button: widgets.Button) -> None:
        count = len(self._replay)
        following = [(self.step.value + ahead) % count for ahead in range(1, count + 1)]
        found = (s for s in following if self._replay.view(s, self.n_sample.value).copies)
        if (step := next(found, None)) is None:
            raise ValueError("no step has a copy; raise the extra samples or the batch size")
        self.step.value = step

    def update(self) -> None:
        """Compute the numbers for the controls as they are, and draw them."""
        with self.lock:
            step, names, followed = self.step.value, self._sessions.item_ids, self.session.value
            view = self.view = self._replay.view(step, self.n_sample.value)
            self.numbers = _numbers_of(view, names, followed)
            window = self._replay.window(max(0, step - BEFORE), N_STEPS)
            picture = batch_picture(window, view, followed=followed)
            self.picture.show(picture, batch_shown(window, view, names, followed=followed))
            self.words.value = _words(self.numbers, followed, len(self._replay))


def _numbers_of(view: StepView, names: np.ndarray, followed: int) -> dict:
    n_rows, n_columns = view.scores.shape
    numbers = {
        "step": view.step,
        "rows": n_rows,
        "columns": n_columns,
        "negatives": n_columns - 1,
        "copies": view.copies,
    }
    for row in np.flatnonzero(view.session == followed).tolist():
        inputs, targets = (names[part[row]] for part in (view.batch.inputs, view.batch.targets))
        carry, rank = view.batch.carry[row].item(), view.ranks[row].item()
        numbers |= {"row": row, "input": str(inputs), "target": str(targets)}
        numbers |= {"carry": carry, "rank": rank}
    return numbers


def _words(numbers: dict, followed: int, n_steps: int) -> str:
    rows, columns, negatives = (numbers[name] for name in ("rows", "columns", "negatives"))
    sizes = (
        f"Step {numbers['step']} of 0 to {n_steps - 1}: <b>{rows} &times; {columns}</b> scores, "
        f"{rows} + {columns - rows} columns. Each row has 1 target and {rows - 1} + "
        f"{columns - rows} = <b>{negatives}</b> negatives."
    )
    place = f"Session {followed} takes no part in this step."
    if "row" in numbers:
        carry = numbers["carry"]
        state = f"goes on from row {carry}" if carry >= 0 else "is zero: it starts here"
        place = (
            f"Session {followed} is in row <b>{numbers['row']}</b>, its state {state} (carry "
            f"{carry}). It has clicked {bold(numbers['input'])}; the target is "
            f"{bold(numbers['target'])}, with {numbers['rank']} of the {negatives} negatives "
            "above it."
        )
    copies = ", ".join(f"row {row}, column {column}" for row, column in numbers["copies"])
    return f"{sizes}<br>{place}<br>Copies of a row's own target: {copies or 'none'}."
