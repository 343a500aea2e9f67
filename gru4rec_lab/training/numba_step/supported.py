"""Which settings the kernels can run."""

import torch

from ...losses import LOSSES
from ...model import FeedForwardCell
from ..controls import Settings
from ..step import Step


def _merges_columns(plain: Step, settings: Settings) -> bool:
    """Whether equal columns have equal scores, once corrected and bent.

    The official correction differs between an item as a target and as a sample, which without ELU
    and regulariser is a weight, but not with them.
    """
    differ = settings.acting_logq and not plain.exact
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
    if LOSSES[settings.loss].kernel is None:
        return f"the loss {settings.loss!r} has no kernel"
    if not _merges_columns(plain, settings):
        return "logq with shape_scores='all' has no kernel, but for logq_mode='exact'"
    return None
