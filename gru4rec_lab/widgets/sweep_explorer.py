"""`SweepExplorer`: choose a grid of trainings, see what it costs, and watch its points appear."""

import html
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..config import Config
from ..data import list_datasets
from ..data.lab_split import load_split
from ..data.sessions import Sessions
from ..environment import usable_cores
from ..losses import LOSSES
from ..plots.picture import Picture, Shown
from ..plots.sweep_panes import METRICS, alpha_map, by_n_sample, history_part, in_words, picture_of
from ..sweeps.live import LiveSweep
from ..sweeps.store import Results, load_sweep
from ..sweeps.trials import Trials, grid
from .controls import Field, Fold, Updating, labelled, marked, toggle_buttons
from .markup import html_table
from .panel import Drawer, PicturePanel
from .save_box import SaveBox, write_numbers

if TYPE_CHECKING:
    import pandas as pd

OWN = "as given"
LISTS: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "n_sample": ("extra negatives", int, "n_sample: extra negatives, commas between them"),
    "sample_alpha": ("sample_alpha", float, "negatives are drawn with popularity^alpha"),
    "seed": ("seeds", int, "one training a seed: bars show how far they lie apart"),
}
BOXES = [(0, 0, 0.5, 0.52), (0.5, 0, 1, 0.52), *((x / 3, 0.52, (x + 1) / 3, 1) for x in range(3))]
NOTHING = Picture(0, {}, {}), Shown({}, "No trial has ended yet.")


class SweepExplorer(PicturePanel):
    """A grid of trainings over losses, extra negatives, alpha and seeds, on the cores at hand.

    Without sessions it trains on a named data set, split as in the lessons. What has ended is
    drawn at once: Recall@20, MRR@20 and seconds against `n_sample`, a map over `sample_alpha`, and
    the history of the trial that was clicked. With a store, a folder, a sweep that was ended goes
    on where it was, and *Load* shows what is in the folder.

    Attributes:
        data, losses, n_sample, sample_alpha, seed, epochs, workers, store: the grid and how it
            runs; lists are text with commas.
        metric, map_loss, alpha: what the map shows, and the alpha of the lines.
        trial: the trial whose history is drawn.
        buttons: "start", "cancel", "load" to the button.
        sweep: what runs in the background.
        results: what has ended so far, or what was loaded.
        estimate: words on how long the grid takes.
    """

    # On the class, as close() asks for it also of a panel whose making failed.
    _drawer: Drawer | None = None

    def __init__(
        self,
        train_set: Sessions | None = None,
        test_set: Sessions | None = None,
        config: Config | None = None,
        *,
        store: str | Path = "",
        key: str = "SweepExplorer",
    ):
        super().__init__(key)
        self._given = train_set, test_set
        self._config = config or Config.preset("lab")
        self._loaded: Results | None = None
        self._trials_of: dict[str, list[int]] = {}
        self._updating = Updating()
        self.sweep = LiveSweep(lambda: self._drawer.wake())
        self._drawer = Drawer(self.update, lambda: self.sweep.wait(timeout=0), self.show_error)
        self._make_controls(str(store))
        writers = {name: getattr(self, name) for name in ("save_picture", "save_numbers")}
        self.files = SaveBox("my_sweep", writers, self.guarded)
        self._connect()
        self._follow_grid()
        self.update()
        saving = Fold("Save", [self.files], css="g4r-saving")
        *above, view = self._rows()
        shown = [self.error_box, self.words, view, self.picture, self.failures, saving]
        self.reveal([*above, *shown])

    @property
    def state(self) -> str:
        """idle, running, cancelled, finished, or "failed: " and why."""
        return self.sweep.state

    @property
    def results(self) -> Results:
        """What has ended so far, or what was loaded."""
        return self.sweep.results if self._loaded is None else self._loaded

    def _make_controls(self, store: str) -> None:
        names = [each.name for each in list_datasets() if not each.command]  # those that are here
        names = [OWN] * (self._given[0] is not None) + names
        self.data = labelled(
            widgets.Dropdown, "data set", options=names,
            css="g4r-data", width="300px", tooltip="what is trained on, split as in the lessons",
        )  # fmt: skip
        self.losses = {
            name: marked(
                widgets.Checkbox(
                    value=name in ("bpr", "bpr-max"), description=name, indent=False,
                    tooltip=f"train with {name}", layout=widgets.Layout(width="auto"),
                ), f"g4r-loss-{name}",
            )
            for name in LOSSES
        }  # fmt: skip
        starts = {"n_sample": "0, 32, 512", "sample_alpha": "0.5", "seed": "0"}
        self._lists = {name: _text(name, starts[name]) for name in LISTS}
        self.n_sample, self.sample_alpha, self.seed = self._lists.values()
        self._fields = {name: Field(element, "280px") for name, element in self._lists.items()}
        self.epochs = labelled(
            widgets.BoundedIntText, "epochs", value=1, min=1, max=1000, css="g4r-epochs",
            width="220px", tooltip="passes over the training sessions, each trial",
        )  # fmt: skip
        cores = usable_cores()
        self.workers = labelled(
            widgets.BoundedIntText, "at a time", value=cores, min=1, max=4 * cores,
            css="g4r-workers", width="220px", tooltip="trials side by side, a process each",
        )  # fmt: skip
        self.store = labelled(
            widgets.Text, "store (folder)", value=store, continuous_update=False, css="g4r-store",
            width="430px", placeholder="empty: nothing is kept",
            tooltip="finished trials are kept here, and not run again",
        )  # fmt: skip
        tips = {
            "start": "train the trials that the store does not hold",
            "cancel": "end the trials under way; what has ended stays",
            "load": "show all trials in the store",
        }
        self.buttons = {
            name: marked(widgets.Button(description=name.capitalize(), tooltip=tip,
                                        layout=widgets.Layout(width="80px")), f"g4r-{name}")
            for name, tip in tips.items()
        }  # fmt: skip
        self.metric = toggle_buttons(
            "map of", {label: name for name, label in METRICS.items()},
            [f"the map shows {label}" for label in METRICS.values()],
            css="g4r-metric", widths=(60, 90, 360),
        )  # fmt: skip
        look = {"options": ["-"], "width": "auto"}
        self.map_loss = labelled(
            widgets.Dropdown, "map of loss", css="g4r-map-loss", tooltip="whose map", **look
        )
        self.alpha = labelled(
            widgets.Dropdown, "lines at alpha", css="g4r-line-alpha", **look,
            tooltip="the lines show the trials with this sample_alpha",
        )  # fmt: skip
        self.trial = labelled(
            widgets.Dropdown, "history of", css="g4r-trial", **look,
            tooltip="a click on a point of the picture chooses its trial",
        )  # fmt: skip
        self.state_label, self.estimate, self.words, self.failures = (
            marked(widgets.HTML(), f"g4r-{name}")
            for name in ("state", "estimate", "words", "failures")
        )

    def _rows(self) -> list[widgets.Widget]:
        """The controls from the top down; the last row says what is drawn."""
        rows = [
            [*self.buttons.values(), self.state_label, self.estimate],
            self.losses.values(),
            self._fields.values(),
            [self.data, self.epochs, self.workers, self.store],
            [self.metric, self.map_loss, self.alpha, self.trial],
        ]
        for element in (*self._lists.values(), *rows[3], *rows[4][1:]):
            element.style.description_width = "105px"
        wrapped = widgets.Layout(flex_flow="row wrap", grid_gap="2px 12px")
        return [widgets.HBox(list(row), layout=wrapped) for row in rows]

    def _connect(self) -> None:
        for name, button in self.buttons.items():
            act = getattr(self, name)
            button.on_click(self.guarded(lambda _button, act=act: act()))
        shape = [*self.losses.values(), *self._lists.values(), self.data, self.epochs, self.workers]
        for element in shape:
            element.observe(self.guarded(lambda _change: self._follow_grid()), "value")
        for element in (self.metric, self.map_loss, self.alpha, self.trial):
            element.observe(self.guarded(self._view_changed), "value")
        self.picture.observe(self.guarded(lambda _change: self._picked()), "picked")

    @property
    def trials(self) -> Trials:
        """The grid that the controls ask for.

        Raises:
            ValueError: no loss, or a value that no training can take.
        """
        losses = [name for name, box in self.losses.items() if box.value]
        if not losses:
            raise ValueError("no loss is ticked; tick at least one")
        asked = {name: self._values(name) for name in LISTS}
        return grid(self._config, loss=losses, **asked, n_epochs=self.epochs.value)

    def _values(self, name: str) -> list[Any]:
        label, kind, _ = LISTS[name]
        field, words = self._fields[name], self._lists[name].value.replace(",", " ").split()
        field.refuse("")
        try:
            values = [word if word == "all" else kind(word) for word in words]
            grid(self._config, **{name: values})
        except ValueError as error:
            field.refuse(f"{label}: {error}")
            raise ValueError(f"{label}: {error}") from None
        return values

    def start(self) -> None:
        """Train the trials that are not in the store, in the background; nothing while it runs.

        Raises:
            ValueError: a grid that cannot be trained.
        """
        if self.state == "running":
            return
        how: dict[str, Any] = {"store": self.store.value.strip() or None}
        if self.workers.value > 1:
            how |= {"backend": "loky", "n_jobs": self.workers.value}
        trials = self.trials
        self._drawer.stop(timeout=5.0)
        self._loaded = None
        self.sweep.start(trials, partial(self._sessions, self.data.value), **how)
        self._drawer.start()
        self.update()

    def cancel(self) -> None:
        """End the trials under way; what has ended stays, and is in the store if there is one."""
        self.sweep.cancel()
        self.update()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until nothing runs, for scripts and tests; whether that is so."""
        ended = self.sweep.wait(timeout)
        self.update()
        return ended

    def load(self) -> None:
        """Show all trials in the store that are of the same data as the last one.

        Raises:
            ValueError: a sweep is running.
            FileNotFoundError: no such folder, or nothing in it.
        """
        if self.state == "running":
            raise ValueError("a sweep is running; cancel it first")
        found = load_sweep(self.store.value.strip())
        rows = [row for row in found.rows if row["data"] == found.rows[-1]["data"]]
        self._loaded = Results(rows, len(rows))
        self.update()

    def frame(self) -> "pd.DataFrame":
        """The trials that have ended, a row each."""
        return self.results.frame()

    def save_numbers(self, path: str | Path) -> Path:
        """Write `frame` as CSV; the path written.

        Raises:
            ValueError: an ending other than .csv.
        """
        return write_numbers(self.frame(), path)

    def close(self) -> None:
        """End what runs and remove the panel."""
        try:
            if self._drawer is not None:
                self.sweep.cancel()
                self.sweep.wait(timeout=5.0)
                self._drawer.stop(timeout=5.0)
        finally:
            super().close()

    def update(self) -> None:
        """Show what has ended since the last call."""
        with self.lock:
            # Until the next start; the button that began what failed has emptied the box since.
            if self.sweep.error is not None and not self.error:
                self.show_error(self.sweep.error)
            running = self.state == "running"
            self.state_label.value = f"state: <b>{html.escape(self.state, quote=False)}</b>"
            for name, button in self.buttons.items():
                button.disabled = running != (name == "cancel")
            results = self.results
            self.words.value = html.escape(repr(results)) if results.n_trials else ""
            with suppress(ValueError):  # was told when it was typed
                self._say_cost(self.trials)
            self._offer(results)
            self.picture.show(*(self._drawn(results) if len(results) else NOTHING))
            failed = [(_name(row), row["error"]) for row in results.rows if row["error"]]
            self.failures.value = html_table(["failed trial", "why"], failed) if failed else ""

    def _sessions(self, name: str) -> tuple[Sessions, Sessions]:
        training, test = self._given
        if name != OWN:
            return load_split(name)
        return training.split_last(fraction=0.1) if test is None else (training, test)

    def _follow_grid(self) -> None:
        """Take a changed grid; begin to measure what it costs, where that is not known.

        Raises:
            ValueError: a grid that cannot be trained.
        """
        self.estimate.value = ""
        self._say_cost(self.trials)
        self._drawer.start()

    def _say_cost(self, trials: Trials) -> None:
        name, n_jobs = self.data.value, self.workers.value
        seconds = self.sweep.seconds(trials, name, partial(self._sessions, name), n_jobs)
        about = "" if seconds is None else f", about {_duration(seconds)} in all"
        self.estimate.value = f"{len(trials)} trials{about}"

    def _view_changed(self, _change: dict) -> None:
        if not self._updating:
            self.update()

    def _picked(self) -> None:
        line, place = self.picture.picked
        if line in self._trials_of:
            self.trial.value = self._trials_of[line][place]

    def _drawn(self, results: Results) -> tuple[Picture, Shown]:
        frame = results.frame()
        on_line = frame[frame["sample_alpha"] == self.alpha.value]
        mapped = frame[frame["loss"] == self.map_loss.value]
        chosen, history = results.row(self.trial.value), results.history(self.trial.value)
        metric, loss = self.metric.value, self.map_loss.value
        past = f"history: {chosen['loss']}, {chosen['n_sample']} extra"
        parts = {
            "recall@20": by_n_sample("recall@20", on_line, "recall@20", BOXES[0], keys=True),
            "mrr@20": by_n_sample("mrr@20", on_line, "mrr@20", BOXES[1]),
            "seconds": by_n_sample("seconds", on_line, "seconds", BOXES[2]),
            "map": alpha_map("map", mapped, metric, BOXES[3], f"{METRICS[metric]} of {loss}"),
            "history": history_part("history", history, BOXES[4], past),
        }
        self._trials_of = {}
        for part in parts.values():
            self._trials_of |= part.trials
        return picture_of(560, parts, in_words(on_line, ("recall@20", "mrr@20")))

    def _offer(self, results: Results) -> None:
        """Let the menus list what there is, and keep what was chosen where it is still there."""
        rows = results.rows
        menus = {
            self.map_loss: [(name, name) for name in dict.fromkeys(row["loss"] for row in rows)],
            self.alpha: [(f"{a:g}", a) for a in sorted({row["sample_alpha"] for row in rows})],
            self.trial: [(_name(row), place) for place, row in enumerate(rows)],
        }
        with self._updating:
            for menu, options in menus.items():
                if list(menu.options) != (options or ["-"]):
                    before = menu.value
                    menu.options = options or ["-"]
                    if before in [value for _, value in options]:
                        menu.value = before


def _text(name: str, value: str) -> widgets.Text:
    label, _, tooltip = LISTS[name]
    return labelled(
        widgets.Text, label, value=value, continuous_update=False, tooltip=tooltip,
        css=f"g4r-{name.replace('_', '-')}",
    )  # fmt: skip


def _name(row: dict[str, Any]) -> str:
    """What tells a trial from others of its sweep."""
    extra, alpha = row["n_sample"], row["sample_alpha"]
    return f"{row['loss']}, {extra} extra, alpha {alpha:g}, seed {row['seed']}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
