from contextlib import ExitStack

import pytest

from .driver import opened, opened_app, running_app, running_chromium, running_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    with running_lab(tmp_path_factory.mktemp("lab")) as address:
        yield address


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    pytest.importorskip("voila")
    with running_app(tmp_path_factory.mktemp("app")) as address:
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


@pytest.fixture(scope="module", params=["JupyterLab", "Voila"])
def panels(request, browser):
    """Both panels on one `Page`: of JupyterLab, then of Voila on a screen of twice the density."""
    if request.param == "JupyterLab":
        address = request.getfixturevalue("lab")
        page = opened(browser, address, "panels.ipynb")
    else:
        page = opened_app(browser, request.getfixturevalue("app"), device_scale_factor=2)
    with page as shown:
        shown.show("g4r-n-sample")
        yield shown
        shown.page.screenshot(path=f"test-results/panels_{request.param}.png")
