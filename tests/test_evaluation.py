import numpy as np
import pytest
import torch

from gru4rec_lab.evaluation import evaluate, rank_targets
from tests.test_batches import make


class Fixed:
    """Scores depend on the last click alone: row `item` of a table."""

    def __init__(self, table):
        self.table = torch.as_tensor(table, dtype=torch.float32)
        self.item_ids = np.arange(self.table.shape[1])

    def start(self, batch_size):
        return None

    def advance(self, inputs, state, carry):
        return inputs

    def scores(self, state):
        return self.table[state]


def test_ranks_and_ties_by_hand():
    scores = torch.tensor([[3.0, 1.0, 3.0, 3.0, 5.0]])
    target = torch.tensor([0])
    got = {
        ties: rank_targets(scores, target, ties).item()
        for ties in ("conservative", "standard", "median")
    }
    assert got == {"conservative": 4, "standard": 2, "median": 3}


def test_a_single_item_with_the_top_score_has_rank_1_in_every_mode():
    scores = torch.tensor([[1.0, 9.0, 3.0]])
    ranks = [
        rank_targets(scores, torch.tensor([1]), ties)
        for ties in ("conservative", "standard", "median")
    ]
    assert [rank.item() for rank in ranks] == [1, 1, 1]


def test_recall_and_mrr_by_hand():
    table = [[0.0, 2.0, 1.0, 0.5], [9.0, 1.0, 8.0, 7.0], [1.0, 2.0, 3.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    result = evaluate(Fixed(table), make([[0, 1, 2], [2, 3]]), k=(1, 2))
    assert result.ranks.tolist() == [1, 2, 4]
    assert result.recall == {1: pytest.approx(1 / 3), 2: pytest.approx(2 / 3)}
    assert result.mrr == {1: pytest.approx(1 / 3), 2: pytest.approx((1 + 1 / 2) / 3)}


@pytest.mark.parametrize("batch_size", [1, 2, 7, 100])
def test_the_batch_size_changes_no_rank(batch_size):
    generator = torch.Generator().manual_seed(3)
    model = Fixed(torch.randn(12, 12, generator=generator))
    drawn = np.random.default_rng(0)
    sessions = make([drawn.integers(0, 12, drawn.integers(2, 6)).tolist() for _ in range(30)])
    expected = evaluate(model, sessions)
    got = evaluate(model, sessions, batch_size=batch_size)
    assert got.ranks.tolist() == expected.ranks.tolist()
    assert got.session.tolist() == expected.session.tolist()


def test_unknown_items_are_left_out_and_short_sessions_counted():
    model = Fixed(torch.eye(3))
    result = evaluate(model, make([[0, 1], [2, 5], [4, 0, 7, 1]]))
    assert (result.n_targets, result.n_skipped) == (2, 1)


def test_nothing_to_rank_is_refused():
    with pytest.raises(ValueError, match="none of the 1 sessions has 2 clicks on items the model"):
        evaluate(Fixed(torch.eye(2)), make([[5, 6]]))


def test_an_unknown_tie_mode_lists_the_choices():
    with pytest.raises(ValueError, match="unknown ties 'best'; choose one of conservative"):
        evaluate(Fixed(torch.eye(3)), make([[0, 1]]), ties="best")


def test_a_cutoff_below_one_is_refused():
    with pytest.raises(ValueError, match="cut-offs must be 1 or more, got 0"):
        evaluate(Fixed(torch.eye(3)), make([[0, 1]]), k=0)


def test_the_frame_has_one_row_a_cutoff():
    frame = evaluate(Fixed(torch.eye(3)), make([[0, 1]]), k=(1, 3)).frame()
    assert frame.index.tolist() == [1, 3]
    assert frame.columns.tolist() == ["recall", "mrr"]
