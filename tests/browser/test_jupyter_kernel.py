"""In JupyterLab: the kernel is interrupted or restarted while a model trains, and says nothing."""

import pytest


@pytest.fixture
def page(notebook):
    page = notebook("panels.ipynb")
    page.show("g4r-n-sample")
    return page


def start(page):
    page.tab("Training lab")
    panel = page.panel("g4r-start")
    panel.start_training()
    return panel


def move(panel, css):
    before = panel.picture()
    panel.element(css).locator(".noUi-handle").press("ArrowLeft")
    panel.wait_for_new_picture(before)


def test_the_panels_survive_interrupt_and_a_restart_and_log_nothing(page):
    panel = start(page)
    page.command("notebook:interrupt-kernel")
    move(panel, "g4r-n-sample")
    panel.until(lambda: "n_sample" in panel.text("g4r-changes"), why="no mark after the interrupt")
    assert "running" in panel.text("g4r-state")
    assert page.logged() == ""

    page.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:restart-kernel'); }")
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    page.wait_until_idle()
    page.run_all()
    page.page.wait_for_timeout(500)
    panel = start(page)
    move(panel, "g4r-n-sample")
    assert panel.errors() == []
    assert page.logged() == ""

    # The log console would have shown something, had there been something.
    page.in_kernel("lab.n_sample.observe(lambda change: print('a word'), 'value')")
    move(panel, "g4r-n-sample")
    page.until(lambda: "a word" in page.logged(), why="the log console does not work")
