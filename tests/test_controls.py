import pytest

from gru4rec_lab import Config, Controls
from gru4rec_lab.training.controls import ControlChanged, Settings


@pytest.fixture
def controls():
    return Controls.of(Config(loss="bpr", n_sample=8))


def test_a_change_is_seen_before_the_next_step(controls):
    before = controls.settings
    controls.n_sample = 64
    now, changes = controls.before_step(7, before)
    assert now.n_sample == 64
    assert changes == [ControlChanged(7, "n_sample", 8, 64)]


def test_without_a_change_there_is_no_event(controls):
    assert controls.before_step(1, controls.settings)[1] == []


def test_setting_the_same_value_again_is_no_event(controls):
    before = controls.settings
    controls.loss = "bpr"
    assert controls.before_step(1, before)[1] == []


def test_several_settings_change_together_or_not_at_all(controls):
    with pytest.raises(ValueError, match="n_sample must be"):
        controls.set(loss="top1", n_sample=-3)
    assert controls.loss == "bpr"


@pytest.mark.parametrize("name", ["layers", "batch_size", "seed", "sample_alfa"])
def test_what_is_not_live_is_refused_with_what_is(controls, name):
    with pytest.raises(ValueError, match=f"'{name}' cannot change while a run is going; live are"):
        setattr(controls, name, 1)


def test_an_unknown_loss_lists_the_choices(controls):
    with pytest.raises(ValueError, match="unknown loss 'hinge'; choose one of top1"):
        controls.loss = "hinge"


def test_recorded_changes_are_replayed_before_their_steps():
    recorded = [ControlChanged(5, "loss", "bpr", "top1"), ControlChanged(2, "n_sample", 8, 4)]
    controls = Controls.of(Config(loss="bpr", n_sample=8), replay=recorded)
    settings, changes = Settings.of(Config(loss="bpr", n_sample=8)), []
    for step in range(1, 7):
        settings, new = controls.before_step(step, settings)
        changes += new
    assert changes == sorted(recorded, key=lambda change: change.step)


def test_who_asks_is_told_of_each_change_and_of_nothing_refused():
    told = []
    controls = Controls.of(Config(), on_set=lambda: told.append(controls.n_sample))
    controls.n_sample = 8
    controls.set(n_sample=16, loss="bpr")
    with pytest.raises(ValueError, match="n_sample"):
        controls.n_sample = -1
    assert told == [8, 16]
