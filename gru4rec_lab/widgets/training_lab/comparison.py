"""A pinned run, and the table that sets the run under way beside it."""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from ...config import Config
from ...training.controls import ControlChanged
from ..markup import html_table
from .history import History

QUALITY_NAMES = {"recall_20": "Recall@20", "mrr_20": "MRR@20", "recall_1": "Recall@1"}
ORDER = ("recall_1", "recall_20", "mrr_20")
NAMES = [QUALITY_NAMES[name] for name in ORDER]


class Curves(NamedTuple):
    """One measure of a run as (step, share of targets): of the probe, and at the ends of epochs."""

    observed: list[tuple[int, float]]
    ends: list[tuple[int, float]]


@dataclass(frozen=True)
class Pinned:
    """What is kept of a run to compare others with.

    Attributes:
        label: what the run is called.
        config: the settings it began with.
        data: the data set it was trained on; None: the sessions given to the panel.
        changes: the controls changed on the way.
        n_steps: steps that the whole run has or would have had.
        quality: "recall_20", "mrr_20", "recall_1" to their curves.
    """

    label: str
    config: Config
    data: str | None
    changes: list[ControlChanged]
    n_steps: int
    quality: dict[str, Curves]

    @property
    def epochs_done(self) -> int:
        """Epochs that the run has finished."""
        return len(self.quality["recall_20"].ends)

    @property
    def last_step(self) -> int:
        """The step of the last observation of the run."""
        return self.quality["recall_20"].observed[-1][0]


def quality_curves(history: History) -> dict[str, Curves]:
    """The curves of "recall_20", "mrr_20" and "recall_1" so far."""
    return {
        name: Curves(
            [(seen.step, getattr(seen.value, name)) for seen in history.observations],
            [(end.step, _measure(end.evaluation, name)) for end in history.epochs],
        )
        for name in QUALITY_NAMES
    }


def pinned_run(history: History, label: str | None = None) -> Pinned:
    """The run as it is now, under this label or `run_label`; later events do not change it.

    Raises:
        ValueError: the run has not been observed yet.
    """
    if not history.observations:
        raise ValueError("there is no run to pin yet; press Start and wait until it is observed")
    changes, config = list(history.changes), history.config
    label = label or run_label(config, changes)
    quality = quality_curves(history)
    return Pinned(label, config, history.data, changes, history.n_steps, quality)


def run_label(config: Config, changes: list[ControlChanged]) -> str:
    """The losses of a run in order, its extra negatives, layers and seed, in one line."""
    losses, sizes = [config.loss], [_size(config.n_sample)]
    for change in changes:
        if change.name == "loss":
            losses.append(change.new)
        elif change.name == "n_sample":
            sizes.append(_size(change.new))
    layers = "-".join(map(str, config.layers))
    negatives = f"{_route(sizes)} extra negatives"
    return f"{_route(losses)}, {negatives}, layers {layers}, seed {config.seed}"


def _size(n_sample: int | str) -> str:
    return n_sample if n_sample == "all" else f"{n_sample:,}"


def _route(stations: list[str]) -> str:
    """At most four stations, as a learner may drag a slider through many."""
    shown = stations if len(stations) <= 4 else [*stations[:2], "...", stations[-1]]
    return " > ".join(shown)


def _measure(evaluation, name: str) -> float:
    metric, k = name.split("_")
    return getattr(evaluation, metric)[int(k)]


class Comparison:
    """The table of the pinned run and the run under way; made anew only when either went on."""

    def __init__(self) -> None:
        self._pinned: Pinned | None = None
        self._history: History | None = None
        self._n_events, self._table = 0, ""

    def table(self, pinned: Pinned | None, history: History) -> str:
        """`comparison` of the pinned run with that of `history`."""
        same = self._pinned is pinned and self._history is history
        if not (same and self._n_events == len(history.events)):
            self._pinned, self._history = pinned, history
            self._n_events = len(history.events)
            now = pinned_run(history) if pinned is not None and history.observations else None
            self._table = comparison(pinned, now)
        return self._table


def comparison(pinned: Pinned | None, now: Pinned | None) -> str:
    """Two tables as HTML, of quality and of differing settings; empty without a pinned run.

    Quality is in shares of targets: at the end of the last epoch that both runs have finished,
    on the validation sessions, and in the last observation up to the last step that both have
    reached, on the probe sessions. `now` is None before the first observation of a run.
    """
    if pinned is None:
        return ""
    runs = {"pinned": pinned} | ({"now": now} if now else {})
    epoch = min(run.epochs_done for run in runs.values())
    step = min(run.last_step for run in runs.values())
    heads = ["", "after epoch", *NAMES, "at step", *NAMES]
    rows = [
        [f"{role}: {run.label}", *_at_end(run, epoch), *_at_step(run, step)]
        for role, run in runs.items()
    ]
    tables = html_table(heads, rows, align="right")
    if now and now.data != pinned.data:
        tables = f"<p>The pinned run is of other data: it is not laid over this one.</p>{tables}"
    if now and (differ := differences(pinned, now)):
        tables += html_table(["settings that differ", "pinned", "now"], differ, align="right")
    return tables


def _at_end(run: Pinned, epoch: int) -> list[str]:
    """The number of the epoch and the shares at its end."""
    if epoch < 1:
        return ["\u2013"] * (1 + len(ORDER))
    shares = [run.quality[name].ends[epoch - 1][1] for name in ORDER]
    return [str(epoch), *(f"{share:.3f}" for share in shares)]


def _at_step(run: Pinned, step: int) -> list[str]:
    """The step of the last observation up to `step` and its shares."""
    last = [[at for at in run.quality[name].observed if at[0] <= step][-1] for name in ORDER]
    return [f"{last[0][0]:,}", *(f"{share:.3f}" for _, share in last)]


def differences(one: Pinned, other: Pinned) -> list[tuple[str, str, str]]:
    """Name and both values of each setting that differs: at the start, or changed on the way.

    A value with changes reads "bpr, bpr-max from step 350 on".
    """
    names = [field.name for field in fields(Config)]
    rows = [(name, _values_of(one, name), _values_of(other, name)) for name in names]
    rows.append(("data set", one.data or "as given", other.data or "as given"))
    return [row for row in rows if row[1] != row[2]]


def _values_of(run: Pinned, name: str) -> str:
    changed = [each for each in run.changes if each.name == name]
    parts = [_shown(getattr(run.config, name))]
    parts += [f"{_shown(each.new)} from step {each.step:,} on" for each in changed]
    if len(parts) > 4:
        parts = [*parts[:2], "...", parts[-1]]
    return ", ".join(parts)


def _shown(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
