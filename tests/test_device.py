"""Which device a name stands for, and what is said of one that is not there."""

import re

import pytest
import torch

from gru4rec_lab import Config, load_model, train
from gru4rec_lab.device import best_device, choose_device, generator

from .pretend_gpu import pretended_gpu

NO_SUCH = ("cuda:7", "mps:5", "xpu", "hpu", "lazy", "meta", "cuda:-1", "cpu:x", "nonsense", "")


def test_auto_is_cuda_then_mps_then_the_cpu(monkeypatch):
    there = {"cuda": True, "mps": True}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there["cuda"])
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: there["mps"])
    for name in ("cuda", "mps"):
        assert best_device() == torch.device(name)
        there[name] = False
    assert best_device() == torch.device("cpu")


def test_in_tests_auto_is_the_cpu():
    assert choose_device() == choose_device("auto") == torch.device("cpu")


@pytest.mark.parametrize("name", NO_SUCH)
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name):
    said = f"no device {name!r} here, only cpu"
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        choose_device(name)
    assert re.search(r"\(torch [^)]+\); device='auto' takes the best of them$", str(error.value))
    assert "\n" not in str(error.value)


def test_training_and_loading_refuse_it_before_anything_else(stops, tmp_path):
    with pytest.raises(ValueError, match="no device 'nonsense' here"):
        train(Config(device="nonsense"), stops)
    started = next(train(Config(layers=(4,), device="cpu"), stops))
    path = started.model.save(tmp_path / "model")
    with pytest.raises(ValueError, match="no device 'nonsense' here"):
        load_model(path, device="nonsense")


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_gpu_is_taken_where_it_is(name):
    with pretended_gpu(name):
        assert choose_device(name).type == choose_device("auto").type == name


def test_each_seed_and_purpose_has_random_numbers_of_its_own():
    def draws(*key):
        return torch.rand(4, generator=generator(*key)).tolist()

    assert draws(1, "weights") == draws(1, "weights")
    assert draws(1, "weights") != draws(1, "dropout")
    assert draws(1, "weights") != draws(2, "weights")
