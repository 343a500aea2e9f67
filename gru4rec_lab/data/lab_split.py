"""The parts of a data set: what the lessons and the lab train on, and what judges the model."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from .cache import cached
from .catalogue import load_sessions
from .recipes import RECIPES, cache_key
from .sessions import Number, Sessions

# A real set has more than an epoch of seconds can read: its most recent part is enough.
RECENT = {"flights": 0.2} | {name: recipe.recent for name, recipe in RECIPES.items()}
N_VALIDATION, N_PROBE = 1000, 300


def load_split(name: str = "flights", *, recent: Number | None = None) -> tuple[Sessions, Sessions]:
    """Sessions to train on, and the later ones that judge the model: the data of every lesson.

    Short sessions and rare items of the data set are left out, then the last tenth of the sessions
    is set apart, or of a public set the last days that are usual for it (its card says which). Of
    those before it the most recent fraction `recent` is trained on; if it is not given, a fifth of
    the flights, 1/64 of yoochoose, rees46 and otto, 1/16 of coveo, and the whole of any other set.

    Raises:
        ValueError, FileNotFoundError: as of `load_sessions` and `Sessions.most_recent`.
    """
    past, later = _parts(name)
    return past.most_recent(RECENT.get(name, 1) if recent is None else recent), later


def _parts(name: str) -> tuple[Sessions, Sessions]:
    """All training sessions and the test sessions; those of a public set are kept on disk."""
    recipe = RECIPES.get(name)
    usual = recipe.split if recipe else {"fraction": 0.1}
    both = cache(lambda: load_sessions(name).filtered().split_last(**usual))
    if not (recipe and recipe.is_here):
        return both()
    key = cache_key(recipe, recipe.paths)
    past = cached(f"{key}-training", lambda: both()[0])
    return past, cached(f"{key}-test", lambda: both()[1])


def claims_of(known: str, data: str) -> Callable[[bool], str]:
    """A function that says of a claim, found on the set `known`, whether it holds on `data`.

    It says True or False; on another set than `known`, not False but where the claim was found.
    """
    fails = "False" if data == known else f"found on the {known}, does not hold on {data}"
    return lambda claim: "True" if claim else fails


class LabData(NamedTuple):
    """Sessions to train on, to evaluate on at ends of epochs, and to look at in between."""

    training: Sessions
    validation: Sessions
    probe: Sessions


def lab_data(
    sessions: Sessions | None, validation: Sessions | None, name: str | None = None
) -> LabData:
    """The lab's parts of the data set of this name, or of `sessions` where none is named.

    A named set, and the flights where there are no sessions, are split by `load_split`. The last
    tenth of `sessions` validates if nothing else does.
    """
    if sessions is not None and name is None:
        training, later = sessions, validation
        if validation is None:
            training, later = sessions.split_last(fraction=0.1)
    else:
        training, later = load_split(name or "flights")
        # Sessions that were given to judge the flights by judge no other set.
        if validation is not None and sessions is None and name in (None, "flights"):
            later = validation
    later = later.with_targets(training.item_ids).sample(N_VALIDATION)
    if not later.n_sessions:
        raise ValueError(
            "no validation session has two clicks on items that are trained on; give others as "
            "validation="
        )
    return LabData(training, later, later.sample(N_PROBE))
