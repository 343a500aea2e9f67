"""What a trained model answers: to one session as it clicks, and to many at once."""

import numpy as np
import pandas as pd
import pytest
import torch

from gru4rec_lab import Config, Recommender, Sessions, network_of, recommend
from gru4rec_lab.answers import GROUP, best
from gru4rec_lab.baselines import BASELINES

NEARLY = {"rtol": 1e-4, "check_dtype": False}
CONFIG = Config(layers=(5,), device="cpu")


def model_of(ids):
    network = network_of(CONFIG, len(ids), torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.bias.copy_(torch.linspace(0, 0.1, len(ids))[:, None])
    return Recommender(network, np.array(ids), CONFIG)


@pytest.fixture(scope="module")
def numbers():
    return model_of([101, 102, 103, 104, 105, 106])


@pytest.fixture(scope="module")
def words():
    return model_of(["boots", "socks", "hat", "007"])


def items(found):
    return [each.item for each in found]


def frame(**sessions):
    rows = [(name, item) for name, clicks in sessions.items() for item in clicks]
    return pd.DataFrame(rows, columns=["SessionId", "ItemId"])


# One session.


def test_what_is_excluded_is_left_out_and_the_others_keep_their_order_and_scores(numbers):
    visit = numbers.session()
    visit.click(101)
    every = visit.top(6)
    assert visit.top(6, exclude=[every[0].item, every[3].item]) == [*every[1:3], *every[4:]]
    assert visit.top(2, exclude={every[0].item}) == every[1:3]


def test_seen_items_are_left_out_on_demand(numbers):
    visit = numbers.session()
    assert visit.click(104)
    assert visit.click(102)
    every = visit.top(6)
    left = [each for each in every if each.item not in (104, 102)]
    assert visit.top(6, exclude_seen=True) == left
    assert visit.top(6) == every


def test_only_what_is_in_stock_is_recommended(numbers):
    every = numbers.session().top(6)
    stock = [every[4].item, every[1].item]
    assert numbers.session().top(6, only=stock) == [every[1], every[4]]
    assert numbers.session().top(6, only=stock, exclude=stock[:1]) == [every[1]]
    assert numbers.session().top(6, only=[]) == []


def test_names_go_into_the_answer(words):
    found = words.session().top(4, names={"hat": "Red hat"})
    assert {each.item: each.name for each in found}["hat"] == "Red hat"
    assert sorted(each.name for each in found) == ["", "", "", "Red hat"]


@pytest.mark.parametrize("name", ["exclude", "only"])
def test_unknown_items_in_a_list_are_named_and_without_effect(numbers, name):
    with pytest.warns(UserWarning, match=f"2 of the 3 items in {name} are unknown .*: 7, 8"):
        found = numbers.session().top(6, **{name: [7, 101, 8]})
    assert (101 in items(found)) == (name == "only")


@pytest.mark.parametrize("item", ["101", " 101", "101.0", b"101", torch.tensor(101)])
def test_an_item_of_another_type_is_named_with_the_way_out(numbers, item):
    with pytest.raises(ValueError, match="but it knows 101; give items as they are in model.item"):
        numbers.session().click(item)
    for name in ("exclude", "only"):
        with pytest.raises(ValueError, match="but it knows 101"):
            numbers.session().top(**{name: [item]})


def test_text_ids_have_other_spellings_too_but_7_is_not_007(words):
    assert not words.session().click(7)
    for item, known in {"007 ": "007", b"hat": "hat"}.items():
        with pytest.raises(ValueError, match=f"but it knows {known!r}"):
            words.session().click(item)


def test_a_list_is_no_item(numbers):
    with pytest.raises(ValueError, match=r"\[101\] is no item; give one text or number at a time"):
        numbers.session().click([101])


@pytest.mark.parametrize("item", [None, float("nan"), float("inf"), "x", 1.5, pd.NA, (1, 2), 107])
def test_any_other_unknown_item_changes_nothing_and_is_remembered(numbers, item):
    visit = numbers.session()
    assert not visit.click(item)
    assert (visit.clicks, visit.unknown) == ([], [item])
    assert repr(visit) == f"session of 0 clicks; unknown to the model: {item!r}"
    assert visit.click(np.int64(101))
    assert visit.click(102.0)


def test_one_text_in_place_of_a_list_is_refused(words):
    with pytest.raises(ValueError, match="exclude takes several items, got 'hat'"):
        words.session().top(exclude="hat", exclude_seen=True)
    with pytest.raises(ValueError, match="only takes several items, got 'hat'"):
        words.session().top(only="hat")


def test_k_is_checked_wherever_it_is_given(numbers):
    for answer in (lambda: numbers.session().top(0), lambda: recommend(numbers, frame(a=[101]), 0)):
        with pytest.raises(ValueError, match="k must be a whole number of at least 1, got 0"):
            answer()


def test_a_model_without_finite_weights_recommends_nothing(words):
    broken = model_of(["a", "b"])
    with torch.no_grad():
        broken.network.items.fill_(torch.nan)
    with pytest.raises(ValueError, match="the model's scores are not numbers; train it again"):
        broken.session().top(1)
    with pytest.raises(ValueError, match="the model's scores are not numbers"):
        recommend(broken, frame(a=["a"]))


@pytest.mark.parametrize("n_items", [3, GROUP, 21 * GROUP, 40 * GROUP, 40 * GROUP + 7])
@pytest.mark.parametrize("k", [1, 10])
def test_the_best_are_those_of_a_full_sort(n_items, k):
    scores = torch.randn(9, n_items, generator=torch.Generator().manual_seed(n_items))
    scores[3] = scores[3].round()  # ties
    scores[4, 5:] = -torch.inf
    values, places = best(scores, k)
    torch.testing.assert_close(values, scores.sort(dim=1, descending=True).values[:, :k])
    torch.testing.assert_close(scores.gather(1, places), values)
    assert all(len(set(row)) == len(row) for row in places.tolist())


# Many sessions.


def answers_one_by_one(model, sessions, k, **how):
    rows = []
    for name, clicks in sessions.items():
        visit = model.session()
        for item in clicks:
            visit.click(item)
        top = visit.top(k, **how)
        rows += [(name, rank, each.item, each.score) for rank, each in enumerate(top, 1)]
    return pd.DataFrame(rows, columns=["SessionId", "rank", "ItemId", "score"])


@pytest.mark.parametrize("n_scores", [1, 13, 2**24])
@pytest.mark.parametrize("how", [{}, {"exclude_seen": True}, {"only": [102, 103, 106]}])
def test_many_sessions_get_what_each_would_get_alone(numbers, monkeypatch, n_scores, how):
    monkeypatch.setattr("gru4rec_lab.answers.N_SCORES", n_scores)
    sessions = {"a": [101], "b": [102, 104, 102, 105], "c": [103, 101], "d": [106]}
    got = recommend(numbers, frame(**sessions), 3, **how)
    pd.testing.assert_frame_equal(got, answers_one_by_one(numbers, sessions, 3, **how), **NEARLY)


def test_columns_may_have_other_names_and_time_decides_where_there_is_one(numbers):
    clicks = pd.DataFrame({"who": [1, 1, 2], "what": [104, 101, 102], "when": [20, 10, 15]})
    named = {"session": "who", "item": "what", "time": "when"}
    got = recommend(numbers, clicks, 2, **named)
    expected = answers_one_by_one(numbers, {1: [101, 104], 2: [102]}, 2)
    pd.testing.assert_frame_equal(got, expected, **NEARLY)
    pd.testing.assert_frame_equal(recommend(numbers, Sessions.from_frame(clicks, **named), 2), got)

    later = clicks.assign(when=clicks.when + 1_709_251_200_000)  # milliseconds since 1970
    with pytest.raises(ValueError, match="give unit='ms'"):
        recommend(numbers, later, 2, **named)
    pd.testing.assert_frame_equal(recommend(numbers, later, 2, **named, unit="ms"), got)


def test_names_are_a_column(words):
    got = recommend(words, frame(a=["hat"]), 4, names={"hat": "Red hat"})
    assert got.set_index("ItemId").name.to_dict()["hat"] == "Red hat"
    assert (got.name == "").sum() == 3


def test_clicks_left_out_are_counted_and_named(numbers):
    sessions = frame(a=[101, 7], b=[8], c=[102])
    with pytest.warns(UserWarning, match="2 of 4 clicks are on items unknown .*7, 8") as told:
        got = recommend(numbers, sessions, 2)
    assert "1 of 3 sessions have no other click" in str(told[0].message)
    pd.testing.assert_frame_equal(
        got, answers_one_by_one(numbers, {"a": [101], "c": [102]}, 2), **NEARLY
    )


def test_sessions_of_unknown_items_alone_are_refused(numbers):
    with pytest.raises(ValueError, match="knows no item of these sessions: 1, 2, 3, 4, 5, ..."):
        recommend(numbers, frame(a=range(1, 9)))
    with pytest.raises(ValueError, match="does not know the item '101', but it knows 101"):
        recommend(numbers, frame(a=["101", "102"]))


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_answer_too(name):
    clicks = frame(a=[1, 2, 3], b=[1, 2], c=[2, 3, 1])
    sessions = Sessions.from_frame(clicks.assign(Time=range(len(clicks))))
    got = recommend(BASELINES[name].fit(sessions), clicks, 2, exclude_seen=True)
    assert got[["SessionId", "ItemId"]].values.tolist() == [["b", 3]]
