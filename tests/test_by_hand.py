"""Tables and curves of the losses on a handful of scores, and their pictures."""

import numpy as np
import pytest
import torch

from gru4rec_lab import LOSSES
from gru4rec_lab.diagnostics.by_hand import loss_table, target_curves
from gru4rec_lab.plots.losses import step_arrows, value_and_pull

TARGET, NEGATIVES = torch.tensor([0.0]), torch.tensor([[2.0, -2.0]])


def test_table_of_bpr_by_hand():
    q = torch.tensor([2.0, -2.0]).sigmoid()
    (row,) = loss_table(TARGET, NEGATIVES, ["bpr"]).to_numpy()
    loss = -(1 - q).log().mean()
    np.testing.assert_allclose(row, [loss, -q.mean(), *(q / 2)], rtol=1e-5)


def test_table_names_each_gradient_by_its_score():
    table = loss_table(TARGET, NEGATIVES)
    assert list(table.columns) == ["loss", "target 0", "negative 2", "negative -2"]
    assert list(table.index) == list(LOSSES)
    np.testing.assert_allclose(table.loc["bpr-max"].iloc[2:], [0.877, -0.087], atol=5e-4)


def test_pull_is_the_slope_of_the_loss():
    curves = target_curves(NEGATIVES.double())
    for name in LOSSES:
        slope = np.gradient(curves.value[name], curves.score)
        np.testing.assert_allclose(-curves.pull[name][1:-1], slope[1:-1], atol=2e-3)


def test_curves_reach_from_the_lowest_score_to_the_highest():
    curves = target_curves(NEGATIVES, low=-1, high=3, n_points=5, losses=["bpr"])
    assert curves.score.tolist() == [-1, 0, 1, 2, 3]
    assert curves.negatives.tolist() == [2, -2]
    with pytest.raises(ValueError, match="unknown loss 'hinge'"):
        target_curves(NEGATIVES, losses=["hinge"])


def test_arrows_go_against_the_gradient_at_the_scores_they_belong_to():
    table = loss_table(TARGET, NEGATIVES)
    figure = step_arrows(table)
    assert [axes.get_title() for axes in figure.axes] == list(LOSSES)
    bars = {round(bar.get_center()[0]): bar.get_height() for bar in figure.axes[3].patches}
    assert bars == pytest.approx({2: -0.877, -2: 0.087, 0: 0.790}, abs=5e-4)


def test_both_pictures_show_every_loss_in_its_colour():
    figure = value_and_pull(target_curves(NEGATIVES))
    for axes in figure.axes:
        colours = {line.get_label(): line.get_color() for line in axes.lines}
        for name, loss in LOSSES.items():
            assert colours[name] == loss.colour
    assert figure._repr_png_().startswith(b"\x89PNG")
