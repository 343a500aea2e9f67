"""Everything the lab consists of on the screen, in the order in which it is read."""

import html

import ipywidgets as widgets

from ...config import Config
from ...training.controls import ControlChanged
from ..controls import marked, toggle_buttons
from ..loss_explorer.text import formula
from .comparison import pin_buttons
from .controls import LabControls, run_buttons, speed_slider
from .history import Course
from .probe import ProbeBox, recommendations_list
from .settings import ColdSettings, LabSettings, paper_menu
from .text import hint, marks_list

ROW = {"flex_flow": "row wrap"}
SCORES_OF = {"this model": "model", "a trained BPR": "reference"}


class LabElements:
    """The elements of the lab; which of them act on what is up to the panel.

    Attributes:
        controls: the live settings.
        cold: the settings that need a new run.
        scores_of: "model" or "reference": whose scores the gradients are drawn on.
        pane: "weights" or "scores": what stands right of the gradients.
        speed: the speed limit, steps a second.
        paper: the menu of the paper's values.
        settings: all settings by name.
        buttons, probe: what runs and pins, and asks.
        state_label, status, hint, marks, compared, formula: words.
    """

    def __init__(self, config: Config, speed_limit: int, *, own_data: bool):
        self.speed = speed_slider(speed_limit)
        self.controls = LabControls(config, self.speed)
        self.cold = ColdSettings(config, own_data=own_data)
        self.scores_of = toggle_buttons(
            "pull on scores of", SCORES_OF, ["the scores that the model in training has now",
            "frozen, wide scores of a BPR model after 4 epochs on the flights: BPR-max with ELU "
            "and bpreg keeps its own scores narrow, and on narrow scores all losses pull alike. "
            "Linear scores, no ELU; extra negatives act at once, also before Start"],
            css="g4r-scores-of",
        )  # fmt: skip
        self.pane = toggle_buttons(
            "beside it", {"softmax weights": "weights", "scores": "scores"},
            ["weights of the negatives in the -max losses, the largest first",
             "where the scores of negatives and targets lie, as the loss in force sees them"],
            css="g4r-pane",
        )  # fmt: skip
        shown = {"scores_of": self.scores_of, "pane": self.pane, "speed": self.speed}
        self.settings = LabSettings(self.controls.elements, self.cold, shown)
        self.paper = paper_menu()
        self.buttons = run_buttons() | pin_buttons()
        self.probe = ProbeBox()
        self.state_label, self.status, self.hint, self.marks, self.compared = (
            marked(widgets.HTML(), f"g4r-{name}")
            for name in ("state", "status", "hint", "marks", "compared")
        )
        self.formula = marked(widgets.HTMLMath(formula(config.loss)), "g4r-formula")

    def above(self) -> list[widgets.Widget]:
        """What stands above the picture, from the top down."""
        head = widgets.HBox(
            [*self.buttons.values(), self.state_label], layout=widgets.Layout(**ROW)
        )
        new_run = [self.paper, self.cold.elements["seed"]]
        toggles = [self.scores_of, self.pane]
        rows = [widgets.HBox(each, layout=widgets.Layout(**ROW)) for each in (new_run, toggles)]
        return [head, self.controls, *rows, self.hint]

    def below(self) -> list[widgets.Widget]:
        """What stands below the picture."""
        beside = widgets.HBox([self.probe, self.marks], layout=widgets.Layout(**ROW))
        return [self.formula, self.compared, beside, self.cold]

    def tell(
        self, state: str, course: Course, asked: list[ControlChanged], *, pinned: bool
    ) -> None:
        """Bring state, marks, recommendations and buttons up to date."""
        looks, going = course.views, state in ("loading", "running", "paused")
        gradients = looks[-1][1].gradients if looks else None
        self.hint.value = hint(state, gradients, self.controls.values(), self.scores_of.value)
        self.state_label.value = f"state: <b>{html.escape(state, quote=False)}</b>"
        self.marks.value = marks_list(course.marks, asked)
        self.probe.top.value = (
            recommendations_list(looks[-1][0], looks[-1][1].recommended) if looks else ""
        )
        self.buttons["pin"].disabled = not looks
        self.buttons["unpin"].disabled = not pinned
        self.buttons["replay"].disabled = course.started is None
        self.buttons["pause"].description = "Resume" if state == "paused" else "Pause"
        self.buttons["start"].disabled = state in ("loading", "running")
        self.buttons["pause"].disabled = self.buttons["stop"].disabled = not going
