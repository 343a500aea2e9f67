"""The losses that came after GRU4Rec's: by hand, against autograd, and how they hang together."""

import math
import pickle
from functools import partial

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, softplus

from gru4rec_lab import (
    LOSSES,
    add_bpr_max_at,
    add_bpr_top,
    add_gbce,
    add_psl,
    add_top1_max_at,
    loss_and_gradient,
)
from gru4rec_lab.loss_parts import Parts
from gru4rec_lab.sampling import Frequencies, copies, exact_logq
from gru4rec_lab.score_matrix import split_columns

ADDED = {
    "psl tanh": lambda: add_psl(),
    "psl tanh, tau .1": lambda: add_psl(tau=0.1),
    "psl relu": lambda: add_psl("relu"),
    "psl relu, tau .5": lambda: add_psl("relu", tau=0.5),
    "psl sigma": lambda: add_psl("sigma"),
    "top 1": lambda: add_bpr_top(1),
    "top 3": lambda: add_bpr_top(3),
    "bpr-max at 0": lambda: add_bpr_max_at(0),
    "bpr-max at .3": lambda: add_bpr_max_at(0.3),
    "bpr-max at 2": lambda: add_bpr_max_at(2),
    "bpr-max at infinity": lambda: add_bpr_max_at(math.inf),
    "top1-max at 0": lambda: add_top1_max_at(0),
    "top1-max at .3": lambda: add_top1_max_at(0.3),
    "top1-max at 2": lambda: add_top1_max_at(2),
    "top1-max at infinity": lambda: add_top1_max_at(math.inf),
    "gbce": lambda: add_gbce(31, 200),
}
every = pytest.mark.parametrize("add", ADDED.values(), ids=ADDED)
FIVE = list(LOSSES)


@pytest.fixture(autouse=True)
def _only_the_five_losses_are_left():
    yield
    for name in list(LOSSES)[5:]:
        LOSSES.remove(name)


def normal(rows=200, n=31, spread=2.0):
    random = torch.Generator().manual_seed(5)
    scores = spread * torch.randn(rows, 1 + n, generator=random, dtype=torch.float64)
    return scores[:, 0], scores[:, 1:]


def row(target, *negatives):
    return exact([target]), exact([negatives])


exact = partial(torch.tensor, dtype=torch.float64)


def close(got, want, **tolerance):
    torch.testing.assert_close(got, want, **({"rtol": 1e-9, "atol": 1e-12} | tolerance))


def pull(loss, *scores):
    return -loss.gradient(*scores)[0]


# By hand.


@pytest.mark.parametrize(
    ("loss", "scores", "value", "by_target", "by_negative"),
    [
        # 1 + tanh 0 = 1, slope 1.
        (lambda: add_psl(), (0.0, 0.0), 0.0, -1.0, [1.0]),
        # A = 2 and 1: their mean 3/2, slopes 1 each over the sum 3.
        (lambda: add_psl("relu"), (0.0, 1.0, 0.0), math.log(1.5), -2 / 3, [1 / 3, 1 / 3]),
        # Squared: 4 and 1, mean 5/2; 2 A over their sum 5.
        (lambda: add_psl("relu", 0.5), (0.0, 1.0, 0.0), math.log(2.5), -6 / 5, [4 / 5, 2 / 5]),
        # sigma is 3/4 and 1/4; w = 3/4, 1/4 times p = 1/4, 3/4.
        (lambda: add_psl("sigma"), (0.0, math.log(3), -math.log(3)), math.log(0.5), -0.375,
         [0.1875, 0.1875]),
        (lambda: add_bpr_top(1), (0.0, -9.0, math.log(3)), math.log(4), -0.75, [0.0, 0.75]),
        # s = 1/2 each, p = 1/4 and 3/4, Z = 1/2: w = 1/4, 3/4; (s - w) / tau is 0.
        (lambda: add_bpr_max_at(math.inf), (0.0, math.log(3), -math.log(3)), math.log(2), -0.375,
         [0.1875, 0.1875]),
        (lambda: add_bpr_max_at(0), (0.0, -1.0, math.log(3)), math.log(4), -0.75, [0.0, 0.75]),
        # sigma(0) + sigma(0); slopes 1/4 and 0.
        (lambda: add_top1_max_at(0), (0.0, 0.0, -5.0), 1.0, -0.25, [0.25, 0.0]),
        # beta = 1 - t (1 - 1 / 4) = 1/2.
        (lambda: add_gbce(1, 5, 2 / 3), (0.0, 0.0), 1.5 * math.log(2), -0.25, [0.5]),
    ],
)  # fmt: skip
def test_values_and_gradients_by_hand(loss, scores, value, by_target, by_negative):
    loss, scores = loss(), row(*scores)
    close(loss(*scores), exact([value]))
    got = loss.gradient(*scores)
    close(got[0], exact([by_target]))
    close(got[1], exact([by_negative]))


# As every loss.


@every
def test_it_stands_in_the_registry_with_a_formula_and_can_be_removed(add):
    loss = add()
    assert list(LOSSES) == [*FIVE, loss.name]
    assert loss.equation
    LOSSES.remove(loss.name)
    assert list(LOSSES) == FIVE


@every
@pytest.mark.parametrize(("n", "spread"), [(1, 2.0), (2, 6.0), (31, 0.2), (31, 6.0)])
def test_closed_form_gradient_equals_autograd(add, n, spread):
    loss = add()
    scores = [part.requires_grad_() for part in normal(n=n, spread=spread)]
    expected = torch.autograd.grad(loss(*scores).sum(), scores)
    for got, want in zip(loss.gradient(*scores), expected, strict=True):
        close(got, want)


@every
def test_all_is_finite_and_small_at_far_scores(add):
    loss = add()
    for target in (-1e4, 0.0, 1e4):
        scores = torch.tensor([target]), torch.tensor([[1e4, -1e4, 0.0, 1e4]])
        for part in (loss(*scores), *loss.gradient(*scores)):
            assert part.isfinite().all()
        assert pull(loss, *scores).abs().item() <= 20


@every
def test_float32_keeps_the_gradient_of_float64(add):
    loss, scores = add(), normal(spread=4.0)
    wanted = loss.gradient(*scores)
    got = loss.gradient(*(part.float() for part in scores))
    for part, want in zip(got, wanted, strict=True):
        close(part.double(), want, rtol=1e-3, atol=1e-5)


@every
def test_an_absent_negative_counts_for_nothing(add):
    loss, (target, negatives) = add(), normal(rows=9, n=6)
    with_absent = torch.cat([negatives, torch.full((9, 2), -torch.inf).double()], dim=1)
    close(loss(target, with_absent), loss(target, negatives))
    by_target, by_negative = loss.gradient(target, with_absent)
    close(by_target, loss.gradient(target, negatives)[0])
    close(by_negative[:, :6], loss.gradient(target, negatives)[1])
    assert (by_negative[:, 6:] == 0).all()


@every
def test_its_functions_travel_to_other_processes(add):
    value, gradient = pickle.loads(pickle.dumps(add().given))
    scores = normal(rows=3)
    loss = LOSSES[list(LOSSES)[-1]]
    close(value(*scores), loss(*scores))
    close(gradient(*scores)[1], loss.gradient(*scores)[1])


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda: add_psl("softplus"), "unknown form 'softplus'; choose one of tanh, relu, sigma"),
        (lambda: add_psl(tau=0), "tau must be a number above 0, got 0"),
        (lambda: add_psl(tau=math.nan), "tau must be a number above 0, got nan"),
        (lambda: add_bpr_top(0), "m must be 1 or more, got 0"),
        (lambda: add_bpr_max_at(-1), "tau must be 0 or more, got -1"),
        (lambda: add_top1_max_at(math.nan), "tau must be 0 or more, got nan"),
        (lambda: add_gbce(0, 10), "n_sample must be from 1 to n_items - 1 = 9, got 0"),
        (lambda: add_gbce(10, 10), "n_sample must be from 1 to n_items - 1 = 9, got 10"),
        (lambda: add_gbce(5, 10, 1.5), "t must be from 0, .* to 1, got 1.5"),
        (lambda: add_psl(name="bpr"), "'bpr' is a loss of the library"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(add, message):
    with pytest.raises(ValueError, match=message):
        add()
    assert list(LOSSES) == FIVE


# PSL.


@pytest.mark.parametrize("n", [1, 31, 2079])
@pytest.mark.parametrize("spread", [0.5, 1.0, 4.0])
def test_the_pulls_of_psl_with_sigma_and_of_bpr_max_add_up_to_one(spread, n):
    scores = normal(rows=50, n=n, spread=spread)
    both = pull(add_psl("sigma"), *scores) + pull(LOSSES["bpr-max"], *scores)
    close(both, torch.ones(50).double())


def test_psl_with_tanh_is_that_with_sigma_on_doubled_scores():
    target, negatives = normal()
    tanh, sigma = add_psl(name="tanh"), add_psl("sigma", name="sigma")
    close(tanh(target, negatives) - math.log(2), sigma(2 * target, 2 * negatives))
    close(pull(tanh, target, negatives), 2 * pull(sigma, 2 * target, 2 * negatives))


@pytest.mark.parametrize("form", ["tanh", "sigma"])
def test_psl_lets_go_of_hopeless_targets_and_never_of_good_ones(form):
    loss, most = add_psl(form), {"tanh": 2, "sigma": 1}[form]
    negatives = normal(rows=1)[1].expand(3, -1)
    behind, level, ahead = pull(loss, exact([-30.0, 0.0, 30.0]), negatives).tolist()
    assert behind < 1e-9 < level < ahead
    assert ahead == pytest.approx(most)


def test_psl_with_exp_is_the_softmax_without_its_target_whose_pull_is_constant():
    target, negatives = [part.requires_grad_() for part in normal()]
    softmax = (negatives - target[:, None]).logsumexp(dim=1)
    by_target, by_negative = torch.autograd.grad(softmax.sum(), (target, negatives))
    close(by_target, -torch.ones(200).double())
    # Far behind, sigma(d) is e^d: the targets that lead by far see that softmax.
    ahead = target.detach() + 40, negatives.detach()
    close(add_psl("sigma").gradient(*ahead)[1], by_negative, rtol=1e-6)


def test_relu_sees_no_negative_more_than_one_below_the_target():
    loss = add_psl("relu")
    target, negatives = row(0.0, 1.0, -0.5, -1.5, -9.0)
    by_negative = loss.gradient(target, negatives)[1]
    assert (by_negative > 0).tolist() == [[True, True, False, False]]
    close(by_negative[:, :2], exact([[0.4, 0.4]]))


def test_relu_is_done_with_a_row_whose_negatives_are_all_more_than_one_below():
    for tau in (0.5, 1.0):
        loss, scores = add_psl("relu", tau), row(5.0, 1.0, 3.9, -2.0)
        assert loss(*scores).item() == pytest.approx(math.log(1e-3) / tau - math.log(3))
        by_target, by_negative = loss.gradient(*scores)
        assert by_target.item() == 0
        assert (by_negative == 0).all()


def test_relu_does_not_mind_how_many_negatives_it_does_not_see():
    loss, few = add_psl("relu"), row(0.0, 1.0, -0.5)
    many = few[0], torch.cat([few[1], torch.full((1, 2000), -3.0).double()], dim=1)
    close(loss(*many) + math.log(2002), loss(*few) + math.log(2))
    close(pull(loss, *many), pull(loss, *few))


def test_relu_pulls_no_harder_than_its_least_allows():
    loss = add_psl("relu")
    target = torch.linspace(0.9, 1.1, 20_001).double()
    assert 900 < pull(loss, target, torch.zeros(20_001, 1).double()).max() <= 1000


# BPR on the top, and temperatures.


def test_the_top_n_of_n_is_bpr():
    scores = normal()
    for m in (31, 500):
        close(add_bpr_top(m)(*scores), LOSSES["bpr"](*scores))
        close(pull(add_bpr_top(m), *scores), pull(LOSSES["bpr"], *scores))


def test_the_top_one_is_bpr_max_at_zero():
    scores, top, cold = normal(), add_bpr_top(1), add_bpr_max_at(0)
    close(top(*scores), cold(*scores))
    for got, want in zip(top.gradient(*scores), cold.gradient(*scores), strict=True):
        close(got, want)


def test_the_fewer_the_top_the_harder_it_pulls():
    scores = normal()
    pulls = [pull(add_bpr_top(m), *scores) for m in (1, 2, 8, 31)]
    assert all((fewer >= more).all() for fewer, more in zip(pulls, pulls[1:], strict=False))


@pytest.mark.parametrize(
    ("add", "name"), [(add_bpr_max_at, "bpr-max"), (add_top1_max_at, "top1-max")]
)
def test_at_temperature_one_it_is_the_loss_of_the_library(add, name):
    loss, scores = add(1.0), normal(spread=4.0)
    close(loss(*scores), LOSSES[name](*scores))
    for got, want in zip(loss.gradient(*scores), LOSSES[name].gradient(*scores), strict=True):
        close(got, want)
    assert add_bpr_max_at(1).shapes_scores
    assert not add_top1_max_at(1).shapes_scores


@pytest.mark.parametrize("add", [add_bpr_max_at, add_top1_max_at])
@pytest.mark.parametrize(("near", "end"), [(1e-6, 0), (1e9, math.inf)])
def test_the_ends_of_the_temperature_are_its_limits(add, near, end):
    scores = normal(n=7)
    almost, at_end = add(near), add(end, name="end")
    close(almost(*scores), at_end(*scores), rtol=1e-6, atol=1e-6)
    for got, want in zip(almost.gradient(*scores), at_end.gradient(*scores), strict=True):
        close(got, want, rtol=1e-6, atol=1e-6)


def test_without_weights_top1_max_is_top1_but_bpr_max_is_not_bpr():
    (target, negatives), bpr = normal(), LOSSES["bpr"]
    scores = target, negatives
    close(add_top1_max_at(math.inf)(*scores), LOSSES["top1"](*scores))
    hot = add_bpr_max_at(math.inf)
    close(hot(*scores), -torch.sigmoid(target[:, None] - negatives).mean(dim=1).log())
    assert (hot(*scores) < bpr(*scores)).all()
    # Jensen turns round for the pulls: weights p_j take away those that are far ahead.
    assert (pull(hot, *scores) < pull(bpr, *scores)).all()


def test_the_colder_bpr_max_the_harder_it_pulls():
    scores = normal()
    pulls = [pull(add_bpr_max_at(tau), *scores) for tau in (0, 0.3, 1, 3, math.inf)]
    assert all((cold >= hot - 1e-12).all() for cold, hot in zip(pulls, pulls[1:], strict=False))


@pytest.mark.parametrize("spread", [0.5, 1.0, 4.0])
def test_cross_entropy_pulls_at_least_as_hard_as_bpr_max_and_that_as_bpr(spread):
    scores = normal(rows=2000, spread=spread)
    order = [pull(LOSSES[name], *scores) for name in ("cross-entropy", "bpr-max", "bpr")]
    values = [LOSSES[name](*scores) for name in ("cross-entropy", "bpr-max", "bpr")]
    for each in (order, values[:2]):
        assert all((more >= less - 1e-12).all() for more, less in zip(each, each[1:], strict=False))


# gBCE.


def test_gbce_at_zero_is_binary_cross_entropy():
    target, negatives = normal()
    scores = torch.cat([target[:, None], negatives], dim=1)
    labels = torch.zeros_like(scores)
    labels[:, 0] = 1
    expected = binary_cross_entropy_with_logits(scores, labels, reduction="none").sum(dim=1)
    close(add_gbce(31, 1000, 0)(target, negatives), expected)


def test_gbce_at_one_counts_the_target_as_often_as_it_was_sampled_too_often():
    target, negatives = normal()
    rate = 31 / 999
    weighted = -rate * logsigmoid(target) - logsigmoid(-negatives).sum(dim=1)
    close(add_gbce(31, 1000, 1)(target, negatives), weighted)
    # beta of the paper, as it is written there.
    beta = rate * (0.75 * (1 - 1 / rate) + 1 / rate)
    close(pull(add_gbce(31, 1000), target, negatives), beta * torch.sigmoid(-target))


def test_gbce_at_one_is_best_where_sigma_is_the_probability_though_negatives_are_sampled():
    # 5 items at random, item 0 the target with probability .3; the others share the rest.
    truth = exact([0.3, 0.25, 0.2, 0.15, 0.1])
    scores = torch.logit(truth)
    expected = torch.zeros(5).double()
    loss = add_gbce(2, 5, 1.0)
    for item in range(5):
        others = [each for each in range(5) if each != item]
        pairs = torch.combinations(torch.tensor(others), 2)
        target = scores[item].expand(len(pairs))
        by_target, by_negative = loss.gradient(target, scores[pairs])
        expected[item] += truth[item] * by_target.mean()
        expected.index_add_(0, pairs.flatten(), truth[item] * by_negative.flatten() / len(pairs))
    close(expected, torch.zeros(5).double())


# Already there.


@pytest.fixture
def batch():
    """Scores of a step of four rows, five extra samples of nine items, and what they are."""
    random = torch.Generator().manual_seed(1)
    scores = 2 * torch.randn(4, 9, generator=random, dtype=torch.float64)
    targets, negatives = torch.tensor([0, 3, 4, 8]), torch.tensor([3, 1, 1, 6, 2])
    support = exact([9.0, 3, 1, 7, 5, 2, 4, 6, 8])
    return scores, targets, negatives, support


def test_corrected_logq_has_the_gradient_of_cross_entropy_with_exact_logq(batch):
    scores, targets, negatives, support = batch
    frequencies = Frequencies.of(support, support.sqrt())
    seen = scores - exact_logq(frequencies, targets, negatives, logq=1.0)
    absent = copies(targets, negatives)
    _, wanted = loss_and_gradient(seen, LOSSES["cross-entropy"], absent=absent)
    seen = seen.masked_fill(absent, -torch.inf).requires_grad_()
    target, others = split_columns(seen)
    sampled = others.logsumexp(dim=1)
    share = torch.sigmoid(target - sampled).detach()
    ((1 - share) * (sampled - target)).sum().backward()
    close(seen.grad, wanted)


def test_scaled_cross_entropy_is_exact_logq_with_uniform_samples_alone(batch):
    scores, targets, negatives, _ = batch
    # A batch of one row: no other target, so all negatives are uniform draws.
    scores, targets, uniform = scores[:1, [0, 4, 5, 6, 7, 8]], targets[:1], torch.ones(9).double()
    frequencies = Frequencies.of(uniform, uniform)
    exact = scores - exact_logq(frequencies, targets, negatives, logq=1.0)
    target, others = split_columns(scores)
    scaled = softplus((others + math.log(9 / 5)).logsumexp(dim=1) - target)
    close(loss_and_gradient(exact, LOSSES["cross-entropy"])[0], scaled)


def test_the_pull_of_bilateral_softmax_is_constant_with_one_target_a_row():
    target, negatives = [part.requires_grad_() for part in normal()]
    loss = -target / 0.5 + 2 * (negatives / 1.0).logsumexp(dim=1)
    (by_target,) = torch.autograd.grad(loss.sum(), target)
    close(by_target, torch.full((200,), -2.0).double())
    assert Parts(target, negatives).log_odds.std() > 0.5
