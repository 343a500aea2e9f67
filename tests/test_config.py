import dataclasses

import pytest

from gru4rec_lab import Config
from gru4rec_lab.config import check_setting


def test_defaults_are_the_authors():
    config = Config()
    assert (config.layers, config.loss, config.batch_size) == ((100,), "cross-entropy", 64)
    assert (config.n_sample, config.sample_alpha, config.learning_rate) == (2048, 0.5, 0.05)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"loss": "hinge"}, "unknown loss 'hinge'; choose one of top1, bpr"),
        ({"n_sample": -1}, "n_sample must be a number of at least 0, got -1"),
        ({"batch_size": 0}, "batch_size must be a number of at least 1, got 0"),
        ({"sample_alpha": float("nan")}, "sample_alpha must be a number of at least 0, got nan"),
        ({"momentum": 1}, "momentum must be a number of at least 0 and at most 0.9999, got 1"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0, got 0"),
        ({"layers": ()}, "layers must be whole numbers above 0"),
        ({"layers": (0,)}, "layers must be whole numbers above 0"),
        ({"embedding": 24}, "a constrained embedding has the size of the last layer, 100, not 24"),
        ({"cell": "feed-forward", "constrained_embedding": False}, "needs an input embedding"),
        ({"sampler": "best"}, "unknown sampler 'best'; choose one of popularity, uniform"),
        ({"collisions": "drop"}, "unknown collisions 'drop'; choose one of keep, mask, resample"),
        ({"sampler": "hard", "logq_mode": "exact"}, "expected counts of hard negatives are not"),
        ({"shape_scores": "none"}, "unknown shape_scores 'none'; choose one of bpr-max, all"),
    ],
)
def test_a_bad_setting_is_refused_with_its_value_and_the_way_out(bad, message):
    with pytest.raises(ValueError, match=message):
        Config(**bad)


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().loss = "bpr"


def test_with_changes_refuses_an_unknown_name():
    with pytest.raises(ValueError, match="unknown setting 'learn_rate'; choose one of layers"):
        Config().with_changes(learn_rate=0.1)


def test_presets_take_changes_and_unknown_ones_list_the_choices():
    assert Config.preset("lab", loss="bpr-max").loss == "bpr-max"
    with pytest.raises(ValueError, match="unknown preset 'rsc'; choose one of lab, yoochoose"):
        Config.preset("rsc")


def test_half_a_sample_is_refused():
    with pytest.raises(ValueError, match=r"n_sample must be a whole number, got 1\.5"):
        check_setting("n_sample", 1.5)
