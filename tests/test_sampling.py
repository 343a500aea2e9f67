import pytest
import torch

from gru4rec_lab.device import generator
from gru4rec_lab.sampling import BLOCK, PopularitySampler, logq_correction


def sampler(support, alpha, seed=0):
    return PopularitySampler(torch.tensor(support), alpha, generator=generator(seed, "negatives"))


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


def test_logq_subtracts_log_support_by_hand():
    log_support = torch.tensor([1.0, 10.0, 100.0]).log()
    got = logq_correction(
        log_support, torch.tensor([2, 0]), torch.tensor([1]), logq=1.0, sample_alpha=0.5
    )
    expected = torch.tensor([100.0, 1.0, 10.0**0.5]).log()
    torch.testing.assert_close(got, expected)
