"""`diagnose`: which known bug a loss, gradients or ranks look like, by comparing numbers."""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..evaluation import rank_targets
from ..losses import LOSSES, score_regulariser
from ..own_losses import autograd_of
from ..score_matrix import join_columns
from .bugs import BUGS, softmax_over_batch

Value = Callable[[Tensor, Tensor], Tensor]


def diagnose(
    *,
    loss: Value | None = None,
    gradient: tuple[Tensor, Tensor] | None = None,
    ranks: Float[Tensor, "batch"] | tuple[Tensor, Tensor] | None = None,
    scores: tuple[Tensor, Tensor] | None = None,
) -> str:
    """One line: what a loss, gradients or ranks are, or the bug that they look like.

    Give one of three:
        loss: a function of the scores of targets [B] and negatives [B, N], N > 1, to [B].
        gradient: (dL/dr_i [B], dL/dr_j [B, N]) at `scores`, the targets' and the negatives'.
        ranks: those of the targets, with `scores`: those of all items [B, items] and the targets'
            numbers [B]; or a pair of ranks of the same targets, one session at a time and many
            side by side, without `scores`.

    Known forms, those of `LOSSES` and `BUGS`, are found by equal numbers. An answer that begins
    with "likely" rests on a property that another mistake may have too.

    Raises:
        ValueError: not exactly one of the three, or no `scores` where they are needed.
    """
    if sum(given is not None for given in (loss, gradient, ranks)) != 1:
        raise ValueError("give exactly one of loss=, gradient= and ranks=")
    if loss is not None:
        return _of_loss(loss)
    if isinstance(ranks, tuple):
        return _of_two(*ranks)
    if scores is None:
        raise ValueError("gradient= and ranks= need scores=, those that they were computed from")
    return _of_gradient(gradient, *scores) if gradient is not None else _of_ranks(ranks, *scores)


def _forms() -> Iterator[tuple[str, Value]]:
    """What to call each known loss, and its value; sound ones first."""
    yield from ((name, loss.value) for name, loss in LOSSES.items() if loss.given is None)
    for name, bug in BUGS.items():
        if bug.value is not None:
            yield f"the bug {name!r} ({bug.what})", bug.value
    yield from ((name, loss.value) for name, loss in LOSSES.items() if loss.given is not None)


def _of_loss(loss: Value) -> str:
    random = torch.Generator().manual_seed(0)
    rows = 2 * torch.randn(6, 8, generator=random, dtype=torch.float64)
    target, negatives = rows[:, 0], rows[:, 1:]
    got = loss(target.clone(), negatives.clone())
    if got.shape == () or got.shape == (1,):
        for name, value in _forms():
            want = value(target, negatives)
            for how, whole in (("mean", want.mean()), ("sum", want.sum())):
                if torch.isclose(got.squeeze(), whole):
                    return f"the {how} over the batch of {name}; return one number a row"
        return "one number for the whole batch, of no known form; return one number a row"
    if got.shape != target.shape:
        return f"wrong shape: want {list(target.shape)}, one loss a row, got {list(got.shape)}"
    if not got.any():
        return "0 in every row: there is nothing to learn from"
    for name, value in _forms():
        if torch.allclose(got, value(target, negatives)):
            return name + _far(loss)
    alone = torch.cat(
        [loss(t, n) for t, n in zip(target.split(1), negatives.split(1), strict=True)]
    )
    if not torch.allclose(got, alone):
        return "mixes rows: a row's loss changes with the others; a sum or mean is over dim=1"
    for name, value in _forms():
        want = value(target, negatives)
        if torch.allclose(got, -want):
            return f"{name} with the wrong sign: training makes it smaller"
        if torch.allclose(ratio := got / want, ratio[:1]):
            return f"{ratio[0]:.4g} times {name}; Adagrad hardly minds, a learning rate does"
        if torch.allclose(more := got - want, more[:1]):
            return f"{name} and {more[0]:.4g} more, which moves no gradient"
    return _bent_or_more(loss, target, negatives) or (
        _offsets(*autograd_of(loss)(target, negatives), negatives - target[:, None])
        or "no known form; look at its pull beside the others'"
    )


def _bent_or_more(loss: Value, target: Tensor, negatives: Tensor) -> str:
    """A known form of bent scores, or with a term added; "" if it is neither."""
    others, penalty = target.flip(0), score_regulariser(negatives)
    above = target.abs(), negatives.abs()
    for name, value in _forms():
        more = loss(target, negatives) - value(target, negatives)
        if torch.allclose(more, loss(others, negatives) - value(others, negatives)):
            if torch.allclose(ratio := more / penalty, ratio[:1]):
                return f"{name} and {ratio[0]:.4g} times the score regulariser"
            return f"likely: {name} and a term of the negatives alone, a regulariser?"
        if torch.allclose(loss(*above), value(*above)):
            return f"likely: {name} of scores that are bent below 0, as by ELU"
    return ""


def _offsets(by_target: Tensor, by_negatives: Tensor, gap: Tensor) -> str:
    """Whether a gradient is that of cross-entropy with an offset for each column; "" if not.

    `gap` is r_j - r_i in the last columns, those that hold the same item in all rows.
    """
    total = by_negatives.sum(dim=1)
    if (by_negatives <= 0).any() or not torch.allclose(by_target, -total) or (total >= 1).any():
        return ""
    offset = (by_negatives / (1 - total)[:, None]).log()[:, -gap.shape[1] :] - gap
    offset = offset - offset.mean(dim=1, keepdim=True)
    if not torch.allclose(offset, offset[:1].expand_as(offset), atol=1e-3):
        return ""
    span = "from {:.2g} to {:.2g}".format(*offset[0].aminmax())
    return (
        f"likely: cross-entropy with an offset for each column, {span}, as of logq; frequent "
        "negatives must have the lowest"
    )


def _far(loss: Value) -> str:
    """What happens to a known form at scores of +-1e4."""
    far = torch.tensor([1e4, -1e4]), torch.tensor([[-1e4, 0.0], [1e4, 0.0]])
    value, by_scores = loss(*far), autograd_of(loss)(*far)
    finite = all(part.isfinite().all() for part in (value, *by_scores))
    return "" if finite else ", but not finite at scores of +-1e4; use logsigmoid or logsumexp"


def _of_gradient(gradient: tuple[Tensor, Tensor], target: Tensor, negatives: Tensor) -> str:
    target, negatives = target.cpu().double(), negatives.cpu().double()
    by_target, by_negatives = (part.cpu().double() for part in gradient)
    got, almost = torch.cat([by_target[:, None], by_negatives], dim=1), ""
    for name, value in _forms():
        if value is softmax_over_batch and len(target) > got.shape[1]:  # no score matrix
            continue
        wanted = autograd_of(value)(target, negatives)
        want = torch.cat([wanted[0][:, None], wanted[1]], dim=1)
        if torch.allclose(got, want, rtol=1e-4, atol=1e-7):
            return name
        factor = (got * want).sum() / want.square().sum()
        if torch.allclose(got, factor * want, rtol=1e-4, atol=1e-7) and factor != 0:
            sign = ": the wrong sign, targets are pushed down" if factor < 0 else ""
            almost = almost or f"{factor:.4g} times {name}{sign}"
        if torch.allclose(by_target, wanted[0], rtol=1e-4, atol=1e-7):
            fixed = f"likely: dL/dr_i of {name}, dL/dr_j is not: is a weight held fixed?"
            almost = almost or fixed
    # In each row of a score matrix one of the first B columns is another item's.
    gap = (negatives - target[:, None])[:, len(target) :]
    if not almost and gap.shape[1] > 1:
        almost = _offsets(by_target, by_negatives, gap)
    if not almost and len(target) <= got.shape[1]:
        matrix = join_columns(by_target, by_negatives)
        if matrix.sum(dim=0).abs().max() < 1e-5 < matrix.sum(dim=1).abs().max():
            almost = "likely: a softmax over the batch, for columns sum to 0 and rows do not"
    return almost or "no known form"


def _of_two(alone: Tensor, together: Tensor) -> str:
    differ = int((alone != together).sum())
    if not differ:
        return "the same ranks alone and side by side"
    return f"likely: states are not reset, {differ} of {len(alone)} ranks are others side by side"


def _of_ranks(ranks: Tensor, scores: Float[Tensor, "batch items"], targets: Int[Tensor, "batch"]):
    right, n_items = rank_targets(scores, targets), scores.shape[1]
    wrong = {
        "right: 1 is the best, ties count against the target": right,
        "ranks from 0: `rank < k` is then right, `rank <= k` takes k + 1 places": right - 1,
        "ties count for the target: equal scores, as of a saturated output, look perfect": (
            rank_targets(scores, targets, "standard")
        ),
        "ties count half": rank_targets(scores, targets, "median"),
        "from the wrong end: the highest score must be rank 1": rank_targets(-scores, targets),
        "those of the targets of the row above": rank_targets(scores, targets.roll(1)),
        "those of items numbered one higher": rank_targets(scores, (targets + 1) % n_items),
    }
    for name, known in wrong.items():
        if torch.equal(ranks.to(known), known):
            return name
    if (ranks <= right).all():
        return "likely: ranked among fewer items, as sampled negatives, for none is too high"
    return "no known mistake; were states reset, and are items numbered as in training?"
