import pytest
import torch

from gru4rec_lab.diagnostics.logq import softmax_estimates


@pytest.fixture
def catalogue():
    """400 items with Zipf support, and 32 rows of scores that follow popularity a little."""
    random = torch.Generator().manual_seed(0)
    support = (4000 / torch.arange(1, 401)).long()
    scores = torch.randn(32, 400, generator=random, dtype=torch.float64) + support.log() / 2
    targets = torch.multinomial(support.double(), 32, generator=random)
    return scores, targets, support


def test_exact_logq_comes_close_to_the_full_softmax_and_no_correction_does_not(catalogue):
    got = softmax_estimates(*catalogue, n_sample=512)
    full = got["full"]
    assert got["exact"].loss == pytest.approx(full.loss, abs=0.05)
    assert got["exact"].pull == pytest.approx(full.pull, abs=0.01)
    assert abs(got["sampled"].loss - full.loss) > 0.3
    assert abs(got["official"].pull - full.pull) > abs(got["exact"].pull - full.pull)


def test_more_samples_bring_exact_logq_closer(catalogue):
    gaps = []
    for n_sample in (32, 2048):
        got = softmax_estimates(*catalogue, n_sample=n_sample)
        gaps.append(abs(got["exact"].loss - got["full"].loss))
    assert gaps[1] < gaps[0]
