"""Which step trains: the plain one, or the one on kernels where they can run it."""

from ...losses import LOSSES
from ..controls import Settings
from ..step import Step, TrainingStep
from .supported import missing_kernel


def check_step(name: str, plain: Step, settings: Settings) -> None:
    """Accept the step called `name` before anything is imported for it.

    Raises:
        ValueError: a loss that is not known here; "numba", where kernels cannot run the step.
    """
    _ = LOSSES[settings.loss]
    if name == "numba" and (reason := missing_kernel(plain, settings)):
        raise ValueError(f"step='numba' is not possible: {reason}; step='auto' takes the plain one")


def choose_step(name: str, plain: Step, settings: Settings) -> TrainingStep:
    """The step called `name`; "auto" is "numba" where kernels can run it, else "plain".

    Importing numba takes half a second, the first time that "numba" is chosen.

    Raises:
        ValueError: "numba", where kernels cannot run the step or numba cannot be loaded.
    """
    check_step(name, plain, settings)
    if name == "plain" or missing_kernel(plain, settings):
        return plain
    try:
        from .step import NumbaStep
    except (ImportError, RuntimeError) as error:  # no numba, or no folder for its cache
        if name == "numba":
            raise ValueError(
                f"step='numba' is not possible: {error}; set NUMBA_CACHE_DIR to a folder that can "
                f"be written to, or use step='plain'"
            ) from error
        return plain
    return NumbaStep(plain)
