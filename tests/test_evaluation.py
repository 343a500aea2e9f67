from dataclasses import replace

import numpy as np
import pytest
import torch

from gru4rec_lab import Config, fit, load_sessions
from gru4rec_lab.evaluation import TIES, Evaluation, Factored, evaluate
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


class AllScores:
    """The same model, without a word on what its scores are products of."""

    def __init__(self, model):
        self.item_ids, self.start = model.item_ids, model.start
        self.advance, self.scores = model.advance, model.scores


@pytest.fixture(scope="module")
def trained():
    train_set, test_set = load_sessions("world:shop", n_sessions=600).split_last(fraction=0.3)
    config = Config(layers=(16,), n_sample=32, batch_size=16, n_epochs=1, learning_rate=0.1)
    return fit(config, train_set, progress=False), test_set


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("batch_size", [5, 512])
def test_in_tiles_or_from_all_scores_the_metrics_are_the_same(trained, ties, batch_size):
    model, test_set = trained
    assert isinstance(model, Factored)
    assert not isinstance(AllScores(model), Factored)
    tiles = evaluate(model, test_set, ties=ties, batch_size=batch_size)
    full = evaluate(AllScores(model), test_set, ties=ties)
    assert (tiles.recall, tiles.mrr, tiles.ndcg) == (full.recall, full.mrr, full.ndcg)
    assert tiles.ranks.tolist() == full.ranks.tolist()
    assert np.isinf(tiles.ranks).any()
    assert (tiles.ranks <= 20).any()


def test_ranks_beyond_every_cutoff_are_counted_on_demand(trained):
    model, test_set = trained
    some, every = evaluate(model, test_set), evaluate(model, test_set, all_ranks=True)
    assert (
        every.ranks.tolist() == evaluate(AllScores(model), test_set, all_ranks=True).ranks.tolist()
    )
    assert np.isfinite(every.ranks).all()
    assert some.ranks.tolist() == np.where(every.ranks <= 20, every.ranks, np.inf).tolist()


def test_a_metric_beyond_the_ranks_that_were_counted_is_refused(trained):
    model, test_set = trained
    assert len(evaluate(model, test_set, k=5).by("position")) > 1
    assert len(evaluate(model, test_set, k=50).by("position", k=50)) > 1
    with pytest.raises(ValueError, match="beyond 20 were not counted; give evaluate k=50"):
        evaluate(model, test_set).standard_error("recall", 50)


def test_unknown_items_are_left_out_and_short_sessions_counted():
    model = Fixed(torch.eye(3))
    with pytest.warns(UserWarning, match="3 of 8 clicks are on .* left out: 4, 5, 7; the metrics"):
        result = evaluate(model, make([[0, 1], [2, 5], [4, 0, 7, 1]]))
    assert (result.n_targets, result.n_skipped, result.n_unknown) == (2, 1, 3)
    left_out = "3 clicks on unknown items left out, 1 sessions without two known items left out"
    assert repr(result).endswith(f"(2 targets, {left_out})")


def test_what_is_left_out_is_told_and_a_little_of_it_not_warned_of():
    model = Fixed(torch.eye(12))
    result = evaluate(model, make([list(range(12)), [3, 4, 99]]))
    assert (result.n_targets, result.n_unknown) == (12, 1)
    assert repr(result).endswith("(12 targets, 1 clicks on unknown items left out)")
    assert repr(evaluate(model, make([[0, 1]]))).endswith("(1 targets)")


def test_ids_of_another_type_are_named():
    sessions = make([[0, 1], [1, 0]])
    text = replace(sessions, item_ids=sessions.item_ids.astype(str).astype(object))
    with pytest.raises(ValueError, match="does not know the item '0', but it knows 0; give items"):
        evaluate(Fixed(torch.eye(3)), text)


def test_nothing_to_rank_is_refused():
    none = pytest.raises(ValueError, match="none of the 1 sessions has 2 clicks on items the model")
    with none, pytest.warns(UserWarning, match="2 of 2 clicks"):
        evaluate(Fixed(torch.eye(2)), make([[5, 6]]))


def test_an_unknown_tie_mode_lists_the_choices():
    with pytest.raises(ValueError, match="unknown ties 'best'; choose one of conservative"):
        evaluate(Fixed(torch.eye(3)), make([[0, 1]]), ties="best")


@pytest.mark.parametrize("k", [0, (), (5, 0), True])
def test_a_cutoff_below_one_is_refused(k):
    with pytest.raises(ValueError, match="cut-off in k.*(at least 1, got|give one or several)"):
        evaluate(Fixed(torch.eye(3)), make([[0, 1]]), k=k)


@pytest.mark.parametrize("k", [range(1, 4), {3, 1, 2}, [np.int64(3), 2, 1]])
def test_cutoffs_may_come_in_any_form(k):
    assert evaluate(Fixed(torch.eye(3)), make([[0, 1]]), k=k).k == (1, 2, 3)


def test_the_frame_has_one_row_a_cutoff():
    frame = evaluate(Fixed(torch.eye(3)), make([[0, 1]]), k=(1, 3)).frame()
    assert frame.index.tolist() == [1, 3]
    assert frame.columns.tolist() == ["targets", "recall", "mrr", "ndcg"]


def result_of(ranks, session, position=None, target=None):
    zeros = np.zeros(len(ranks), dtype=np.int64)
    return Evaluation(
        ranks=np.array(ranks, dtype=float),
        session=np.array(session),
        position=zeros if position is None else np.array(position),
        target=zeros if target is None else np.array(target),
        k=(1, 20),
    )


def test_ndcg_by_hand():
    assert result_of([1, 3, 21], [0, 0, 1]).ndcg == {1: 1 / 3, 20: pytest.approx((1 + 0.5) / 3)}


def test_the_standard_error_of_one_click_sessions_is_that_of_a_mean():
    ranks = [1, 30, 30, 1, 1, 30]
    hit = np.array(ranks) <= 20
    got = result_of(ranks, range(6)).standard_error("recall", 20)
    assert got == pytest.approx(hit.std(ddof=1) / 6**0.5)


def test_sessions_whose_clicks_agree_count_once():
    """Each click twice: twice the targets, the same sessions, the same error."""
    once = result_of([1, 30, 1, 1], [0, 1, 2, 3]).standard_error("mrr", 20)
    twice = result_of([1, 1, 30, 30, 1, 1, 1, 1], [0, 0, 1, 1, 2, 2, 3, 3])
    assert twice.standard_error("mrr", 20) == pytest.approx(once)


def test_groups_split_the_targets_and_average_back_to_the_whole():
    result = result_of([1, 30, 2, 5], [0, 0, 1, 2], position=[2, 3, 2, 2], target=[0, 1, 1, 2])
    support = np.array([10, 1, 5])
    frames = [result.by("position"), result.by("length"), result.by_popularity(support)]
    for frame in frames:
        assert frame.targets.sum() == 4
        assert (frame.targets * frame.recall).sum() / 4 == pytest.approx(result.recall[20])
    assert frames[0].index.tolist() == [2, 3]
    assert frames[1].targets.to_dict() == {2: 2, 3: 2}


def test_the_rarest_items_are_in_the_first_bucket():
    result = result_of([1, 30], [0, 1], target=[1, 0])
    assert result.by_popularity(np.array([80, 1, 9]), n_buckets=5).recall.to_dict() == {1: 1, 5: 0}


def test_an_unknown_group_lists_the_choices():
    with pytest.raises(ValueError, match="cannot group by 'day'; choose one of position, length"):
        result_of([1], [0]).by("day")
