"""A loss that a learner writes in a notebook cell: accepted or refused, drawn, trained, saved."""

import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from gru4rec_lab import LOSSES, Controls, fit, load_model, train
from gru4rec_lab.diagnostics import gaussian_scores, gradient_by_rank, negative_gradients
from gru4rec_lab.diagnostics.by_hand import loss_table, target_curves
from gru4rec_lab.losses import bpr, bpr_grad
from gru4rec_lab.plots.losses import step_arrows, value_and_pull
from gru4rec_lab.plots.style import style
from gru4rec_lab.score_matrix import RankingLoss, loss_and_gradient
from gru4rec_lab.training.events import ControlChanged, Report, StepDone

from .labs import TINY, finished


def hinge(target, negatives):
    return (1 + negatives - target[:, None]).clamp(min=0).mean(dim=1)


def hinge_gradient(target, negatives):
    by_negative = (1 + negatives > target[:, None]).to(negatives.dtype) / negatives.shape[1]
    return -by_negative.sum(dim=1), by_negative


def bpr_top(target, negatives, m=3):
    best = negatives.topk(min(m, negatives.shape[1]), dim=1).values
    return torch.nn.functional.softplus(best - target[:, None]).mean(dim=1)


OWN = {"value": (hinge,), "closed form": (hinge, hinge_gradient), "top M": (bpr_top,)}
own_loss = pytest.mark.parametrize("own", OWN)


@pytest.fixture(autouse=True)
def _only_the_five_losses_are_left():
    yield
    for name in list(LOSSES)[5:]:
        LOSSES.remove(name)


def normal(rows, n, dtype=torch.float64):
    scores = 2 * torch.randn(rows, 1 + n, generator=torch.Generator().manual_seed(3), dtype=dtype)
    return scores[:, 0], scores[:, 1:]


# Accepted.


@own_loss
@pytest.mark.parametrize("n", [1, 2, 40])
def test_value_and_gradient_are_what_the_learner_wrote(own, n):
    value, *_ = OWN[own]
    loss = LOSSES.add("mine", *OWN[own])
    scores = [tensor.requires_grad_() for tensor in normal(6, n)]
    torch.testing.assert_close(loss(*scores), value(*scores))
    expected = torch.autograd.grad(loss(*scores).sum(), scores)
    for got, want in zip(loss.gradient(*scores), expected, strict=True):
        torch.testing.assert_close(got, want)


def test_it_stands_in_the_registry_with_a_look_of_its_own():
    first, second = LOSSES.add("hinge", hinge), LOSSES.add("top-3", bpr_top, equation="r_j")
    assert list(LOSSES)[-2:] == ["hinge", "top-3"]
    assert LOSSES["top-3"] is second
    assert (first.equation, second.equation, first.kernel) == ("", "r_j", None)
    assert len({loss.colour for loss in LOSSES.values()}) == len(LOSSES) == 7
    assert [style(name)["linestyle"] for name in LOSSES].count((0, first.dash)) == 2


def test_more_losses_than_colours_differ_in_their_dash():
    for k in range(9):
        LOSSES.add(f"mine-{k}", hinge)
    looks = [(loss.colour, loss.dash) for loss in LOSSES.values()]
    assert len(set(looks[:13])) == 13
    assert looks[13] == looks[5]


def test_adding_the_same_name_again_replaces_it_and_keeps_its_look():
    first = LOSSES.add("mine", hinge)
    LOSSES.add("other", bpr_top)
    again = LOSSES.add("mine", bpr_top)
    assert list(LOSSES)[-2:] == ["mine", "other"]
    assert LOSSES["mine"] is again
    assert (again.colour, again.dash) == (first.colour, first.dash)
    assert again(*normal(4, 9)).equal(bpr_top(*normal(4, 9)))


def test_a_loss_can_be_added_while_others_are_looked_through():
    seen = [(name, LOSSES.add(f"my-{name}", hinge)) for name in LOSSES]
    assert len(seen) == 5 < len(LOSSES)


def test_a_removed_loss_is_unknown_and_one_of_the_library_stays():
    LOSSES.add("mine", hinge)
    LOSSES.remove("mine")
    with pytest.raises(ValueError, match=r"unknown loss 'mine'; .*LOSSES.add\('mine', value\)"):
        LOSSES.remove("mine")
    with pytest.raises(ValueError, match="'bpr' is a loss of the library; it cannot be removed"):
        LOSSES.remove("bpr")


@own_loss
def test_autograd_works_without_grad_inside_a_function_and_in_a_thread(own):
    loss, scores, got = LOSSES.add("mine", *OWN[own]), normal(6, 12), []
    wanted = loss.gradient(*scores)
    with torch.no_grad():
        got.append(loss.gradient(*scores))
    thread = threading.Thread(target=lambda: got.append(loss.gradient(*scores)))
    thread.start()
    thread.join()
    for gradient in got:
        torch.testing.assert_close(gradient, wanted, rtol=0, atol=0)
    matrix = normal(6, 12)[1].clone().requires_grad_()
    (by_scores,) = torch.autograd.grad(RankingLoss.apply(matrix, loss, 0.5, 0.5, None), matrix)
    _, expected = loss_and_gradient(matrix.detach(), loss, bpreg=0.5, elu_param=0.5)
    torch.testing.assert_close(by_scores, expected, rtol=0, atol=0)


@own_loss
def test_absent_negatives_count_for_nothing_though_the_learner_never_thought_of_them(own):
    loss, (target, negatives) = LOSSES.add("mine", *OWN[own]), normal(6, 5)
    present = torch.ones(6, 5, dtype=torch.bool)
    present[1, 2] = present[2, :3] = present[3, 1] = present[5] = False
    rows = negatives.masked_fill(~present, -torch.inf)
    value, (by_target, by_negative) = loss(target, rows), loss.gradient(target, rows)
    assert value[5] == by_target[5] == 0
    assert (by_negative[~present] == 0).all()
    for k in range(5):
        alone = target[k : k + 1], negatives[k : k + 1, present[k]]
        torch.testing.assert_close(value[k : k + 1], loss(*alone))
        first, others = loss.gradient(*alone)
        torch.testing.assert_close(by_target[k : k + 1], first)
        torch.testing.assert_close(by_negative[k : k + 1, present[k]], others)


@own_loss
def test_without_negatives_or_rows_there_is_nothing(own):
    loss = LOSSES.add("mine", *OWN[own])
    for rows, n in ((3, 0), (0, 4)):
        scores = torch.zeros(rows), torch.zeros(rows, n)
        assert loss(*scores).tolist() == [0.0] * rows
        assert [part.shape for part in loss.gradient(*scores)] == [(rows,), (rows, n)]


# Refused.


def twice(target, negatives):
    by_target, by_negative = bpr_grad(target, negatives)
    return by_target, 2 * by_negative


def overflows(target, negatives):
    odds = (negatives - target[:, None]).exp()
    by_negative = odds / (1 + odds) / negatives.shape[1]
    return -by_negative.sum(dim=1), by_negative


def bends_its_scores(target, negatives):
    return negatives.sub_(target[:, None]).mean(dim=1)


BAD = {
    "mean over the batch": (
        (lambda t, n: hinge(t, n).mean(),),
        r"value of 'bad' must return \(5,\) for 5 rows of 1 negatives, got \(\); .* over dim=1",
    ),
    "wrong shape": ((lambda t, n: n - t[:, None],), r"must return \(5,\) .* got \(5, 1\)"),
    "a number": ((lambda t, n: 1.0,), r"must return \(5,\) .* got float"),
    "rows that mind the others": (
        (lambda t, n: hinge(t, n) - hinge(t, n).mean(),),
        r"value of 'bad' mixes rows: that of row 0 is \S+ among 5 rows and 0 alone",
    ),
    "one negative": (
        (lambda t, n: n.topk(2, dim=1).values.mean(dim=1) - t,),
        "value of 'bad' fails for 5 rows of 1 negatives: RuntimeError",
    ),
    "overflow": (
        (lambda t, n: (n - t[:, None]).exp().mean(dim=1),),
        r"value of 'bad' is inf for target -10000 and negatives .*10000; .*logsigmoid",
    ),
    "a log of 0": (
        (lambda t, n: -torch.sigmoid(t[:, None] - n).log().mean(dim=1),),
        r"value of 'bad' is inf for target -10000 and negatives .*; keep it finite",
    ),
    "no number in the gradient": (
        (lambda t, n: (n - t[:, None]).square().sum(dim=1).sqrt(),),
        r"gradient of 'bad' is nan for target -10000 and negatives -10000, -10000",
    ),
    "numpy": (
        (lambda t, n: torch.from_numpy(np.maximum(n.numpy(), 0).sum(axis=1) - t.numpy()),),
        "gradient of 'bad' by autograd fails .*compute it with torch alone",
    ),
    "no gradient": ((lambda t, n: t.detach(),), "gradient of 'bad' by autograd fails"),
    "changed scores": ((bends_its_scores,), "value of 'bad' changes the scores it is given"),
    "other numbers": (
        (lambda t, n: hinge(t, n).float(),),
        "value of 'bad' must return torch.float64, as its scores, got torch.float32",
    ),
    "wrong gradient": (
        (bpr, twice),
        r"gradient of 'bad' differs from autograd's for target \S+ and negatives \S+: "
        r"dL/dr_j at \[0, 0\] is \S+, wanted \S+; mend it or leave it out",
    ),
    "wrong sign": (
        (bpr, lambda t, n: tuple(-part for part in bpr_grad(t, n))),
        r"differs from autograd's for .*: dL/dr_i at \[0\] is \S+, wanted -\S+;",
    ),
    "half a gradient": (
        (bpr, lambda t, n: bpr_grad(t, n)[0]),
        r"gradient of 'bad' must return \(5,\) and \(5, 1\) .* got \(5,\);",
    ),
    "gradient of another shape": (
        (bpr, lambda t, n: (bpr_grad(t, n)[0][:, None], bpr_grad(t, n)[1])),
        r"must return \(5,\) and \(5, 1\) .* got \(5, 1\) and \(5, 1\)",
    ),
    "gradient that overflows": (
        (bpr, overflows),
        "gradient of 'bad' is nan for target -10000 and negatives -10000, 0, 10000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_loss_is_refused_with_what_is_wrong(what):
    functions, wrong = BAD[what]
    with pytest.raises(ValueError, match=wrong):
        LOSSES.add("bad", *functions)
    assert "bad" not in LOSSES


def test_the_wrong_number_is_named_with_the_right_one():
    with pytest.raises(ValueError, match="wanted") as refused:
        LOSSES.add("bad", bpr, twice)
    got, wanted = (str(refused.value).split(word)[1].split()[0] for word in (" is ", "wanted "))
    assert float(got.strip(",")) == pytest.approx(2 * float(wanted.strip(";")), rel=1e-4)


@pytest.mark.parametrize("name", ["my hinge", "", "a,b", "<b>"])
def test_a_name_that_settings_cannot_spell_is_refused(name):
    with pytest.raises(ValueError, match="letters, digits and - _ . alone, got"):
        LOSSES.add(name, hinge)


def test_a_name_of_the_library_is_refused():
    with pytest.raises(ValueError, match="'bpr' is a loss of the library; call .* 'my-bpr'"):
        LOSSES.add("bpr", hinge)
    assert LOSSES["bpr"].value is bpr


# Everywhere.


def test_diagnostics_and_plots_show_it_beside_the_others():
    LOSSES.add("hinge", hinge, hinge_gradient)
    scores = gaussian_scores(63, 2.0)
    one = torch.tensor([0.5]), torch.tensor([[2.0, 0.0, -2.0]])
    assert loss_table(*one).loc["hinge"].tolist() == pytest.approx([1, -2 / 3, 1 / 3, 1 / 3, 0])
    assert list(gradient_by_rank(scores.target, scores.negatives).curves) == list(LOSSES)
    assert list(negative_gradients(*one).curves) == list(LOSSES)
    left, _ = value_and_pull(target_curves(one[1])).axes
    colours = {line.get_label(): line.get_color() for line in left.lines}
    assert colours["hinge"] == LOSSES["hinge"].colour
    assert step_arrows(loss_table(*one)).axes[-1].get_title() == "hinge"


def test_a_new_explorer_draws_it_and_an_older_one_says_so(no_thread_or_panel_is_left):
    from gru4rec_lab.widgets import LossExplorer

    old = LossExplorer(key="old")
    LOSSES.add("hinge", hinge, equation=r"\max(0, 1+r_j-r_i)_{r_i<1}")
    LOSSES.add("top-3", bpr_top)
    new = LossExplorer(key="new", settings={"losses": ["bpr", "hinge"]})
    assert new.losses["hinge"].value
    assert set(new.curves.curves) == set(new.numbers["gradient"]) == {"bpr", "hinge"}
    assert new.picture.line("pull hinge").shape[1] > 3
    assert new.picture.picture["lines"]["pull hinge"]["colour"] == LOSSES["hinge"].colour
    new.losses["hinge"].value = False
    assert r"$\max(0, 1+r_j-r_i)_{r_i&lt;1}$" in new.formula.value
    new.losses["top-3"].value = True
    assert "<b>top-3</b>: no equation was given" in new.formula.value
    assert LossExplorer.restore("losses=hinge", key="new").error == ""
    assert "hinge" not in old.losses
    with pytest.raises(ValueError, match="'hinge' was added after this panel was made"):
        old.controls.apply({"losses": ["hinge"]})


def test_the_score_shaper_offers_it():
    from gru4rec_lab.widgets import ScoreShaper

    LOSSES.add("hinge", hinge)
    panel = ScoreShaper()
    panel.loss.value = "hinge"
    assert panel.error == ""
    assert "hinge" in panel.numbers["pull"]
    panel.close()


def reports(events):
    return [event.loss for event in events if isinstance(event, Report)]


SHORT = TINY.with_changes(n_epochs=2)


@pytest.mark.parametrize("changes", [{}, {"collisions": "mask"}, {"shape_scores": "all"}], ids=str)
def test_it_trains_by_the_plain_step_like_the_same_loss_of_the_library(changes, stops):
    LOSSES.add("my-bpr", lambda t, n: torch.nn.functional.softplus(n - t[:, None]).mean(dim=1))
    config = SHORT.with_changes(loss="my-bpr", **changes)
    events = list(train(config, stops))
    assert events[0].step == "plain"
    plain = train(config.with_changes(loss="bpr", step="plain"), stops)
    assert reports(events) == pytest.approx(reports(plain), rel=1e-3)
    assert reports(events)[-1] < 0.9 * reports(events)[0]


def test_the_numba_step_is_refused_for_it_with_the_reason(stops):
    LOSSES.add("hinge", hinge)
    with pytest.raises(ValueError, match="step='numba' is not possible: the loss 'hinge' has no k"):
        train(SHORT.with_changes(loss="hinge", step="numba"), stops)


def test_a_run_on_kernels_goes_on_by_the_plain_step_while_it_trains(stops):
    LOSSES.add("my-bpr", lambda t, n: torch.nn.functional.softplus(n - t[:, None]).mean(dim=1))
    controls, events = Controls.of(SHORT), []
    for event in train(SHORT, stops, controls=controls):
        events.append(event)
        if isinstance(event, StepDone) and event.step in (7, 15):
            controls.loss = "my-bpr" if event.step == 7 else "bpr"
    assert events[0].step == "numba"
    assert [e.new for e in events if isinstance(e, ControlChanged)] == ["my-bpr", "bpr"]
    assert reports(events) == pytest.approx(reports(train(SHORT, stops)), rel=1e-3)


def test_it_trains_in_a_lab(stops, no_thread_or_panel_is_left):
    from gru4rec_lab.widgets import TrainingLab

    LOSSES.add("hinge", hinge)
    lab = finished(TrainingLab(stops, SHORT.with_changes(loss="hinge"), observe_every=10))
    assert lab.error == ""
    assert lab.state == "finished"


# Saved.

RECOMMENDS = """
import sys
from gru4rec_lab import LOSSES, evaluate, load_model, load_sessions, train
model = load_model(sys.argv[1], device="cpu")
stops = load_sessions("world:cycle", n_sessions=200, n_items=30)
print(model.config.loss, "hinge" in LOSSES, evaluate(model, stops).recall[20])
for go_on in (lambda: train(model.config, stops), lambda: model.config.with_changes(n_epochs=1)):
    try:
        go_on()
    except ValueError as error:
        print(error)
model.save(sys.argv[1])
"""


def test_a_saved_model_recommends_without_its_loss_and_training_says_what_is_missing(
    stops, tmp_path
):
    from gru4rec_lab import evaluate

    LOSSES.add("hinge", hinge)
    model = fit(SHORT.with_changes(loss="hinge"), stops, progress=False)
    path = model.save(tmp_path / "mine")
    command = [sys.executable, "-c", RECOMMENDS, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    first, *refusals = run.stdout.splitlines()
    assert first == f"hinge False {evaluate(model, stops).recall[20]}"
    assert len(refusals) == 2
    for refusal in refusals:
        assert refusal.startswith("unknown loss 'hinge'; choose one of top1, bpr")
        assert refusal.endswith("or add it first: LOSSES.add('hinge', value)")
    assert load_model(path).config == model.config
    assert load_model(path).config.with_changes(n_epochs=1).loss == "hinge"


def test_who_goes_through_the_losses_while_one_is_removed_meets_those_of_the_beginning():
    LOSSES.add("mine", hinge)
    values, items = iter(LOSSES.values()), iter(LOSSES.items())
    LOSSES.remove("mine")
    assert [loss.name for loss in values] == [name for name, _ in items] == [*LOSSES, "mine"]
