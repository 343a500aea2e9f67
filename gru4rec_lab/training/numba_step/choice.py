"""Which step trains: the plain one, or the one on kernels where they can run it."""

from typing import TYPE_CHECKING

from ..controls import Settings
from ..step import Step
from .supported import missing_kernel

if TYPE_CHECKING:
    from .step import NumbaStep


def check_step(name: str, plain: Step, settings: Settings) -> None:
    """Accept the step called `name`, or say why it cannot run.

    Raises:
        ValueError: "numba", where kernels cannot run the step.
    """
    if name == "numba" and (reason := missing_kernel(plain, settings)):
        raise ValueError(f"step='numba' is not possible: {reason}; step='auto' takes the plain one")


def choose_step(name: str, plain: Step, settings: Settings) -> "Step | NumbaStep":
    """The step called `name`; "auto" is "numba" where kernels can run it, else "plain".

    The first choice of "numba" takes half a second, in which numba is imported.

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
