"""`diagnose`: each known form is recognised, and what is like it is told apart."""

import pytest
import torch

from gru4rec_lab import LOSSES
from gru4rec_lab.diagnostics import BUGS, diagnose
from gru4rec_lab.losses import elu, score_regulariser
from gru4rec_lab.own_losses import autograd_of
from gru4rec_lab.score_matrix import loss_and_gradient, split_columns

RANDOM = torch.Generator().manual_seed(3)
TARGET = torch.randn(5, generator=RANDOM)
NEGATIVES = 2 * torch.randn(5, 9, generator=RANDOM)
SCORES = torch.tensor([[3.0, 1.0, 2.0, 1.0], [0.0, 5.0, 5.0, 1.0], [4.0, 3.0, 2.0, 1.0]])
TARGETS = torch.tensor([1, 2, 0])
XE, BPR, BPR_MAX = (LOSSES[name] for name in ("cross-entropy", "bpr", "bpr-max"))


@pytest.mark.parametrize("name", ["top1", "bpr", "top1-max", "bpr-max", "cross-entropy"])
def test_a_loss_of_the_library_is_named(name):
    loss = LOSSES[name]
    assert diagnose(loss=loss.value) == name
    gradient = loss.gradient(TARGET, NEGATIVES)
    assert diagnose(gradient=gradient, scores=(TARGET, NEGATIVES)) == name


@pytest.mark.parametrize("name", [name for name, bug in BUGS.items() if bug.value])
def test_a_wrong_form_is_named(name):
    value = BUGS[name].value
    assert diagnose(loss=value).startswith(f"the bug '{name}'")
    gradient = autograd_of(value)(TARGET, NEGATIVES)
    assert diagnose(gradient=gradient, scores=(TARGET, NEGATIVES)).startswith(f"the bug '{name}'")


@pytest.mark.parametrize(
    ("loss", "line"),
    [
        (lambda t, n: BPR(t, n).mean(), "the mean over the batch of bpr; return one number a row"),
        (lambda t, n: BPR(t, n).sum(), "the sum over the batch of bpr; return one number a row"),
        (lambda t, n: t[:, None] - n, "wrong shape: want [6], one loss a row, got [6, 7]"),
        (lambda t, n: -XE(t, n), "cross-entropy with the wrong sign: training makes it smaller"),
        (
            lambda t, n: 7 * BPR(t, n),
            "7 times bpr; Adagrad hardly minds, a learning rate does",
        ),
        (lambda t, n: XE(t, n) + 2, "cross-entropy and 2 more, which moves no gradient"),
        (
            lambda t, n: XE(t, n) - n.mean(),
            "mixes rows: a row's loss changes with the others; a sum or mean is over dim=1",
        ),
        (
            lambda t, n: -(torch.sigmoid(t[:, None] - n).log()).mean(dim=1),
            "bpr, but not finite at scores of +-1e4; use logsigmoid or logsumexp",
        ),
        (
            lambda t, n: BPR_MAX(t, n) + 0.5 * score_regulariser(n),
            "bpr-max and 0.5 times the score regulariser",
        ),
        (
            lambda t, n: BPR(t, n) + n.square().mean(dim=1),
            "likely: bpr and a term of the negatives alone, a regulariser?",
        ),
        (
            lambda t, n: BPR_MAX(elu(t, 0.7), elu(n, 0.7)),
            "likely: bpr-max of scores that are bent below 0, as by ELU",
        ),
        (
            lambda t, n: XE(t + 1, n - torch.linspace(0, 3, n.shape[1], dtype=n.dtype)),
            "likely: cross-entropy with an offset for each column, from",
        ),
        (lambda t, n: t.square(), "no known form; look at its pull beside the others'"),
    ],
)
def test_a_loss_that_is_like_a_known_one_is_told_apart(loss, line):
    got = diagnose(loss=loss)
    assert got == line or (got.startswith(line) and "offset" in line)


def test_gradients_that_are_like_known_ones_are_told_apart():
    pull, push = XE.gradient(TARGET, NEGATIVES)
    at = {"scores": (TARGET, NEGATIVES)}
    assert diagnose(gradient=(pull / 5, push / 5), **at) == "0.2 times cross-entropy"
    assert "the wrong sign" in diagnose(gradient=(-pull, -push), **at)
    fixed = diagnose(gradient=(pull, torch.zeros_like(push)), **at)
    assert fixed == "likely: dL/dr_i of cross-entropy, dL/dr_j is not: is a weight held fixed?"
    assert diagnose(gradient=(pull + 1, push), **at) == "no known form"


def score_matrix(rows=4, columns=12):
    return 2 * torch.randn(rows, columns, generator=torch.Generator().manual_seed(5))


def test_gradients_of_more_rows_than_columns_are_told_too():
    few = NEGATIVES[:, :2]
    by_target, by_negatives = BPR.gradient(TARGET, few)
    got = diagnose(gradient=(-by_target, -by_negatives), scores=(TARGET, few))
    assert got == "-1 times bpr: the wrong sign, targets are pushed down"
    assert diagnose(gradient=(TARGET, few), scores=(TARGET, few)) == "no known form"


def test_a_loss_of_zeros_is_no_multiple_of_another():
    got = diagnose(loss=lambda t, n: 0 * t)
    assert got == "0 in every row: there is nothing to learn from"


def test_gradients_of_scores_with_an_offset_a_column_are_told_with_its_range():
    scores, offset = score_matrix(), torch.linspace(-1, 1.75, 12)
    _, by_scores = loss_and_gradient(scores + offset, XE)
    got = diagnose(gradient=split_columns(by_scores), scores=split_columns(scores))
    # In the split rows of four, seven of the eight columns of samples are left.
    assert "an offset for each column, from -0.75 to 0.75, as of logq" in got
    uneven = loss_and_gradient(scores + offset * torch.arange(4)[:, None], XE)[1]
    assert diagnose(gradient=split_columns(uneven), scores=split_columns(scores)) == "no known form"


def test_gradients_whose_columns_sum_to_zero_are_those_of_a_softmax_over_the_batch():
    scores = score_matrix().requires_grad_()
    # At half the scores: no known form.
    loss = -(scores / 2).log_softmax(dim=0).diagonal()
    (by_scores,) = torch.autograd.grad(loss.sum(), scores)
    got = diagnose(gradient=split_columns(by_scores), scores=split_columns(scores.detach()))
    assert got == "likely: a softmax over the batch, for columns sum to 0 and rows do not"


def test_ranks_that_depend_on_the_sessions_beside_them_are_told():
    alone, together = torch.tensor([1.0, 4.0, 2.0]), torch.tensor([1.0, 5.0, 3.0])
    assert diagnose(ranks=(alone, alone)) == "the same ranks alone and side by side"
    got = diagnose(ranks=(alone, together))
    assert got == "likely: states are not reset, 2 of 3 ranks are others side by side"


@pytest.mark.parametrize(
    ("ranks", "begins"),
    [
        ([4, 2, 1], "right"),
        ([3, 1, 0], "ranks from 0"),
        ([3, 1, 1], "ties count for the target"),
        ([3.5, 1.5, 1], "ties count half"),
        ([2, 4, 4], "from the wrong end"),
        ([1, 2, 3], "those of the targets of the row above"),
        ([2, 3, 2], "those of items numbered one higher"),
        ([2, 1, 1], "likely: ranked among fewer items"),
        ([4, 4, 4], "no known mistake"),
    ],
)
def test_ranks_by_hand(ranks, begins):
    got = diagnose(ranks=torch.tensor(ranks).double(), scores=(SCORES, TARGETS))
    assert got.startswith(begins)


def test_what_is_missing_is_said():
    with pytest.raises(ValueError, match="exactly one"):
        diagnose()
    with pytest.raises(ValueError, match="need scores="):
        diagnose(ranks=torch.ones(1))
