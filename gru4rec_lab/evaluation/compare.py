"""`compare`: several models ranked on the same clicks, and whether one is better than another.

A session that is hard for one model is mostly hard for the other too. So the error of a difference
is taken from the differences within each session, which is called paired; it is smaller than what
the errors of two models would give that were judged by different sessions.

Other sessions are one source of error, another seed of the training is a second one: it is known of
a method with several models, one a seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ..arguments import check_kind
from ..data.sessions import Sessions
from .full_ranking import Scorer, evaluate
from .metrics import Evaluation, error_over_sessions

if TYPE_CHECKING:
    import pandas as pd

METRICS = {"recall@20": ("recall", 20), "mrr@20": ("mrr", 20), "recall@1": ("recall", 1)}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What `compare` found: evaluations of all models on the same targets.

    Attributes:
        evaluations: name of each method to those of its models, one a seed.
    """

    evaluations: Mapping[str, tuple[Evaluation, ...]]

    def frame(self) -> "pd.DataFrame":
        """A row a method: its metrics, each the mean over its models, and their errors.

        `_se` is the standard error over samples of sessions, `_sd` the standard deviation over the
        models of the method, NaN where there is one.
        """
        return _table({name: self._row(name) for name in self.evaluations})

    def _row(self, name: str) -> dict[str, float]:
        found = self.evaluations[name]
        row = {"n_targets": found[0].n_targets, "n_models": len(found)}
        for metric in METRICS:
            gains = self._gains(name, metric)
            row[metric] = gains.mean()
            row[f"{metric}_se"] = error_over_sessions(gains.mean(axis=0), found[0].session)
            row[f"{metric}_sd"] = _variance(gains) ** 0.5
        return row

    def differences(self, reference: str, metric: str = "mrr@20") -> "pd.DataFrame":
        """A row for each other method: its metric minus that of the `reference`, and the errors.

        `se` is the standard error of the paired difference over samples of sessions, `seeds_se`
        that over seeds, of those methods that have several models; NaN if neither has. `over_error`
        is the difference over both errors together: beyond 2, up or down, it is hardly chance. A
        method of a single model may still owe its place to its seed.

        Raises:
            ValueError: no method of that name, or an unknown metric.
        """
        for what, value, known in (
            ("method", reference, self.evaluations), ("metric", metric, METRICS)
        ):  # fmt: skip
            if value not in known:
                raise ValueError(f"no {what} {value!r} here; choose one of {', '.join(known)}")
        other, session = self._gains(reference, metric), self.evaluations[reference][0].session
        rows = {}
        for name in self.evaluations:
            if name != reference:
                gains = self._gains(name, metric)
                paired = gains.mean(axis=0) - other.mean(axis=0)
                se = error_over_sessions(paired, session)
                of_seeds = [_variance(each) / len(each) for each in (gains, other) if len(each) > 1]
                seeds_se = sum(of_seeds) ** 0.5
                error = np.hypot(se, seeds_se)
                rows[name] = {"difference": paired.mean(), "se": se,
                              "seeds_se": seeds_se if of_seeds else np.nan,
                              "over_error": paired.mean() / error if error else np.nan}  # fmt: skip
        return _table(rows)

    def _gains(self, name: str, metric: str) -> Float[np.ndarray, "models targets"]:
        """What each target adds to the metric, by model."""
        return np.stack([each.gains(*METRICS[metric]) for each in self.evaluations[name]])

    def __repr__(self) -> str:
        """A line a method: its metrics and their errors over sessions."""
        lines = []
        for name, row in self.frame().iterrows():
            told = (f"{metric} {row[metric]:.3f} ± {row[f'{metric}_se']:.3f}" for metric in METRICS)
            lines.append(f"{name}: {', '.join(told)}")
        return "\n".join(lines)


def _table(rows: dict[str, dict[str, float]]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def _variance(gains: Float[np.ndarray, "models targets"]) -> float:
    """Of the metric over the models; NaN for one."""
    return gains.mean(axis=1).var(ddof=1) if len(gains) > 1 else np.nan


def compare(
    models: Mapping[str, Any],
    test_set: Sessions,
    *,
    ties: str = "conservative",
) -> Comparison:
    """Rank the same clicks by each of the models, a `Scorer` by the name of its method.

    Several models of one method, which differ in their seed, are given as a list.

    Raises:
        ValueError: no models or no names for them, something that is none, models that know
            different items, unknown `ties`, or no session with two known items.
    """
    check_kind(Mapping, "name the models, as in compare({'Markov': model}, ...)", models=models)
    by_method = {
        name: tuple(given) if isinstance(given, list | tuple) else (given,)
        for name, given in models.items()
    }
    _check(by_method)
    return Comparison(
        {
            name: tuple(evaluate(model, test_set, (1, 20), ties=ties) for model in found)
            for name, found in by_method.items()
        }
    )


def _check(by_method: Mapping[str, tuple[Any, ...]]) -> None:
    if not by_method:
        raise ValueError("there are no models; name some, as in compare({'Markov': model}, ...)")
    first, catalogue = next(iter(by_method)), None
    for name, found in by_method.items():
        for model in found or ("an empty list",):
            if not isinstance(model, Scorer):
                raise ValueError(f"{name!r} is no model that can be evaluated: {model}; "
                                 "train or fit it first, or leave it out")  # fmt: skip
            items = set(model.item_ids.tolist())
            catalogue = catalogue or items
            # Each would be asked for other targets.
            if items != catalogue:
                raise ValueError(
                    f"{name!r} and {first!r} know different items ({len(items):,} and "
                    f"{len(catalogue):,}); compare models of the same training sessions"
                )
