"""Where the explorer's scores come from: a Gaussian, a trained model, or pasted numbers."""

import math
import re
from dataclasses import dataclass

import torch
from torch import Tensor

from ...diagnostics import EDGES, gaussian_scores, targets_at_ranks, trained_scores
from ...diagnostics.stored import FLIGHTS

MOST_NEGATIVES = 40_000
N_SCORES = 80_000


@dataclass(frozen=True, eq=False)
class Scores:
    """What the explorer looks at.

    Attributes:
        rows: [R, N] scores of negatives, each row sorted from the highest down.
        target: [R] the score of the target that the dots are about.
        at_ranks: targets at chosen ranks of the rows and their negatives, for the curves.
        edges: bins of the rank for the curves.
    """

    rows: Tensor
    target: Tensor
    at_ranks: tuple[Tensor, Tensor]
    edges: tuple[int, ...] = EDGES

    def divided_by(self, temperature: float) -> "Scores":
        """The same scores divided by `temperature`, as a loss with this temperature sees them."""
        if temperature == 1:
            return self
        targets, negatives = self.at_ranks
        return Scores(
            self.rows / temperature,
            self.target / temperature,
            (targets / temperature, negatives / temperature),
            self.edges,
        )


def gaussian(n_negatives: int, spread: float, target: float) -> Scores:
    """Rows of negatives from N(0, spread^2), and `target` as the target's score in each."""
    made = gaussian_scores(n_negatives, spread)
    score = torch.full((len(made.rows),), target)
    return Scores(made.rows, score, (made.target, made.negatives))


def trained(
    epoch: float, number: int, n_sample: int, sample_alpha: float, model: str = FLIGHTS
) -> Scores:
    """Test target `number` (1-based) of a stored model after `epoch` epochs, and its negatives."""
    scores = trained_scores(epoch, model)
    negatives = scores.negatives(number - 1, n_sample, sample_alpha)
    return _of_one_row(scores.target[number - 1], negatives)


def pasted(text: str) -> Scores:
    """The scores in `text`: the target's first, then the negatives'.

    Raises:
        ValueError: too few or too many numbers, something that is no number, or not finite.
    """
    target, *negatives = parse_scores(text)
    return _of_one_row(torch.tensor(target), torch.tensor(negatives))


def parse_scores(text: str) -> list[float]:
    """The numbers in `text`, parted by spaces, commas, semicolons or new lines."""
    words = re.split(r"[\s,;]+", text.strip(" \t\r\n,;[]()"))
    scores = [_number(place, word) for place, word in enumerate(words, 1) if word]
    if len(scores) < 2:
        raise ValueError(
            f"at least 2 numbers are needed, the target's score and a negative's, got {len(scores)}"
        )
    if len(scores) > MOST_NEGATIVES + 1:
        raise ValueError(f"at most {MOST_NEGATIVES:,} negatives fit, got {len(scores) - 1:,}")
    return scores


def _number(place: int, word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        raise ValueError(
            f"score {place}, {word[:20]!r}, is no number; write 8, 1.5, -2: the target first"
        ) from None
    if not math.isfinite(number) or abs(number) > 1e6:
        raise ValueError(f"score {place}, {word[:20]!r}, must lie between -1e6 and 1e6")
    return number


def _of_one_row(target: Tensor, negatives: Tensor) -> Scores:
    row = negatives.sort(descending=True).values[None]
    count = row.shape[1]
    # One row is cheap: more ranks than of a Gaussian, so that the dot is close to its curve.
    n_places = max(12, min(40, N_SCORES // count))
    places = torch.logspace(0, math.log10(count), n_places).long() - 1
    own = (row > target).sum().clamp(max=count - 1)
    places = torch.cat([places.clamp(0, count - 1), own[None]]).unique()
    at_ranks = targets_at_ranks(row, above=0.3 * float(row.std(correction=0)), places=places)
    return Scores(row, target[None], at_ranks, (*places.tolist(), count + 1))
