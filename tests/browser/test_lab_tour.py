"""The tour of the TrainingLab in JupyterLab by keyboard, from its first step to its last."""

import pytest

from .driver import opened

CELLS = (
    """
    from gru4rec_lab import Config, load_sessions
    from gru4rec_lab.widgets import TrainingLab
    sessions = load_sessions("world:cycle", n_sessions=200, n_items=30)
    config = Config(layers=(8,), n_sample=16, batch_size=16, n_epochs=4000, device="cpu")
    display(TrainingLab(sessions, config, speed_limit=0))
    """,
)
CUT = """() => [...document.querySelectorAll('.g4r-touring button, .g4r-pause')]
    .filter(button => button.offsetParent && button.scrollWidth > button.clientWidth)
    .map(button => button.textContent)"""


@pytest.fixture(scope="module")
def page(lab, browser):
    with opened(browser, lab, "lab_tour.ipynb", cells=CELLS) as shown:
        shown.show("g4r-start")
        yield shown
        shown.page.screenshot(path="test-results/lab_tour.png")


def press(page, css, key="Enter", part=None):
    element = page.element(css)
    (element.locator(part) if part else element).press(key)


def points_at(page, css):
    page.page.locator(f".g4r-pointed.{css}").wait_for()
    assert page.page.locator(".g4r-pointed").count() == 1


def is_told(page, words):
    page.until(lambda: words in page.text("g4r-tour-told"), why=f"not told: {words}")


def test_the_whole_tour_by_keyboard(page):
    press(page, "g4r-tour-next")
    points_at(page, "g4r-start")
    page.element("g4r-tour-choices").get_by_role("button", name="a small fraction").press("Space")
    press(page, "g4r-start")
    is_told(page, "You predicted: a small fraction. At step")
    page.until(lambda: "paused" in page.text("g4r-state"), why="not held")
    assert page.page.evaluate(CUT) == []

    press(page, "g4r-tour-next")
    points_at(page, "g4r-n-sample")
    for _ in range(7):
        press(page, "g4r-n-sample", "ArrowRight", ".noUi-handle")
    points_at(page, "g4r-pause")
    press(page, "g4r-pause")
    is_told(page, "From step")

    press(page, "g4r-tour-next")
    points_at(page, "g4r-loss")
    press(page, "g4r-tour-leave")
    page.until(lambda: not page.element("g4r-tour-told").is_visible(), why="not left")
    focused = "() => document.activeElement.classList.contains('g4r-tour-next')"
    page.until(lambda: page.page.evaluate(focused), why="the focus is lost")
    assert "(step 3)" in page.text("g4r-tour-next")
    assert page.page.evaluate(CUT) == []
    press(page, "g4r-tour-next")
    page.element("g4r-loss").get_by_role("button", name="bpr-max").press("Enter")
    points_at(page, "g4r-pause")
    press(page, "g4r-pause")
    is_told(page, "From step")

    press(page, "g4r-tour-next")
    points_at(page, "g4r-alpha")
    press(page, "g4r-alpha", "End", ".noUi-handle")
    points_at(page, "g4r-pause")
    press(page, "g4r-pause")
    is_told(page, "From step")

    press(page, "g4r-tour-next")
    for css in ("g4r-pin", "g4r-reset", "g4r-start"):
        points_at(page, css)
        press(page, css)
    is_told(page, "The pinned one began with bpr")
    press(page, "g4r-tour-next")
    page.until(lambda: not page.element("g4r-tour-told").is_visible(), why="no end")
    assert page.errors() == []
    assert page.text("g4r-error").strip() == ""
