"""What leaves the lab: the model, the history as a table, the picture as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..controls import ControlChanged
from ..events import EpochDone, Event, Observed, Report
from .panel import LABEL, marked
from .picture_file import FORMATS

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["step", "event", "loss name", "loss", "recall@1", "recall@20", "mrr@20", "change"]


def history_frame(events: list[Event], loss: str) -> "pd.DataFrame":
    """One row a report, look, end of an epoch and change of a control, oldest first.

    Columns: step; event ("report", "look", "epoch end", "change"); name of the loss in force; loss
    (mean of a target: since the last report, or of the epoch); recall@1, recall@20, mrr@20 (shares
    of targets: of the probe at a look, of the validation sessions at an epoch end); change in
    words. What an event does not tell is missing. `loss` is the name at the start.
    """
    import pandas as pd

    rows = []
    for event in events:
        if isinstance(event, ControlChanged) and event.name == "loss":
            loss = event.new
        if row := _row(event):
            rows.append({"step": event.step, "loss name": loss} | row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(event: Event) -> dict[str, Any]:
    match event:
        case Report():
            return {"event": "report", "loss": event.loss}
        case ControlChanged():
            return {"event": "change", "change": f"{event.name} {event.old} -> {event.new}"}
        case Observed():
            view = event.value
            shares = _shares(view.recall_1, view.recall_20, view.mrr_20)
            return {"event": "look"} | shares
        case EpochDone(evaluation=None):
            return {"event": "epoch end", "loss": event.loss}
        case EpochDone(evaluation=of):
            shares = _shares(of.recall[1], of.recall[20], of.mrr[20])
            return {"event": "epoch end", "loss": event.loss} | shares
    return {}


def _shares(*values: float) -> dict[str, float]:
    return dict(zip(("recall@1", "recall@20", "mrr@20"), values, strict=True))


class SaveBox(widgets.HBox):
    """A box for a file name, a button for the model, one for the picture, and what came of it.

    Attributes:
        path: the file name.
        buttons: "save" and "save_picture" to their buttons.
        result: what was written, or why not, as HTML.
    """

    def __init__(self) -> None:
        self.path = widgets.Text(
            value="my_run", description="file name", style=LABEL, continuous_update=False,
            tooltip="where to write, from the notebook's folder on; the suffix is added",
            layout=widgets.Layout(width="430px"),
        )  # fmt: skip
        self.buttons = {
            "save": widgets.Button(
                description="Save model", tooltip="weights, settings and item names in one file"
            ),
            "save_picture": widgets.Button(
                description="Save picture", tooltip="the picture as PNG, or as SVG if so named"
            ),
        }
        self.result = marked(widgets.HTML(), "g4r-saved")
        marked(self.path, "g4r-path")
        for name, button in self.buttons.items():
            marked(button, f"g4r-{name.replace('_', '-')}")
        layout = widgets.Layout(flex_flow="row wrap")
        super().__init__([self.path, *self.buttons.values(), self.result], layout=layout)

    def name_for(self, action: str) -> Path:
        """The path shown, with a suffix for pictures if it has none of theirs.

        Raises:
            ValueError: no file name.
        """
        name = self.path.value.strip()
        if not name:
            raise ValueError("there is no file name; type one into the box, such as my_run")
        path = Path(name).expanduser()
        if action == "save_picture" and path.suffix.lower() not in FORMATS:
            return path.with_name(path.name + ".png")
        return path
