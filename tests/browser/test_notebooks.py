"""What a learner does with the notebooks, done in a real browser."""

import pytest

from gru4rec_lab import load_sessions

from .driver import opened

CONTENT = "() => { const content = window.jupyterapp.shell.currentWidget.content; return "
N_RUN = CONTENT + "content.widgets.filter(cell => cell.model.executionCount).length; }"
SELECT = """text => { const content = window.jupyterapp.shell.currentWidget.content;
    content.activeCellIndex = content.widgets.findIndex(
        cell => cell.model.sharedModel.getSource().startsWith(text)); }"""
PLACE = CONTENT + "[content.activeCellIndex, Math.round(content.outerNode.scrollTop)]; }"


@pytest.fixture
def training_lab(notebook):
    page = notebook("04_training_lab.ipynb")
    page.show("g4r-start")
    page.wait_until_idle()
    assert page.text("g4r-error").strip() == "", "the notebook leaves an error in its panel"
    yield page
    page.page.screenshot(path="test-results/04_training_lab.png")


def test_dragging_the_number_of_negatives_changes_the_picture(notebook):
    page = notebook("00_start_here.ipynb")
    page.show("g4r-n-sample")
    page.wait_until_idle()
    at_first = "Among 31 negatives"
    page.until(lambda: at_first in page.text("g4r-words"), why="the slider is not at its start")
    before = page.picture()
    page.drag("g4r-n-sample", 0.3)
    page.wait_for_new_picture(before)
    assert at_first not in page.text("g4r-words")
    assert not page.errors()
    assert page.text("g4r-error").strip() == ""
    page.page.screenshot(path="test-results/00_start_here.png")


def test_run_all_leaves_the_reader_at_the_top(lab, browser):
    long = ["print(*range(40), sep='\\n')"] * 8
    with opened(browser, lab, "long.ipynb", cells=long) as page:
        page.wait_until_idle()
        page.until(lambda: page.page.evaluate(N_RUN) == len(long), why="not all cells have run")
        assert page.page.evaluate(PLACE) == [0, 0]


def test_a_model_trains_while_loss_samples_and_alpha_are_dragged(training_lab):
    page = training_lab
    page.train_and_drag()
    assert not page.errors()
    assert page.text("g4r-error").strip() == ""


def test_the_lesson_in_use_goes_on_with_an_uploaded_log(notebook, tmp_path):
    log = load_sessions("world:markov", n_sessions=800, n_items=60).to_frame()
    log.set_axis(["visit", "article", "when"], axis=1).to_csv(tmp_path / "log.csv", index=False)
    page = notebook("12_from_model_to_shop.ipynb")
    page.until(lambda: page.page.locator(".g4r-best").count() >= 20, 300, "panels are missing")
    page.in_kernel("print(both.undo())")  # answered when all cells have run
    page.show("g4r-upload")
    with page.page.expect_file_chooser() as chooser:
        page.element("g4r-upload").click()
    chooser.value.set_files(tmp_path / "log.csv")
    options = page.element("g4r-options").locator("input")
    options.fill('session="visit", item="article", time="when"')
    options.press("Enter")
    page.until(lambda: "log.csv: 800 sessions" in page.text("g4r-report"), why="no report")
    page.in_kernel("del read, both")
    page.page.evaluate(SELECT, "read = own.sessions")
    page.command("notebook:run-all-below")
    page.until(lambda: page.in_kernel("print('both' in globals())").strip() == "True", 120)
    assert page.in_kernel("print(read.n_sessions)").strip() == "800"
    assert page.errors() == []


@pytest.mark.parametrize(
    ("name", "n_trials"), [("05_how_many_negatives", 4), ("06_which_negatives", 6)]
)
def test_a_lesson_of_grids_runs_and_its_panel_trains_another(notebook, name, n_trials):
    page = notebook(f"{name}.ipynb")
    page.until(lambda: page.page.locator(".g4r-start").count(), 600, "the panel did not come")
    page.show("g4r-start")
    page.until(lambda: "12 trials: 12 done" in page.text("g4r-words"), 300, "the grid did not end")
    page.until(lambda: "finished" in page.text("g4r-state"), why="not finished")
    sizes = page.element("g4r-n-sample").locator("input")
    sizes.fill("8")
    sizes.press("Enter")
    asked = f"{n_trials} trials"
    page.until(lambda: f"{asked}, about" in page.text("g4r-estimate"), why="no estimate")
    page.element("g4r-start").click()
    ended = f"{asked}: {n_trials} done"
    page.until(lambda: ended in page.text("g4r-words"), 300, "the other grid did not end")
    page.page.screenshot(path=f"test-results/{name}.png")
    assert not page.errors()
    assert page.text("g4r-error").strip() == ""
