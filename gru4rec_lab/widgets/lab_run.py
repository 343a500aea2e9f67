"""The events of a lab run: data that loads in its thread, a training, looks at the model."""

import threading
from collections.abc import Callable, Iterator

from ..config import Config
from ..controls import Controls, Settings
from ..events import Event, Observed
from ..training import NonFiniteLoss, train
from .lab_data import LabData
from .lab_look import Pace, look, looked
from .lab_probe import Probe


def lab_events(
    config: Config,
    controls: Controls,
    load: Callable[[], LabData],
    pace: Pace,
    probe: Probe,
    stepping: threading.Lock,
) -> Iterator[Event]:
    """The events of a lab run; loads the data first, so that a live run does it in its thread.

    `stepping` is held while the model may change, so that whoever holds it sees a whole step.

    Raises:
        NonFiniteLoss: from the generator, when the loss or the scores stop being finite.
    """
    data = load()
    events = train(config, data.training, controls=controls, validation=data.validation)
    events = looked(events, lambda model: look(model, data, controls.settings, probe), pace)
    while True:
        with stepping:
            event = next(events, None)
        if event is None:
            return
        if isinstance(event, Observed) and event.value is None:
            raise NonFiniteLoss(_not_finite(event.step, controls.settings))
        yield event


def _not_finite(step: int, settings: Settings) -> str:
    # Scores can overflow where the loss of a batch does not.
    return (
        f"the model's scores are not finite at step {step} with the {settings.loss} loss and "
        f"learning_rate {settings.learning_rate:g}; try a smaller learning_rate or momentum"
    )
