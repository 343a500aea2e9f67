import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gru4rec_lab.losses import LOSSES, elu, elu_grad, score_regulariser, score_regulariser_grad

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
SHIFT_INVARIANT = ("bpr", "bpr-max", "cross-entropy")
SHAPES = [(1, 1), (3, 2), (8, 31), (2, 2079)]


def normal(rows, n, *, scale=1.0, seed=0):
    """Scores from N(0, scale^2): targets [rows] and negatives [rows, n], in float64."""
    random = torch.Generator().manual_seed(seed)
    target = torch.randn(rows, generator=random, dtype=torch.float64)
    return target * scale, scale * torch.randn(rows, n, generator=random, dtype=torch.float64)


def pair(target, *negatives):
    scores = torch.tensor([[target, *negatives]], dtype=torch.float64)
    return scores[:, 0], scores[:, 1:]


def spread_cases():
    """Scores from narrow to wide, some with a heavy upper tail."""
    for seed, (n, scale) in enumerate((n, s) for n in (1, 2, 31, 500) for s in (0.3, 1, 3, 8)):
        target, negatives = normal(40, n, scale=scale, seed=seed)
        yield target, negatives
        yield target, negatives + negatives.clamp(min=0).square()


def size_of_target_gradient(name, target, negatives):
    return -LOSSES[name].gradient(target, negatives)[0]


# By hand.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bpr", math.log(2)),
        ("bpr-max", math.log(2)),
        ("top1", 1.0),
        ("top1-max", 1.0),
        ("cross-entropy", math.log(3)),
    ],
)
def test_all_scores_at_zero_give_the_value_on_paper(name, expected):
    assert LOSSES[name](*pair(0.0, 0.0, 0.0)).item() == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("name", "by_target", "by_negative"),
    [
        ("bpr", -1 / 2, 1 / 4),
        ("bpr-max", -1 / 2, 1 / 4),
        ("top1", -1 / 4, 1 / 8),
        ("top1-max", -1 / 4, 1 / 8),
        ("cross-entropy", -2 / 3, 1 / 3),
    ],
)
def test_all_scores_at_zero_give_the_gradient_on_paper(name, by_target, by_negative):
    got = LOSSES[name].gradient(*pair(0.0, 0.0, 0.0))
    expected = pair(by_target, by_negative, by_negative)
    torch.testing.assert_close(got, expected, rtol=1e-14, atol=0)


def test_bpr_max_raises_an_easy_negative():
    _, by_negative = LOSSES["bpr-max"].gradient(*pair(0.0, 2.0, -2.0))
    assert by_negative[0].tolist() == pytest.approx([0.877, -0.087], abs=5e-4)


def test_with_its_weights_held_fixed_bpr_max_would_raise_none():
    target, negatives = pair(0.0, 2.0, -2.0)
    negatives.requires_grad_()
    weight = negatives.softmax(dim=1).detach()
    value = -(weight * torch.sigmoid(target[:, None] - negatives)).sum(dim=1).log()
    (by_negative,) = torch.autograd.grad(value.sum(), negatives)
    assert by_negative[0].tolist() == pytest.approx([0.776, 0.014], abs=5e-4)


def test_score_regulariser_by_hand():
    """Scores 0 and log 3 weigh 1/4 and 3/4; gradient s_j (2 r_j + r_j^2 - R)."""
    r = math.log(3)
    negatives = torch.tensor([[0.0, r]], dtype=torch.float64)
    penalty = 0.75 * r * r
    assert score_regulariser(negatives).item() == pytest.approx(penalty, rel=1e-15)
    expected = [-0.25 * penalty, 0.75 * (2 * r + r * r - penalty)]
    assert score_regulariser_grad(negatives)[0].tolist() == pytest.approx(expected, rel=1e-14)


def test_elu_by_hand():
    scores = torch.tensor([-math.log(2), 0.0, 3.0], dtype=torch.float64)
    assert elu(scores, 0.5).tolist() == pytest.approx([-0.25, 0, 3], rel=1e-15)
    assert elu_grad(scores, 0.5).tolist() == pytest.approx([0.25, 0.5, 1], rel=1e-15)


def test_elu_with_alpha_0_changes_nothing():
    scores = torch.tensor([-2.0, 0.0, 3.0])
    assert torch.equal(elu(scores, 0.0), scores)
    assert torch.equal(elu_grad(scores, 0.0), torch.ones(3))


# Oracle.


@every_loss
@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0, 30.0])
@pytest.mark.parametrize(("rows", "n"), SHAPES)
def test_closed_form_gradient_equals_autograd(loss, rows, n, scale):
    scores = [tensor.requires_grad_() for tensor in normal(rows, n, scale=scale)]
    expected = torch.autograd.grad(loss(*scores).sum(), scores)
    for got, want in zip(loss.gradient(*scores), expected, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("rows", "n"), SHAPES)
def test_regulariser_gradient_equals_autograd(rows, n):
    negatives = normal(rows, n, scale=3)[1].requires_grad_()
    (expected,) = torch.autograd.grad(score_regulariser(negatives).sum(), negatives)
    torch.testing.assert_close(score_regulariser_grad(negatives), expected)


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_elu_and_its_slope_equal_torchs_own_also_at_zero(alpha):
    scores = torch.tensor([-50.0, -1.0, -1e-9, 0.0, 1e-9, 5.0], dtype=torch.float64)
    scores.requires_grad_()
    expected = torch.nn.functional.elu(scores, alpha)
    torch.testing.assert_close(elu(scores, alpha), expected)
    (slope,) = torch.autograd.grad(expected.sum(), scores)
    torch.testing.assert_close(elu_grad(scores, alpha), slope)


def literal(name, r_i, r):
    """The formula of the paper, one row in plain Python."""

    def sigma(x):
        return 1 / (1 + math.exp(-x))

    s = [math.exp(r_j) / sum(map(math.exp, r)) for r_j in r]
    top1 = [sigma(r_j - r_i) + sigma(r_j**2) for r_j in r]
    win = [sigma(r_i - r_j) for r_j in r]
    return {
        "top1": sum(top1) / len(r),
        "bpr": -sum(map(math.log, win)) / len(r),
        "top1-max": sum(s_j * term for s_j, term in zip(s, top1, strict=True)),
        "bpr-max": -math.log(sum(s_j * p_j for s_j, p_j in zip(s, win, strict=True))),
        "cross-entropy": -r_i + math.log(math.exp(r_i) + sum(map(math.exp, r))),
    }[name]


@every_loss
@given(st.floats(-15, 15), st.lists(st.floats(-15, 15), min_size=1, max_size=9))
@settings(deadline=None, max_examples=60)
def test_value_equals_the_papers_formula_in_plain_python(loss, target, negatives):
    got = loss(*pair(target, *negatives)).item()
    assert got == pytest.approx(literal(loss.name, target, negatives), rel=1e-9, abs=1e-12)


# Laws.


@every_loss
@given(st.lists(st.floats(-30, 30), min_size=2, max_size=8), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_the_order_of_the_negatives_does_not_matter(loss, scores, random):
    target, *negatives = scores
    order = random.sample(range(len(negatives)), len(negatives))
    shuffled = [negatives[j] for j in order]
    before, after = pair(target, *negatives), pair(target, *shuffled)
    torch.testing.assert_close(loss(*before), loss(*after))
    (by_target, by_negative), moved = loss.gradient(*before), loss.gradient(*after)
    torch.testing.assert_close(by_target, moved[0])
    torch.testing.assert_close(by_negative[:, order], moved[1])


@every_loss
def test_each_row_is_on_its_own(loss):
    target, negatives = normal(6, 5, scale=3)
    alone = torch.cat([loss(target[k : k + 1], negatives[k : k + 1]) for k in range(6)])
    torch.testing.assert_close(loss(target, negatives), alone)


@every_loss
def test_a_loss_leaves_its_arguments_as_they_were(loss):
    target, negatives = normal(4, 7)
    copies = target.clone(), negatives.clone()
    loss(target, negatives)
    loss.gradient(target, negatives)
    assert torch.equal(target, copies[0])
    assert torch.equal(negatives, copies[1])


@every_loss
def test_a_higher_target_never_costs_more_and_its_gradient_never_exceeds_its_bound(loss):
    bound = 0.25 if loss.name.startswith("top1") else 1.0
    for target, negatives in spread_cases():
        assert (loss(target + 0.5, negatives) <= loss(target, negatives) + 1e-12).all()
        pull = -loss.gradient(target, negatives)[0]
        assert (pull >= 0).all()
        assert (pull <= bound + 1e-12).all()


def test_with_one_negative_cross_entropy_bpr_and_bpr_max_are_one_loss():
    scores = normal(50, 1, scale=5)
    for name in ("bpr-max", "cross-entropy"):
        torch.testing.assert_close(LOSSES[name](*scores), LOSSES["bpr"](*scores))
        got, want = (LOSSES[key].gradient(*scores) for key in (name, "bpr"))
        torch.testing.assert_close(got, want)


def test_with_one_negative_top1_and_top1_max_are_one_loss():
    scores = normal(50, 1, scale=5)
    torch.testing.assert_close(LOSSES["top1"](*scores), LOSSES["top1-max"](*scores))


@pytest.mark.parametrize("n", [2, 33, 999])
def test_equal_negatives_make_a_max_loss_its_plain_one(n):
    target, _ = normal(20, 1, scale=3)
    negatives = torch.full((20, n), 0.3, dtype=torch.float64)
    for name in ("top1", "bpr"):
        torch.testing.assert_close(
            LOSSES[f"{name}-max"](target, negatives), LOSSES[name](target, negatives)
        )


def test_with_equal_negatives_cross_entropy_grows_like_log_n_and_bpr_max_does_not():
    value = {n: pair(0.0, *[8.0] * n) for n in (2, 2048)}
    grown = {name: LOSSES[name](*value[2048]) - LOSSES[name](*value[2]) for name in LOSSES}
    assert grown["cross-entropy"].item() == pytest.approx(math.log(1024), abs=1e-3)
    assert grown["bpr-max"].item() == pytest.approx(0, abs=1e-12)


def test_cross_entropy_is_a_pairwise_loss_against_the_soft_maximum():
    target, negatives = normal(30, 40, scale=2)
    expected = -torch.log(torch.sigmoid(target - negatives.logsumexp(dim=1)))
    torch.testing.assert_close(LOSSES["cross-entropy"](target, negatives), expected)


def test_bpr_max_never_exceeds_the_softmax_weighted_bpr():
    """Jensen: -log of a mean is at most the mean of -log."""
    for target, negatives in spread_cases():
        apart = -torch.nn.functional.logsigmoid(target[:, None] - negatives)
        weighted = (negatives.softmax(dim=1) * apart).sum(dim=1)
        assert (LOSSES["bpr-max"](target, negatives) <= weighted * (1 + 1e-12) + 1e-12).all()


def test_the_pull_on_the_target_falls_from_cross_entropy_over_bpr_max_to_bpr():
    for target, negatives in spread_cases():
        xe, bpr_max, bpr = (
            size_of_target_gradient(name, target, negatives)
            for name in ("cross-entropy", "bpr-max", "bpr")
        )
        strongest = torch.sigmoid(negatives.amax(dim=1) - target)
        assert (xe >= strongest * (1 - 1e-12)).all()
        assert (strongest >= bpr_max * (1 - 1e-12)).all()
        assert (bpr_max >= bpr * (1 - 1e-12)).all()


def test_top1_max_pulls_less_than_top1_on_a_badly_ranked_target():
    target, negatives = pair(-10.0, 10.0, -9.0, -9.0)
    top1, top1_max = (size_of_target_gradient(k, target, negatives) for k in ("top1", "top1-max"))
    assert top1_max < 1e-6 < 0.1 < top1


@every_loss
def test_gradients_sum_to_0_exactly_for_the_shift_invariant_losses(loss):
    target, negatives = normal(20, 50, scale=2)
    by_target, by_negative = loss.gradient(target, negatives)
    total = (by_target + by_negative.sum(dim=1)).abs()
    shifted = (loss(target + 1, negatives + 1) - loss(target, negatives)).abs()
    if loss.name in SHIFT_INVARIANT:
        assert total.max() < 1e-14
        assert shifted.max() < 1e-13
    else:
        assert total.max() > 1e-4
        assert shifted.max() > 1e-4


def test_the_regulariser_is_not_shift_invariant():
    _, negatives = normal(20, 50)
    assert score_regulariser_grad(negatives).sum(dim=1).abs().min() > 1e-3


# Edges.


def extremes():
    """Float32 scores up to +-1e4: far apart, all high, all low, and equal."""
    random = torch.Generator().manual_seed(0)
    for offset, scale, gap in (
        (0, 1, 0), (0, 1, 20), (0, 1, -20), (0, 1, 200), (0, 1, -200), (0, 30, 0), (0, 3000, 0),
        (9900, 1, 0), (9900, 1, 20), (9900, 1, -20), (9900, 1, 80), (-9900, 1, 0), (-9900, 4, 20),
        (-9900, 4, -90), (0, 0.1, 20), (0, 0, 0), (1e4, 0, 0), (-1e4, 0, 0),
    ):  # fmt: skip
        target = torch.randn(8, generator=random) * scale + offset + gap
        negatives = torch.randn(8, 64, generator=random) * scale + offset
        yield target.clamp(-1e4, 1e4), negatives.clamp(-1e4, 1e4)
    for target in (-1e4, 0.0, 1e4):
        yield torch.tensor([target]), torch.tensor([[-1e4, 0.0, 1e4, 1e4]])
        yield torch.tensor([target]), torch.tensor([[-1e4, -1e4]])


@every_loss
def test_float32_keeps_its_digits_up_to_scores_of_1e4(loss):
    for target, negatives in extremes():
        value, gradient = loss(target, negatives), loss.gradient(target, negatives)
        exact = target.double(), negatives.double()
        torch.testing.assert_close(value.double(), loss(*exact), rtol=5e-6, atol=1e-30)
        for got, want in zip(gradient, loss.gradient(*exact), strict=True):
            # TOP1-max compares terms near 1 with each other, so its smallest gradients drown.
            least = 1e-6 if loss.name == "top1-max" else 1e-30
            scale = want.abs().amax(dim=-1, keepdim=True)
            assert got.isfinite().all()
            assert ((got.double() - want).abs() <= 5e-6 * scale + least).all()


def test_the_regulariser_in_float32_keeps_its_digits_up_to_scores_of_1e4():
    for _, negatives in extremes():
        exact = negatives.double()
        got, want = score_regulariser_grad(negatives).double(), score_regulariser_grad(exact)
        torch.testing.assert_close(
            score_regulariser(negatives).double(), score_regulariser(exact), rtol=5e-6, atol=0
        )
        assert ((got - want).abs() <= 5e-6 * want.abs().amax(dim=1, keepdim=True)).all()


@every_loss
def test_autograd_through_the_value_stays_finite_up_to_scores_of_1e4(loss):
    for target, negatives in extremes():
        scores = target.clone().requires_grad_(), negatives.clone().requires_grad_()
        for gradient in torch.autograd.grad(loss(*scores).sum(), scores):
            assert gradient.isfinite().all()


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_elu_and_its_slope_stay_finite_up_to_scores_of_1e4(alpha):
    scores = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4])
    assert elu(scores, alpha).isfinite().all()
    assert elu_grad(scores, alpha).isfinite().all()
    assert elu(scores, alpha)[-1] == 1e4


@pytest.mark.parametrize("name", SHIFT_INVARIANT)
def test_a_target_far_above_keeps_a_relative_precision_of_its_tiny_loss(name):
    """-log sigma(20) = 2.061e-9, which 1 - 2.061e-9 cannot hold in float32."""
    got = LOSSES[name](torch.tensor([20.0]), torch.tensor([[0.0]])).item()
    assert got == pytest.approx(math.log1p(math.exp(-20)), rel=1e-6)


@every_loss
def test_no_rows_give_no_losses(loss):
    target, negatives = torch.empty(0), torch.empty(0, 5)
    assert loss(target, negatives).shape == (0,)
    assert [part.shape for part in loss.gradient(target, negatives)] == [(0,), (0, 5)]


# The registry.


def test_the_registry_holds_the_five_losses_in_the_papers_order():
    assert list(LOSSES) == ["top1", "bpr", "top1-max", "bpr-max", "cross-entropy"]
    assert [loss.name for loss in LOSSES.values()] == list(LOSSES)
    assert len(LOSSES) == 5


@every_loss
def test_a_loss_names_its_source_and_its_equation(loss):
    assert loss.source in ("[H16]", "[H18]")
    assert "r_j" in loss.equation
    assert loss.corrects_logq == (loss.name == "cross-entropy")
    assert loss.shapes_scores == (loss.name == "bpr-max")


def test_an_unknown_loss_lists_the_choices():
    with pytest.raises(
        ValueError, match="unknown loss 'bprmax'; choose one of top1, bpr, top1-max"
    ):
        LOSSES["bprmax"]
    assert "bprmax" not in LOSSES


# Absent negatives.


@every_loss
def test_a_negative_at_minus_infinity_counts_for_nothing(loss):
    target, negatives = normal(6, 9, scale=2)
    with_absent = torch.cat([negatives, torch.full((6, 3), -torch.inf)], dim=1)
    torch.testing.assert_close(loss(target, with_absent), loss(target, negatives))
    by_target, by_negative = loss.gradient(target, with_absent)
    expected = loss.gradient(target, negatives)
    torch.testing.assert_close(by_target, expected[0])
    torch.testing.assert_close(by_negative[:, :9], expected[1])
    assert (by_negative[:, 9:] == 0).all()


def test_the_regulariser_leaves_out_absent_negatives():
    _, negatives = normal(6, 9, scale=2)
    with_absent = torch.cat([negatives, torch.full((6, 1), -torch.inf)], dim=1)
    torch.testing.assert_close(score_regulariser(with_absent), score_regulariser(negatives))
    got = score_regulariser_grad(with_absent)
    torch.testing.assert_close(got[:, :9], score_regulariser_grad(negatives))
    assert (got[:, 9] == 0).all()


@every_loss
def test_a_score_that_is_no_number_is_not_taken_for_an_absent_one(loss):
    scores = pair(0.0, 1.0, math.nan)
    assert loss(*scores).isnan().all()
