"""The panels of notebooks 01, 07 and 08 on a small world in JupyterLab, by keyboard and mouse."""

import pytest

from .driver import opened

CELLS = (
    """
    from gru4rec_lab import Config, fit, load_sessions
    from gru4rec_lab.widgets import BatchExplorer, NeighbourFinder, ScoreShaper
    sessions = load_sessions("world:markov", n_sessions=200, n_items=40)
    model = fit(Config(layers=(8,), n_epochs=0), sessions, progress=False)
    display(BatchExplorer(model, sessions))
    """,
    "display(ScoreShaper())",
    "display(NeighbourFinder({'untrained': model}))",
)


def read(panel, *keys):
    """What is said of the picture after these keys."""
    panel.page.locator(f"{panel.scope}.g4r-picture svg[role=img]").focus()
    for key in keys:
        panel.page.keyboard.press(key)
    told = panel.page.locator(f"{panel.scope}.g4r-told")
    panel.until(lambda: told.text_content(), why="nothing read")
    text = told.text_content()
    panel.page.keyboard.press("Escape")
    return text


@pytest.fixture(scope="module")
def lessons(lab, browser):
    with opened(browser, lab, "of_lessons.ipynb", cells=CELLS) as page:
        page.show("g4r-k")
        yield page
        page.page.screenshot(path="test-results/lesson_panels.png")


def press(panel, css, key, what=".noUi-handle"):
    panel.element(css).locator(what).press(key)


def is_clean(panel):
    return panel.errors() == [] and panel.text("g4r-error").strip() == ""


def test_the_batch_explorer_steps_by_arrow_key_and_follows_a_session(lessons):
    lessons.show("g4r-session")
    panel = lessons.panel("g4r-session")
    for css in ("g4r-step", "g4r-session", "g4r-n-sample"):
        picture = panel.picture()
        press(panel, css, "ArrowRight")
        panel.wait_for_new_picture(picture)
    panel.element("g4r-n-sample").locator(".widget-readout").fill("13")
    panel.page.keyboard.press("Enter")
    panel.until(lambda: "4 + 13 columns" in panel.text("g4r-words"), why="not taken")
    panel.until(lambda: "Session 1 is in row" in panel.text("g4r-words"), why="not followed")
    assert is_clean(panel)


def test_arrow_keys_read_the_cells_of_the_rows_and_of_the_matrix(lessons):
    lessons.show("g4r-session")
    panel = lessons.panel("g4r-session")
    assert ", row 0: session " in read(panel, "ArrowRight")
    in_matrix = read(panel, "ArrowRight", "ArrowDown", "ArrowRight")
    assert in_matrix.startswith("row 0, column 1: item-")
    assert "target of row 1; score " in in_matrix
    alternative = panel.page.locator(f"{panel.scope}svg[role=img]").get_attribute("aria-label")
    assert "Scores of step " in alternative


def test_the_score_shaper_bends_scores_and_presses_them_together(lessons):
    lessons.show("g4r-elu")
    panel = lessons.panel("g4r-elu")
    words = panel.text("g4r-words")
    for css in ("g4r-elu", "g4r-bpreg"):
        picture = panel.picture()
        press(panel, css, "ArrowRight")
        panel.wait_for_new_picture(picture)
    picture = panel.picture()
    panel.drag("g4r-spread", 0.2)
    panel.wait_for_new_picture(picture)
    panel.until(lambda: panel.text("g4r-words") != words, why="the words stayed")
    assert read(panel, "ArrowRight").startswith("score ")
    assert is_clean(panel)


def test_the_neighbour_finder_lists_as_many_as_asked_and_refuses_a_stranger(lessons):
    lessons.show("g4r-k")
    panel = lessons.panel("g4r-k")
    rows = panel.page.locator(f"{panel.scope}.g4r-words tr")
    before = rows.count()
    press(panel, "g4r-k", "ArrowLeft")
    panel.until(lambda: rows.count() < before, why="the list stayed")
    assert read(panel, "ArrowRight").startswith(f"{rows.nth(2).locator('th').inner_text()}; cosine")
    box = panel.element("g4r-item").locator("input")
    known = box.input_value()
    for name, refused in (("nobody", True), (known, False)):
        box.fill(name)
        box.press("Enter")
        panel.until(lambda refused=refused: bool(panel.text("g4r-error").strip()) == refused)
    assert panel.errors() == []
