"""The page: modules, settings and scores in one HTML file."""

import base64
import io
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

from ..diagnostics.stored import (
    EPOCHS,
    MODELS,
    MOST_EXTRA,
    extra_generator,
    trained_scores,
    trained_support,
)
from ..losses import LOSSES, Loss
from ..storage import whole_file
from ..widgets.loss_explorer.picture import picture_for
from ..widgets.loss_explorer.settings import BATCH_SIZE, PAGE_CONTROLS, PRESETS, USED_BY
from ..widgets.loss_explorer.tour_steps import STEPS
from ..widgets.picture.modules import FOLDER as PICTURE
from ..widgets.picture.modules import joined

HERE = Path(__file__).parent
SCRIPTS = HERE / "js"


def html() -> str:
    """The page, as one file that needs no other."""
    style = "".join(
        path.read_text(encoding="utf-8") for path in (PICTURE / "plot.css", HERE / "page.css")
    )
    # In a script element no "</" may stand.
    whole = {
        "css": style,
        "data": json.dumps(data()).replace("</", "<\\/"),
        "script": script("page.js"),
    }
    page = (HERE / "index.html").read_text(encoding="utf-8")
    for name, text in whole.items():
        page = page.replace(f"/*{name}*/", text)
    return page


def main(path: str = "build/gru4rec_lab.html") -> None:
    """Write the page and say where it lies."""
    written = Path(path)
    with whole_file(written) as part:
        part.write_text(html(), encoding="utf-8")
    size = written.stat().st_size / 1e3
    print(f"page: {written} ({size:,.0f} kB); open it in a browser, or put it on a web site")


def script(entry: str) -> str:
    """A module of the page behind all that it imports, as one ES module without exports."""
    return joined(entry, SCRIPTS)


def data() -> dict[str, Any]:
    """What the page shows, as JSON has it; it leaves out losses that it has no twin of."""
    return {
        "batch_size": BATCH_SIZE,
        "controls": {name: _in_order(control) for name, control in PAGE_CONTROLS.items()},
        "used_by": {source: sorted(names) for source, names in USED_BY.items()},
        "presets": PRESETS,
        "pictures": {
            scale: {pane: _picture(scale, pane) for pane in PAGE_CONTROLS["pane"]["choices"]}
            for scale in PAGE_CONTROLS["scale"]["choices"]
        },
        "tour": STEPS,
        "losses": [_loss(loss) for loss in LOSSES.values()],
        "stored": {model: _stored(model) for model in MODELS},
    }


def _in_order(control: dict[str, Any]) -> dict[str, Any]:
    """The same, choices as pairs: JavaScript puts names that are whole numbers first."""
    choices = control.get("choices")
    return control if choices is None else control | {"choices": list(choices.items())}


def _loss(loss: Loss) -> dict[str, Any]:
    names = ("name", "source", "equation", "colour", "dash", "shapes_scores")
    return {name: getattr(loss, name) for name in names} | {"picture": _drawn(loss.equation)}


def _drawn(equation: str) -> str:
    """The equation as the address of a picture that holds itself."""
    if not equation:
        return ""
    # matplotlib wants braces.
    braced = re.sub(r"\\frac(\w)(\w)", r"\\frac{\1}{\2}", equation)
    file = io.BytesIO()
    math_to_image(f"${braced}$", file, prop=FontProperties(size=12), dpi=72, format="svg")
    svg = re.sub("<metadata>.*?</metadata>", "", file.getvalue().decode(), flags=re.DOTALL)
    svg = svg.replace("fill: #ffffff", "fill: none")
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _picture(scale: str, pane: str) -> dict[str, Any]:
    return picture_for({"scale": scale, "pane": pane, "losses": list(LOSSES)}).plain()


@cache
def _stored(model: str) -> dict[str, Any]:
    """The scores of a model, as float16 in base64, and what their draws go by."""
    moments = [trained_scores(epoch, model) for epoch in EPOCHS]
    scores = b"".join(each.catalogue.half().numpy().tobytes() for each in moments)
    return {
        "epochs": EPOCHS,
        "columns": moments[0].columns.tolist(),
        "support": trained_support(model).tolist(),
        "seed": extra_generator().initial_seed(),
        "most_extra": MOST_EXTRA,
        "scores": base64.b64encode(scores).decode(),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
