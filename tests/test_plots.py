import subprocess
import sys
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from gru4rec_lab import LOSSES, Config, load_sessions, plots, train
from gru4rec_lab.diagnostics import (
    gaussian_scores,
    gradient_by_rank,
    pulls_of_bugs,
    softmax_weights,
)


def pixels(png):
    return imread(BytesIO(png), format="png")


def test_gradient_by_rank_draws_a_line_a_loss():
    scores = gaussian_scores(63, 4.0)
    figure = plots.gradient_by_rank(gradient_by_rank(scores.target, scores.negatives))
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == list(LOSSES)
    assert [line.get_color() for line in axes.lines] == [loss.colour for loss in LOSSES.values()]
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
    assert line.get_color() == LOSSES["bpr"].colour


def test_a_panel_with_other_names_has_its_own_key_and_a_bug_the_colour_of_its_loss_and_crosses():
    at = gaussian_scores(31, 2.0, max_rows=4)
    panels = pulls_of_bugs(at.target, at.negatives)
    figure = plots.gradient_panels(panels)
    keys = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in figure.axes]
    assert keys[1] == ["bpr-max", "bpr-max, log inside"]
    sound, wrong = figure.axes[1].lines
    assert (sound.get_color(), sound.get_marker()) == (LOSSES["bpr-max"].colour, "o")
    assert (wrong.get_color(), wrong.get_marker()) == (LOSSES["bpr-max"].colour, "x")


def test_kept_has_a_row_a_bug_and_a_mark_a_world_at_the_mean_of_the_seeds():
    rows = [(w, b, k) for w, off in (("one", 0.0), ("two", 0.5)) for b in "xy"
            for k in (0.2 + off, 0.4 + off)]  # fmt: skip
    table = pd.DataFrame([*rows, ("two", "z", 1.0)], columns=["world", "bug", "kept"])
    (axes,) = plots.kept_by_world(table).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["x", "y", "z"]
    marks = {line.get_label(): line.get_xdata() for line in axes.lines[1:]}
    np.testing.assert_allclose(marks["one"], [0.3, 0.3, np.nan])
    np.testing.assert_allclose(marks["two"], [0.8, 0.8, 1.0])


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


def test_popularity_draws_a_line_a_label_over_the_items():
    shares = {"samples": np.array([0.5, 0.8, 1.0]), "lists": np.array([0.2, 0.9, 1.0])}
    (axes,) = plots.share_by_popularity(shares).axes
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), [[1, 0.2], [2, 0.9], [3, 1.0]])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["samples", "lists"]
    assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle(), "told by colour alone"


def test_chances_draw_a_line_an_alpha_over_the_numbers_of_samples():
    chances = pd.DataFrame({0: [0.1, 0.4], 0.5: [0.2, 0.6]}, index=[32, 512])
    (axes,) = plots.chance_by_n_sample(chances).axes
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), [[32, 0.2], [512, 0.6]])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["alpha 0", "alpha 0.5"]
    assert axes.get_xscale() == "log"


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
    assert variant.get_color() == LOSSES["bpr-max"].colour
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


def test_quality_by_n_sample_draws_four_panes_of_a_frame_or_a_table():
    rows = [
        {"loss": loss, "n_sample": size, "seed": seed, "recall@20": 0.4 + 0.1 * seed,
         "mrr@20": 0.2, "recall@1": 0.1, "seconds": 2.0}
        for loss in ("bpr", "top1") for size in (0, 32, "all") for seed in (0, 1)
    ]  # fmt: skip
    figure = plots.quality_by_n_sample(pd.DataFrame(rows))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["Recall@20", "MRR@20", "Recall@1", "seconds of training"]
    recall = figure.axes[0]
    assert [tick.get_text() for tick in recall.get_xticklabels()] == ["0", "32", "all"]
    points, bars = (line.get_ydata() for line in recall.lines[:2])
    np.testing.assert_allclose(points, 0.45, rtol=1e-6)
    np.testing.assert_allclose(bars[1] - bars[0], 2 * np.std([0.4, 0.5], ddof=1), rtol=1e-5)
