"""The exercises of notebook 11: ranks with ties, recall among sampled items, an honest split."""

from math import comb

from .check import Cases, Check


def _scores() -> Cases:
    return {
        "no ties": ([0.1, 0.9, 0.5, 0.3], 2),
        "two others tie with the target": ([0.7, 0.2, 0.7, 0.7, 0.9], 0),
        "all scores are equal": ([0.0, 0.0, 0.0], 1),
        "the target is alone at the top": ([3.0, 1.0, 2.0], 0),
    }


def _ranks(scores: list[float], target: int) -> tuple[float, float, float]:
    better = sum(score > scores[target] for score in scores)
    equal = sum(score == scores[target] for score in scores)
    return better + equal, better + 1, better + (1 + equal) / 2


check_ranks = Check(
    "ranks with ties",
    _ranks,
    _scores,
    parts=("conservative", "standard", "median"),
    mistakes={
        "ranks begin at 1": lambda scores, target: tuple(
            rank - 1 for rank in _ranks(scores, target)
        ),
        "the target ties with itself; count it once": lambda scores, target: tuple(
            rank + 1 for rank in _ranks(scores, target)
        ),
        "conservative is the careful one: ties are above the target": lambda scores, target: (
            _ranks(scores, target)[1],
            _ranks(scores, target)[0],
            _ranks(scores, target)[2],
        ),
        "the median lies halfway between the other two": lambda scores, target: (
            *_ranks(scores, target)[:2],
            _ranks(scores, target)[1] + (_ranks(scores, target)[0] - 1) / 2,
        ),
    },
)


def _draws() -> Cases:
    return {
        "3 of 10, rank 4": (4, 10, 3, 1),
        "the best rank": (1, 50, 20, 1),
        "two places": (6, 20, 5, 2),
        "a large catalogue": (150, 1500, 100, 20),
        "all others": (3, 9, 8, 2),
    }


def _chance(rank: int, n_items: int, n_sampled: int, k: int) -> float:
    above, others = rank - 1, n_items - 1
    ways = (comb(above, j) * comb(others - above, n_sampled - j) for j in range(k))
    return sum(ways) / comb(others, n_sampled)


def _with_replacement(rank: int, n_items: int, n_sampled: int, k: int) -> float:
    above = (rank - 1) / (n_items - 1)
    each = (comb(n_sampled, j) * above**j * (1 - above) ** (n_sampled - j) for j in range(k))
    return sum(each)


check_sampled = Check(
    "chance of a hit",
    _chance,
    _draws,
    mistakes={
        "rank - 1 items are above the target": lambda rank, n_items, n_sampled, k: _chance(
            rank + 1, n_items + 1, n_sampled, k
        ),
        "the target is not among the items to draw from": lambda rank, n_items, n_sampled, k: (
            _chance(rank, n_items + 1, n_sampled, k)
        ),
        "with k items above it the target has rank k + 1": lambda rank, n_items, n_sampled, k: (
            _chance(rank, n_items, n_sampled, k + 1)
        ),
        "that may draw an item twice; each is drawn once at most": _with_replacement,
        "add the chances of 0, 1, ..., k - 1 items above": lambda rank, n_items, n_sampled, k: (
            _chance(rank, n_items, n_sampled, k) - _chance(rank, n_items, n_sampled, k - 1)
        ),
    },
)


def _visits() -> Cases:
    return {
        "apart": ([(0, 5), (10, 12), (20, 30)], 15),
        "one session over the moment": ([(0, 5), (10, 25), (20, 30), (40, 41)], 20),
        "one that ends at the moment": ([(0, 20), (20, 21), (1, 19), (15, 30)], 20),
        "all before it": ([(3, 4), (1, 2)], 9),
    }


def _split(sessions: list[tuple[float, float]], moment: float) -> tuple[list[int], list[int]]:
    train = [place for place, (_, end) in enumerate(sessions) if end < moment]
    test = [place for place, (start, _) in enumerate(sessions) if start >= moment]
    return train, test


check_split = Check(
    "split in time",
    _split,
    _visits,
    parts=("training", "test"),
    mistakes={
        "a session that starts before the moment and ends after it knows the future": (
            lambda sessions, moment: (
                [place for place, (start, _) in enumerate(sessions) if start < moment],
                _split(sessions, moment)[1],
            )
        ),
        "a session that began before the moment is no test session": (
            lambda sessions, moment: (
                _split(sessions, moment)[0],
                [place for place, (_, end) in enumerate(sessions) if end >= moment],
            )
        ),
        "a click at the moment itself is not before it": lambda sessions, moment: (
            [place for place, (_, end) in enumerate(sessions) if end <= moment],
            _split(sessions, moment)[1],
        ),
    },
)
