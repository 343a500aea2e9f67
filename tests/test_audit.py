"""What a set-up's protocol moves: numbers that can be counted on paper."""

from itertools import combinations

import numpy as np
import pytest

from gru4rec_lab import BASELINES, audit, check_sessions, evaluate, load_sessions
from tests.test_batches import make
from tests.test_evaluation import Fixed

# After item 0 the target 1 is first; after 2 the target 3 ties with all; after 1 target 2 is last.
TABLE = np.array([[1.0, 4, 3, 2], [3, 2, 1, 4], [0, 0, 0, 0], [0, 0, 0, 0]])
SESSIONS = make([[0, 1, 2], [2, 3], [0, 1]])


def ranked():
    return evaluate(Fixed(TABLE), SESSIONS, k=(1, 2), all_ranks=True)


def test_sampled_recall_is_the_mean_over_all_draws():
    found = ranked()
    assert found.ranks.tolist() == [1, 4, 4, 1]
    # Nothing is above a target of rank 1, everything above one of rank 4.
    assert found.recall_among(1, 4, k=1) == pytest.approx(0.5)
    # With two places the one item drawn pushes no target out.
    assert found.recall_among(1, 4, k=2) == pytest.approx(1)


@pytest.mark.parametrize(("n_sampled", "k"), [(1, 1), (3, 1), (3, 2), (5, 3), (6, 2), (9, 2)])
def test_sampled_recall_equals_the_slow_count_of_every_draw(n_sampled, k):
    table = np.random.default_rng(0).normal(size=(7, 7))
    found = evaluate(Fixed(table), make([[0, 1, 2, 3], [4, 5, 6], [6, 1]]), all_ranks=True)
    shares = []
    for rank in found.ranks:
        draws = list(combinations(range(1, 7), min(n_sampled, 6)))  # 1 .. rank - 1 are above
        shares.append(np.mean([sum(each < rank for each in draw) < k for draw in draws]))
    assert found.recall_among(n_sampled, 7, k) == pytest.approx(np.mean(shares))


def test_sampled_recall_of_all_items_is_recall():
    found = ranked()
    for k in (1, 2):
        assert found.recall_among(3, 4, k) == pytest.approx(found.recall[k])
        assert found.recall_among(1000, 4, k) == pytest.approx(found.recall[k])


def test_sampled_recall_wants_every_rank_and_a_sample():
    with pytest.raises(ValueError, match="all_ranks=True"):
        evaluate(Fixed(TABLE), SESSIONS).recall_among(2, 4)
    with pytest.raises(ValueError, match="n_sampled must be .* 1, got 0"):
        ranked().recall_among(0, 4)


def test_each_session_counts_once():
    # The target of the first session is found, of the second one's three only the first.
    found = evaluate(Fixed(TABLE), make([[0, 1], [0, 1, 2, 3]]), k=2)
    assert found.mean_over_sessions("recall", 2) == pytest.approx((1 + 1 / 3) / 2)
    assert found.recall[2] == pytest.approx(2 / 4)


def test_findings_by_hand():
    got = audit(Fixed(TABLE), SESSIONS, SESSIONS, k=1)
    assert got.value("ties") == pytest.approx(1 / 4)
    assert got[0].found == "Recall@1 is 0.500 conservative, 0.750 standard, 0.500 median"
    assert got[0].verdict == "look"
    assert got.value("sampled") == pytest.approx(0)
    assert got.value("sessions") == pytest.approx(0)
    assert got.value("same sessions") == 1


def test_what_the_set_up_does_decides_the_verdict():
    model = Fixed(TABLE)
    asked = {"n_sampled": 1, "by_session": True}
    longer = make([[0, 1], [0, 1, 2, 3]])
    got = {each.name: each for each in audit(model, longer, longer, k=2, **asked)}
    assert got["sampled"].verdict == "look"
    assert got["sampled"].found == "Recall@2 is 0.500 among all items, 1.000 among 1 drawn"
    assert got["sessions"].value == pytest.approx((1 + 1 / 3) / 2 - 1 / 2)
    assert got["sessions"].verdict == "look"
    plain = {each.name: each.verdict for each in audit(model, longer, longer, k=2)}
    assert (plain["sampled"], plain["sessions"]) == ("fine", "fine")


@pytest.fixture(scope="module")
def markov():
    parts = load_sessions("world:markov", n_sessions=3000, n_items=100).split_last(fraction=0.1)
    return BASELINES["Markov"].fit(parts[0]), *parts


def test_an_honest_set_up_needs_no_attention_and_holds_the_findings_of_the_data(markov):
    got = audit(*markov)
    assert got.ok
    assert got[3:] == check_sessions(*markov[1:])
    assert len(repr(got).splitlines()) == 12


def test_unknown_items_are_a_finding_and_no_warning(markov):
    model, train_set, test_set = markov
    few = train_set.sample(20).filtered(2, 1)
    got = audit(BASELINES["Markov"].fit(few), few, test_set)
    assert {each.name: each.verdict for each in got}["unseen"] == "look"
