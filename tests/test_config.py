import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gru4rec_lab import LOSSES, Config, Controls, load_model
from gru4rec_lab.config import CHOICES, check_setting
from gru4rec_lab.device import generator
from gru4rec_lab.recommender import Recommender, network_of


def test_defaults_are_the_authors():
    config = Config()
    assert (config.layers, config.loss, config.batch_size) == ((100,), "cross-entropy", 64)
    assert (config.n_sample, config.sample_alpha, config.learning_rate) == (2048, 0.5, 0.05)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"loss": "hinge"}, "unknown loss 'hinge'; choose one of top1, bpr"),
        ({"n_sample": -1}, "n_sample must be a whole number of at least 0, or 'all', got -1"),
        (
            {"batch_size": 0},
            "batch_size must be a whole number of at least 1, got 0; the",
        ),
        ({"sample_alpha": float("nan")}, "sample_alpha must be a number of at least 0, got nan"),
        ({"momentum": 1}, "momentum must be a number of at least 0 and at most 0.9999, got 1"),
        ({"n_sample": 10**10}, r"n_sample must .* most 2\.14748e\+09, or 'all', got 10000000000"),
        ({"bpreg": float("inf")}, r"bpreg must be .* at least 0 and at most 3e\+38, got inf; the"),
        ({"bpreg": -1}, "bpreg must be a number of at least 0, got -1; the default is 1.0"),
        ({"seed": 1.5}, "seed must be a whole number of at most 64 bits, got 1.5; the default is"),
        ({"layers": "100"}, "layers must be whole numbers above 0, the lowest layer first, got"),
        ({"device": None}, "device must be text, such as 'auto', 'cpu' or 'cuda', got None"),
        ({"constrained_embedding": "False"}, "constrained_embedding must be True or False, got"),
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
    with pytest.raises(ValueError, match=r"n_sample must be a whole number .*, got 1\.5"):
        check_setting("n_sample", 1.5)


INF, NAN = float("inf"), float("nan")
WHOLE = ("batch_size", "n_sample", "embedding", "n_epochs", "seed", "report_every")
NUMBERS = ("sample_alpha", "logq", "bpreg", "elu_param", "dropout_p_embed", "dropout_p_hidden",
           "learning_rate", "momentum")  # fmt: skip
ODD = [
    (name, value)
    for name in WHOLE
    for value in (
        2.5,
        INF,
        NAN,
        None,
        "64",
        True,
        np.bool_(True),
        10**30,
        [64],
        "ALL",
        np.array(64),
        torch.tensor(64),
    )
]
ODD += [
    (name, value)
    for name in NUMBERS
    for value in (INF, -INF, NAN, None, "0.5", True, 1e300, 10**400, -0.1, torch.tensor(0.5))
]
ODD += [("constrained_embedding", value) for value in ("False", 0, 1, None, 1.0)]
ODD += [(name, value) for name in (*CHOICES, "loss") for value in (None, "", 1, ["gru"], True)]
ODD += [("device", value) for value in (0, None, True, ["cpu"])]
ODD += [("layers", value) for value in (2.5, None, "100", True, (True,), (8, 0), (8.5,), [None],
                                        np.zeros((1, 1)), np.array(8), {8: 8})]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), ODD, ids=str)
def test_an_odd_value_is_refused_by_its_name_wherever_it_is_given(name, value):
    with pytest.raises(ValueError, match=f"{name}.*(got|unknown|choose)|unknown {name}"):
        Config(**{name: value})
    with pytest.raises(ValueError, match=name):
        Config().with_changes(**{name: value})
    if name in Controls.of(Config()).settings.__dict__:
        with pytest.raises(ValueError, match=name):
            Controls.of(Config()).set(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("batch_size", np.int64(32), 32),
        ("batch_size", np.uint8(32), 32),
        ("n_sample", 512.0, 512),
        ("n_sample", np.str_("all"), "all"),
        ("n_epochs", np.float32(3), 3),
        ("seed", np.int64(-3), -3),
        ("seed", 2**64 - 1, 2**64 - 1),
        ("learning_rate", np.float64(0.25), 0.25),
        ("learning_rate", np.float32(0.25), 0.25),
        ("logq", 1, 1.0),
        ("constrained_embedding", np.bool_(False), False),
        ("loss", np.str_("bpr"), "bpr"),
        ("sampler", np.str_("uniform"), "uniform"),
        ("device", torch.device("cpu"), "cpu"),
        ("device", torch.device("cuda", 1), "cuda:1"),
        ("layers", 32, (32,)),
        ("layers", 32.0, (32,)),
        ("layers", [np.int64(8), 4], (8, 4)),
        ("layers", np.array([8, 4]), (8, 4)),
    ],
    ids=str,
)
def test_a_value_is_stored_as_pythons_own(name, value, stored):
    for got in (Config(**{name: value}), Config().with_changes(**{name: value})):
        assert (getattr(got, name), type(getattr(got, name))) == (stored, type(stored))
    if name == "layers":
        assert {type(units) for units in got.layers} == {int}
    if name in Controls.of(Config()).settings.__dict__:
        controls = Controls.of(Config())
        controls.set(**{name: value})
        got = getattr(controls, name)
        assert (got, type(got)) == (stored, type(stored))


def as_searches_make_them(kind, numbers):
    """These numbers, as Python's and as numpy's."""
    return numbers | numbers.map(kind)


def floats(low, high):
    return as_searches_make_them(np.float64, st.floats(low, high))


def wholes(low, high):
    numbers = st.integers(low, high)
    return as_searches_make_them(np.int64, numbers) | numbers.map(float)


SETTINGS = st.fixed_dictionaries(
    {
        "layers": st.lists(wholes(1, 5), min_size=1, max_size=3) | wholes(1, 5),
        "loss": st.sampled_from(list(LOSSES)),
        "embedding": wholes(0, 5),
        "constrained_embedding": as_searches_make_them(np.bool_, st.booleans()),
        "seed": st.integers(-(2**63), 2**64 - 1) | wholes(-9, 9),
        "device": st.sampled_from(["auto", "cpu", torch.device("cpu"), torch.device("cuda", 1)]),
        "learning_rate": floats(1e-9, 1e9),
        "momentum": floats(0, 0.9999),
        "dropout_p_embed": floats(0, 0.99),
        "dropout_p_hidden": floats(0, 0.99),
    }
    | {name: floats(0, 3e38) for name in ("sample_alpha", "logq", "bpreg", "elu_param")}
    | {name: wholes(1, 2**31 - 1) for name in ("batch_size", "n_epochs")}
    | {"n_sample": st.just("all") | wholes(1, 2**31 - 1)}
    | {name: st.sampled_from(choices) for name, choices in CHOICES.items()}
)


@given(SETTINGS)
@settings(max_examples=60, deadline=None)
def test_every_config_can_be_saved_and_loaded(tmp_path_factory, given_settings):
    try:
        config = Config(**given_settings)
    except ValueError:
        return
    assert Config(**json.loads(json.dumps(dataclasses.asdict(config)))) == config
    network = network_of(config, 3, generator(0, "weights"))
    path = tmp_path_factory.getbasetemp() / "odd"
    model = load_model(Recommender(network, np.array(["a", "b", "c"]), config).save(path))
    assert model.config == config


def test_a_number_of_few_bits_is_checked_without_a_warning():
    assert check_setting("n_sample", np.float16(8)) == 8
