"""Which step trains: the plain one, or the one on kernels where they can run it."""

from typing import TYPE_CHECKING

import torch

from ..controls import Settings
from ..losses import LOSSES
from ..model import FeedForwardCell
from ..step import Step

if TYPE_CHECKING:
    from .step import FastStep


def merges_columns(plain: Step, settings: Settings) -> bool:
    """Whether equal columns have equal scores, once corrected and bent.

    The official correction differs between an item as a target and as a sample, which without ELU
    and regulariser is a weight, but not with them.
    """
    differ = LOSSES[settings.loss].corrects_logq and settings.logq and not plain.exact
    return not (differ and any(plain.shaped(settings)))


def missing_kernel(plain: Step, settings: Settings) -> str | None:
    """Why kernels cannot run this step with these settings; None if they can."""
    weights = plain.network.items
    if weights.device.type != "cpu":
        return f"kernels run on a CPU, not on {weights.device}"
    if weights.dtype not in (torch.float32, torch.float64):
        return f"kernels work in float32 and float64, not in {weights.dtype}"
    if any(isinstance(cell, FeedForwardCell) for cell in plain.network.layers):
        return "the feed-forward cell has no kernel"
    if not merges_columns(plain, settings):
        return "logq with shape_scores='all' has no kernel, but for logq_mode='exact'"
    return None


def check_step(name: str, plain: Step, settings: Settings) -> None:
    """Accept the step called `name`, or say why it cannot run.

    Raises:
        ValueError: "numba", where kernels cannot run the step.
    """
    if name == "numba" and (reason := missing_kernel(plain, settings)):
        raise ValueError(f"step='numba' is not possible: {reason}; step='auto' takes the plain one")


def choose_step(name: str, plain: Step, settings: Settings) -> "Step | FastStep":
    """The step called `name`; "auto" is "numba" where kernels can run it, else "plain".

    The first choice of "numba" takes half a second, in which numba is imported.

    Raises:
        ValueError: "numba", where kernels cannot run the step or numba cannot be loaded.
    """
    check_step(name, plain, settings)
    if name == "plain" or missing_kernel(plain, settings):
        return plain
    try:
        from .step import FastStep
    except (ImportError, RuntimeError) as error:  # no numba, or no folder for its cache
        if name == "numba":
            raise ValueError(
                f"step='numba' is not possible: {error}; set NUMBA_CACHE_DIR to a folder that can "
                f"be written to, or use step='plain'"
            ) from error
        return plain
    return FastStep(plain)
