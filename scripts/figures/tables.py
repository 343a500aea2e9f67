"""Writing the result tables: csv below a few lines of # that say where the numbers are from."""

import platform
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import torch

import gru4rec_lab


def write(folder: Path, name: str, rows: Iterable[dict], *, command: str, data: str) -> Path:
    """Write the rows as `name`.csv in `folder`, four digits a number; the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    head = "".join(f"# {key}: {value}\n" for key, value in _source(command, data).items())
    table = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g", lineterminator="\n")
    path.write_text(head + table, encoding="utf-8")
    return path


def _source(command: str, data: str) -> dict[str, str]:
    return {
        "made by": command,
        "date": date.today().isoformat(),
        "versions": f"gru4rec_lab {gru4rec_lab.__version__}, Python {platform.python_version()}, "
        f"torch {torch.__version__.partition('+')[0]}, numpy {version('numpy')}; CPU, "
        f"{torch.get_num_threads()} thread",
        "data": data,
    }
