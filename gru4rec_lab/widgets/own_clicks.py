"""`OwnClicks`: clicks of one's own, by upload or by path, and whether they are fit for a model."""

import ast
import html
import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ipywidgets as widgets

from ..data.catalogue import load_sessions
from ..data.check import Finding, Findings, check_sessions
from ..data.files import PACKED, TEXT
from ..data.sessions import Sessions
from .controls import LABEL, Updating, marked
from .markup import Html, bold, html_table
from .panel import Panel

EXAMPLE = 'session="visit", item="product", time="when", unit="ms"'


class OwnClicks(Panel):
    """Reads files of clicks, shows what was read and dropped, and what needs attention.

    Attributes:
        upload: the files chosen in the browser; they are read at once.
        path: the path of a file or folder where Python runs.
        options: the options of `load_sessions`, written as in a call.
        sessions: what was read; None before.
        findings: what `check_sessions` says of it; None before.
        report: the words shown.
    """

    def __init__(self, path: str | PathLike = "", options: str = "", *, key: str = "OwnClicks"):
        super().__init__(key)
        self._updating = Updating()
        self.sessions: Sessions | None = None
        self.findings: Findings | None = None
        self.upload = widgets.FileUpload(
            accept=",".join([*TEXT, ".jsonl", ".parquet", *PACKED]), multiple=True,
            description="Upload clicks", tooltip="one file, or all parts of it",
            layout=widgets.Layout(width="160px"),
        )  # fmt: skip
        wide = widgets.Layout(width="640px")
        self.path = widgets.Text(
            value=str(path), description="or a path", style=LABEL, layout=wide,
            continuous_update=False, placeholder="clicks.csv",
            tooltip="a file or a folder where Python runs; press Enter",
        )  # fmt: skip
        self.options = widgets.Text(
            value=options, description="options", style=LABEL, layout=wide,
            continuous_update=False, placeholder=EXAMPLE,
            tooltip="the options of load_sessions, as in a call; press Enter",
        )  # fmt: skip
        self.report = widgets.HTML()
        for element, css in (
            (self.upload, "g4r-upload"), (self.path, "g4r-path"),
            (self.options, "g4r-options"), (self.report, "g4r-report"),
        ):  # fmt: skip
            marked(element, css)
        for element in (self.upload, self.path, self.options):
            element.observe(self.guarded(self._changed), "value")
        if path:
            self.guarded(self.read)()
        # The error right below what can be set wrong.
        shown = [self.upload, self.path, self.options, self.error_box, self.report]
        self.reveal(shown)

    def read(self) -> None:
        """Read what was uploaded, else the path, with the options as they are, and show it.

        Raises:
            ValueError, FileNotFoundError: as of `load_sessions`; the panel then shows nothing.
        """
        self.sessions = self.findings = None
        self.report.value = ""
        options = options_of(self.options.value)
        if self.upload.value:
            with TemporaryDirectory(prefix="gru4rec_lab-") as folder:
                self._load(_written(self.upload.value, Path(folder)), options)
        elif self.path.value.strip():
            self._load(self.path.value.strip(), options)

    def _changed(self, change: dict) -> None:
        if self._updating:
            return
        # The last choice of a source is the one meant.
        if change["owner"] is self.path and self.path.value.strip():
            with self._updating:
                self.upload.value = ()
        self.read()

    def _load(self, source: str | list[Path], options: dict[str, Any]) -> None:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            sessions = load_sessions(source, **options)
        self.findings = check_sessions(sessions)
        self.sessions = sessions
        told = [str(each.message) for each in warned]
        self.report.value = report_of(sessions, self.findings, told)


def options_of(text: str) -> dict[str, Any]:
    """The options that stand in a text as they would in a call: `gap=30, user="visitor"`.

    Raises:
        ValueError: something else than names and plain values.
    """
    try:
        call = ast.parse(f"f({text.strip()})", mode="eval").body
        if call.args or any(each.arg is None for each in call.keywords):
            raise ValueError(text)
        return {each.arg: ast.literal_eval(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AttributeError):
        raise ValueError(f"cannot read the options {text!r}; write them as {EXAMPLE}") from None


def report_of(sessions: Sessions, findings: Sequence[Finding], warned: Sequence[str]) -> str:
    """What was read, dropped, warned about and found, as HTML."""
    lines = [*sessions.summary().splitlines(), *(f"warning: {each}" for each in warned)]
    words = "<br>".join(html.escape(line, quote=False) for line in lines)
    rows = [
        [name, bold(verdict) if verdict == "look" else verdict, found, way_out]
        for name, _, verdict, found, way_out in findings
    ]
    return Html(words + html_table(["checked", "verdict", "found", "what to do"], rows))


def _written(uploaded: Sequence[dict[str, Any]], folder: Path) -> list[Path]:
    """The uploaded files, written to a folder under their own names."""
    paths = [folder / Path(each["name"]).name for each in uploaded]
    for path, each in zip(paths, uploaded, strict=True):
        path.write_bytes(each["content"])
    return paths
