"""What a learner does with the notebooks, done in a real browser."""

import pytest


@pytest.fixture
def training_lab(notebook):
    page = notebook("04_training_lab.ipynb")
    page.show("g4r-start")
    yield page
    page.page.screenshot(path="test-results/04_training_lab.png")


def test_dragging_the_number_of_negatives_changes_the_picture(notebook):
    page = notebook("00_start_here.ipynb")
    page.show("g4r-n-sample")
    before = page.picture()
    page.drag("g4r-n-sample", 0.3)
    page.wait_for_new_picture(before)
    assert "extra" in page.text("g4r-words")
    assert not page.errors()
    assert page.text("g4r-error").strip() == ""
    page.page.screenshot(path="test-results/00_start_here.png")


def test_a_model_trains_while_loss_samples_and_alpha_are_dragged(training_lab):
    page = training_lab
    page.element("g4r-start").click()
    page.until(lambda: "running" in page.text("g4r-state"), why="the run did not start")
    for css, share, mark in [
        ("g4r-n-sample", 0.2, "n_sample"),
        ("g4r-alpha", 0.9, "sample_alpha"),
        ("g4r-loss", 0.75, "loss"),
    ]:
        before = page.picture()
        page.drag(css, share)
        page.until(lambda mark=mark: mark in page.text("g4r-marks"), why=f"no mark of {mark}")
        page.wait_for_new_picture(before)
    page.element("g4r-pause").click()
    page.until(lambda: "paused" in page.text("g4r-state"), why="the run did not pause")
    page.element("g4r-pause").click()
    page.until(lambda: "running" in page.text("g4r-state"), why="the run did not resume")
    page.element("g4r-stop").click()
    page.until(lambda: "stopped" in page.text("g4r-state"), why="the run did not stop")
    assert not page.errors()
    assert page.text("g4r-error").strip() == ""
