"""Which step trains: the plain one, one on compiled kernels, or one replayed as a CUDA graph."""

from ..losses import LOSSES
from .controls import Settings
from .graph_step import GraphStep, missing_compiler, missing_graph
from .numba_step.supported import missing_kernel
from .step import Step, TrainingStep

# What each step but the plain one asks for: why it cannot run here, or None.
MISSING = {"numba": missing_kernel, "graph": missing_graph, "compiled": missing_compiler}


def check_step(name: str, plain: Step, settings: Settings) -> None:
    """Accept the step called `name` before anything is imported for it.

    Raises:
        ValueError: a loss that is not known here; a step that cannot run here.
    """
    _ = LOSSES[settings.loss]
    if name in MISSING and (reason := MISSING[name](plain, settings)):
        raise _impossible(name, f"{reason}; step='auto' takes one that runs here")


def choose_step(name: str, plain: Step, settings: Settings) -> TrainingStep:
    """The step called `name`; "auto" is "graph" on CUDA, "numba" where kernels run, else "plain".

    Importing numba takes half a second, the first time that "numba" is chosen.

    Raises:
        ValueError: a step that cannot run here, or numba cannot be loaded.
    """
    check_step(name, plain, settings)
    runs = [each for each in ("graph", "numba") if not MISSING[each](plain, settings)]
    chosen = next(iter(runs), "plain") if name == "auto" else name
    if chosen == "plain":
        return plain
    if chosen != "numba":
        return GraphStep(plain, compiled=chosen == "compiled")
    try:
        from .numba_step.step import NumbaStep
    except (ImportError, RuntimeError) as error:  # no numba, or no folder for its cache
        if name == "numba":
            way_out = "set NUMBA_CACHE_DIR to a folder that can be written to, or use step='plain'"
            raise _impossible(name, f"{error}; {way_out}") from error
        return plain
    return NumbaStep(plain)


def _impossible(name: str, reason: str) -> ValueError:
    return ValueError(f"step={name!r} is not possible: {reason}")
