"""`ScoreShaper` driven from code, and the figures about the spread of scores."""

import numpy as np
import pandas as pd
import pytest
import torch

from gru4rec_lab import LOSSES
from gru4rec_lab.diagnostics import effective_negatives, gaussian_scores, trained_scores
from gru4rec_lab.losses import elu
from gru4rec_lab.plots import score_shaping
from gru4rec_lab.score_matrix import loss_and_gradient
from gru4rec_lab.widgets import ScoreShaper


@pytest.fixture(scope="module")
def shaper():
    panel = ScoreShaper({"mine": torch.tensor([[3.0, 1.0, 0.5, 0.0, -1.0, -2.0, -4.0]])})
    yield panel
    panel.close()


def test_numbers_are_those_of_the_scores_before_and_after_elu(shaper):
    shaper.source.value, shaper.spread.value, shaper.elu_param.value = "Gaussian", 2.0, 0.5
    rows = gaussian_scores(2079, 2.0).rows[:8]
    assert shaper.numbers["negatives"] == 2079
    assert shaper.numbers["effective"] == effective_negatives(rows)
    assert shaper.numbers["effective_seen"] == effective_negatives(elu(rows, 0.5))
    assert shaper.numbers["spread"] > shaper.numbers["spread_seen"]
    assert not shaper.error


def test_without_elu_and_bpreg_nothing_is_bent_and_bpr_pushes_all_down(shaper):
    shaper.source.value, shaper.elu_param.value, shaper.bpreg.value = "mine", 0.0, 0.0
    assert shaper.numbers["spread"] == shaper.numbers["spread_seen"]
    assert shaper.numbers["flat"] == shaper.numbers["pushed_up"] == 0


def test_the_regulariser_pushes_some_negatives_up_and_leaves_the_pull_alone(shaper):
    shaper.source.value, shaper.elu_param.value, shaper.bpreg.value = "mine", 0.0, 0.0
    before = shaper.numbers["pull"]
    shaper.bpreg.value = 1.0
    assert shaper.numbers["pull"] == before
    assert shaper.numbers["pushed_up"] > 0


def test_pushes_are_those_of_a_training_step(shaper):
    shaper.source.value, shaper.loss.value = "mine", "bpr-max"
    shaper.elu_param.value, shaper.bpreg.value = 0.5, 1.0
    row = [3.0, 1.0, 0.5, 0.0, -1.0, -2.0, -4.0]
    scores = torch.tensor([[-1.5, *row[1:], row[0]]])  # the target of rank 5 stands first
    _, gradient = loss_and_gradient(scores, LOSSES["bpr-max"], bpreg=1.0, elu_param=0.5)
    line = shaper.picture.line("shaped")[1]
    np.testing.assert_allclose(line, [*gradient[0, -1:], *gradient[0, 1:-1]], rtol=1e-5)


def test_picture_follows_a_control_and_the_stored_model_needs_no_spread(shaper):
    shaper.source.value = "BPR, trained"
    before = shaper.picture.value
    shaper.elu_param.value = 1.3
    assert shaper.picture.value != before
    assert shaper.spread.layout.display == "none"
    assert shaper.numbers["negatives"] == len(trained_scores(4).negatives(0, 2048))
    assert "effective negatives" in shaper.words.value


def test_axes_fit_the_scores_that_are_given():
    rows = torch.linspace(-50, 40, 100).repeat(2, 1)
    panel = ScoreShaper({"wide": rows, "narrow": rows / 100}, key="wide")
    limits = {}
    for panel.source.value in ("Gaussian", "wide", "narrow"):
        plain = panel.picture.picture["panes"]
        limits[panel.source.value] = plain["scores"]["x"]["limits"]
        assert plain["push"]["x"]["limits"] == limits[panel.source.value]
    assert [tuple(each) for each in limits.values()] == [(-24, 24), (-64, 64), (-2, 2)]
    assert panel.picture.line("linear")[1].sum() == pytest.approx(1)
    panel.close()


@pytest.mark.parametrize("rows", [torch.zeros(9), torch.zeros(2, 5), torch.full((1, 9), torch.nan)])
def test_scores_that_cannot_be_shown_are_refused(rows):
    with pytest.raises(ValueError, match=r"scores of 'mine' must be finite, \[rows, at least 6"):
        ScoreShaper({"mine": rows})


def test_the_picture_says_what_it_shows_and_can_be_written(shaper, tmp_path):
    shaper.source.value, shaper.loss.value = "mine", "top1"
    shaper.elu_param.value = 0.5
    about = shaper.picture.words["about"]
    assert "Scores of 7 negatives" in about
    assert "elu_param 0.5" in about
    assert "top1 pushes" in about
    assert shaper.save_picture(tmp_path / "scores.png").stat().st_size > 10_000


def test_histogram_counts_every_score_once():
    shares = score_shaping.histogram(torch.tensor([-99.0, 0.1, 0.2, 99.0]))
    assert shares.sum() == pytest.approx(1)
    assert shares[0] == shares[-1] == 0.25
    assert shares.max() == 0.5


def test_figures_of_scores_elu_and_epochs_can_be_drawn():
    table = pd.DataFrame(
        {"model": ["bpr", "bpr"], "epoch": [0, 1], "spread": [0, 2.0], "effective": [9, 3.0],
         "pull": [0.5, 0.1], "first": [0, 0.2]})  # fmt: skip
    figures = [
        score_shaping.spread_by_epoch(table),
        score_shaping.elu_curves(),
        score_shaping.score_histograms({"a": torch.randn(2, 5), "b": torch.randn(2, 5)}),
    ]
    assert [len(figure.axes) for figure in figures] == [4, 2, 2]
    for figure in figures:
        figure.canvas.draw()
