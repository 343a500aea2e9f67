"""The exercises of notebook 14: GRU4Rec in some 60 lines of torch, a piece an exercise.

The answers use nothing of the library but settings, so that the lesson can hold them against it.
Weights are a list in the order of `Network.parameters()`, for constrained embeddings and one layer:
items, bias, then the GRU's input matrix, its recurrent matrix and its two biases.
"""

from itertools import islice

import torch
from torch import Tensor

from ..config import Config
from .check import Cases, Check

EPS = 1e-6


def _clicks() -> Cases:
    return {
        "as many rows as sessions": ([[7, 8, 9], [3, 4, 5]], 2),
        "one row": ([[1, 2, 3], [4, 5]], 1),
        "two sessions wait": ([[1, 2, 3, 4], [5, 6], [7, 8, 9], [2, 5, 8, 1]], 2),
        "both rows end in one step": ([[1, 2], [3, 4], [5, 6, 7], [8, 9, 1]], 2),
        "no session waits, rows move up": ([[1, 2], [3, 4, 5], [6, 7, 8, 9]], 3),
    }


def batches(sessions: list[list[int]], batch_size: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Inputs, targets and carry of every step, [rows] each."""
    waiting = iter(sessions)
    rows = [(session, 0) for session in islice(waiting, batch_size)]
    carry, steps = [-1] * len(rows), []
    while rows:
        inputs, targets = ([session[at + k] for session, at in rows] for k in (0, 1))
        steps.append(tuple(map(torch.tensor, (inputs, targets, carry))))
        before, rows, carry = rows, [], []
        for row, (session, at) in enumerate(before):
            goes_on = at + 2 < len(session)
            session, at = (session, at + 1) if goes_on else (next(waiting, None), 0)
            if session is not None:
                rows.append((session, at))
                carry.append(row if goes_on else -1)
    return steps


def _never_new(sessions, batch_size):
    steps = batches(sessions, batch_size)
    return [(i, t, torch.where(c < 0, torch.arange(len(c)), c)) for i, t, c in steps]


def _in_blocks(sessions, batch_size):
    blocks = range(0, len(sessions), batch_size)
    return [step for at in blocks for step in batches(sessions[at : at + batch_size], batch_size)]


check_batches = Check(
    "batches",
    batches,
    _clicks,
    mistakes={
        "a session that starts has carry -1": _never_new,
        "a row whose session has ended takes the next one that waits, at once": _in_blocks,
        "the sessions advance side by side": lambda sessions, batch_size: batches(sessions, 1),
        "the input is the click before, the target the one after": lambda sessions, batch_size: [
            (targets, inputs, carry) for inputs, targets, carry in batches(sessions, batch_size)
        ],
        "after its last click a session has no step": lambda sessions, batch_size: batches(
            [[*session, 0] for session in sessions], batch_size
        ),
    },
    parts=("inputs", "targets", "carry"),
)


def _normal(*shapes: tuple[int, ...], seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def _states() -> Cases:
    return {
        "two rows that start": (
            *_normal((2, 3)),
            torch.zeros(2, 3).double(),
            *_normal((9, 3), (9, 3), (9,), (9,), seed=1),
        ),
        "two rows that go on": tuple(_normal((2, 3), (2, 3), (9, 3), (9, 3), (9,), (9,), seed=2)),
    }


def gru(clicked: Tensor, hidden: Tensor, w: Tensor, u: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """[rows, units] the state after a click; blocks of the weights are reset, update, candidate."""
    return _gated(clicked @ w.T + b, hidden @ u.T + c, hidden)


def _gated(from_click: Tensor, from_state: Tensor, hidden: Tensor) -> Tensor:
    by_click, by_state = from_click.chunk(3, dim=1), from_state.chunk(3, dim=1)
    reset, update = (torch.sigmoid(by_click[k] + by_state[k]) for k in (0, 1))
    candidate = torch.tanh(by_click[2] + reset * by_state[2])
    return (1 - update) * candidate + update * hidden


def _update_first(clicked, hidden, w, u, b, c):
    swapped = (torch.cat([each.chunk(3)[k] for k in (1, 0, 2)]) for each in (w, u, b, c))
    return gru(clicked, hidden, *swapped)


def _update_reversed(clicked, hidden, w, u, b, c):
    from_click, from_state = clicked @ w.T + b, hidden @ u.T + c
    update = slice(hidden.shape[1], 2 * hidden.shape[1])
    from_click[:, update], from_state[:, update] = -from_click[:, update], -from_state[:, update]
    return _gated(from_click, from_state, hidden)


def _reset_before(clicked, hidden, w, u, b, c):
    reset = torch.sigmoid(clicked @ w.T + b + hidden @ u.T + c).chunk(3, dim=1)[0]
    candidate = (reset * hidden) @ u.chunk(3)[2].T + c.chunk(3)[2]
    from_state = torch.cat([*(hidden @ u.T + c).chunk(3, dim=1)[:2], candidate / reset], dim=1)
    return _gated(clicked @ w.T + b, from_state, hidden)


check_gru = Check(
    "gru",
    gru,
    _states,
    mistakes={
        "z keeps the old state, 1 - z takes the candidate": _update_reversed,
        "the blocks are reset, update, candidate, in this order": _update_first,
        "the reset gate acts after the product with u, on its bias c too": _reset_before,
        "a state that starts from nothing is zeros; this one goes on": (
            lambda clicked, hidden, *weights: gru(clicked, torch.zeros_like(hidden), *weights)
        ),
    },
)


def _scores() -> Cases:
    target, negatives = _normal((4,), (4, 6))
    return {
        "one target, two negatives": (
            torch.zeros(1).double(),
            torch.tensor([[2.0, -2.0]]).double(),
        ),
        "four rows of wide scores": (target, 3 * negatives),
    }


def bpr_max(target: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """BPR-max of each row [rows], dL/dr_i [rows] and dL/dr_j [rows, N]."""
    s, p = negatives.softmax(dim=1), torch.sigmoid(target[:, None] - negatives)
    z = (s * p).sum(dim=1, keepdim=True)
    return -z[:, 0].log(), -(s * p * (1 - p) / z).sum(dim=1), s - s * p.square() / z


def _detached(target, negatives):
    value, by_target, _ = bpr_max(target, negatives)
    s, p = negatives.softmax(dim=1), torch.sigmoid(target[:, None] - negatives)
    return value, by_target, s * p * (1 - p) / value.neg().exp()[:, None]


def _not_divided(target, negatives):
    value, *gradient = bpr_max(target, negatives)
    z = value.neg().exp()
    return value, gradient[0] * z, gradient[1] * z[:, None]


def _plain_mean(target, negatives):
    p = torch.sigmoid(target[:, None] - negatives)
    return -p.log().mean(dim=1), (p - 1).mean(dim=1), (1 - p) / p.shape[1]


check_bpr_max_grad = Check(
    "bpr_max_grad",
    bpr_max,
    _scores,
    mistakes={
        "the weights s_j depend on r_j too: that is the second way": _detached,
        "the log makes 1/Z of its argument's slope": _not_divided,
        "the sign: a step goes against the gradient, and must raise the target": (
            lambda target, negatives: (
                bpr_max(target, negatives)[0],
                *(-gradient for gradient in bpr_max(target, negatives)[1:]),
            )
        ),
        "that is BPR: weigh by s_j, and take the log of the sum": _plain_mean,
    },
    parts=("value", "by_target", "by_negatives"),
)


def _tables() -> Cases:
    table, sums, gradient = _normal((5, 2), (5, 2), (3, 2), seed=3)
    return {
        "three rows": (table, sums.square(), torch.tensor([4, 0, 1]), gradient, 0.1),
        "row 2 twice": (table, sums.square(), torch.tensor([2, 0, 2]), gradient, 0.1),
        "a first, small gradient": (
            table, torch.zeros_like(sums), torch.tensor([3, 1, 0]), gradient / 1000, 0.1,
        ),
        "a bias": (table[:, 0], sums[:, 0].square(), torch.tensor([1, 1]), gradient[:2, 0], 0.5),
    }  # fmt: skip


def adagrad(
    table: Tensor, sums: Tensor, rows: Tensor, gradient: Tensor, rate: float
) -> tuple[Tensor, Tensor]:
    """The table and its sums of squares after a step; row k of the gradient is for `rows[k]`."""
    touched, place = rows.unique(return_inverse=True)
    total = torch.zeros_like(table[touched]).index_add(0, place, gradient)
    sums = sums.index_add(0, touched, total.square())
    move = -rate * total / (sums[touched] + EPS).sqrt()
    return table.index_add(0, touched, move), sums


def _last_wins(table, sums, rows, gradient, rate):
    last = list({row: k for k, row in enumerate(rows.tolist())}.values())
    return adagrad(table, sums, rows[last], gradient[last], rate)


def _one_by_one(table, sums, rows, gradient, rate):
    for k in range(len(rows)):
        table, sums = adagrad(table, sums, rows[k : k + 1], gradient[k : k + 1], rate)
    return table, sums


def _behind(table, sums, rows, gradient, rate):
    _, after = adagrad(table, sums, rows, gradient, rate)
    move = -rate * torch.zeros_like(table).index_add(0, rows, gradient) / (sums + EPS).sqrt()
    return table + move, after


def _root_first(table, sums, rows, gradient, rate):
    _, after = adagrad(table, sums, rows, gradient, rate)
    total = torch.zeros_like(table).index_add(0, rows, gradient)
    return table - rate * total / (after.sqrt() + EPS), after


check_adagrad = Check(
    "adagrad",
    adagrad,
    _tables,
    mistakes={
        "a row that comes twice gets the sum of its gradients": _last_wins,
        "add the gradients of a row first, then square": _one_by_one,
        "add the square first, then divide": _behind,
        "1e-6 stands inside the root": _root_first,
        "a step goes against the gradient": lambda table, sums, rows, gradient, rate: adagrad(
            table, sums, rows, gradient, -rate
        ),
    },
    parts=("table", "sums"),
)


def _weights(n_items: int = 8, units: int = 3) -> list[Tensor]:
    wide = (3 * units, units), (3 * units, units), (3 * units,), (3 * units,)
    return _normal((n_items, units), (n_items, 1), *wide, seed=4)


def _one_step() -> Cases:
    config = Config(layers=(3,), batch_size=3, n_sample=4, learning_rate=0.1)
    weights, (hidden,) = _weights(), _normal((3, 3), seed=5)
    new = [torch.zeros_like(weight) for weight in weights]
    sums = [weight.square() for weight in weights]
    extra = torch.tensor([1, 6, 2, 6])
    first = tuple(map(torch.tensor, ([0, 1, 2], [3, 4, 5], [-1, -1, -1])))
    later = tuple(map(torch.tensor, ([3, 7], [3, 0], [2, -1])))
    return {
        "the first step": (weights, new, torch.zeros_like(hidden), first, extra, config),
        "two rows are left": (weights, sums, hidden, later, extra, config),
    }


def step(
    weights: list[Tensor],
    sums: list[Tensor],
    hidden: Tensor,
    batch: tuple[Tensor, Tensor, Tensor],
    extra: Tensor,
    config: Config,
    *,
    gru=gru,
    loss=bpr_max,
    adagrad=adagrad,
) -> tuple[Tensor, Tensor, list[Tensor], list[Tensor]]:
    """The loss before the update, then state, weights and sums of squares after it."""
    (items, bias, *layer), (inputs, targets, carry) = weights, batch
    columns = torch.cat([targets, extra])
    rows = torch.cat([columns, inputs])
    leaves = [w.clone().requires_grad_() for w in (items[rows], bias[columns], *layer)]
    output, clicked = leaves[0].split([len(columns), len(inputs)])
    before = hidden[carry.clamp(min=0)] * (carry >= 0)[:, None]
    hidden = gru(clicked, before, *leaves[2:])
    scores = hidden @ output.T + leaves[1].T
    own = torch.eye(*scores.shape, dtype=torch.bool)
    target, negatives = scores.detach()[own], scores.detach()[~own].view(len(targets), -1)
    value, by_target, by_negatives = loss(target, negatives)
    by_scores = torch.empty_like(scores)
    by_scores[own], by_scores[~own] = by_target, by_negatives.flatten()
    gradients = torch.autograd.grad(scores, leaves, by_scores / config.batch_size)
    touched = [rows, columns, *(torch.arange(len(weight)) for weight in layer)]
    rates = [config.learning_rate] * len(weights)
    moved = list(map(adagrad, weights, sums, touched, gradients, rates))
    weights, sums = [weight for weight, _ in moved], [total for _, total in moved]
    return value.sum() / config.batch_size, hidden.detach(), weights, sums


def _with_memory_of_others(weights, sums, hidden, batch, extra, config):
    inputs, targets, carry = batch
    return step(weights, sums, hidden, (inputs, targets, carry.clamp(min=0)), extra, config)


def _summed(weights, sums, hidden, batch, extra, config):
    return step(weights, sums, hidden, batch, extra, config.with_changes(batch_size=1))


def _mean_of_rows(weights, sums, hidden, batch, extra, config):
    rows = config.with_changes(batch_size=len(batch[0]))
    return step(weights, sums, hidden, batch, extra, rows)


def _stays_in_its_row(weights, sums, hidden, batch, extra, config):
    inputs, targets, carry = batch
    in_place = torch.where(carry < 0, carry, torch.arange(len(carry)))
    return step(weights, sums, hidden, (inputs, targets, in_place), extra, config)


check_step = Check(
    "step",
    step,
    _one_step,
    mistakes={
        "a session that starts has a state of zeros": _with_memory_of_others,
        "row b goes on with the state of row carry[b]": _stays_in_its_row,
        "divide the sum over the rows by config.batch_size": _summed,
        "divide by config.batch_size, also when fewer rows are left": _mean_of_rows,
    },
    parts=("loss", "hidden", "weights", "sums"),
)


def _short_training() -> Cases:
    config = Config(layers=(3,), batch_size=2, n_sample=3, learning_rate=0.1)
    steps = batches([[1, 2, 3, 4], [5, 6], [7, 0, 1], [2, 5, 3, 1]], 2)
    extras = list(torch.tensor([[1, 6, 2], [0, 4, 6], [3, 3, 5], [7, 2, 0], [1, 0, 4], [2, 2, 6]]))
    return {"six steps": (step, _weights(), steps, extras, config)}


def training(step, weights, batches, extras, config):
    """The loss of every step, a number each, and the weights after the last one."""
    sums = [torch.zeros_like(weight) for weight in weights]
    hidden, losses = weights[0].new_zeros(config.batch_size, config.layers[0]), []
    for batch, extra in zip(batches, extras, strict=True):
        loss, hidden, weights, sums = step(weights, sums, hidden, batch, extra, config)
        losses.append(loss.item())
    return losses, weights


def _stays(part: int):
    """A training in which argument `part` of the step is what it was at the start."""

    def stuck(step, weights, batches, extras, config):
        begun = {}

        def without(*state):
            kept = begun.setdefault("state", state)[part]
            return step(*state[:part], kept, *state[part + 1 :])

        return training(without, weights, batches, extras, config)

    return stuck


check_training = Check(
    "training",
    training,
    _short_training,
    mistakes={
        "the state of a step is where the next one begins": _stays(2),
        "the sums of squares go on from step to step": _stays(1),
        "the next step has the weights that this one returned": _stays(0),
    },
    parts=("losses", "weights"),
)
