"""A JupyterLab and a Chromium of their own, handled as a learner handles them."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from urllib.request import Request

from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
APP = ROOT / "scripts" / "app"
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
# The main controls of the training lab: first its sliders, then its rows of buttons.
WILD = ("g4r-n-sample", "g4r-alpha", "g4r-loss", "g4r-scores-of", "g4r-pane")


@contextmanager
def running_lab(home):
    """Address of a JupyterLab on copies of the notebooks, with a config of its own in `home`."""
    shutil.copytree(NOTEBOOKS, home / "notebooks")
    shutil.copy(APP / "panels.ipynb", home / "notebooks")
    options = ["--allow-root", f"--ServerApp.root_dir={home / 'notebooks'}"]
    options += ["--ServerApp.port_retries=0", "--IdentityProvider.token=test"]
    options += ["--LabApp.expose_app_in_browser=True"]
    options += [f"--LabApp.app_settings_dir={ROOT / 'scripts' / 'lab'}"]
    options += [f"--LabApp.extra_labextensions_path={ROOT / 'scripts' / 'lab' / 'extensions'}"]
    with _serving("jupyterlab", [*options, "--ip=127.0.0.1"], home, "api") as address:
        yield address


@contextmanager
def running_app(home):
    """Address of the panels as `make app` serves them, with a config of its own in `home`."""
    options = [str(APP / "panels.ipynb"), f"--Voila.config_file_paths={APP}"]
    options += ["--token=test", "--Voila.port_retries=0"]
    with _serving("voila", options, home, "login") as address:
        yield address


@contextmanager
def _serving(module, options, home, answering):
    """Address of the server that `module` runs on a free port; it ends with all its kernels."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_PATH": str(APP),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    command = [sys.executable, "-m", module, *options, "--no-browser", f"--port={port}"]
    address, log_file = f"http://127.0.0.1:{port}", home / f"{module}.log"
    with log_file.open("w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_for(f"{address}/{answering}?token=test", server, log_file)
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(20)


def _wait_for(address, server, log):
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            assert server.poll() is None, f"the server ended:\n{log.read_text()[-2000:]}"
            time.sleep(0.2)
    raise AssertionError(f"no answer from the server in 60 s:\n{log.read_text()[-2000:]}")


@contextmanager
def running_chromium(path):
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        running = started.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@contextmanager
def opened(browser, address, name, *, cells=(), **look):
    """The notebook in JupyterLab, run from top to bottom, as a `Page`; `look` is the tab's.

    With `cells`, the code of each, a new notebook is written and opened.
    """
    if cells:
        _write(address, name, cells)
    with _tab(browser, look) as tab:
        tab.goto(f"{address}/lab/tree/{name}?token=test&reset")
        page = Page(tab)
        page.wait_until_idle()
        page.run_all()
        yield page
        tab.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


def _write(address, name, cells):
    """Save a notebook of these code cells by the server's contents API."""
    notebook = new_notebook(cells=[new_code_cell(dedent(cell).strip()) for cell in cells])
    # Without it JupyterLab asks which kernel to take.
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    body = json.dumps({"type": "notebook", "content": notebook}).encode()
    request = Request(f"{address}/api/contents/{name}?token=test", body, method="PUT")
    with urllib.request.urlopen(request, timeout=10):
        pass


@contextmanager
def opened_app(browser, address, **look):
    """The panels in Voila as a `Page`; `look` is the tab's."""
    with _tab(browser, look) as tab:
        tab.goto(f"{address}/?token=test")
        yield Page(tab)
        tab.goto("about:blank")  # closing a tab does not tell the server, leaving the page does


@contextmanager
def _tab(browser, look):
    tab = browser.new_page(**({"viewport": {"width": 1400, "height": 1300}} | look))
    tab.set_default_timeout(60_000)
    yield tab
    tab.close()


class Page:
    """Panels on the screen, as a learner sees and handles them.

    `scope` is a css selector of the part that elements are looked for in.
    """

    def __init__(self, page, scope=""):
        self.page, self.scope = page, scope

    def panel(self, css):
        """The panel that has an element with this css class; other panels do not count in it."""
        return Page(self.page, f".g4r-panel:has(.{css}) ")

    def tab(self, title):
        """Bring the tab with this title to the front."""
        self.page.get_by_role("tab", name=title).click()

    def wait_until_idle(self):
        """Wait until the kernel of the notebook has nothing to do, in JupyterLab."""
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session"
            "?.kernel?.status === 'idle'"
        )

    def logged(self):
        """Text of JupyterLab's log console: whatever callbacks printed or raised."""
        if not self.page.locator(".jp-LogConsolePanel").count():
            self.command("logconsole:open")
        self.page.locator(".jp-LogConsolePanel").wait_for(state="attached")
        entries = self.page.locator(".jp-LogConsolePanel .jp-OutputArea-output")
        return "\n".join(entries.all_inner_texts())

    def lengthen_runs(self):
        """Let the next runs of the training lab go on for longer than anyone looks at them."""
        self.page.evaluate(
            """() => { const box = document.querySelector('.g4r-next-run-n-epochs input');
                 box.value = 10000;
                 for (const event of ['input', 'change'])
                     box.dispatchEvent(new Event(event, {bubbles: true})); }"""
        )

    def start_training(self):
        """Press Start of the training lab; the run outlasts what is looked at."""
        self.lengthen_runs()
        self.element("g4r-start").click()
        self.until(lambda: "running" in self.text("g4r-state"), why="the run did not start")

    def train_and_drag(self):
        """Change three controls while a model trains, then pause, resume and stop it."""
        self.start_training()
        for css, share, mark in [
            ("g4r-n-sample", 0.2, "n_sample"),
            ("g4r-alpha", 0.9, "sample_alpha"),
            ("g4r-loss", None, "loss"),
        ]:
            before = self.picture()
            if share is None:
                self.element(css).get_by_role("button", name="top1-max").click()
            else:
                self.drag(css, share)
            self.until(lambda mark=mark: mark in self.text("g4r-changes"), why=f"no mark of {mark}")
            self.wait_for_new_picture(before)
        presses = [("g4r-pause", "paused"), ("g4r-pause", "running"), ("g4r-stop", "stopped")]
        for css, state in presses:
            self.element(css).click()
            self.until(lambda state=state: state in self.text("g4r-state"), why=f"not {state}")

    def drag_wildly(self, seconds, seed=0):
        """Drag and press the main controls of the training lab at random for so long."""
        chance, end = random.Random(seed), time.monotonic() + seconds
        while time.monotonic() < end:
            css = chance.choice(WILD)
            if self.element(css).locator(".noUi-handle").count():
                self.drag(css, chance.random())
            else:
                chance.choice(self.element(css).get_by_role("button").all()).click()

    def main_settings(self):
        """What the main controls of the training lab show, as text."""
        sizes = {css: self.element(css).locator(".widget-readout").inner_text() for css in WILD[:2]}
        loss = self.element("g4r-loss").locator("button.mod-active").inner_text()
        return {
            "n_sample": sizes["g4r-n-sample"].replace(",", ""),
            "sample_alpha": f"{float(sizes['g4r-alpha']):g}",
            "loss": loss,
        }

    def trained_settings(self):
        """Settings that were changed in the run, to what trains now, as text."""
        told = self.element("g4r-changes").locator("li").all_inner_texts()
        words = [line.split(": ", 1)[1].split(" ") for line in told if "next step" not in line]
        return {name: f"{new}" for name, _old, _arrow, new in words}

    def run_all(self):
        """Run all cells of the notebook, in JupyterLab."""
        assert self.command("notebook:run-all-cells") is not False

    def command(self, name):
        """What JupyterLab's command of this name gives."""
        return self.page.evaluate("name => window.jupyterapp.commands.execute(name)", name)

    def in_kernel(self, code):
        """What `code` prints in the notebook's kernel, in JupyterLab."""
        return self.page.evaluate(
            """async code => { let told = '';
                 const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                 const asked = kernel.requestExecute({code});
                 asked.onIOPub = message => told += message.content.text
                     ?? message.content.evalue ?? '';
                 await asked.done;
                 return told; }""",
            code,
        )

    def element(self, css, nth=0):
        """The nth element with the css class."""
        found = self.page.locator(f"{self.scope}.{css}").nth(nth)
        found.wait_for(state="attached")
        return found

    def show(self, css):
        """Scroll until the first element with the css class is on the screen."""
        self.page.evaluate(
            """css => { const panel = window.jupyterapp?.shell.currentWidget;
                 if (!panel) return;
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
        """Version or address of the picture now shown; it changes with every new picture."""
        return self.page.evaluate(
            """css => { const e = document.querySelector(css);
                 const svg = e.querySelector('svg[data-version]');
                 if (svg) return svg.dataset.version;
                 return (e.tagName === 'IMG' ? e : e.querySelector('img')).src; }""",
            f"{self.scope}.{css}",
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
        handle = self.page.locator(f"{self.scope}.{css} .noUi-handle").first
        handle.scroll_into_view_if_needed()
        start = handle.bounding_box()
        bar = self.page.locator(f"{self.scope}.{css} .noUi-base").first.bounding_box()
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
