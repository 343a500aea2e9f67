"""The history of a lab run as a table."""

from typing import TYPE_CHECKING, Any

from ..controls import ControlChanged
from ..events import EpochDone, Event, Observed, Report

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
