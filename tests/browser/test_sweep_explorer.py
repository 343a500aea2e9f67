"""SweepExplorer in JupyterLab: a grid is started, and a point clicked."""

import pytest

from .driver import opened

CELLS = (
    """
    from gru4rec_lab import Config, load_sessions
    from gru4rec_lab.widgets import SweepExplorer
    parts = load_sessions("world:cycle", n_sessions=60, n_items=20).split_last(fraction=0.3)
    config = Config(layers=(4,), batch_size=8, report_every=5, device="cpu")
    panel = SweepExplorer(*parts, config)
    panel.workers.value = 1
    display(panel)
    """,
)


@pytest.fixture(scope="module")
def page(lab, browser):
    with opened(browser, lab, "sweeps.ipynb", cells=CELLS) as shown:
        shown.show("g4r-start")
        yield shown
        shown.page.screenshot(path="test-results/sweeps.png")


def test_points_appear_and_a_click_draws_the_history_of_one(page):
    page.until(lambda: "6 trials, about" in page.text("g4r-estimate"), why="no estimate")
    sizes = page.element("g4r-n-sample").locator("input")
    sizes.fill("0, 8")
    sizes.press("Enter")
    page.until(lambda: "4 trials, about" in page.text("g4r-estimate"), why="not followed")
    page.element("g4r-start").click()
    page.until(lambda: "finished" in page.text("g4r-state"), why="not finished")
    line = page.page.locator("[data-line='mrr@20 bpr-max'] path").first
    page.until(lambda: "L" in (line.get_attribute("d") or ""), why="no line of two points")
    end = line.evaluate(
        """path => { const end = path.getPointAtLength(path.getTotalLength());
             const {x, y} = end.matrixTransform(path.getScreenCTM());
             return [x, y]; }"""
    )
    page.page.mouse.click(*end)
    assert page.page.locator(".g4r-tip").inner_text().count("\n") == 2, "a line a loss, no bars"
    select = page.element("g4r-trial").locator("select")
    wanted = "bpr-max, 8 extra, alpha 0.5, seed 0"
    page.until(lambda: select.input_value() == wanted, why=f"drawn is {select.input_value()}")
    assert page.errors() == []
    assert page.text("g4r-error").strip() == ""
