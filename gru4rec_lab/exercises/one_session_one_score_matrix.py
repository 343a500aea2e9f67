"""The exercises of notebook 01: from clicks to rows, from rows to a target and its negatives."""

import torch
from torch import Tensor

from ..model import carried
from ..sampling import copies
from .check import Cases, Check


def _sessions() -> Cases:
    return {
        "two clicks": (torch.tensor([8, 3]),),
        "an item clicked twice": (torch.tensor([4, 4, 1, 7]),),
    }


def pairs(session: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs and targets of the steps of one session, [clicks - 1] each."""
    return session[:-1], session[1:]


check_pairs = Check(
    "pairs",
    pairs,
    _sessions,
    mistakes={
        "after the last click nothing follows: it is no input": lambda session: (
            session,
            session[1:],
        ),
        "that is the other way round": lambda session: (session[1:], session[:-1]),
    },
    parts=("inputs", "targets"),
)


def _hidden() -> Cases:
    hidden = torch.arange(1.0, 13).view(4, 3)
    return {
        "all go on": (hidden, torch.tensor([0, 1, 2, 3])),
        "row 1 starts a session": (hidden, torch.tensor([0, -1, 2, 3])),
        "the end of an epoch: row 1 is gone, the rows below move up": (
            hidden,
            torch.tensor([0, 2, 3]),
        ),
    }


def reset(hidden: Tensor, carry: Tensor) -> Tensor:
    """The states that the rows go on with: row `carry[b]` of `hidden`, zeros where it is -1."""
    return carried([hidden], carry)[0]


check_reset = Check(
    "reset",
    reset,
    _hidden,
    mistakes={
        "-1 is the last row in Python; a session that starts has zeros": lambda hidden, carry: (
            hidden[carry]
        ),
        "the rows move: carry says which row goes on": lambda hidden, carry: (
            hidden[: len(carry)] * (carry >= 0)[:, None]
        ),
        "row 0 is a row like all others: only -1 says that a session starts": (
            lambda hidden, carry: hidden[carry] * (carry > 0)[:, None]
        ),
        "that takes the state of row 0; a session that starts has zeros": lambda hidden, carry: (
            hidden[carry.clamp(min=0)]
        ),
    },
)


def _scores() -> Cases:
    generator = torch.Generator().manual_seed(1)
    return {
        "two sessions, no extra samples": (torch.tensor([[5.0, 1.0], [2.0, 6.0]]),),
        "three sessions, four extra samples": (torch.randn(3, 7, generator=generator),),
    }


def negatives(scores: Tensor) -> Tensor:
    """[B, B - 1 + N] the scores of each row's negatives, in the order of the columns."""
    own = torch.eye(*scores.shape, dtype=torch.bool)
    return scores[~own].view(len(scores), -1)


check_negatives = Check(
    "negatives",
    negatives,
    _scores,
    mistakes={
        "the target of row 0 is a negative for the other rows": lambda scores: scores[:, 1:],
        "the targets of the other rows are negatives too": lambda scores: scores[:, len(scores) :],
        "leave the target out, do not change its score": lambda scores: scores.masked_fill(
            torch.eye(*scores.shape, dtype=torch.bool), 0
        ),
        "what a mask picks comes row by row; view(B, -1) gives the rows back": lambda scores: (
            negatives(scores).reshape(-1, len(scores)).T
        ),
    },
)


def _items() -> Cases:
    return {
        "no copy": (torch.tensor([1, 2]), torch.tensor([3, 4])),
        "two rows with the same target": (torch.tensor([7, 5, 7]), torch.tensor([1])),
        "one target drawn twice": (torch.tensor([7, 5]), torch.tensor([5, 3, 5, 1])),
    }


def n_copies(targets: Tensor, extra: Tensor) -> Tensor:
    """[B] how many of a row's negatives are the row's own target."""
    return copies(targets, extra).sum(dim=1)


check_copies = Check(
    "copies",
    n_copies,
    _items,
    mistakes={
        "the target itself is no copy": lambda targets, extra: n_copies(targets, extra) + 1,
        "the other targets of the batch are negatives too": lambda targets, extra: (
            targets[:, None] == extra
        ).sum(dim=1),
        "how many, not whether": lambda targets, extra: (n_copies(targets, extra) > 0).long(),
    },
)
