"""The page: modules, settings and scores in one HTML file."""

import base64
from functools import cache
from pathlib import Path
from typing import Any

from ..diagnostics.stored import (
    EPOCHS,
    MOST_EXTRA,
    extra_generator,
    trained_scores,
    trained_support,
)
from ..losses import LOSSES, Loss
from ..widgets.loss_explorer.settings import BATCH_SIZE, PAGE_CONTROLS, PRESETS, USED_BY
from ..widgets.picture.modules import joined

SCRIPTS = Path(__file__).with_name("js")


def script(entry: str) -> str:
    """A module of the page behind all that it imports, as one ES module without exports."""
    return joined(entry, SCRIPTS)


def data() -> dict[str, Any]:
    """What the page shows, as JSON has it; it leaves out losses that it has no twin of."""
    return {
        "batch_size": BATCH_SIZE,
        "controls": PAGE_CONTROLS,
        "used_by": {source: sorted(names) for source, names in USED_BY.items()},
        "presets": PRESETS,
        "losses": [_loss(loss) for loss in LOSSES.values()],
        "stored": _stored(),
    }


def _loss(loss: Loss) -> dict[str, Any]:
    names = ("name", "source", "colour", "dash", "shapes_scores")
    return {name: getattr(loss, name) for name in names}


@cache
def _stored() -> dict[str, Any]:
    """The scores of `diagnostics.stored`, as float16 in base64, and what their draws go by."""
    moments = [trained_scores(epoch) for epoch in EPOCHS]
    scores = b"".join(each.catalogue.half().numpy().tobytes() for each in moments)
    return {
        "epochs": EPOCHS,
        "columns": moments[0].columns.tolist(),
        "support": trained_support().tolist(),
        "seed": extra_generator().initial_seed(),
        "most_extra": MOST_EXTRA,
        "scores": base64.b64encode(scores).decode(),
    }
