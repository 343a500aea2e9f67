import subprocess
import sys
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.image import imread

from gru4rec_lab import LOSSES, Config, load_sessions, plots, train
from gru4rec_lab.diagnostics import gaussian_scores, gradient_by_rank, softmax_weights
from gru4rec_lab.plots import LOSS_COLOURS, LivePlot
from gru4rec_lab.plots.background import KEPT_STATES, Background
from gru4rec_lab.plots.panes import ScorePane, WeightPane, loss_legend


def pixels(png):
    return imread(BytesIO(png), format="png")


@pytest.fixture
def live():
    plot = LivePlot(200, 100, scale=1)
    axes = plot.add_axes(20, 20, 190, 90)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    (line,) = axes.plot([], [], color="red")
    return plot, axes, plot.moving(line)


def test_every_loss_has_a_colour_of_its_own():
    assert list(LOSS_COLOURS) == list(LOSSES)
    assert len(set(LOSS_COLOURS.values())) == len(LOSSES)


def test_picture_is_a_png_of_the_size_asked_for():
    assert pixels(LivePlot(200, 100, scale=2).png()).shape == (200, 400, 4)


def test_moving_artists_are_drawn_and_gone_again(live):
    plot, _, line = live
    empty = plot.png()
    line.set_data([0, 1], [0, 1])
    drawn = plot.png()
    line.set_data([], [])
    assert drawn != empty
    assert plot.png() == empty


def test_only_new_limits_draw_the_axes_again(live):
    plot, axes, line = live
    for value in (0.2, 0.5, 0.8):
        line.set_data([0, 1], [value, value])
        plot.limits(axes, x=(0, 1), y=(0, 1))
        plot.png()
    drawn, before = plot.n_drawn, plot.png()
    plot.limits(axes, y=(0, 2))
    assert plot.png() != before
    assert plot.n_drawn == drawn + 1
    plot.limits(axes, y=(0, 1))
    assert plot.png() == before
    assert plot.n_drawn == drawn + 1


def test_other_axes_are_not_drawn_again(live):
    plot, axes, _ = live
    plot.add_axes(100, 20, 190, 90)
    plot.png()
    drawn = plot.n_drawn
    plot.limits(axes, x=(0, 3))
    plot.png()
    assert plot.n_drawn == drawn + 1


def test_the_background_is_what_matplotlib_draws():
    plot = LivePlot(400, 200, scale=1)
    pane = WeightPane(plot, plot.add_axes(60, 40, 340, 150), highest=1000)
    pane.key()
    loss_legend(plot, ["top1", "bpr"], left=60, top=195)
    ours = pixels(plot.png())
    plot.figure.canvas.draw()
    whole = np.asarray(plot.figure.canvas.buffer_rgba()) / 255
    # The two axes of the pane share their frame, where matplotlib draws one line over the other.
    assert np.abs(ours - whole).max() < 0.25
    assert (np.abs(ours - whole) > 0.01).mean() < 0.01


def test_a_legend_seen_before_costs_nothing():
    plot = LivePlot(400, 200, scale=1)
    pictures = []
    for names in (["top1"], ["bpr"], [], ["top1"]):
        loss_legend(plot, names, left=60, top=195)
        pictures.append(plot.png())
    assert pictures[0] == pictures[3]
    assert len(set(pictures)) == 3
    assert plot.n_drawn == 3


def test_a_run_of_new_limits_does_not_fill_the_memory(live):
    plot, axes, _ = live
    for top in range(1, 50):
        plot.limits(axes, y=(0, top))
        plot.png()
    (kept,) = [each for part, each in plot._background._kept.items() if part is axes]
    assert len(kept) == KEPT_STATES


def test_drawing_over_the_background_gives_the_same_picture_as_a_first_draw(live):
    plot, _, line = live
    plot.png()
    line.set_data([0, 1], [1, 0])
    blitted = plot.png()
    plot._background = Background(plot.figure)
    np.testing.assert_array_equal(pixels(plot.png()), pixels(blitted))


def test_gradient_by_rank_draws_a_line_a_loss():
    scores = gaussian_scores(63, 4.0)
    figure = plots.gradient_by_rank(gradient_by_rank(scores.target, scores.negatives))
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == list(LOSSES)
    assert [line.get_color() for line in axes.lines] == list(LOSS_COLOURS.values())
    figure.canvas.draw()


def test_a_stored_picture_keeps_its_rare_colours():
    scores = gaussian_scores(63, 4.0)
    figure = plots.gradient_by_rank(gradient_by_rank(scores.target, scores.negatives))
    drawn = BytesIO()
    figure.savefig(drawn, format="png")
    stored = pixels(figure._repr_png_())[..., :3]
    assert np.abs(stored - pixels(drawn.getvalue())[..., :3]).max() < 0.1


def test_notebook_shows_a_figure_without_pyplot():
    scores = gaussian_scores(31, 4.0)
    figure = plots.gradient_by_rank(gradient_by_rank(scores.target, scores.negatives))
    assert pixels(figure._repr_png_()).shape == (360, 500, 4)


def test_history_draws_reports_and_ends_of_epochs():
    sessions = load_sessions("world:cycle", n_sessions=60, n_items=20)
    config = Config(layers=(8,), n_sample=4, n_epochs=2, batch_size=16, report_every=5)
    figure = plots.history(train(config, sessions, validation=sessions))
    loss, quality = figure.axes
    assert len(loss.lines[0].get_xdata()) > 2
    assert [len(line.get_xdata()) for line in quality.lines] == [2, 2]
    figure.canvas.draw()


def test_history_works_without_validation():
    sessions = load_sessions("world:cycle", n_sessions=30, n_items=20)
    figure = plots.history(train(Config(layers=(8,), n_sample=0, n_epochs=1), sessions))
    figure.canvas.draw()


def test_plots_need_no_pyplot():
    code = "import sys, gru4rec_lab.plots; print('matplotlib.pyplot' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


@pytest.fixture
def scores():
    plot = LivePlot(400, 200, scale=1)
    pane = ScorePane(plot, plot.add_axes(50, 40, 390, 170), low=-10, high=10, n_bins=40)
    return plot, pane


def test_score_pane_draws_histogram_and_target_over_its_background(scores):
    plot, pane = scores
    seen = [plot.png()]
    drawn = plot.n_drawn
    made = gaussian_scores(63, 2.0)
    histogram = pane.histogram(made.target, made.rows)
    for target in (None, 3.0, 4.0):
        pane.show(histogram, target=target)
        seen.append(plot.png())
    pane.clear()
    assert plot.png() == seen[0]
    assert len(set(seen)) == 4
    assert plot.n_drawn == drawn


def test_a_target_beyond_the_axis_stands_at_its_end(scores):
    plot, pane = scores
    histogram = pane.histogram(torch.tensor([99.0]), torch.zeros(1, 5))
    pictures = []
    for target in (10.0, 99.0, 9.0):
        pane.show(histogram, target=target)
        pictures.append(plot.png())
    assert pictures[0] == pictures[1] != pictures[2]


def test_a_hidden_score_pane_leaves_nothing_behind(scores):
    plot, pane = scores
    shown = plot.png()
    pane.visible(False)
    hidden = plot.png()
    assert hidden == LivePlot(plot.width, plot.height, scale=1).png() != shown
    made = gaussian_scores(63, 2.0)
    pane.show(pane.histogram(made.target, made.rows), target=1.0)
    assert plot.png() == hidden
    pane.clear()
    pane.visible(True)
    assert plot.png() == shown


def curves(n_negatives):
    scores = gaussian_scores(n_negatives, 3.0, max_rows=5)
    return gradient_by_rank(scores.target, scores.negatives)


@pytest.fixture
def by_epoch():
    rows = [
        {"model": model, "seed": seed, "epoch": epoch, "first": 0.1 * epoch + 0.02 * seed,
         "first_six": 0.3 * epoch, "median_rank": 90 / epoch, "spread": epoch,
         "effective": 500 / epoch, "negatives": 2111}
        for model in ("bpr", "bpr-max, linear") for seed in (0, 2) for epoch in (1, 2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_gradient_panels_share_their_axes_and_draw_what_they_are_given():
    panels = {"batch": curves(31), "more": curves(500)}
    figure = plots.gradient_panels(panels)
    left, right = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["batch", "more"]
    assert left.get_ylim() == right.get_ylim()
    line = next(line for line in left.lines if line.get_label() == "bpr")
    wanted = panels["batch"].curves["bpr"]
    np.testing.assert_allclose(line.get_ydata(), wanted[np.isfinite(wanted)])
    assert line.get_color() == LOSS_COLOURS["bpr"]


def test_relative_panels_draw_shares_and_say_so():
    made = curves(500)
    (axes,) = plots.gradient_panels({"": made}, relative=True).axes
    line = next(line for line in axes.lines if line.get_label() == "bpr")
    seen = np.isfinite(made.curves["bpr"])
    np.testing.assert_allclose(line.get_ydata(), made.relative().curves["bpr"][seen])
    assert "badly ranked targets = 1" in axes.get_ylabel()


def test_weight_mass_draws_a_cumulated_line_a_label():
    weights = softmax_weights(gaussian_scores(100, 2.0).rows)
    (axes,) = plots.weight_mass({"wide": weights}).axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), weights.cumulated)
    assert axes.get_legend().get_texts()[0].get_text() == "wide"


def test_ranks_draw_the_mean_of_the_seeds_and_their_range(by_epoch):
    first, first_six, median = plots.rank_by_epoch(by_epoch).axes
    line = next(line for line in first.lines if line.get_label() == "bpr")
    np.testing.assert_allclose(line.get_ydata(), [0.12, 0.22])
    band = first.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.1, 0.24))
    assert median.get_yscale() == "log"
    assert {axes.get_xlabel() for axes in (first, first_six, median)} == {"epoch"}


def test_variant_has_the_colour_of_its_loss_and_another_dash(by_epoch):
    first = plots.rank_by_epoch(by_epoch).axes[0]
    bpr, variant = first.lines
    assert variant.get_color() == LOSS_COLOURS["bpr-max"]
    assert variant.get_linestyle() == ":"
    assert bpr.get_linestyle() != ":"


def test_score_by_epoch_draws_every_model_against_the_theory(by_epoch):
    spread, effective, theory = plots.score_by_epoch(by_epoch).axes
    line, *dots = theory.lines
    assert line.get_ydata()[0] == 2111
    assert line.get_ydata()[-1] == pytest.approx(2111 * np.exp(-2))
    assert len(dots) == 2
    assert effective.get_yscale() == theory.get_yscale() == "log"
    assert spread.get_ylim()[0] == 0


def test_quality_has_a_panel_a_model_and_a_line_a_value():
    table = pd.DataFrame(
        {"model": ["bpr", "bpr", "top1", "top1"], "epoch": [1, 2, 1, 2], "batch_size": [32] * 4,
         "mrr_20": [0.1, 0.2, 0.1, 0.3], "mrr_20_se": [0.01] * 4}
    )  # fmt: skip
    bpr, top1 = plots.quality_against(table, "batch_size").axes
    assert (bpr.get_title(loc="left"), top1.get_title(loc="left")) == ("bpr", "top1")
    assert [text.get_text() for text in bpr.get_legend().get_texts()] == ["epoch 1", "epoch 2"]
    assert bpr.get_xlabel() == "batch_size"
