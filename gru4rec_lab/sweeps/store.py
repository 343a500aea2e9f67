"""A folder of finished trials, and `Results`: the trials of a sweep as tables.

One file a trial, one line of JSON in it: pandas, `cat` and a text editor read it, no two sweeps
write to the same file unless they have the same trial, and a file appears whole or not at all, so
that nothing needs a lock. A table in one file would need one, on a network drive too. Rows are put
together by `load_sweep`, or by

    pd.concat(pd.read_json(path, lines=True) for path in Path("runs/fig3").glob("*.jsonl"))
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import whole
from ..config import Config
from ..storage import whole_file
from .trial import Row, settings

if TYPE_CHECKING:
    import pandas as pd


class Store:
    """Rows by address in a folder; without a folder nothing is kept.

    Raises:
        ValueError: a folder that cannot be written to.
    """

    def __init__(self, folder: str | Path | None):
        self._folder = None if folder is None else Path(folder).expanduser()
        if self._folder is not None:
            try:
                with whole_file(self._folder / "can be written") as unfinished:
                    unfinished.touch()
                (self._folder / "can be written").unlink(missing_ok=True)
            except OSError as error:
                raise ValueError(
                    f"cannot write to the store {self._folder}: {error}; name another folder"
                ) from error

    def get(self, address: str) -> Row | None:
        """The row at that address; None where there is none, or none that can be read."""
        try:
            return self._folder and read(self._folder / f"{address}.jsonl")
        except (FileNotFoundError, ValueError):
            return None

    def put(self, address: str, row: Row) -> None:
        """Keep a row, in place of one that is there."""
        if self._folder is not None:
            with whole_file(self._folder / f"{address}.jsonl") as unfinished:
                unfinished.write_text(json.dumps(row) + "\n", encoding="utf-8")


def read(path: Path) -> Row:
    """The row in a file of a store.

    Raises:
        ValueError: a damaged file.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path} is damaged: {error}; delete it, and the sweep that made it runs it again"
        ) from None


def load_sweep(store: str | Path) -> "Results":
    """All trials in a store, of any sweep, in the order in which they finished.

    Raises:
        FileNotFoundError: no such folder, or nothing in it.
        ValueError: a damaged file.
    """
    folder = Path(store).expanduser()
    rows = [read(path) for path in sorted(folder.glob("*.jsonl"))]
    if not rows:
        raise FileNotFoundError(
            f"no trials in {folder}; sweep(..., store={str(store)!r}) adds some"
        )
    return Results(sorted(rows, key=lambda row: row["finished_at"]), len(rows))


class Results:
    """The trials of a sweep that have ended, and what came out.

    Attributes:
        rows: one a trial, as plain values.
        n_trials: how many trials were asked for.
    """

    def __init__(self, rows: Sequence[Row], n_trials: int):
        self.rows, self.n_trials = tuple(rows), n_trials

    def frame(self) -> "pd.DataFrame":
        """One row a trial: its settings, the metrics with their standard errors, and the rest.

        `seconds` of training, from the end of its first step on, and of evaluation; `error` says
        why a trial failed. `data` and `own_loss` tell data sets and own losses apart.
        """
        import pandas as pd

        flat = ({name: value for name, value in row.items() if name != "history"}
                for row in self.rows)  # fmt: skip
        return pd.DataFrame([row | {"layers": tuple(row["layers"])} for row in flat])

    def history(self, trial: Config | int) -> "pd.DataFrame":
        """The loss at each report of a trial, and the metrics at the ends of its epochs.

        `trial` is its config, or its row in `frame()`.

        Raises:
            ValueError: no such trial has ended.
        """
        import pandas as pd

        return pd.DataFrame(self.row(trial)["history"])

    def row(self, trial: Config | int) -> Row:
        """The row of a trial, as plain values, with its `history`.

        Raises:
            ValueError: no such trial has ended.
        """
        if not isinstance(trial, Config):
            if not whole("row", trial, 0) < len(self):
                raise ValueError(f"there is no row {trial}; {self!r}")
            return self.rows[trial]
        wanted = settings(trial).items()
        found = next((row for row in self.rows if wanted <= row.items()), None)
        if found is None:
            raise ValueError(f"this trial has not ended: {trial}; {self!r}")
        return found

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        """How many trials ended well, failed, and did not run."""
        n_failed = sum(row["error"] is not None for row in self.rows)
        counts = [
            (len(self) - n_failed, "done"),
            (n_failed, "failed"),
            (self.n_trials - len(self), "not run"),
        ]
        parts = ", ".join(f"{count} {what}" for count, what in counts if count)
        return f"{self.n_trials} trials: {parts}"
