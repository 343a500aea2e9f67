"""Everything the lab consists of on the screen, in the order in which it is read."""

import html

import ipywidgets as widgets

from ...config import Config
from ..controls import Field, Fold, marked, toggle_buttons
from .controls import LabControls, ProbeBox, run_buttons, speed_slider
from .run import LabRun
from .settings import LabSettings, NextRunSettings, paper_menu
from .text import changes_list, formula, hint, recommendations_list, status_line, without_effect

ROW = {"flex_flow": "row wrap"}
NO_MODEL = "No model yet: press Start or Step, and it answers."
SCORES_OF = {"this model": "model", "a trained BPR": "reference"}
# What "model" means as long as there is no model to look at.
UNTIL_START = {"until Start a trained BPR": "model", "a trained BPR": "reference"}


class LabElements:
    """The elements of the lab; the panel says which of them act on what.

    Attributes:
        controls: the live settings.
        next_run: the settings that need a new run.
        scores_of: "model" or "reference": whose scores the gradients are drawn on.
        pane: "weights" or "scores": what stands right of the gradients.
        speed: the speed limit, steps a second.
        paper: the menu of the paper's values.
        as_before: takes all settings back to those of the beginning.
        settings: all settings by name.
        buttons, probe: what runs and pins, and asks.
        folds: what opens and closes, once `below` has made it.
        state_label, status, hint, changes, compared, formula: words.
    """

    def __init__(self, config: Config, speed_limit: int, *, own_data: bool):
        self.speed = speed_slider(speed_limit)
        self.controls = LabControls(config)
        self.next_run = NextRunSettings(config, own_data=own_data)
        self.scores_of = toggle_buttons(
            "pull on scores of", SCORES_OF, ["the scores that the model in training has now",
            "frozen, wide scores of a BPR model after 4 epochs on the flights: BPR-max with ELU "
            "and bpreg keeps its own scores narrow, and on narrow scores all losses pull alike. "
            "Linear scores, no ELU; extra negatives act at once, also before Start"],
            css="g4r-scores-of", widths=(110, 170, 500),
        )  # fmt: skip
        self.pane = toggle_buttons(
            "beside it", {"weights": "weights", "scores": "scores"},
            ["weights of the negatives in the -max losses, the largest first",
             "where the scores of negatives and targets lie, as the loss in force sees them"],
            css="g4r-pane", widths=(60, 120, 330),
        )  # fmt: skip
        shown = {"scores_of": self.scores_of, "pane": self.pane, "speed": self.speed}
        self.settings = LabSettings(self.controls.elements, self.next_run, shown)
        self.paper = paper_menu()
        self.as_before = marked(
            widgets.Button(
                description="Reset controls", tooltip="all settings as the panel began with them"
            ),
            "g4r-reset-controls",
        )
        self.buttons = run_buttons()
        self.probe = ProbeBox()
        self.state_label, self.status, self.hint, self.changes, self.compared = (
            marked(widgets.HTML(), f"g4r-{name}")
            for name in ("state", "status", "hint", "changes", "compared")
        )
        self.formula = marked(widgets.HTMLMath(), "g4r-formula")
        self.folds: list[Fold] = []

    def _offer_scores(self, options: dict[str, str]) -> None:
        choice, value = self.scores_of, self.scores_of.value
        if list(choice.options) != list(options.items()):
            choice.options = list(options.items())
            choice.value = value

    def point(self, name: str) -> None:
        """Mark the control or button of this name, and open the fold it lies in; "" marks none."""
        pointed = (self.settings.elements | self.buttons).get(name)
        for element in (*self.settings.elements.values(), *self.buttons.values()):
            (element.add_class if element is pointed else element.remove_class)("g4r-pointed")
        for fold in self.folds:
            if pointed and _lies_in(fold, pointed):
                fold.header.value = True

    def above(self, tour: widgets.Widget) -> list[widgets.Widget]:
        """What stands above the picture, from the top down."""
        head = widgets.HBox(
            [*self.buttons.values(), self.state_label, tour], layout=widgets.Layout(**ROW)
        )
        toggles = widgets.HBox([self.scores_of, self.pane], layout=widgets.Layout(**ROW))
        return [head, self.controls.main, toggles, self.hint]

    def below(self, saving: list[widgets.Widget]) -> list[widgets.Widget]:
        """What stands below the picture; most of it is folded."""
        presets = widgets.HBox([self.paper, self.as_before], layout=widgets.Layout(**ROW))
        others = [self.controls.others, Field(self.speed, "430px"), presets]
        self.folds = [
            Fold("More controls: optimizer, scores, speed, presets", others, css="g4r-more"),
            self.next_run,
            Fold("What it recommends", [self.probe], css="g4r-asking"),
            Fold("Save, and settings as text", saving, css="g4r-saving"),
        ]
        return [self.changes, self.compared, self.formula, *self.folds]

    def tell(self, run: LabRun) -> None:
        """Bring words and buttons up to date with the run."""
        history, state = run.history, run.state
        going = state in ("loading", "running", "paused")
        last = history.observations[-1] if history.observations else None
        seen = last.value if last else None
        asked = run.controls.settings
        self._offer_scores(SCORES_OF if seen else UNTIL_START)
        for name in ("n_sample", "sample_alpha"):
            # No loss in between is trained: one drag is one change.
            self.controls.elements[name].continuous_update = state not in ("loading", "running")
        self.hint.value = hint(state, seen and seen.gradients, asked, self.scores_of.value)
        self.state_label.value = f"state: <b>{html.escape(state, quote=False)}</b>"
        self.status.value = status_line(run)
        self.formula.value = formula(asked, run.config.shape_scores)
        self.changes.value = changes_list(history.changes, run.pending)
        self.compared.value = run.compared()
        self.controls.tell(without_effect(asked, run.config.shape_scores))
        answer = run.answer
        self.probe.top.value = recommendations_list(*answer) if answer else NO_MODEL
        self.buttons["pin"].disabled = seen is None
        self.buttons["unpin"].disabled = run.pinned is None
        self.buttons["replay"].disabled = history.started is None
        self.buttons["pause"].description = "Resume" if state == "paused" else "Pause"
        self.buttons["start"].disabled = state in ("loading", "running")
        self.buttons["pause"].disabled = self.buttons["stop"].disabled = not going


def _lies_in(box: widgets.Widget, element: widgets.Widget) -> bool:
    return box is element or any(_lies_in(each, element) for each in getattr(box, "children", ()))
