import pytest

from gru4rec_lab import Config, fit, load_sessions


@pytest.fixture(scope="module")
def model():
    world = load_sessions("world:cycle", n_sessions=2000)
    config = Config(layers=(32,), batch_size=32, n_sample=64, learning_rate=0.1, n_epochs=2)
    return fit(config, world)


def test_a_session_under_way_is_offered_the_next_item_of_the_cycle(model):
    visit = model.session()
    visit.click(model.item_ids[0])
    best = visit.top(1)[0].item
    visit.click(best)
    assert best in model.item_ids
    assert visit.top(1)[0].item != best


def test_an_unknown_item_changes_nothing_and_is_remembered(model):
    visit = model.session()
    visit.click(model.item_ids[3])
    before = visit.top(5)
    assert not visit.click("no such item")
    assert visit.top(5) == before
    assert visit.unknown == ["no such item"]


def test_scores_fall_and_k_may_exceed_the_catalogue(model):
    top = model.session().top(10**6)
    assert len(top) == len(model.item_ids)
    assert [t.score for t in top] == sorted((t.score for t in top), reverse=True)


def test_k_below_one_is_refused(model):
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        model.session().top(0)
