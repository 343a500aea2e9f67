"""A real JupyterLab in a real Chromium, handled as a learner handles it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Address of a JupyterLab on copies of the notebooks, with a config of its own."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, home / "notebooks")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", "--allow-root"]
    command += ["--IdentityProvider.token=test", f"--ServerApp.root_dir={home / 'notebooks'}"]
    command += ["--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
    log = (home / "lab.log").open("w")
    server = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server, home / "lab.log")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
        log.close()


def _wait_for(address, server, log):
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/api?token=test", timeout=2):
                return
        except OSError:
            assert server.poll() is None, f"jupyter lab ended:\n{log.read_text()[-2000:]}"
            time.sleep(0.2)
    raise AssertionError(f"no answer from jupyter lab in 60 s:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def browser(chromium):
    """A headless Chromium that is running."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def notebook(lab, browser):
    """Opens a notebook, runs all its cells and gives a `Page`."""
    opened = []

    def open_notebook(name):
        page = browser.new_page(viewport={"width": 1400, "height": 1300})
        page.set_default_timeout(60_000)
        opened.append(page)
        page.goto(f"{lab}/lab/tree/{name}?token=test&reset")
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session"
            "?.kernel?.status === 'idle'"
        )
        run_all = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
        assert page.evaluate(run_all) is not False
        return Page(page)

    yield open_notebook
    for page in opened:
        page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        page.close()


class Page:
    """One notebook on the screen, as a learner sees and handles it."""

    def __init__(self, page):
        self.page = page

    def element(self, css, nth=0):
        """The nth element with the css class."""
        found = self.page.locator(f".{css}").nth(nth)
        found.wait_for(state="attached")
        return found

    def show(self, css):
        """Scroll until the first element with the css class is on the screen."""
        self.page.evaluate(
            """css => { const panel = window.jupyterapp.shell.currentWidget;
                 const cells = panel.content.widgets;
                 const at = cells.findIndex(cell => cell.node.querySelector('.' + css));
                 if (at >= 0) panel.content.scrollToItem(at, 'start'); }""",
            css,
        )
        self.element(css).scroll_into_view_if_needed()

    def text(self, css):
        """Text of the first element with the css class."""
        return self.element(css).inner_text()

    def picture(self, css="g4r-picture"):
        """Address of the picture now shown; it changes with every new picture."""
        return self.page.evaluate(
            """css => { const e = document.querySelector('.' + css);
                 return (e.tagName === 'IMG' ? e : e.querySelector('img')).src; }""",
            css,
        )

    def wait_for_new_picture(self, before, seconds=15):
        """Wait until another picture is shown."""
        self.until(lambda: self.picture() != before, seconds, "the picture did not change")

    def until(self, condition, seconds=30, why="it did not happen"):
        """Wait until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, why
            self.page.wait_for_timeout(50)

    def drag(self, css, share):
        """Drag the slider's handle to that share of its width."""
        handle = self.page.locator(f".{css} .noUi-handle").first
        handle.scroll_into_view_if_needed()
        start = handle.bounding_box()
        bar = self.page.locator(f".{css} .noUi-base").first.bounding_box()
        y = start["y"] + start["height"] / 2
        mouse = self.page.mouse
        mouse.move(start["x"] + start["width"] / 2, y)
        mouse.down()
        mouse.move(bar["x"] + bar["width"] * share, y, steps=12)
        mouse.up()

    def errors(self):
        """Error outputs, text on stderr and widgets that failed, anywhere in the notebook."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll(
                 '[data-mime-type="application/vnd.jupyter.error"],' +
                 '[data-mime-type="application/vnd.jupyter.stderr"],' +
                 '.jupyter-widgets-error-widget')].map(e => e.textContent.slice(0, 300))"""
        )
