"""The exercises of notebook 13: the top negatives, PSL's pull, beta, and a loss of one's own."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..config import Config
from ..data.lab_split import load_split
from ..evaluation import evaluate
from ..losses import LOSSES
from ..newer_losses import bpr_top, psl_grad
from ..training.loop import fit
from .check import Cases, Check


def _normal(n: int) -> tuple[Tensor, Tensor]:
    scores = 2 * torch.randn(4, 1 + n, generator=torch.Generator().manual_seed(n))
    return scores[:, 0], scores[:, 1:]


def _tops() -> Cases:
    return {
        "the highest of three": (torch.tensor([1.0]), torch.tensor([[0.0, 3.0, 2.0]]), 1),
        "3 of 7": (*_normal(7), 3),
        "fewer negatives than m": (*_normal(5), 8),
    }


def _bpr_top(target: Tensor, negatives: Tensor, m: int) -> Tensor:
    return bpr_top(target, negatives, m=m)


def _sum(target: Tensor, negatives: Tensor, m: int) -> Tensor:
    return _bpr_top(target, negatives, m) * min(m, negatives.shape[1])


check_bpr_top = Check(
    "bpr_top",
    _bpr_top,
    _tops,
    mistakes={
        "that is BPR over all negatives": lambda target, negatives, m: LOSSES["bpr"](
            target, negatives
        ),
        "those are the lowest": lambda target, negatives, m: _bpr_top(
            target, -(-negatives).topk(min(m, negatives.shape[1]), dim=1).values, m
        ),
        "take the mean of the m terms, not the sum": _sum,
        "there may be fewer than m: take the mean over those that are there": (
            lambda target, negatives, m: _sum(target, negatives, m) / m
        ),
    },
)


def _rows() -> Cases:
    return {
        "one negative": (torch.tensor([2.0, 0.0]), torch.tensor([[1.0], [3.0]])),
        "seven negatives": _normal(7),
    }


def _psl_pull(target: Tensor, negatives: Tensor) -> Tensor:
    return -psl_grad(target, negatives, form="sigma", tau=1.0)[0]


def _mean_chance(target: Tensor, negatives: Tensor) -> Tensor:
    return torch.sigmoid(target[:, None] - negatives).mean(dim=1)


check_psl_pull = Check(
    "psl_pull",
    _psl_pull,
    _rows,
    mistakes={
        "that is BPR-max's pull, with chances q_j; here they are p_j": lambda target, negatives: (
            1 - _psl_pull(target, negatives)
        ),
        "that weighs all negatives alike; weigh them by w_j": _mean_chance,
        "that is the gradient; the pull is minus that": lambda target, negatives: (
            -_psl_pull(target, negatives)
        ),
        "the weights are not s_j; they are q_j over their sum": lambda target, negatives: (
            negatives.softmax(dim=1) * torch.sigmoid(target[:, None] - negatives)
        ).sum(dim=1),
    },
)


def _settings() -> Cases:
    return {
        "in between": (63, 1000, 0.75),
        "t = 0": (575, 1881, 0.0),
        "t = 1": (575, 1881, 1.0),
        "all others": (999, 1000, 0.5),
    }


def _beta(n_sample: int, n_items: int, t: float) -> float:
    share = n_sample / (n_items - 1)
    return share * (t * (1 - 1 / share) + 1 / share)


check_beta = Check(
    "beta",
    _beta,
    _settings,
    mistakes={
        "t = 0 leaves the loss as it is: beta is 1": lambda n_sample, n_items, t: _beta(
            n_sample, n_items, 1 - t
        ),
        "a target is no negative of itself: divide by n_items - 1": lambda n_sample, n_items, t: (
            1 - t * (1 - n_sample / n_items)
        ),
        "that is a, whatever t is": lambda n_sample, n_items, t: n_sample / (n_items - 1),
    },
)


def own_loss_verdict(attempt: Callable[[Tensor, Tensor], Tensor]) -> str:
    """One line: what is wrong with a learner's loss, or "correct" if a model ranks better by it.

    Both losses train for an epoch on a twentieth of the flights, with the first seed. Better is an
    MRR@20 that is .01 higher than that of BPR.
    """
    return f"own loss: {_wrong_with(attempt) or 'correct'}"


def check_own_loss(attempt: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Print the verdict on a loss that a learner invented."""
    print(own_loss_verdict(attempt))


def _wrong_with(attempt: Callable[[Tensor, Tensor], Tensor]) -> str:
    rows, name = _normal(7), "being-checked"
    try:
        attempt(*rows)
    except NotImplementedError:
        return "not attempted yet"
    except Exception:  # noqa: S110 - LOSSES.add says which
        pass
    try:
        value = LOSSES.add(name, attempt)(*rows)
        built_in = (loss for loss in LOSSES.values() if loss.given is None)
        for loss in built_in:
            if torch.allclose(value, loss(*rows), rtol=1e-3):
                return f"that is {loss.name}; change what it does to the target or to the negatives"
        mine, of_bpr = _mrr(name), _mrr("bpr")
    except ValueError as error:
        return str(error).replace(repr(name), "your loss")
    finally:
        if name in LOSSES:
            LOSSES.remove(name)
    if mine < of_bpr + 0.01:
        return f"it trains, to MRR@20 {mine:.3f}, and BPR to {of_bpr:.3f}; where does it pull less?"
    return ""


def _mrr(loss: str) -> float:
    training, later = load_split("flights", recent=0.05)
    config = Config.preset("lab", loss=loss, n_epochs=1, device="cpu")
    return evaluate(fit(config, training, progress=False), later.sample(1000)).mrr[20]
