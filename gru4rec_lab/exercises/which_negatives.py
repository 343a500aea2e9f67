"""The exercises of notebook 06: where samples fall, how many find one, lists, and logq."""

from math import ceil, floor, log, log10

import torch
from torch import Tensor

from ..device import generator
from ..sampling import Frequencies, official_logq, popularity_weight
from .check import Cases, Check


def _clicks() -> Cases:
    support = torch.tensor([4, 100, 1, 25, 9])
    return {
        "popularity": (support, 1.0, 2),
        "its square root": (support, 0.5, 2),
        "uniform": (support, 0.0, 2),
        "uniform, an item without a click": (torch.tensor([4, 100, 0, 25, 9]), 0.0, 2),
    }


def _popular(support: Tensor, alpha: float, k: int) -> float:
    weight = popularity_weight(support, alpha)
    return float(weight[support.argsort(descending=True)[:k]].sum() / weight.sum())


def _of_the_first(support, alpha, k):
    weight = popularity_weight(support, alpha)
    return float(weight[:k].sum() / weight.sum())


def _with_the_unclicked(support, alpha, k):
    weight = support.double() ** alpha
    return float(weight.topk(k).values.sum() / weight.sum())


check_popular = Check(
    "share on the popular",
    _popular,
    _clicks,
    mistakes={
        "divide by the sum over all items": (
            lambda support, alpha, k: float(popularity_weight(support, alpha).topk(k).values.sum())
        ),
        "the popular items are those with the most clicks, not the first": _of_the_first,
        "samples are drawn by clicks to the power alpha": (
            lambda support, alpha, k: _popular(support, 1.0, k)
        ),
        "an item without a click is never drawn, though 0 to the power 0 is 1": _with_the_unclicked,
    },
)


def _chances() -> Cases:
    return {
        "one in a hundred": (0.01, 0.9),
        "ten of 1,881 items": (10 / 1881, 0.5),
        "every other": (0.5, 0.875),
        "nearly every one": (0.9, 0.5),
    }


def _needed(q: float, chance: float) -> int:
    return ceil(log(1 - chance) / log(1 - q))


check_samples = Check(
    "samples needed",
    _needed,
    _chances,
    mistakes={
        "q of each sample do not add up: two can be relevant at once": (
            lambda q, chance: ceil(chance / q)
        ),
        "one less does not reach it; round up": lambda q, chance: floor(
            log(1 - chance) / log(1 - q)
        ),
        "a number of samples is whole; round up": lambda q, chance: log(1 - chance) / log(1 - q),
        "that is when all samples are relevant with this chance": (
            lambda q, chance: ceil(log(chance) / log(q))
        ),
        "that is when none is relevant with this chance; it should be with 1 - chance": (
            lambda q, chance: ceil(log(chance) / log(1 - q))
        ),
        "take the same logarithm above and below the line": (
            lambda q, chance: ceil(log10(1 - chance) / log(1 - q))
        ),
    },
)


def _lists() -> Cases:
    random = torch.Generator().manual_seed(6)
    scores = torch.randn(30, 50, generator=random) + torch.linspace(2, 0, 50)
    return {
        "three lists": (torch.tensor([[1, 0], [1, 3], [1, 4]]), torch.tensor([5, 90, 8, 40, 1]), 2),
        "the same list for all": (torch.tensor([[2, 1]] * 4), torch.tensor([3, 7, 1, 2]), 1),
        "thirty lists": (scores.topk(5, dim=1).indices, torch.arange(50, 0, -1), 10),
    }


def _most(support: Tensor, k: int) -> Tensor:
    return support.argsort(descending=True)[:k]


def _bias(lists: Tensor, support: Tensor, k: int) -> tuple[float, float]:
    popular = torch.isin(lists, _most(support, k)).double().mean()
    return float(popular), len(lists.unique()) / len(support)


def _bias_of_items(lists, support, k):
    popular = torch.isin(lists.unique(), _most(support, k)).double().mean()
    return float(popular), _bias(lists, support, k)[1]


def _bias_of_rows(lists, support, k):
    popular = torch.isin(lists, _most(support, k)).any(dim=1).double().mean()
    return float(popular), _bias(lists, support, k)[1]


def _bias_of_first(lists, support, k):
    return float((lists < k).double().mean()), _bias(lists, support, k)[1]


check_bias = Check(
    "bias",
    _bias,
    _lists,
    parts=("popular", "coverage"),
    mistakes={
        "count places: an item that stands in many lists counts often": _bias_of_items,
        "count places, not lists that hold a popular item": _bias_of_rows,
        "the popular items are those with the most clicks, not the first": _bias_of_first,
        "divide by all items, not by the places": lambda lists, support, k: (
            _bias(lists, support, k)[0],
            len(lists.unique()) / lists.numel(),
        ),
        "that is how many; divide by all items": lambda lists, support, k: (
            _bias(lists, support, k)[0],
            len(lists.unique()),
        ),
    },
)


def _columns() -> Cases:
    support, random = torch.tensor([4, 100, 1, 25, 9]), generator(6, "columns")
    items = torch.randint(5, (24,), generator=random)
    return {
        "three targets, four samples": (torch.tensor([1, 3, 4]), torch.tensor([0, 1, 1, 4]),
                                        support, 0.5),
        "uniform samples": (torch.tensor([1, 3]), torch.tensor([4, 1]), support, 0.0),
        "many": (items[:8], items[8:], support, 0.75),
    }  # fmt: skip


def _logq(targets: Tensor, negatives: Tensor, support: Tensor, alpha: float) -> Tensor:
    clicks = Frequencies.of(support.double(), popularity_weight(support, alpha))
    return official_logq(clicks, targets, negatives, logq=1.0)


def _times(of_targets: float, targets, negatives, support, of_samples: float) -> Tensor:
    logs = support.double().log()
    return torch.cat([of_targets * logs[targets], of_samples * logs[negatives]])


def _of_shares(targets, negatives, support, alpha: float) -> Tensor:
    return _times(1, targets, negatives, support / support.sum(), alpha)


check_logq = Check(
    "logq",
    _logq,
    _columns,
    mistakes={
        "that is to be subtracted: popular items get more": lambda t, n, s, a: -_logq(t, n, s, a),
        "the targets of the batch come by popularity, whatever alpha is": (
            lambda t, n, s, a: _times(a, t, n, s, a)
        ),
        "samples are drawn by clicks to the power alpha": lambda t, n, s, a: _times(1, t, n, s, 1),
        "the other targets of the batch are negatives too": (
            lambda t, n, s, a: _times(0, t, n, s, a)
        ),
        "from the counts as they are, not from shares": _of_shares,
        "take the logarithm": lambda t, n, s, a: _logq(t, n, s, a).exp(),
    },
)
