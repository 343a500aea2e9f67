"""The bugs of the museum: what each one does, in numbers, and that a sound training is `fit`'s."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gru4rec_lab import LOSSES, Config, evaluate, fit, load_sessions, session_parallel
from gru4rec_lab.diagnostics import (
    BUGS,
    Bug,
    gaussian_scores,
    gradient_by_rank,
    judged_with,
    museum,
    pulls_of_bugs,
    trained_with,
)
from gru4rec_lab.diagnostics import bugs as forms
from gru4rec_lab.diagnostics.bugs import late_reset, loss_of, never_reset, shuffled, stale_reset

CONFIG = Config(
    layers=(8,), batch_size=8, n_sample=4, n_epochs=1, logq=1.0, dropout_p_hidden=0.1,
    device="cpu", step="plain",
)  # fmt: skip
SESSIONS = load_sessions("world:memory", n_sessions=60, n_items=20)
ONE = torch.zeros(1, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64)


@pytest.mark.parametrize("name", [name for name, bug in BUGS.items() if not bug.switch])
def test_a_sound_training_is_that_of_fit(name):
    bug = BUGS[name]
    wanted = fit(CONFIG.with_changes(loss=bug.loss), SESSIONS, progress=False)
    got = trained_with(bug, CONFIG, SESSIONS)
    for weight, expected in zip(got.network.parameters(), wanted.network.parameters(), strict=True):
        assert torch.equal(weight, expected)
    ranks = evaluate(wanted, SESSIONS, batch_size=32).ranks
    assert np.array_equal(judged_with(bug, got, SESSIONS).ranks, ranks)


def test_there_are_ten_switches_and_each_bug_says_which_test_sees_it():
    assert {bug.switch for bug in BUGS.values()} == set(range(11))
    assert all(bug.seen_by for bug in BUGS.values() if bug.switch)


@pytest.mark.parametrize("name", [name for name, bug in BUGS.items() if bug.switch])
def test_each_bug_changes_the_weights_or_the_ranks(name):
    bug = BUGS[name]
    sound = trained_with(Bug("nothing", 0, loss=bug.loss), CONFIG, SESSIONS)
    wrong = trained_with(bug, CONFIG, SESSIONS)
    same = torch.equal(wrong.network.items, sound.network.items)
    assert same == (bug.judged is not None)
    if same:
        ranks = judged_with(bug, wrong, SESSIONS).ranks
        assert not np.array_equal(ranks, evaluate(sound, SESSIONS).ranks)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("double_softmax", np.log(3)),
        ("log_inside", np.log(4)),  # s = 1/2, p = 1/2
        ("divided_again", np.log(2) / 2),
        ("target_in_softmax", np.log(2)),
        ("mean_inside", np.log(2)),
    ],
)
def test_a_wrong_form_by_hand_on_equal_scores(form, value):
    assert getattr(forms, form)(*ONE).item() == pytest.approx(value)


def test_the_softmax_over_the_batch_by_hand():
    target, negatives = torch.tensor([1.0, 0.0]), torch.tensor([[3.0, 5.0], [0.0, 5.0]])
    # The score matrix is [1 5 3; 0 0 5]: column 0 holds 1 and 0, column 1 holds 5 and 0.
    got = forms.softmax_over_batch(target, negatives)
    assert got.tolist() == pytest.approx([np.log1p(np.exp(-1)), np.log1p(np.exp(5))])


@pytest.mark.parametrize(
    ("bug", "mixes"), [(name, name in ("batch mean in log", "softmax over batch")) for name, bug
                       in BUGS.items() if bug.value]
)  # fmt: skip
def test_the_registry_refuses_the_forms_that_mix_rows_and_no_others(bug, mixes):
    if mixes:
        with pytest.raises(ValueError, match="mixes rows|fails for"):
            LOSSES.add("museum", BUGS[bug].value)
    else:
        LOSSES.add("museum", BUGS[bug].value)
        LOSSES.remove("museum")


def test_the_log_inside_pulls_a_target_as_bpr_does():
    target, negatives = torch.tensor([1.0, -2.0]), torch.tensor([[0.0, 3.0], [1.0, 1.0]])
    pull, _ = loss_of(BUGS["log inside"]).gradient(target, negatives)
    torch.testing.assert_close(pull, LOSSES["bpr"].gradient(target, negatives)[0])


def test_a_target_in_its_own_softmax_is_pushed_down_where_it_leads():
    pull, _ = loss_of(BUGS["target in softmax"]).gradient(*(ONE[0] + 3, ONE[1]))
    assert pull.item() > 0


def carries(*steps):
    return [torch.tensor(step) for step in steps]


@pytest.mark.parametrize(
    ("wrong", "wanted"),
    [
        (never_reset, [[-1, -1], [0, 1], [0, 1], [0, 1]]),
        # Both rows start in step 0: a late reset falls on step 1; row 0 starts anew in step 1.
        (late_reset, [[-1, -1], [-1, -1], [-1, 1], [0, 1]]),
        (stale_reset, [[-1, -1], [-1, 1], [-1, 1], [-1, 1]]),
    ],
)
def test_resets_by_hand(wrong, wanted):
    right = carries([-1, -1], [-1, 1], [0, 1], [0, 1])
    assert [carry.tolist() for carry in wrong(right)] == wanted


@pytest.mark.parametrize("wrong", [never_reset, late_reset, stale_reset])
def test_a_wrong_reset_points_to_rows_that_were_there(wrong):
    right = [batch.carry for batch in session_parallel(SESSIONS, 8)]
    got = wrong(right)
    assert [len(carry) for carry in got] == [len(carry) for carry in right]
    rows = 8
    for carry in got:
        assert carry.max() < rows
        rows = len(carry)


def test_shuffled_sessions_have_the_same_clicks_in_another_order():
    got = shuffled(SESSIONS, np.random.default_rng(0))
    assert not np.array_equal(got.items, SESSIONS.items)
    for before, after in zip(
        np.split(SESSIONS.items, SESSIONS.offsets[1:-1]),
        np.split(got.items, got.offsets[1:-1]),
        strict=True,
    ):
        assert sorted(before) == sorted(after)


def test_the_museum_has_a_row_a_bug_and_the_sound_ones_first():
    table = museum(CONFIG, SESSIONS, SESSIONS, ["no reset in the test", "logq missing"])
    assert [*table.index] == [
        "sound, BPR-max", "sound, XE", "no reset in the test", "logq missing",
    ]  # fmt: skip
    assert table.kept["sound, XE"] == 1
    row = table.loc["logq missing"]
    assert row.kept == pytest.approx(row["mrr@20"] / table.loc["sound, XE", "mrr@20"])


def test_the_museum_trains_the_sound_loss_of_the_bugs_it_is_asked_for_alone():
    table = museum(CONFIG, SESSIONS, SESSIONS, ["double softmax", "sound, XE"])
    assert [*table.index] == ["sound, XE", "double softmax"]


def test_pulls_of_bugs_are_those_of_autograd_beside_the_sound_ones():
    at = gaussian_scores(31, 2.0, max_rows=4)
    found = pulls_of_bugs(at.target, at.negatives)
    assert set(found) == {name for name, bug in BUGS.items() if bug.value}
    log_inside = found["log inside"].curves
    bpr = gradient_by_rank(at.target, at.negatives, ["bpr", "bpr-max"]).curves
    np.testing.assert_allclose(log_inside["bpr-max, log inside"], bpr["bpr"], rtol=1e-5)
    np.testing.assert_allclose(log_inside["bpr-max"], bpr["bpr-max"], rtol=1e-6)
    with pytest.raises(ValueError, match="24 targets need at least 23 negatives each, got 22"):
        pulls_of_bugs(at.target, at.negatives[:, :22])


def test_ranks_without_resets_depend_on_the_batch_size_and_sound_ones_do_not():
    model = trained_with(BUGS["sound, BPR-max"], CONFIG, SESSIONS)
    careless = BUGS["no reset in the test"].judged(model, SESSIONS)
    sound, wrong = (
        [evaluate(each, SESSIONS, batch_size=size, all_ranks=True).ranks for size in (1, 20, 32)]
        for each in (model, careless)
    )
    assert np.array_equal(sound[0], sound[1])
    assert np.array_equal(sound[0], sound[2])
    assert not np.array_equal(wrong[0], wrong[2])
    # The first session of a row starts as it should.
    assert np.array_equal(wrong[0][: SESSIONS.lengths[0] - 1], sound[0][: SESSIONS.lengths[0] - 1])


def test_no_bug_changes_the_sessions_it_is_given():
    before = replace(SESSIONS, items=SESSIONS.items.copy())
    trained_with(BUGS["clicks shuffled"], CONFIG, SESSIONS)
    assert np.array_equal(before.items, SESSIONS.items)
