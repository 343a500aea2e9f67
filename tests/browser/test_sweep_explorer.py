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
    dots = page.page.locator("[data-line='mrr@20 bpr-max'] path").last
    dots.wait_for(state="attached")
    box = dots.bounding_box()
    right, middle = box["x"] + box["width"] - 3, box["y"] + box["height"] / 2
    up = page.page.evaluate(
        """() => { const path = document.querySelector("[data-line='mrr@20 bpr-max'] path");
             const end = path.getPointAtLength(path.getTotalLength());
             return end.matrixTransform(path.getScreenCTM()).y; }"""
    )
    assert abs(up - middle) <= box["height"]
    page.page.mouse.click(right, up)
    chosen = "() => document.querySelector('.g4r-trial select').selectedOptions[0].textContent"
    page.until(
        lambda: "bpr-max, 8 extra" in page.page.evaluate(chosen), why="its history is not drawn"
    )
    assert page.errors() == []
    assert page.text("g4r-error").strip() == ""
