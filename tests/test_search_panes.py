"""The figures of a search as numbers that can be checked by hand."""

import numpy as np
import pytest

from gru4rec_lab import Config, plots
from gru4rec_lab.plots.search_panes import LEVELS, coordinates_picture, importance_picture
from gru4rec_lab.sweeps.search import Search
from gru4rec_lab.sweeps.store import Results

SPACE = {
    "loss": ["bpr", "bpr-max"],
    "learning_rate": (0.01, 1.0, "log"),
    "layers": (2, 6, 2),
    "momentum": [0.0],
}


class Found(Search):
    """A search with three trials, one of which failed."""

    space, metric, best = SPACE, "mrr@20", Config(loss="bpr-max", learning_rate=0.1, layers=(6,))
    rows = (
        {"loss": "bpr", "learning_rate": 0.01, "layers": [2], "mrr@20": 0.2, "error": None},
        {"loss": "bpr-max", "learning_rate": 0.1, "layers": [6], "mrr@20": 0.4, "error": None},
        {"loss": "bpr", "learning_rate": 1.0, "layers": [4], "mrr@20": None, "error": "odd"},
    )
    results = Results([row | {"momentum": 0.0} for row in rows], 3)

    def __init__(self):
        pass

    def importance(self):
        return {"learning_rate": 0.75, "loss": 0.25}


def test_a_bar_is_as_high_as_the_share_and_says_it():
    picture, shown = importance_picture({"learning_rate": 0.75, "loss": 0.25})
    x, heights = shown.lines["importance"]
    assert x.tolist() == [0, 0.5, 1, 1.5]
    assert heights.tolist() == [0.75, 0, 0.25, 0]
    assert shown.texts["texts"] == ["0.75", "0.25"]
    assert [text for _, text in picture.panes["shares"].x.ticks] == ["learning_rate", "\nloss"]
    assert shown.about.endswith("learning_rate 0.75, loss 0.25.")


def test_each_trial_that_ended_well_is_a_line_through_its_values():
    picture, shown = coordinates_picture(Found())
    lowest, highest = shown.lines["level 0"], shown.lines[f"level {len(LEVELS) - 1}"]
    np.testing.assert_allclose(lowest[1], [0, 0, 0, 0, np.nan])
    np.testing.assert_allclose(highest[1], [1, 0.5, 1, 1, np.nan])
    np.testing.assert_allclose(shown.lines["best"], highest)
    assert shown.lines["best"][0].tolist()[:-1] == [0, 1, 2, 3]
    assert {"level 1", "level 2", "level 3"}.isdisjoint(shown.lines)
    assert shown.texts["ends 0"] == ["bpr", "0.01", "2", "0.200"]
    assert shown.texts["ends 1"] == ["bpr-max", "1", "6", "0.400"]
    assert shown.about.startswith("2 trials, mrr@20 0.200 to 0.400; the best: loss bpr-max")
    assert picture.panes["trials"].x.limits == (-0.5, 3.5)


def test_many_trials_are_not_thinned():
    found = Found()
    found.results = Results([*found.results.rows[:2]] * 500, 1000)
    _, shown = coordinates_picture(found)
    assert shown.lines["level 0"].shape == (2, 500 * 5)


@pytest.mark.parametrize("figure_of", [plots.importance, plots.parallel_coordinates])
def test_both_are_drawn(figure_of):
    figure = figure_of(Found())
    assert figure.axes[0].get_title(loc="left")
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()][:1] != [""]
