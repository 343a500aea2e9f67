"""The lab's sessions: what it trains on, what it is judged by, and what it is looked at with."""

from typing import NamedTuple

from .catalogue import load_sessions
from .sessions import Sessions

N_VALIDATION, N_PROBE = 1000, 300


class LabData(NamedTuple):
    """Sessions to train on, to evaluate on at ends of epochs, and to look at in between."""

    training: Sessions
    validation: Sessions
    probe: Sessions


def lab_data(sessions: Sessions | None, validation: Sessions | None) -> LabData:
    """The lab's parts of `sessions` (flights, if None); its last tenth validates if nothing else.

    Of the flights only the most recent fifth of the training part is used: an epoch of seconds.
    """
    training = sessions
    if sessions is None:
        training, last = load_sessions("flights").filtered().split_last(fraction=0.1)
        training = training.most_recent(0.2)
        validation = last if validation is None else validation
    elif validation is None:
        training, validation = sessions.split_last(fraction=0.1)
    validation = validation.with_targets(training.item_ids).sample(N_VALIDATION)
    return LabData(training, validation, validation.sample(N_PROBE))
