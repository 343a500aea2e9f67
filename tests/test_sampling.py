import pytest
import torch

from gru4rec_lab.device import generator
from gru4rec_lab.sampling import (
    BLOCK,
    WEIGHTS,
    BinarySearch,
    Frequencies,
    Sampler,
    copies,
    exact_logq,
    first_without,
    hardest,
    log_uniform_weight,
    official_logq,
    popularity_weight,
)


def sampler(support, alpha, seed=0):
    weight = popularity_weight(torch.tensor(support), alpha)
    return Sampler(weight, generator=generator(seed, "negatives"))


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_drawn_frequencies_follow_support_to_the_alpha(alpha):
    """Chi-square with 9 degrees of freedom: 27.9 is its .999 quantile."""
    support = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]
    drawn = sampler(support, alpha).draw(100_000)
    weight = torch.tensor(support, dtype=torch.float64) ** alpha
    expected = 100_000 * weight / weight.sum()
    counts = torch.bincount(drawn, minlength=10)
    assert ((counts - expected).square() / expected).sum() < 27.9


def test_alpha_1_draws_the_popular_item_more_often_than_alpha_0():
    often = [(sampler([99, 1], alpha).draw(1000) == 0).float().mean() for alpha in (0.0, 1.0)]
    assert often[0] < 0.6
    assert often[1] > 0.95


def test_items_without_a_click_are_never_drawn():
    assert 1 not in sampler([5, 0, 5], 0.0).draw(1000)


def test_draws_go_on_through_the_store_and_its_refill():
    one = sampler([1, 2, 3], 0.5)
    parts = torch.cat([one.draw(1000) for _ in range(BLOCK // 1000)])
    assert torch.equal(parts, sampler([1, 2, 3], 0.5).draw(len(parts)))
    assert len(one.draw(5000)) == 5000


def test_more_draws_than_items_or_than_the_store_holds_work():
    assert len(sampler([1, 1], 0.5).draw(2 * BLOCK)) == 2 * BLOCK


def test_zero_draws_are_an_empty_tensor():
    assert sampler([1, 1], 0.5).draw(0).shape == (0,)


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_sampler_leaves_out_items_without_a_click(name):
    weight = WEIGHTS[name](torch.tensor([5, 0, 2]), 0.5)
    assert weight[1] == 0
    assert (weight[[0, 2]] > 0).all()


def test_log_uniform_follows_the_popularity_rank():
    weight = log_uniform_weight(torch.tensor([1, 100, 10]), 0.5)
    expected = torch.tensor([4 / 3, 2.0, 3 / 2], dtype=torch.float64).log()
    torch.testing.assert_close(weight, expected)


def test_official_logq_subtracts_log_counts_by_hand():
    support = torch.tensor([1.0, 10.0, 100.0])
    often = Frequencies.of(support, support**0.5)
    got = official_logq(often, torch.tensor([2, 0]), torch.tensor([1]), logq=1.0)
    torch.testing.assert_close(got, torch.tensor([100.0, 1.0, 10.0**0.5]).log())


def test_exact_logq_subtracts_log_expected_counts_and_spares_the_target():
    support = torch.tensor([1.0, 4.0, 5.0])
    often = Frequencies.of(support, torch.ones(3))
    targets, negatives = torch.tensor([2, 0]), torch.tensor([1, 1, 2])
    got = exact_logq(often, targets, negatives, logq=1.0)
    count = [1 * 5 / 10 + 1, 1 * 1 / 10 + 1, 1 * 4 / 10 + 1, 1 * 4 / 10 + 1, 1 * 5 / 10 + 1]
    expected = torch.tensor([count, count]).log()
    expected[0, 0] = expected[1, 1] = 0
    torch.testing.assert_close(got, expected)


def test_exact_logq_makes_the_sampled_sum_unbiased():
    """Mean over many draws of the corrected sum against the sum over all items but the target."""
    support = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0])
    score = torch.tensor([1.0, -1.0, 0.5, 0.2, 2.0])
    often = Frequencies.of(support, support**0.5)
    in_batch, extra = sampler([1, 2, 4, 8, 16], 1.0), sampler([1, 2, 4, 8, 16], 0.5, seed=1)
    sums = []
    for _ in range(4000):
        targets = torch.cat([torch.tensor([3]), in_batch.draw(2)])
        negatives = extra.draw(6)
        columns = torch.cat([targets, negatives])
        row = (score[columns] - exact_logq(often, targets, negatives, logq=1.0)[0]).exp()
        absent = copies(targets, negatives)[0]
        absent[0] = True
        sums.append(row.masked_fill(absent, 0).sum())
    expected = score.exp().sum() - score[3].exp()
    assert torch.stack(sums).mean() == pytest.approx(expected.item(), rel=0.02)


def test_copies_are_the_columns_that_hold_a_rows_own_target_again():
    got = copies(torch.tensor([7, 8, 7]), torch.tensor([8, 9]))
    assert got.tolist() == [
        [False, False, True, False, False],
        [False, False, False, True, False],
        [True, False, False, False, False],
    ]


def test_resampling_takes_the_first_that_equal_no_target():
    pool, targets = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6]), torch.tensor([1, 4])
    assert first_without(pool, targets, 3).tolist() == [3, 5, 9]
    assert sorted(first_without(pool, targets, 8).tolist()[-3:]) == [1, 1, 4]


def test_the_hardest_are_those_some_row_scores_highest_without_the_targets():
    pool, targets = torch.tensor([3, 1, 4, 5]), torch.tensor([4, 8])
    scores = torch.tensor([[0.0, 2.0, 9.0, -1.0], [3.0, 0.0, 9.0, -2.0]])
    assert hardest(pool, scores, targets, 2).tolist() == [3, 1]


def test_a_point_behind_a_last_sum_that_was_rounded_down_is_the_last_item():
    cumulated = torch.tensor([0.5, 1 - 1e-9], dtype=torch.float64)
    points = torch.tensor([0.2, 0.5, 1 - 1e-12], dtype=torch.float64)
    assert BinarySearch(cumulated)(points).tolist() == [0, 1, 1]
