"""A learner's own loss: its gradient by autograd, its absent negatives, and what it must pass."""

from collections.abc import Callable, Iterator
from functools import wraps
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

Target = Float[Tensor, "batch"]
Negatives = Float[Tensor, "batch negatives"]
Gradient = tuple[Target, Negatives]


def checked_gradient(name: str, value: Callable, gradient: Callable | None) -> Callable:
    """`gradient`, or that of autograd, once `value` and it have passed the checks of `LOSSES.add`.

    Raises:
        ValueError: which one they do not pass, with the numbers.
    """
    autograd = autograd_of(value)
    what = f"gradient of {name}"
    random = torch.Generator().manual_seed(0)
    for n in (1, 2, 7):
        scores = 2 * torch.randn(5, 1 + n, generator=random, dtype=torch.float64)
        rows = scores[:, 0], scores[:, 1:]
        (got,) = _result(f"value of {name}", value, *rows, parts=1)
        for k, row in enumerate(scores[:, None]):
            (alone,) = _result(f"value of {name}", value, row[:, 0], row[:, 1:], parts=1)
            if not torch.isclose(alone[0], got[k], rtol=1e-9, atol=1e-12):
                raise ValueError(
                    f"value of {name} mixes rows: that of row {k} is {got[k]:.6g} among 5 rows and "
                    f"{alone[0]:.6g} alone; take sums and means over dim=1"
                )
        expected = _result(f"{what} by autograd", autograd, *rows, parts=2)
        if gradient is not None:
            _compare(what, _result(what, gradient, *rows, parts=2), expected, scores)
    # Up to where training may drive scores, in its number type; all equal, too.
    far = (-1e4, 0.0, 1e4)
    rows = [(t, *js) for t, js in product(far, ((-1e4, 0, 1e4, 1e4), *((r,) * 4 for r in far)))]
    scores = torch.tensor(rows, dtype=torch.float32)
    _result(f"value of {name}", value, scores[:, 0], scores[:, 1:], parts=1)
    _result(what, gradient or autograd, scores[:, 0], scores[:, 1:], parts=2)
    return gradient or autograd


def without_absent(value: Callable, gradient: Callable) -> tuple[Callable, Callable]:
    """Both functions for any rows, called for those with equally many present negatives."""

    def all_present(negatives: Negatives) -> bool:
        return negatives.numel() > 0 and not negatives.isneginf().any()

    def groups(negatives: Negatives) -> Iterator[tuple[Tensor, Tensor, Negatives]]:
        present = negatives != -torch.inf
        count = present.sum(dim=1)
        for n in filter(None, count.unique().tolist()):
            rows = count == n
            at = present & rows[:, None]
            yield rows, at, negatives[at].view(-1, n)

    @wraps(value)
    def of_any_rows(target: Target, negatives: Negatives) -> Target:
        if all_present(negatives):
            return value(target, negatives)
        result = torch.zeros_like(target)
        for rows, _, present in groups(negatives):
            result[rows] = value(target[rows], present)
        return result

    @wraps(gradient)
    def slopes(target: Target, negatives: Negatives) -> Gradient:
        if all_present(negatives):
            return tuple(gradient(target, negatives))
        by_target, by_negative = torch.zeros_like(target), torch.zeros_like(negatives)
        for rows, at, present in groups(negatives):
            by_target[rows], slope = gradient(target[rows], present)
            by_negative[at] = slope.flatten()
        return by_target, by_negative

    return of_any_rows, slopes


def autograd_of(value: Callable) -> Callable:
    """The gradient of `value`, also inside `torch.no_grad()` and in any thread."""

    def gradient(target: Target, negatives: Negatives) -> Gradient:
        with torch.enable_grad():
            scores = target.detach().requires_grad_(), negatives.detach().requires_grad_()
            total = value(*scores).sum()
            return torch.autograd.grad(total, scores, materialize_grads=True)

    return gradient


def _result(
    what: str, function: Callable, target: Target, negatives: Negatives, *, parts: int
) -> tuple[Tensor, ...]:
    """What `function` returns: as many tensors as `parts`, shaped like the scores, and finite.

    Raises:
        ValueError: something else, or an error, or changed scores.
    """
    given = target.clone(), negatives.clone()
    rows, n = negatives.shape
    try:
        got = function(*given)
    except Exception as error:
        raise ValueError(
            f"{what} fails for {rows} rows of {n} negatives: {type(error).__name__}: {error}; "
            f"compute it with torch alone, for any number of rows and negatives"
        ) from error
    found = tuple(got) if isinstance(got, tuple | list) else (got,)
    wanted, shapes = [_shape(part) for part in given[:parts]], [_shape(part) for part in found]
    if wanted != shapes:
        raise ValueError(
            f"{what} must return {' and '.join(map(str, wanted))} for {rows} rows of {n} "
            f"negatives, got {' and '.join(map(str, shapes))}; a row's sum or mean is over dim=1"
        )
    if any(part.dtype != target.dtype for part in found):
        raise ValueError(f"{what} must return {target.dtype}, as its scores, got {found[0].dtype}")
    if not (torch.equal(given[0], target) and torch.equal(given[1], negatives)):
        raise ValueError(f"{what} changes the scores it is given; take a clone() of them first")
    for part in found:
        bad = ~part.isfinite().view(rows, -1).all(dim=1)
        if bad.any():
            k = int(bad.int().argmax())
            raise ValueError(
                f"{what} is {part[k].tolist()} for {_row(target[k], negatives[k])}; keep it finite,"
                f" for example by logsigmoid, softplus and logsumexp in place of log and exp"
            )
    return found


def _compare(what: str, got: tuple, expected: tuple, scores: Negatives) -> None:
    for part, mine, wanted in zip(("dL/dr_i", "dL/dr_j"), got, expected, strict=True):
        wrong = (~torch.isclose(mine, wanted, rtol=1e-6, atol=1e-9)).nonzero().tolist()
        if wrong:
            at, (k, *_) = tuple(wrong[0]), wrong[0]
            raise ValueError(
                f"{what} differs from autograd's for {_row(scores[k, 0], scores[k, 1:])}: {part} "
                f"at {list(at)} is {mine[at]:.6g}, wanted {wanted[at]:.6g}; mend it or leave it out"
            )


def _shape(value: object) -> object:
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__


def _row(target: Tensor, negatives: Tensor) -> str:
    scores = ", ".join(f"{score:.6g}" for score in negatives.tolist())
    return f"target {target:.6g} and negatives {scores}"
