"""The LossExplorer in JupyterLab: what is on one screen, and its tour."""

import pytest

from .driver import opened

CELL = "from gru4rec_lab.widgets import LossExplorer\ndisplay(LossExplorer())"
IN_USE = [f"g4r-{name}" for name in ("source", "pane", "n-sample", "spread", "target-score")]
BOXES = """names => names.map(name => {
    const {left, right, top, bottom} = document.querySelector('.' + name).getBoundingClientRect();
    return [left, right, top, bottom]; })"""
CUT = """() => [...document.querySelectorAll(".g4r-panel button")]
    .filter(each => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1)
    .map(each => each.innerText)"""


@pytest.fixture(scope="module")
def shown(lab, browser):
    with opened(browser, lab, "explorer.ipynb", cells=[CELL]) as page:
        page.element("g4r-picture").locator("svg[role=img]").wait_for()
        yield page


@pytest.mark.parametrize("size", [(1440, 900), (1280, 720)])
def test_the_controls_in_use_and_the_picture_are_on_one_screen(shown, size):
    width, height = size
    shown.page.set_viewport_size({"width": width, "height": height})

    def fits():
        shown.page.evaluate("document.querySelector('.g4r-panel').scrollIntoView()")
        boxes = shown.page.evaluate(BOXES, [*IN_USE, "g4r-picture"])
        return all(
            0 <= left < right <= width and 0 <= top < bottom <= height - 24
            for left, right, top, bottom in boxes
        )

    shown.until(fits, 10, "not on one screen")


@pytest.mark.parametrize("width", [900, 853, 1280])
def test_no_button_is_cut_off(shown, width):
    shown.page.set_viewport_size({"width": width, "height": 720})
    shown.until(lambda: shown.page.evaluate(CUT) == [], 10, "a button is cut off")


def test_the_tour_points_at_a_control_and_says_what_was_seen_by_keyboard(shown):
    page = shown.page
    shown.element("g4r-tour-next").focus()
    page.keyboard.press("Enter")
    pointed = page.locator(".g4r-pointed .g4r-n-sample")
    pointed.wait_for()
    typed = page.locator(":has(> .g4r-n-sample) > .g4r-typed input")
    typed.fill("2500")
    typed.press("Enter")
    told = shown.element("g4r-tour-told")
    shown.until(lambda: "went from" in told.inner_text(), 10, "nothing said")
    assert pointed.count() == 0
    shown.element("g4r-tour-leave").focus()
    page.keyboard.press("Enter")
    shown.until(lambda: not told.is_visible(), 10, "not left")
    assert shown.errors() == []
