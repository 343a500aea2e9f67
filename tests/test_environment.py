import sys

import pytest
import torch
from packaging.specifiers import SpecifierSet

from gru4rec_lab import Config, environment, train
from gru4rec_lab.environment import (
    PACKAGES,
    Check,
    check_device,
    check_environment,
    check_package,
    check_python,
    check_step,
    check_threads,
)
from gru4rec_lab.widgets import EnvironmentPanel
from gru4rec_lab.widgets.environment_panel import table_of


@pytest.fixture
def panel():
    made = EnvironmentPanel()
    yield made
    made.close()


def test_this_machine_passes_and_every_question_is_asked_once():
    checks = check_environment()
    assert [check for check in checks if not check.ok] == []
    assert [check.name for check in checks] == [
        "Python",
        *PACKAGES,
        "device",
        "training step",
        "cores",
    ]


def test_an_old_python_is_named_with_the_way_out():
    check = check_python((3, 9))
    assert not check.ok
    assert check.found == "3.9"
    assert "make setup PYTHON=" in check.way_out
    assert check_python(sys.version_info[:2]).ok


def test_a_missing_and_an_old_package_say_what_to_do():
    missing = check_package("no-such-package-here", SpecifierSet(">=1"))
    old = check_package("numpy", SpecifierSet(">=999"))
    assert (missing.ok, missing.found) == (False, "not installed")
    assert not old.ok
    assert old.way_out.startswith("numpy>=999 is needed; run `make setup`")


def test_more_threads_than_cores_fail(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 10_000)
    assert not check_threads().ok


@pytest.mark.parametrize("kind", [RuntimeError, AssertionError])  # torch raises either
def test_a_device_that_does_not_work_is_reported_not_raised(monkeypatch, kind):
    def broken(*_args, **_kwargs):
        raise kind("no kernel image\nmore lines")

    monkeypatch.setattr(environment.torch, "ones", broken)
    check = check_device()
    assert not check.ok
    assert check.found.endswith("no kernel image")
    assert "device='cpu'" in check.way_out


def test_the_table_shows_the_way_out_only_where_it_is_needed():
    page = table_of([Check("a", True, "1", "hidden"), Check("b", False, "<2>", "do this")])
    assert "hidden" not in page
    assert "do this" in page
    assert "&lt;2&gt;" in page


def test_the_slider_reaches_python_and_python_answers(panel):
    assert "drag" in panel.answer.value
    panel.slider.set_state({"value": 7})
    assert panel.echo.value == 7
    assert "ok" in panel.answer.value
    assert panel.error == ""


def test_checking_again_looks_again(panel, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 10_000)
    assert panel.ok
    panel.check()
    assert not panel.ok
    assert "fix this" in panel.table.value


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_the_training_step_named_is_the_one_that_runs(device, monkeypatch, stops):
    monkeypatch.setattr("gru4rec_lab.device.best_device", lambda: torch.device(device))
    started = next(train(Config(layers=(4,), batch_size=4, n_sample=8), stops))
    assert (check_step().ok, check_step().found) == (True, started.step)
    assert started.device.startswith(device)


def test_without_numba_the_plain_step_trains_and_the_way_out_is_told(monkeypatch):
    monkeypatch.setattr("gru4rec_lab.environment.find_spec", lambda name: None)
    check = check_step()
    assert (check.ok, check.found) == (False, "plain")
    assert "make setup" in check.way_out
