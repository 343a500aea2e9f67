"""The exercises of notebook 12: clicks that a model cannot use, a list for the shop, last days."""

import torch
from torch import Tensor

from .check import Cases, Check

DAY = 86_400


def _logs() -> Cases:
    known = ["boots", "socks", "hat"]
    return {
        "the same new item twice": (["tent", "tent", "hat", "boots", "socks"], known),
        "one of four is new": (["boots", "tent", "hat", "boots"], known),
        "nothing is new": (["socks", "hat"], known),
    }


def _unknown_share(clicks: list[str], known: list[str]) -> float:
    return sum(item not in known for item in clicks) / len(clicks)


check_unknown_share = Check(
    "share of unknown clicks",
    _unknown_share,
    _logs,
    mistakes={
        "that is the share of known clicks": lambda clicks, known: (
            1 - _unknown_share(clicks, known)
        ),
        "count clicks, not different items": lambda clicks, known: (
            len(set(clicks) - set(known)) / len(set(clicks))
        ),
        "a share is from 0 to 1": lambda clicks, known: 100 * _unknown_share(clicks, known),
        "that is the number of clicks; divide by all of them": lambda clicks, known: (
            len(clicks) * _unknown_share(clicks, known)
        ),
        "divide by the number of clicks, not of known items": lambda clicks, known: (
            len(clicks) * _unknown_share(clicks, known) / len(known)
        ),
    },
)


def _visits() -> Cases:
    scores = torch.tensor([0.5, 2.0, -1.0, 1.5, 1.0, -3.0])
    return {
        "all scores below 0": (scores - 5, torch.tensor([1, 4]), 3),
        "the best was seen": (scores, torch.tensor([1]), 2),
        "three seen, one twice": (scores, torch.tensor([3, 0, 3, 4]), 3),
    }


def _unseen(scores: Tensor, seen: Tensor, k: int) -> Tensor:
    return scores.index_fill(0, seen, -torch.inf).topk(k).indices


check_unseen = Check(
    "best unseen items",
    _unseen,
    _visits,
    mistakes={
        "items seen are still in it": lambda scores, seen, k: scores.topk(k).indices,
        "those are scores; return the numbers of the items": lambda scores, seen, k: (
            scores.index_fill(0, seen, -torch.inf).topk(k).values
        ),
        "the best comes first": lambda scores, seen, k: _unseen(scores, seen, k).flip(0),
        "0 is not below every score; take minus infinity": lambda scores, seen, k: (
            scores.index_fill(0, seen, 0.0).topk(k).indices
        ),
    },
)


def _starts() -> Cases:
    return {
        "two of four days": ([0, DAY, 2 * DAY + 50, 3 * DAY], 4 * DAY, 2),
        "a session starts just then": ([0, DAY, 2 * DAY], 3 * DAY, 1),
        "the last session goes on for long": ([0, DAY, 2 * DAY], 3 * DAY + 500, 1.5),
    }


def _last_days(starts: list[float], last_click: float, days: float) -> list[bool]:
    return [start >= last_click - days * DAY for start in starts]


def _training(starts, last_click, days):
    return [not late for late in _last_days(starts, last_click, days)]


def _strictly(starts, last_click, days):
    return [start > last_click - days * DAY for start in starts]


check_last_days = Check(
    "sessions of the last days",
    _last_days,
    _starts,
    mistakes={
        "those are the training sessions; turn it round": _training,
        "a session that starts just then belongs to the last days": _strictly,
        "count back from the last click, not from the last start": (
            lambda starts, last_click, days: _last_days(starts, starts[-1], days)
        ),
        "a day has 86,400 seconds": (
            lambda starts, last_click, days: _last_days(starts, last_click, days / 24)
        ),
    },
)
