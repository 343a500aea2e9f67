import threading
from datetime import date

import numpy as np
import pandas as pd
import pytest
import torch

from gru4rec_lab import LOSSES
from gru4rec_lab.diagnostics import (
    effective_negatives,
    gaussian_effective,
    gaussian_scores,
    negative_gradients,
    trained_scores,
)
from gru4rec_lab.diagnostics.stored import (
    EPOCHS,
    MODELS,
    MOST_EXTRA,
    N_TARGETS,
    extra_items,
    provenance,
    score_file,
    trained_support,
)
from gru4rec_lab.widgets import LossExplorer, live_panels
from gru4rec_lab.widgets.loss_explorer.controls import PRESETS
from gru4rec_lab.widgets.loss_explorer.scores import parse_scores, pasted, trained


def test_bpr_pushes_every_negative_down_and_bpr_max_some_up():
    target, negatives = torch.tensor([2.0]), torch.tensor([[0.0, 3.0, -4.0]])
    pushes = negative_gradients(target, negatives, ["bpr", "bpr-max"])
    bpr = torch.tensor([[1.0, -2.0, -6.0]]).sigmoid()[0] / 3
    np.testing.assert_allclose(pushes.curves["bpr"], bpr, rtol=1e-6)
    assert list(pushes.place) == [1, 2, 3]
    assert pushes.pushed_up["bpr"] == 0 < pushes.pushed_up["bpr-max"]
    assert pushes.curves["bpr-max"][0] > 0 > pushes.curves["bpr-max"][1]
    assert pushes.top_5 == {"bpr": pytest.approx(1), "bpr-max": pytest.approx(1)}


@pytest.mark.parametrize("loss", LOSSES)
def test_pushes_are_the_gradient_by_autograd(loss):
    scores = gaussian_scores(40, 2.0).rows[:1].double()
    negatives, target = scores.requires_grad_(), torch.tensor([1.0]).double()
    value = LOSSES[loss](target, negatives).sum()
    (wanted,) = torch.autograd.grad(value, negatives)
    pushes = negative_gradients(target, negatives.detach(), [loss])
    np.testing.assert_allclose(pushes.curves[loss], wanted[0][pushes.place - 1], rtol=1e-6)


def test_bpreg_acts_on_the_push_of_bpr_max_alone():
    scores = torch.tensor([2.0]), torch.tensor([[3.0, 1.0]])
    plain, more = (negative_gradients(*scores, bpreg=bpreg).curves for bpreg in (0.0, 1.0))
    assert {name for name in LOSSES if (plain[name] != more[name]).any()} == {"bpr-max"}
    assert more["bpr-max"][0] > plain["bpr-max"][0]


@pytest.mark.parametrize("spread", [0.3, 1.0, 1.5])
def test_effective_negatives_of_a_narrow_gaussian_follow_the_theory(spread):
    simulated = effective_negatives(gaussian_scores(2079, spread).rows)
    assert simulated == pytest.approx(gaussian_effective(2079, spread), rel=0.1)


def test_theory_promises_too_few_when_scores_are_wide():
    assert gaussian_effective(2079, 4.0) < 1 < effective_negatives(gaussian_scores(2079, 4.0).rows)


def test_shipped_scores_are_small():
    assert sum(score_file(model).stat().st_size for model in MODELS) < 1_000_000


@pytest.mark.parametrize("model", MODELS)
def test_shipped_scores_are_finite_and_widen_as_the_model_learns(model):
    scores = [trained_scores(epoch, model) for epoch in EPOCHS]
    assert {len(at.target) for at in scores} == {N_TARGETS}
    spreads = [float(at.catalogue.std()) for at in scores]
    assert spreads == sorted(spreads)
    assert all(at.catalogue.isfinite().all() for at in scores)


@pytest.mark.parametrize("model", MODELS)
def test_shipped_scores_say_how_they_were_made(model):
    made = provenance(model)
    assert made["command"].startswith("python scripts/score_rows.py")
    assert model.split("-bpr")[0] in made["data"]
    assert f"loss='{model.removeprefix('flights-').removeprefix('e-shop-')}'" in made["config"]
    assert {"torch", "numpy"} <= set(made["versions"])
    assert date.fromisoformat(made["date"])


def test_shipped_scores_hold_no_ids():
    for model in MODELS:
        with np.load(score_file(model)) as file:
            assert set(file) == {"scores", "columns", "support", "made"}
            assert file["columns"].max() < len(file["support"]) == file["scores"].shape[2]


# Of 213 items more are near the target than of 1,881.
@pytest.mark.parametrize(
    ("model", "share"), [("flights-bpr", 1 / 10), ("e-shop-bpr", 1 / 8), ("e-shop-bpr-max", 1 / 10)]
)
def test_trained_model_ranks_its_targets_better_than_an_untrained_one(model, share):
    above = [float(trained_scores(epoch, model).ranks(2048).quantile(0.5)) for epoch in (0, 4)]
    assert above[1] < above[0] * share


def test_bpr_max_keeps_the_scores_of_the_shop_narrower_than_bpr():
    wide, narrow = (trained_scores(4, f"e-shop-{loss}").rows(512) for loss in ("bpr", "bpr-max"))
    assert float(narrow.std(dim=1).mean()) < float(wide.std(dim=1).mean()) / 2
    assert effective_negatives(narrow) > 2 * effective_negatives(wide)


@pytest.mark.parametrize("model", MODELS)
def test_rows_of_the_trained_model_are_the_negatives_of_each_target(model):
    scores = trained_scores(1, model)
    each = torch.stack([scores.negatives(k, 64, 0.3) for k in range(N_TARGETS)])
    assert torch.equal(scores.rows(64, 0.3), each)


@pytest.mark.parametrize("model", MODELS)
def test_ranks_of_the_trained_model_count_the_negatives_above(model):
    scores = trained_scores(1, model)
    counted = [(scores.negatives(k, 300, 0.3) > scores.target[k]).sum() for k in range(N_TARGETS)]
    assert scores.ranks(300, 0.3).tolist() == counted


def test_what_is_not_shipped_says_what_there_is():
    with pytest.raises(ValueError, match=r"choose one of 0, 0.3, 1, 4"):
        trained_scores(2)
    with pytest.raises(ValueError, match="'shop'; choose one of flights-bpr, e-shop-bpr, e-shop"):
        trained_scores(1, "shop")
    with pytest.raises(ValueError, match="0 to 32,768 extra negatives"):
        extra_items(0.5, 40_000)


def test_more_extra_negatives_begin_with_the_fewer():
    few, many = (trained_scores(1).negatives(0, count) for count in (64, 32_768))
    assert torch.equal(few, many[: 31 + 64])
    assert torch.equal(trained(1, 1, 64, 0.5).rows[0], few.sort(descending=True).values)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_extra_negatives_are_drawn_by_popularity_to_the_alpha(alpha):
    share = trained_support().double() ** alpha
    share = share / share.sum()
    drawn = torch.bincount(extra_items(alpha), minlength=len(share)) / MOST_EXTRA
    # A twentieth of the items at a time: the counts of single items are too small to compare.
    for group in trained_support().argsort().tensor_split(20):
        wanted = float(share[group].sum())
        noise = (wanted / MOST_EXTRA) ** 0.5
        assert float(drawn[group].sum()) == pytest.approx(wanted, abs=4 * noise)


def test_pasted_numbers_are_the_target_and_its_negatives():
    scores = pasted("[8, 1.5\n-2; 3]")
    assert scores.target.tolist() == [8]
    assert scores.rows.tolist() == [[3, 1.5, -2]]
    assert len(pasted("1 2").at_ranks[0]) == 1


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "got 0"),
        ("3", "got 1"),
        ("3 x 1", "score 2, 'x', is no number"),
        ("3 nan", "score 2"),
        ("3 inf", "between"),
        ("1 " * 40_002, "at most 40,000"),
    ],
)
def test_what_is_no_row_of_scores_says_why(text, wrong):
    with pytest.raises(ValueError, match=wrong):
        parse_scores(text)


@pytest.fixture(scope="module")
def panel_and_start():
    panel = LossExplorer(key="tests")
    yield panel, panel.controls.settings()
    panel.close()


@pytest.fixture
def explorer(panel_and_start):
    panel, start = panel_and_start
    panel.controls.apply(start)
    return panel


def hidden(panel):
    elements = panel.controls.elements.items()
    return {name for name, element in elements if element.layout.display == "none"}


@pytest.mark.parametrize(
    ("source", "unused"),
    [
        ("gaussian", {"sample_alpha", "model", "epoch", "number", "pasted"}),
        ("trained", {"spread", "target_score", "pasted"}),
        (
            "pasted",
            {"n_sample", "spread", "target_score", "sample_alpha", "model", "epoch", "number"},
        ),
    ],
)
def test_a_source_shows_only_the_controls_that_it_uses(explorer, source, unused):
    explorer.source.value = source
    assert hidden(explorer) == unused
    assert explorer.error == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", "e-shop-bpr"),
        ("model", "e-shop-bpr-max"),
        ("epoch", 0),
        ("number", 7),
        ("n_sample", 512),
        ("sample_alpha", 0.0),
        ("temperature", 2.0),
        ("scale", "relative"),
    ],
)
def test_every_control_of_the_trained_model_changes_the_picture(explorer, name, value):
    explorer.controls.apply({"source": "trained", "n_sample": 2048})
    before = explorer.picture.value
    getattr(explorer, name).value = value
    assert explorer.error == ""
    assert explorer.picture.value != before


def test_words_compare_uniform_and_popular_draws(explorer):
    explorer.controls.apply({"source": "trained", "n_sample": 32_768, "sample_alpha": 0.0})
    numbers = explorer.numbers
    assert numbers["negatives"] == 31 + 32_768
    assert numbers["by_alpha"][0.0]["effective"] == pytest.approx(numbers["effective"], rel=1e-4)
    assert numbers["by_alpha"][0.0]["median_rank"] == numbers["median_rank"]
    assert numbers["by_alpha"][1.0]["median_rank"] > numbers["median_rank"]
    assert "popular ones (1)" in explorer.words.value
    explorer.n_sample.value = 0
    assert "popular ones" not in explorer.words.value


def test_the_dot_of_a_test_target_is_close_to_its_curve(explorer):
    explorer.controls.apply({"source": "trained", "n_sample": 2048})
    place = np.nanargmin(np.abs(explorer.curves.rank - explorer.numbers["rank"]))
    for name, pull in explorer.numbers["gradient"].items():
        assert explorer.curves.curves[name][place] == pytest.approx(pull, rel=0.25)


def test_more_training_takes_bprs_pull_but_not_bpr_maxs(explorer):
    explorer.controls.apply({"source": "trained", "n_sample": 2048, "epoch": 0})
    untrained = explorer.numbers
    explorer.epoch.value = 4
    learned = explorer.numbers
    assert learned["median_rank"] < untrained["median_rank"] / 10
    assert learned["effective"] < untrained["effective"] / 2
    assert learned["gradient"]["bpr"] < untrained["gradient"]["bpr"] / 2
    assert learned["gradient"]["bpr-max"] > untrained["gradient"]["bpr-max"] / 2


def test_pasted_scores_are_looked_at_and_a_bad_one_shows_what_is_wrong(explorer):
    explorer.source.value = "pasted"
    explorer.pasted.value = "1 2 0 -1"
    assert explorer.numbers["rank"] == 1
    assert explorer.numbers["negatives"] == 3
    assert "in the batch" not in explorer.words.value
    before = explorer.picture.value
    explorer.pasted.value = "1 two"
    assert explorer.error.startswith("ValueError: score 2, 'two', is no number")
    assert explorer.picture.value == before
    explorer.pasted.value = "1 2 <b>"
    assert "<b>'" not in explorer.error_box.value.split("</b>", 1)[1]
    explorer.pasted.value = "1 2"
    assert explorer.error == ""


@pytest.mark.parametrize("text", ["5 5 5 5", "1 1000000 -1000000", "0 0", "-3 9"])
def test_odd_scores_make_a_picture_too(explorer, text):
    settings = {"source": "pasted", "pasted": text, "scale": "relative", "pane": "pushes"}
    explorer.controls.apply(settings)
    assert explorer.error == ""
    explorer.frame()


def test_right_picture_switches_between_its_panes_and_back(explorer):
    first = explorer.picture.value
    for pane, line in (("pushes", "push bpr"), ("scores", "negatives")):
        explorer.pane.value = pane
        assert line in explorer.picture.numbers
        assert line in explorer.picture.picture["lines"]
    explorer.pane.value = "weights"
    assert explorer.picture.value == first


def test_lines_are_the_numbers_of_the_panel(explorer):
    explorer.controls.apply({"n_sample": 2048, "pane": "pushes", "scale": "relative"})
    line = explorer.picture.line
    pull = explorer.curves.curves["bpr"]
    np.testing.assert_allclose(line("pull bpr")[1], pull[np.isfinite(pull)], rtol=1e-6)
    np.testing.assert_allclose(line("push bpr")[1], explorer.pushes.curves["bpr"], rtol=1e-6)
    assert line("dot bpr")[0].tolist() == [explorer.numbers["rank"]]
    explorer.pane.value = "scores"
    np.testing.assert_allclose(line("negatives")[1], explorer.histogram.negatives, rtol=1e-6)
    assert line("target")[0].tolist() == [8]
    explorer.target_score.value = 30
    explorer.temperature.value = 0.5
    assert line("target")[0].tolist() == [30]


def test_the_figure_is_what_is_seen(explorer):
    explorer.controls.apply({"n_sample": 2048, "losses": ["bpr", "bpr-max"]})
    explorer.picture.hidden = ["bpr-max"]
    pull = explorer.figure().axes[0]
    explorer.picture.hidden = []
    line, dot = pull.lines
    np.testing.assert_array_equal(line.get_xydata().T, explorer.picture.line("pull bpr"))
    assert (line.get_color(), dot.get_color()) == (LOSSES["bpr"].colour,) * 2


def test_the_text_alternative_says_what_is_shown_now(explorer):
    explorer.controls.apply({"n_sample": 2048, "losses": ["bpr", "bpr-max"]})
    told = explorer.picture.words["about"]
    assert "bpr 0.00041 at rank 0, 0.48 at rank 1,000; bpr-max" in told
    assert "2,079 negatives" in told
    explorer.controls.apply({"losses": [], "pane": "pushes"})
    assert "no loss shown" in explorer.picture.words["about"]
    assert "pushed up: none" in explorer.picture.words["about"]


def test_bpreg_shows_in_the_pushes_and_goes_again(explorer):
    explorer.pane.value = "pushes"
    before = explorer.picture.value
    explorer.bpreg.value = 1.0
    assert explorer.picture.value != before
    explorer.bpreg.value = 0.0
    assert explorer.picture.value == before


def test_views_visited_before_leave_nothing_behind(explorer):
    for pane, scale in [("pushes", "raw"), ("scores", "relative"), ("pushes", "relative")]:
        explorer.pane.value, explorer.scale.value = pane, scale
    fresh = LossExplorer(key="fresh", settings={"pane": "pushes", "scale": "relative"})
    assert explorer.picture.value == fresh.picture.value
    fresh.close()


@pytest.mark.parametrize("pane", ["pushes", "scores"])
def test_dragging_with_another_pane_sends_numbers_only(explorer, pane):
    explorer.pane.value = pane
    described, numbers = explorer.picture.picture, explorer.picture.numbers
    for value in (64, 32_768):
        explorer.n_sample.value = value
    assert explorer.picture.picture is described
    assert explorer.picture.numbers != numbers


def test_scores_are_shown_as_the_losses_see_them(explorer):
    explorer.controls.apply({"pane": "scores", "n_sample": 512, "temperature": 4.0})
    shown = explorer.histogram
    middle = (shown.edges[1:] + shown.edges[:-1]) / 2
    assert np.sqrt(middle**2 @ shown.negatives) == pytest.approx(1.0, abs=0.1)
    assert shown.targets[(shown.edges[:-1] <= 2.0) & (shown.edges[1:] > 2.0)] == [1]


def test_temperature_is_a_division_of_scores(explorer):
    explorer.controls.apply({"n_sample": 512, "temperature": 2.0})
    divided = explorer.numbers
    explorer.controls.apply({"temperature": 1.0, "spread": 2.0, "target_score": 4.0})
    assert divided["gradient"] == pytest.approx(explorer.numbers["gradient"], rel=1e-4)


def test_theory_is_told_where_it_holds(explorer):
    explorer.controls.apply({"n_sample": 2048, "spread": 1.0})
    numbers = explorer.numbers
    assert numbers["effective"] == pytest.approx(numbers["effective_theory"], rel=0.1)
    assert "by the theory" in explorer.words.value
    for line, name in (("effective", "effective"), ("by theory", "effective_theory")):
        assert explorer.picture.line(line)[0].tolist() == pytest.approx([numbers[name]])
    explorer.spread.value = 4.0
    assert "effective_theory" not in explorer.numbers
    assert "below 1.5 only" in explorer.words.value
    assert explorer.picture.line("by theory").size == 0


def test_hints_lead_to_why_bpr_vanishes(explorer):
    explorer.controls.apply({"n_sample": 0, "spread": 4.0})
    assert "raise <b>extra negatives</b>" in explorer.hint.value
    explorer.n_sample.value = 2048
    assert "lower <b>score spread</b>" in explorer.hint.value
    assert f"Only {explorer.numbers['near']:.1%} of the negatives" in explorer.hint.value
    explorer.spread.value = 0.5
    assert "raise <b>score spread</b>" in explorer.hint.value
    for source in ("trained", "pasted"):
        explorer.source.value = source
        assert "Try:" in explorer.hint.value


def test_a_hint_on_narrow_scores_leads_to_the_wide_ones_of_the_same_clicks(explorer):
    explorer.controls.apply({"source": "trained", "model": "e-shop-bpr-max", "n_sample": 2048})
    assert "choose the <b>model</b> e-shop BPR. Here 2,079 negatives" in explorer.hint.value
    explorer.model.value = "e-shop-bpr"
    assert "change <b>test target</b>" in explorer.hint.value
    explorer.controls.apply({"epoch": 0.3, "temperature": 4.0})
    assert f"As many as {explorer.numbers['near']:.1%} of the negatives" in explorer.hint.value


def test_formulas_of_bpr_and_bpr_max_stand_there_from_the_start():
    panel = LossExplorer(key="formulas")
    assert all(LOSSES[loss].equation in panel.formula.value for loss in ("bpr", "bpr-max"))
    panel.close()


def test_near_is_the_share_of_negatives_that_still_pull(explorer):
    explorer.controls.apply({"source": "pasted", "pasted": "1 3 0 -1.1 -1.3"})
    assert explorer.numbers["near"] == 3 / 4


@pytest.mark.parametrize("loss", LOSSES)
def test_toggling_a_loss_shows_its_formula(explorer, loss):
    explorer.losses[loss].value = False
    assert f"${LOSSES[loss].equation}$" in explorer.formula.value


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_the_controls_and_leaves_when_one_changes(explorer, name):
    explorer.preset.value = name
    assert PRESETS[name].items() <= explorer.controls.settings().items()
    assert explorer.preset.value == name
    explorer.n_sample.value = 64
    assert explorer.preset.value == ""
    assert explorer.numbers["negatives"] == 31 + 64


def test_what_another_thread_changes_while_a_preset_is_set_empties_the_preset(explorer):
    def change_target(_change):
        thread = threading.Thread(target=setattr, args=(explorer.n_sample, "value", 64))
        thread.start()
        thread.join(timeout=30)

    explorer.spread.observe(change_target, "value")
    explorer.preset.value = "narrow scores"
    explorer.spread.unobserve(change_target, "value")
    assert (explorer.spread.value, explorer.n_sample.value) == (0.5, 64)
    assert explorer.preset.value == ""


@pytest.mark.parametrize("name", PRESETS)
def test_the_preset_in_force_is_shown_however_it_was_reached(explorer, name):
    explorer.controls.apply(PRESETS[name])
    assert explorer.preset.value == name


def test_reset_sets_all_controls_as_they_were_at_first(explorer):
    usual = explorer.controls.settings()
    explorer.controls.apply({"source": "trained", "losses": ["bpr"], "bpreg": 1.0, "n_sample": 333})
    explorer.controls.reset.click()
    assert explorer.controls.settings() == usual
    assert explorer.preset.value == "batch only"


def test_any_number_of_extra_negatives_can_be_typed(explorer):
    typed = explorer.controls.fields["n_sample"].typed
    typed.value = "333"
    assert explorer.n_sample.value == 333
    assert explorer.numbers["negatives"] == 31 + 333
    explorer.n_sample.value = 64
    assert typed.value == "64"


def note(panel, name):
    said = panel.controls.fields[name].note
    return "" if said.layout.display == "none" else said.value


@pytest.mark.parametrize(
    ("name", "settings", "way_out"),
    [
        ("bpreg", {"pane": "weights"}, {"pane": "pushes"}),
        ("bpreg", {"pane": "pushes", "losses": ["bpr"]}, {"losses": ["bpr-max"]}),
        ("sample_alpha", {"source": "trained", "n_sample": 0}, {"n_sample": 64}),
        ("scale", {"losses": []}, {"losses": ["bpr"]}),
    ],
)
def test_a_control_that_changes_nothing_says_why_until_it_does(explorer, name, settings, way_out):
    explorer.controls.apply(settings)
    assert note(explorer, name)
    before = explorer.picture.value
    element = getattr(explorer, name)
    element.value = "relative" if name == "scale" else 1.0
    assert explorer.picture.value == before or name == "scale"
    explorer.controls.apply(way_out)
    assert not note(explorer, name)


def test_wrong_scores_are_told_at_their_field(explorer):
    explorer.controls.apply({"source": "pasted"})
    explorer.pasted.value = "3 <b>"
    assert 'role="alert"' in note(explorer, "pasted")
    assert "score 2, '&lt;b&gt;'" in note(explorer, "pasted")
    explorer.pasted.value = "3 1"
    assert not note(explorer, "pasted")


def test_a_loss_that_pushes_nothing_has_no_share_of_its_push(explorer):
    explorer.controls.apply({"source": "pasted", "pasted": "1e4 0 1", "losses": ["bpr", "top1"]})
    assert np.isnan(explorer.numbers["push_top_5"]["bpr"])
    assert "on the 5 best: top1 100%." in explorer.words.value
    explorer.controls.apply({"losses": ["bpr"]})
    assert "on the 5 best: none." in explorer.words.value


@pytest.mark.parametrize("text", ["1e4 0 -1e4", "3 2 1", "100 " * 30, "1 " * 3000])
def test_axes_fit_pasted_scores(explorer, text):
    explorer.controls.apply({"source": "pasted", "pasted": text, "pane": "scores"})
    scores = parse_scores(text)
    low, high = explorer.picture.picture["panes"]["right"]["x"]["limits"]
    assert low < min(scores) <= max(scores) < high
    ranks = explorer.picture.picture["panes"]["pull"]["x"]["limits"][1]
    assert len(scores) - 1 <= ranks <= 10 * max(1, len(scores))


def test_a_simple_explorer_starts_with_one_slider_four_curves_and_one_sentence():
    panel = LossExplorer(key="simple", simple=True)
    (in_view,) = panel.controls.children[0].children
    assert panel.n_sample in in_view.children[0].children
    assert set(panel.picture.picture["panes"]) == {"pull"}
    curves = [name for name in panel.picture.picture["lines"] if name.startswith("pull")]
    assert len(curves) == 4
    assert "Among 31 negatives, the pull on a target of rank 1 (the dots): " in panel.words.value
    assert "0.0391 by <b>bpr</b> and 0.453 by <b>bpr-max</b>." in panel.words.value
    assert panel.hint.layout.display == "none"
    panel.controls.fold.header.value = True
    assert set(panel.picture.picture["panes"]) == {"pull", "right"}
    assert "Try:" in panel.hint.value
    assert panel.hint.layout.display is None
    panel.close()


def test_settings_string_restores_picture_and_words(explorer):
    changes = {"source": "pasted", "pasted": "1 2\n0", "bpreg": 0.5, "pane": "pushes"}
    explorer.controls.apply(changes | {"losses": ["bpr", "bpr-max"], "scale": "relative"})
    again = LossExplorer.restore(explorer.settings_string, key="again")
    assert again.settings_string == explorer.settings_string
    assert "\n" not in again.settings_string
    assert again.words.value == explorer.words.value
    assert again.picture.value == explorer.picture.value
    assert hidden(again) == hidden(explorer)
    again.close()


def test_settings_string_restores_the_model(explorer):
    explorer.controls.apply({"source": "trained", "model": "e-shop-bpr-max"})
    again = LossExplorer.restore(explorer.settings_string, key="again")
    assert again.numbers == explorer.numbers
    assert again.link.value.startswith("source=trained")
    assert "model=e-shop-bpr-max" in again.link.value
    explorer.model.value = "flights-bpr"
    assert again.numbers != explorer.numbers
    again.close()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("spraed=2", "unknown setting 'spraed'"),
        ("model=bpr", "model cannot be 'bpr'; choose one of flights-bpr, e-shop-bpr"),
        ("spread", "write name=value"),
        ("spread=99", "between 0.1 and 6"),
        ("spread=wide", "spread cannot be 'wide'"),
        ("source=mine", "source cannot be 'mine'"),
        ("n_sample=99999", "n_sample must be a whole number from 0 to 32,768"),
        ("losses=bpr,bqr", "unknown loss 'bqr'"),
        ("source=pasted pasted=x", "score 1, 'x'"),
    ],
)
def test_a_bad_settings_string_says_what_is_wrong(text, wrong):
    with pytest.raises(ValueError, match=wrong):
        LossExplorer.restore(text, key="bad")
    assert "bad" not in live_panels()


def test_frame_holds_what_is_drawn(explorer):
    frame = explorer.frame()
    assert list(frame.columns) == ["quantity", "loss", "place", "value"]
    by_score = {"negatives", "negatives_weight", "targets"}
    assert set(frame["quantity"]) == {"pull", "push", "weight", "mass"} | by_score
    sums = frame.groupby("quantity")["value"].sum()
    assert [sums[name] for name in by_score] == pytest.approx([1, 1, 1])
    weight = frame[frame["quantity"] == "weight"]
    assert weight["value"].sum() == pytest.approx(1)
    assert len(weight) == explorer.numbers["negatives"]
    explorer.losses["top1"].value = False
    assert "top1" not in set(explorer.frame()["loss"])


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml")])
def test_a_picture_can_be_saved_and_the_panel_goes_on(explorer, tmp_path, name, start):
    before = explorer.picture.value
    path = explorer.save_picture(tmp_path / name)
    assert path.read_bytes().startswith(start)
    explorer.spread.value = 2.0
    explorer.spread.value = 4.0
    assert explorer.picture.value == before


def test_the_buttons_write_picture_and_numbers(explorer, tmp_path):
    explorer.files.path.value = str(tmp_path / "mine")
    for button in explorer.files.buttons.values():
        button.click()
        assert explorer.error == ""
    assert (tmp_path / "mine.png").read_bytes().startswith(b"\x89PNG")
    written = pd.read_csv(tmp_path / "mine.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(written, explorer.frame())
    with pytest.raises(ValueError, match=r"ends in .csv, got 'a.xlsx'"):
        explorer.save_numbers(tmp_path / "a.xlsx")


def test_the_line_of_text_follows_the_controls_and_restores_them(explorer):
    explorer.spread.value, explorer.pane.value = 2.0, "pushes"
    line = explorer.restore_box.text.value
    assert line == explorer.settings_string
    picture = explorer.picture.value
    explorer.spread.value, explorer.pane.value = 4.0, "weights"
    explorer.restore_box.text.value = line
    assert explorer.error == ""
    assert (explorer.spread.value, explorer.picture.value) == (2.0, picture)
    explorer.restore_box.text.value = "spread=99"
    assert "spread must lie between" in explorer.error
    assert explorer.spread.value == 2.0


def test_a_picture_of_another_format_is_refused(explorer, tmp_path):
    with pytest.raises(ValueError, match=r"end it in .png or .svg"):
        explorer.save_picture(tmp_path / "a.docx")


@pytest.mark.parametrize(
    "name", ["source", "sample_alpha", "model", "epoch", "number", "pasted", "pane", "preset"]
)
def test_every_control_has_a_label_a_tooltip_and_a_css_class(explorer, name):
    element = getattr(explorer, name)
    assert element.description
    assert element.tooltip or element.tooltips
    assert f"g4r-{name.replace('_', '-')}" in element._dom_classes


def test_the_panel_gives_the_text_that_opens_its_state_on_the_page(explorer):
    explorer.controls.apply({"n_sample": 512, "losses": ["bpr", "bpr-max"]})
    assert explorer.link.value == "source=gaussian&n_sample=512&losses=bpr,bpr-max"


def test_the_tour_waits_for_each_control_and_says_what_was_seen(explorer):
    ends = [("n_sample", 2048), ("spread", 0.5), ("target_score", 0.0), ("pane", "pushes")]
    for number, (name, value) in enumerate([*ends, ("source", "trained")], 1):
        explorer.tour.next.click()
        assert (explorer.tour.step, explorer.tour.done) == (number, False)
        explorer.tour.choices.value = explorer.tour.choices.options[0]
        explorer.temperature.value = 2.0
        explorer.temperature.value = 1.0
        assert not explorer.tour.done
        getattr(explorer, name).value = value
        assert explorer.tour.done, explorer.error
        assert f"You predicted: {explorer.tour.choices.value}" in explorer.tour.told.value
        assert "{" not in explorer.tour.told.value
    explorer.tour.next.click()
    assert explorer.tour.step == 0


def test_the_tour_is_left_and_taken_up(explorer):
    explorer.tour.go(3)
    explorer.tour.leave.click()
    assert explorer.tour.told.layout.display == "none"
    assert explorer.tour.next.description == "Go on with the tour (step 3)"
    explorer.n_sample.value = 8
    explorer.tour.next.click()
    assert (explorer.tour.step, explorer.n_sample.value) == (3, 2048)
    explorer.tour.go(0)
