"""OwnClicks in JupyterLab: a file is uploaded, its options typed, and the report read."""

import pytest

from .driver import opened

CELLS = (
    """
    from gru4rec_lab.widgets import OwnClicks
    panel = OwnClicks()
    display(panel)
    """,
)
TEXT = "visit,ItemId,Time\n1,a,5\n1,b,6\n2,b,7\n2,b,8\n"


@pytest.fixture(scope="module")
def page(lab, browser):
    with opened(browser, lab, "own_clicks.ipynb", cells=CELLS) as shown:
        shown.show("g4r-upload")
        yield shown
        shown.page.screenshot(path="test-results/own_clicks.png")


def test_a_file_is_uploaded_and_reported_once_its_columns_are_named(page, tmp_path):
    (tmp_path / "clicks.csv").write_text(TEXT)
    with page.page.expect_file_chooser() as chooser:
        page.element("g4r-upload").click()
    chooser.value.set_files(tmp_path / "clicks.csv")
    page.until(lambda: "no column 'SessionId'" in page.text("g4r-error"), why="no error")
    options = page.element("g4r-options").locator("input")
    options.fill('session="visit", repeats=False')
    options.press("Enter")
    wanted = "clicks.csv: 2 sessions, 2 items, 3 clicks"
    page.until(lambda: wanted in page.text("g4r-report"), why="no report")
    assert "sequential" in page.text("g4r-report")
    assert page.text("g4r-error").strip() == ""
    assert page.errors() == []
