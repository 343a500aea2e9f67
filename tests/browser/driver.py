"""A JupyterLab and a Chromium of their own, handled as a learner handles them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
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


@contextmanager
def running_lab(home):
    """Address of a JupyterLab on copies of the notebooks, with a config of its own in `home`."""
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
    command += [
        "--LabApp.expose_app_in_browser=True",
        f"--LabApp.app_settings_dir={ROOT / 'scripts' / 'lab'}",
    ]
    with (home / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address, server, home / "lab.log")
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(20)


def _wait_for(address, server, log):
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/api?token=test", timeout=2):
                return
        except OSError:
            assert server.poll() is None, f"jupyter lab ended:\n{log.read_text()[-2000:]}"
            time.sleep(0.2)
    raise AssertionError(f"no answer from jupyter lab in 60 s:\n{log.read_text()[-2000:]}")


@contextmanager
def running_chromium(path):
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        running = started.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@contextmanager
def opened(browser, address, name):
    """The notebook, opened in a tab and run from top to bottom, as a `Page`."""
    tab = browser.new_page(viewport={"width": 1400, "height": 1300})
    tab.set_default_timeout(60_000)
    tab.goto(f"{address}/lab/tree/{name}?token=test&reset")
    tab.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session"
        "?.kernel?.status === 'idle'"
    )
    run_all = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
    assert tab.evaluate(run_all) is not False
    yield Page(tab)
    tab.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    tab.close()


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
