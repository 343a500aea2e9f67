import pytest
import torch

from gru4rec_lab import Config, fit, load_sessions
from gru4rec_lab.training.observe import at_epochs

CONFIG = Config(layers=(8,), n_sample=4, batch_size=16, n_epochs=2, learning_rate=0.1)


@pytest.fixture(scope="module")
def sessions():
    return load_sessions("world:cycle", n_sessions=50, n_items=20)


def weights(model):
    return {name: value.clone() for name, value in model.network.state_dict().items()}


def test_untrained_model_and_ends_of_epochs_are_seen_at_their_steps(sessions):
    seen = list(at_epochs(CONFIG, sessions, lambda model: None, (2, 0, 0.5)))
    last = seen[-1].step
    assert [(at.epoch, at.step) for at in seen] == [(0, 0), (0.5, round(last / 4)), (2, last)]


def test_model_at_the_end_is_the_one_that_fit_returns(sessions):
    (end,) = at_epochs(CONFIG, sessions, weights, [2])
    for name, value in weights(fit(CONFIG, sessions, progress=False)).items():
        torch.testing.assert_close(end.value[name], value, rtol=0, atol=0)


def test_training_goes_on_as_long_as_the_moments_do_not_as_the_config_says(sessions):
    one, three = (end.step for end in at_epochs(CONFIG, sessions, weights, [1, 3]))
    assert three == 3 * one


def test_looking_does_not_change_the_training(sessions):
    often = list(at_epochs(CONFIG, sessions, weights, [0, 0.3, 0.6, 1]))[-1].value
    (once,) = at_epochs(CONFIG, sessions, weights, [1])
    assert all(torch.equal(often[name], once.value[name]) for name in often)


@pytest.mark.parametrize("epochs", [(), (-1, 2)])
def test_no_moment_and_one_before_the_start_are_refused(sessions, epochs):
    with pytest.raises(ValueError, match="from 0 on"):
        at_epochs(CONFIG, sessions, weights, epochs)


def test_two_moments_in_the_same_step_are_both_seen(sessions):
    seen = list(at_epochs(CONFIG, sessions, lambda model: None, (0, 0.0001)))
    assert [(at.epoch, at.step) for at in seen] == [(0, 0), (0.0001, 0)]
