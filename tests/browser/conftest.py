from contextlib import ExitStack

import pytest

from .driver import opened, running_chromium, running_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    with running_lab(tmp_path_factory.mktemp("lab")) as address:
        yield address


@pytest.fixture(scope="session")
def browser(chromium):
    pytest.importorskip("playwright.sync_api")
    with running_chromium(chromium) as running:
        yield running


@pytest.fixture
def notebook(lab, browser):
    """Opens a notebook, runs all its cells and gives a `Page`."""
    with ExitStack() as open_pages:
        yield lambda name: open_pages.enter_context(opened(browser, lab, name))
