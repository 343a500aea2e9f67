"""One pytest call for everything: unit tests first, then the notebooks, then the browser."""

import os
import shutil
from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"
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


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser that the browser tests drive."""
    return find_chromium()
