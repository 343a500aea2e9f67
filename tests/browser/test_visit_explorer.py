"""VisitExplorer in JupyterLab: clicks by keyboard and by mouse, and what is said of them."""

import pytest

from .driver import opened

CELLS = (
    """
    from gru4rec_lab import Config, fit, load_sessions
    from gru4rec_lab.widgets import VisitExplorer
    sessions = load_sessions("world:cycle", n_sessions=60, n_items=20)
    model = fit(Config(layers=(4,), n_epochs=0), sessions, progress=False)
    display(VisitExplorer({"untrained": model}))
    """,
)


@pytest.fixture(scope="module")
def panel(lab, browser):
    with opened(browser, lab, "visit.ipynb", cells=CELLS) as shown:
        shown.show("g4r-best")
        yield shown
        shown.page.screenshot(path="test-results/visit.png")


def says(panel, text):
    panel.until(lambda: text in panel.text("g4r-words"), why=f"not said: {text}")


def test_items_are_clicked_typed_taken_back_and_refused(panel):
    says(panel, "No click yet")
    box = panel.element("g4r-item").locator("input")
    for _ in range(2):
        box.fill("stop-01")
        box.press("Enter")
        panel.until(lambda: box.input_value() == "", why="not taken")
    says(panel, "session: stop-01 > stop-01")
    box.fill("nowhere")
    box.press("Enter")
    panel.until(lambda: "does not know the item 'nowhere'" in panel.text("g4r-note"), why="taken")
    best = panel.page.locator(f"{panel.scope}button.g4r-best")
    assert best.count() == 10
    wanted = best.nth(1).inner_text().partition(". ")[2]
    best.nth(1).press("Enter")
    says(panel, f"session: stop-01 > stop-01 > {wanted}")
    panel.element("g4r-undo").press("Enter")
    panel.until(lambda: not panel.text("g4r-words").strip().endswith(wanted), why="not undone")
    panel.element("g4r-exclude-seen").locator("input").check()
    panel.until(
        lambda: all(". stop-01" not in text for text in best.all_inner_texts()), why="seen is there"
    )
    panel.element("g4r-clear").click()
    says(panel, "No click yet")
    assert panel.errors() == []
    assert panel.text("g4r-error").strip() == ""
