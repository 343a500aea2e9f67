"""The picture of a comparison as numbers that can be checked by hand."""

import numpy as np
import pandas as pd
import pytest

from gru4rec_lab import LOSSES, plots
from gru4rec_lab.diagnostics import by_method, results
from gru4rec_lab.plots.comparison_panes import comparison_picture
from gru4rec_lab.plots.picture import INK


@pytest.fixture
def table():
    rows = {
        "Markov": {"n_targets": 9, "n_models": 1, "recall@20": 0.5, "recall@20_se": 0.01},
        "bpr-max": {"n_targets": 9, "n_models": 2, "recall@20": 0.6, "recall@20_se": 0.02},
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").assign(**{"recall@20_sd": [np.nan, 0.03]})
    for metric in ("mrr@20", "recall@1"):
        for part in ("", "_se", "_sd"):
            frame[metric + part] = frame["recall@20" + part] / 2
    return frame


def test_a_method_is_a_dot_with_a_bar_of_two_errors_and_one_of_its_seeds(table):
    picture, shown = comparison_picture(table)
    assert list(picture.panes) == ["recall@20", "mrr@20", "recall@1"]
    np.testing.assert_allclose(shown.lines["recall@20 bpr-max"], [[1], [0.6]])
    np.testing.assert_allclose(shown.lines["recall@20 bpr-max bar"], [[1, 1], [0.56, 0.64]])
    np.testing.assert_allclose(shown.lines["mrr@20 Markov bar"], [[0, 0], [0.24, 0.26]])
    x, y = shown.lines["recall@20 seeds"]
    np.testing.assert_allclose(y, [np.nan] * 3 + [0.54, 0.66, np.nan])
    assert (x[3:] > 1).all()
    low, high = picture.panes["recall@20"].y.limits
    assert low < 0.48
    assert high > 0.66  # no bar is cut
    colours = [picture.lines[f"mrr@20 {name}"].colour for name in table.index]
    assert colours == [INK, LOSSES["bpr-max"].colour]
    assert shown.about.startswith("Recall@20: Markov 0.500, bpr-max 0.600. MRR@20: Markov 0.250")


def test_it_is_drawn_from_a_stored_table():
    found = by_method(results("methods_flights"))
    figure = plots.comparison(found)
    assert len(figure.axes) == 3
    names = [text.get_text().strip() for text in figure.axes[2].get_xticklabels()]
    assert names == list(found.index)
    figure.canvas.draw()
