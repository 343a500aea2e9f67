import numpy as np
import pytest
import torch

from gru4rec_lab.evaluation import TIES, Catalogue, rank_targets

# One item, a part of a tile, a tile to the last column, one more, some tiles and a part.
N_ITEMS = [1, 5, 1024, 1025, 2500]
every_tie_mode = pytest.mark.parametrize("ties", TIES)


def drawn(n_queries, n_items, units=12, *, whole=False, dtype=torch.float32):
    """Queries, items, bias and targets; with `whole` numbers every sum is exact, many are equal."""
    generator = torch.Generator().manual_seed(n_queries + n_items)

    def values(*shape):
        if whole:
            return torch.randint(-1, 2, shape, generator=generator).to(dtype)
        return torch.randn(shape, generator=generator, dtype=dtype)

    targets = torch.randint(n_items, (n_queries,), generator=generator)
    return values(n_queries, units), values(n_items, units), values(n_items, 1), targets


def exact_scores(queries, items, bias):
    """Scores summed in float64 and rounded once."""
    return (bias.double().T + queries.double() @ items.double().T).to(items.dtype)


def test_ranks_and_ties_by_hand():
    scores = torch.tensor([[3.0, 1.0, 3.0, 3.0, 5.0]])
    target = torch.tensor([0])
    got = {ties: rank_targets(scores, target, ties).item() for ties in TIES}
    assert got == {"conservative": 4, "standard": 2, "median": 3}


def test_a_single_item_with_the_top_score_has_rank_1_in_every_mode():
    scores = torch.tensor([[1.0, 9.0, 3.0]])
    ranks = [rank_targets(scores, torch.tensor([1]), ties) for ties in TIES]
    assert [rank.item() for rank in ranks] == [1, 1, 1]


@every_tie_mode
def test_a_target_without_a_number_is_ranked_last(ties):
    nan = float("nan")
    scores = torch.tensor([[nan, nan, nan], [nan, 1.0, 2.0], [5.0, nan, 1.0]])
    assert rank_targets(scores, torch.tensor([1, 0, 0]), ties).tolist() == [3, 3, 2]


@every_tie_mode
@pytest.mark.parametrize("n_items", N_ITEMS)
def test_tiles_rank_as_all_scores_do_where_most_items_tie(n_items, ties):
    queries, items, bias, targets = drawn(70, n_items, whole=True)
    expected = rank_targets(torch.addmm(bias.T, queries, items.T), targets, ties)
    assert torch.equal(Catalogue(items, bias).ranks(queries, targets, ties), expected)


@every_tie_mode
@pytest.mark.parametrize("n_items", N_ITEMS)
@pytest.mark.parametrize("whole", [True, False])
def test_up_to_the_limit_ranks_are_exact_and_beyond_it_infinite(n_items, ties, whole):
    queries, items, bias, targets = drawn(70, n_items, whole=whole)
    queries[::2] += items[targets[::2]]
    expected = rank_targets(exact_scores(queries, items, bias), targets, ties)
    got = Catalogue(items, bias).ranks(queries, targets, ties, limit=20)
    assert torch.equal(got, expected.where(expected <= 20, torch.inf))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_exact_scores_rounded_once_decide(dtype):
    queries, items, bias, targets = drawn(300, 3000, units=200, dtype=dtype)
    expected = rank_targets(exact_scores(queries, items, bias), targets)
    assert torch.equal(Catalogue(items, bias).ranks(queries, targets), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_queries", [1, 3, 16, 100])
def test_doubled_items_tie_wherever_they_stand(n_queries, dtype):
    """A target and its double are in other tiles, at other places, beside other numbers."""
    queries, items, bias, targets = drawn(n_queries, 1500, units=101, dtype=dtype)
    order = torch.randperm(3000, generator=torch.Generator().manual_seed(1))
    doubled = Catalogue(items.repeat(2, 1)[order], bias.repeat(2, 1)[order])
    targets = order.argsort()[targets]
    single = rank_targets(exact_scores(queries, items, bias), order[targets] % 1500)
    assert torch.equal(doubled.ranks(queries, targets, "standard"), 2 * single - 1)
    assert torch.equal(doubled.ranks(queries, targets, "conservative"), 2 * single)
    assert torch.equal(doubled.ranks(queries, targets, "median"), 2 * single - 0.5)


def test_the_other_queries_change_no_rank():
    queries, items, bias, targets = drawn(1100, 1500)
    catalogue = Catalogue(items, bias)
    together = catalogue.ranks(queries, targets)
    alone = [catalogue.ranks(queries[row : row + 1], targets[row : row + 1]) for row in range(20)]
    assert torch.equal(torch.cat(alone), together[:20])
    assert torch.equal(catalogue.ranks(queries[7:50], targets[7:50]), together[7:50])


@every_tie_mode
def test_scores_without_a_number_rank_as_they_do_among_all_scores(ties):
    queries, items, bias, targets = drawn(40, 1100, whole=True)
    queries[3], items[7], bias[1050] = torch.nan, torch.nan, torch.inf
    items[9, 0], bias[20] = torch.inf, -torch.inf
    targets[:4] = torch.tensor([7, 1050, 20, 5])
    expected = rank_targets(torch.addmm(bias.T, queries, items.T), targets, ties)
    assert torch.equal(Catalogue(items, bias).ranks(queries, targets, ties), expected)


def test_all_scores_equal_is_the_worst_rank_or_the_best():
    queries, items, bias = torch.ones(3, 4), torch.ones(2000, 4), torch.zeros(2000, 1)
    catalogue, targets = Catalogue(items, bias), torch.tensor([0, 999, 1999])
    assert catalogue.ranks(queries, targets, "conservative").tolist() == [2000] * 3
    assert catalogue.ranks(queries, targets, "standard").tolist() == [1] * 3
    assert catalogue.ranks(queries, targets, "median").tolist() == [1000.5] * 3
    assert catalogue.ranks(queries, targets, limit=20).tolist() == [np.inf] * 3


def test_an_unknown_tie_mode_is_refused():
    queries, items, bias, targets = drawn(1, 5)
    with pytest.raises(ValueError, match="unknown ties 'best'; choose one of conservative"):
        Catalogue(items, bias).ranks(queries, targets, "best")


def test_the_shortest_items_beat_a_target_by_their_bias():
    """Two tiles without a competitor lie between the target and the only item above it."""
    items = torch.linspace(3, 0.1, 4000)[:, None].repeat(1, 2)
    bias = torch.zeros(4000, 1)
    bias[3999] = 100
    order = torch.randperm(4000, generator=torch.Generator().manual_seed(0))
    catalogue = Catalogue(items[order], bias[order])
    target = order.argsort()[:1]
    assert catalogue.ranks(torch.ones(1, 2), target).tolist() == [2]
