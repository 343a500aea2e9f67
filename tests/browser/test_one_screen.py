"""The TrainingLab on a laptop's screen: what belongs together is seen together."""

import pytest

from .driver import opened

CELLS = (
    """
    from gru4rec_lab import Config, load_sessions
    from gru4rec_lab.widgets import TrainingLab
    sessions = load_sessions("world:cycle", n_sessions=200, n_items=30)
    config = Config(layers=(8,), n_sample=16, batch_size=16, n_epochs=400, device="cpu")
    display(TrainingLab(sessions, config))
    """,
)
TOGETHER = ["start", "pause", "step", "reset", "loss", "n-sample", "alpha"]
BOXES = """names => names.map(name => {
    const at = document.querySelector(name).getBoundingClientRect();
    return [at.left, at.top, at.right, at.bottom]; })"""


@pytest.fixture(scope="module")
def page(lab, browser):
    with opened(browser, lab, "one_screen.ipynb", cells=CELLS) as shown:
        shown.show("g4r-start")
        shown.element("g4r-start").click()
        shown.until(lambda: "effective" in shown.text("g4r-status"), why="nothing observed")
        yield shown


def boxes(page, names):
    return page.page.evaluate(BOXES, names)


@pytest.mark.parametrize("size", [(1440, 900), (1280, 720)])
def test_controls_pull_and_quality_are_on_one_screen(page, size):
    page.page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    panes = ["[data-pane=pull]", "[data-pane=quality]"]
    names = [f".g4r-{name}" for name in TOGETHER] + panes

    def seen():
        page.page.locator(".g4r-start").evaluate("e => e.scrollIntoView()")
        (left, top, right, bottom), *rest = boxes(page, [".jp-WindowedPanel-outer", *names])
        return all(
            left <= box[0] and top <= box[1] + 1 and box[2] <= right and box[3] <= bottom + 1
            for box in rest
        )

    page.until(seen, 10, f"not together: {boxes(page, ['.jp-WindowedPanel-outer', *names])}")
    page.page.screenshot(path=f"test-results/one_screen_{size[0]}.png")


@pytest.mark.parametrize("size", [(900, 720), (853, 480)])
def test_nothing_is_clipped_when_the_window_is_narrow(page, size):
    page.page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    for header in page.page.locator(".g4r-fold").all():
        header.click()
    wide = """() => {
        const right = document.querySelector('.g4r-panel').getBoundingClientRect().right;
        return [...document.querySelectorAll('.g4r-panel .jupyter-widgets, .g4r-panel svg')]
            .filter(e => e.getBoundingClientRect().right > right + 1).map(e => e.className); }"""
    page.until(lambda: page.page.evaluate(wide) == [], 10, "clipped")
    for header in page.page.locator(".g4r-fold").all():
        header.click()


def test_a_panel_whose_kernel_was_restarted_says_what_to_do(page):
    before = "() => getComputedStyle(document.querySelector('.g4r-panel'), '::before').content"
    assert "Run its cell" not in page.page.evaluate(before)
    page.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    page.until(lambda: "Run its cell again" in page.page.evaluate(before), why="nothing said")
