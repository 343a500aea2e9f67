"""Going on with newer sessions: what is kept, what is added, what is refused."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

from gru4rec_lab import (
    Config,
    Recommender,
    Sessions,
    fit,
    load_model,
    load_sessions,
    network_of,
    resume,
    train,
)
from gru4rec_lab.training.events import StepDone
from gru4rec_lab.training.grow import grown

SMALL = Config(
    layers=(8,), batch_size=4, n_sample=12, learning_rate=0.1, n_epochs=2, device="cpu", loss="bpr"
)
MODES = {
    "constrained": {},
    "separate": {"constrained_embedding": False, "embedding": 5},
    "one-hot": {"constrained_embedding": False},
    "momentum": {"momentum": 0.3},
}
TABLES = {"items", "bias", "inputs"}


def sessions_of(*sessions, names=str):
    rows = [(number, names(item)) for number, items in enumerate(sessions) for item in items]
    frame = pd.DataFrame(rows, columns=["SessionId", "ItemId"])
    return Sessions.from_frame(frame.assign(Time=range(len(rows))))


@pytest.fixture(scope="module")
def known():
    return load_sessions("world:cycle", n_sessions=16, n_items=12, seed=2)


@pytest.fixture(scope="module")
def newer(known):
    """Two old items, in another order than the model's, and the new ones x, y and z: a cycle."""
    cycle = ["x", known.item_ids[3], "y", known.item_ids[1], "z"]
    return sessions_of(*[cycle, cycle[2:] + cycle[:2]] * 3)


@pytest.fixture(params=MODES)
def config(request):
    return SMALL.with_changes(**MODES[request.param])


def weights_of(model):
    return {name: value.clone() for name, value in model.network.state_dict().items()}


def test_old_items_keep_their_scores_and_new_ones_stand_behind_them(config, known, newer):
    model = fit(config, known, progress=False)
    longer = model.continue_training(newer, config.with_changes(n_epochs=0), progress=False)
    assert longer.item_ids.tolist() == [*known.item_ids.tolist(), "x", "y", "z"]
    n_old, before = len(model.item_ids), model.training
    for name, value in weights_of(model).items():
        assert torch.equal(longer.network.state_dict()[name][: len(value)], value), name
    assert longer.training.velocity.keys() == before.velocity.keys()
    for name, old in before.accumulated.items():
        sums = longer.training.accumulated[name]
        assert torch.equal(sums[: len(old)], old)
        assert not sums[len(old) :].any()
        assert len(sums) == len(old) + 3 * (name in TABLES)
    one, other = (each.session() for each in (model, longer))
    for item in model.item_ids[[5, 2, 7]].tolist():
        one.click(item), other.click(item)
    old = [each for each in other.top(99) if each.item not in ("x", "y", "z")]
    assert [each.item for each in one.top(99)] == [each.item for each in old]
    for first, second in zip(one.top(99), old, strict=True):
        assert first.score == pytest.approx(second.score, abs=1e-5)
    assert len(other.top(99)) == n_old + 3


def test_clicks_are_counted_over_the_old_and_the_new_sessions(known, newer):
    model = fit(SMALL, known, progress=False)
    longer = model.continue_training(newer, progress=False)
    support = longer.training.support.tolist()
    expected = known.support.copy()
    expected[[1, 3]] += 6
    assert support == [*expected.tolist(), 6, 6, 6]
    assert model.training.support.tolist() == known.support.tolist()


def test_what_no_step_touches_stays_bit_for_bit(config, known, newer):
    model = fit(config, known, progress=False)
    before = weights_of(model)
    longer = model.continue_training(newer, config.with_changes(n_sample=0), progress=False)
    after, untouched = longer.network.state_dict(), [0, 2, *range(4, len(model.item_ids))]
    for name in TABLES & before.keys():
        assert torch.equal(after[name][untouched], before[name][untouched])
        assert not torch.equal(after[name][3], before[name][3])
    for name, value in before.items():
        assert torch.equal(model.network.state_dict()[name], value), name


def test_new_items_are_learnt(known, newer):
    model = fit(SMALL, known, progress=False)
    longer = model.continue_training(newer, SMALL.with_changes(n_epochs=40), progress=False)
    visit, cycle = longer.session(), newer.item_ids[newer.items[:5]].tolist()
    for item, then in pairwise(cycle):
        assert visit.click(item)
        assert visit.top(1)[0].item == then


@pytest.mark.parametrize("step", ["plain", "numba"])
def test_an_epoch_more_on_the_same_sessions_is_an_epoch_more(config, step, known, tmp_path):
    """Without samples and dropout nothing is drawn, so that only Adagrad's state could differ."""
    one = config.with_changes(n_sample=0, n_epochs=1, step=step)
    model = fit(one, known, progress=False)
    loaded = load_model(model.save(tmp_path / "model"), device="cpu")
    both = fit(one.with_changes(n_epochs=2), known, progress=False)
    for start in (model, loaded):
        longer = start.continue_training(known, progress=False)
        for name, value in weights_of(both).items():
            assert torch.equal(longer.network.state_dict()[name], value), name


def test_continued_training_can_be_stopped_and_resumed(known, newer, tmp_path):
    model = fit(SMALL, known, progress=False)
    events = train(SMALL, newer, start=model, checkpoint=tmp_path / "run", checkpoint_every=3)
    for event in events:
        if event == StepDone(4, 1):
            events.close()
    again = resume(tmp_path / "run", newer, progress=False)
    whole = model.continue_training(newer, progress=False)
    for name, value in weights_of(whole).items():
        assert torch.equal(again.network.state_dict()[name], value), name
    assert again.training.support.tolist() == whole.training.support.tolist()


def test_a_model_without_the_state_of_its_training_goes_on_with_a_warning(known, newer):
    network = network_of(SMALL, known.n_items, torch.Generator().manual_seed(0))
    model = Recommender(network, known.item_ids, SMALL)
    with pytest.warns(UserWarning, match="saved without Adagrad's sums"):
        longer = model.continue_training(newer, progress=False)
    assert longer.training.support.sum() == newer.n_clicks


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": (9,)},
        {"constrained_embedding": False},
        {"cell": "feed-forward"},
        {"embedding": 8},
    ],
    ids=str,
)
def test_other_layers_or_embeddings_are_refused(changes, known):
    (name,) = changes
    model = fit(SMALL.with_changes(n_epochs=0), known, progress=False)
    with pytest.raises(ValueError, match=rf"the model has {name}=.* not .*; go on with"):
        model.continue_training(known, SMALL.with_changes(**changes))


def test_sessions_that_cannot_be_trained_on_are_refused(known):
    model = fit(SMALL.with_changes(n_epochs=0), known, progress=False)
    for sessions, words in (
        (sessions_of(["a", "b"], ["c"]), "1 sessions have fewer than 2 clicks"),
        (known.take(np.zeros(known.n_sessions, bool)), "there are no sessions"),
    ):
        with pytest.raises(ValueError, match=words):
            model.continue_training(sessions)


def test_names_of_another_kind_are_refused_instead_of_added():
    numbers, texts = (sessions_of([101, 102, 103], names=kind) for kind in (int, str))
    for one, other in ((numbers, texts), (texts, numbers)):
        model = fit(SMALL.with_changes(n_epochs=0), one, progress=False)
        with pytest.raises(ValueError, match=r"named as '?101'?, those .* as '?101'?; name both"):
            model.continue_training(other)


def test_large_numbers_as_names_lose_no_digit():
    large = 2**63 + 1
    old = sessions_of([1, 2, 3], names=int)
    new = replace(old, item_ids=np.array([large, large + 1, 2], np.uint64))
    model = fit(SMALL.with_changes(n_epochs=0), old, progress=False)
    longer, _ = grown(model, SMALL, new)
    assert longer.item_ids.tolist() == [1, 2, 3, large, large + 1]
