"""One pytest call for everything: unit tests first, then the notebooks, then the browser."""

import os
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from gru4rec_lab import load_sessions

from .labs import TINY, training_threads

BROWSER = Path(__file__).parent / "browser"
HAS_CUDA = torch.cuda.is_available()
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """The browser named by CHROMIUM, else the first one on the path."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def in_browser(item: pytest.Item) -> bool:
    return BROWSER in item.path.parents


def pytest_collection_modifyitems(items):
    for item in filter(in_browser, items):
        item.add_marker("browser")
    items.sort(key=lambda item: 2 if in_browser(item) else item.path.suffix == ".ipynb")


def pytest_runtest_setup(item):
    # Raised here and not as a mark: all skipped tests then share one line of the summary.
    if item.get_closest_marker("browser") and not find_chromium():
        pytest.skip("no Chromium found; install one, or name it: make test CHROMIUM=/path/to/it")
    if item.get_closest_marker("gpu") and not HAS_CUDA:
        pytest.skip("no CUDA device; these tests run where there is one")


@pytest.fixture(scope="session", autouse=True)
def auto_is_the_cpu():
    """A machine with a GPU tests what any other does; what is meant for a GPU names the device."""
    with patch("gru4rec_lab.device.best_device", lambda: torch.device("cpu")):
        yield


@pytest.fixture(scope="session", autouse=True)
def a_cache_of_its_own(tmp_path_factory):
    """What a test prepares never lands among the user's own sets."""
    with patch.dict(os.environ, GRU4REC_LAB_CACHE=str(tmp_path_factory.mktemp("cache"))):
        yield


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser that the browser tests drive."""
    return find_chromium()


@pytest.fixture(scope="session")
def stops():
    """Sessions small enough to train on in a second: each stop follows from the one before."""
    return load_sessions("world:cycle", n_sessions=200, n_items=30)


@pytest.fixture
def no_thread_or_panel_is_left():
    from gru4rec_lab.widgets import live_panels

    before = training_threads()
    yield
    for panel in live_panels().values():
        panel.close()
    assert live_panels() == {}
    assert training_threads() - before == set()


@pytest.fixture
def training_lab(stops, no_thread_or_panel_is_left):
    """A tiny lab, idle; it trains for longer than a test takes."""
    from gru4rec_lab.widgets import TrainingLab

    return TrainingLab(stops, TINY, observe_every=10, speed_limit=0)


@pytest.fixture
def short_lab(stops, no_thread_or_panel_is_left):
    """A tiny lab, idle, whose run ends by itself."""
    from gru4rec_lab.widgets import TrainingLab

    return TrainingLab(stops, TINY.with_changes(n_epochs=2), observe_every=10, speed_limit=0)
