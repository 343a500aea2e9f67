"""The checks of the exercises: one line each, whatever a learner hands in."""

import importlib
import json
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from gru4rec_lab import (
    LOSSES,
    Config,
    Controls,
    Step,
    exercises,
    load_sessions,
    network_of,
    session_parallel,
)
from gru4rec_lab.exercises import Check, check_batches, check_step, check_training
from gru4rec_lab.exercises.check import difference
from gru4rec_lab.exercises.losses_by_hand import check_bpr
from gru4rec_lab.exercises.newer_losses import own_loss_verdict

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
TARGET, NEGATIVES = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 3.0], [2.0, 0.0]])


def row_mean(target, negatives):
    return target - negatives.mean(dim=1)


def twice(target, negatives):
    return 2 * row_mean(target, negatives)


def both(target, negatives):
    return row_mean(target, negatives), negatives.argmax(dim=1)


CHECK = Check(
    "lead",
    row_mean,
    lambda: {"two rows": (TARGET, NEGATIVES)},
    mistakes={"that is twice the lead": twice},
)
PAIR = Check("pair", both, CHECK.cases, parts=("lead", "best"))


def every_check():
    for module in pkgutil.iter_modules(exercises.__path__):
        found = importlib.import_module(f"gru4rec_lab.exercises.{module.name}")
        yield from (check for check in vars(found).values() if isinstance(check, Check))


EVERY = {check.name: check for check in every_check()}


def stub(*scores):
    raise NotImplementedError


def adds_in_place(target, negatives):
    negatives += 1
    return row_mean(target, negatives - 1)


def crashes(target, negatives):
    return negatives.reshape(3, 3)


def crashes_at_length(target, negatives):
    raise ValueError("many\nlines\n" * 100)


@pytest.mark.parametrize(
    ("attempt", "verdict"),
    [
        (stub, "lead: not attempted yet"),
        (row_mean, "lead: correct"),
        (lambda t, n: row_mean(t, n).double(), "lead: correct"),
        (lambda t, n: row_mean(t.requires_grad_(), n), "lead: correct"),
        (
            lambda t, n: t[:, None] - n,
            "lead: wrong shape: want [2], got [2, 2] (case: two rows)",
        ),
        (
            lambda t, n: row_mean(t, n) + torch.tensor([0, 0.5]),
            "lead: row 1 should be 1, not 1.5 (case: two rows)",
        ),
        (
            lambda t, n: row_mean(t, n) + torch.tensor([0, 0.0005]),
            "lead: row 1 should be 1, not 1.0005 (case: two rows)",
        ),
        (
            lambda t, n: row_mean(t, n) * torch.nan,
            "lead: row 0 should be -1, not NaN (case: two rows)",
        ),
        (twice, "lead: row 0 should be -1, not -2; that is twice the lead (case: two rows)"),
        (
            lambda t, n: None,
            "lead: your function returned nothing; end it with return (case: two rows)",
        ),
        (
            lambda t, n: row_mean(t, n).tolist(),
            "lead: wrong type: want a tensor of shape [2], got list (case: two rows)",
        ),
        (
            adds_in_place,
            "lead: your function changes its argument negatives in place; work on a copy "
            "(case: two rows)",
        ),
        (
            crashes,
            "lead: your function raised RuntimeError: shape '[3, 3]' is invalid for input of size 4"
            " at `return negatives.reshape(3, 3)` (case: two rows)",
        ),
        (
            TARGET,
            "lead: give the function itself, without calling it; got a tensor of shape [2]",
        ),
    ],
)
def test_verdict_says_what_is_wrong(attempt, verdict, capsys):
    assert CHECK(attempt) is None
    assert capsys.readouterr().out == verdict + "\n"


def test_arguments_that_do_not_fit_are_an_error_of_the_learners_function():
    assert "raised TypeError" in CHECK.verdict(lambda target: target)


def test_long_message_of_an_exception_stays_one_line():
    verdict = CHECK.verdict(crashes_at_length)
    assert "\n" not in verdict
    assert len(verdict) < 400


def test_learner_who_changes_an_argument_does_not_change_the_next_attempt():
    CHECK.verdict(adds_in_place)
    assert CHECK.verdict(row_mean) == "lead: correct"


@pytest.mark.parametrize(
    ("attempt", "wrong"),
    [
        (both, "correct"),
        (row_mean, "wrong type: want 2 results, got a tensor of shape [2] (case: two rows)"),
        (lambda t, n: (0,), "wrong number of results: want 2, got 1 (case: two rows)"),
        (
            lambda t, n: (row_mean(t, n), n.argmin(dim=1)),
            "best: row 0 should be 1, not 0 (case: two rows)",
        ),
    ],
)
def test_results_of_several_parts_are_told_apart(attempt, wrong):
    assert PAIR.verdict(attempt) == f"pair: {wrong}"


@pytest.mark.parametrize(
    ("got", "want", "wrong"),
    [
        (3, 3, ""),
        (torch.tensor(3.0), 3, ""),
        (np.float32(0.1), 0.1, ""),
        (True, True, ""),
        (3, 4, "should be 4, not 3"),
        ("bpr", "bpr", ""),
        ("bpr", "top1", "should be 'top1', not 'bpr'"),
        ("bpr", 2, "wrong type: want a number, got str"),
        (torch.zeros(1), 0.0, "wrong shape: want [], got [1]"),
        (torch.tensor([True]), torch.tensor([False]), "row 0 should be False, not True"),
        (np.array([1, 2]), torch.tensor([1, 2]), ""),
        (torch.zeros(2, 3), torch.eye(2, 3), "row 0, column 0 should be 1, not 0"),
        (torch.zeros(1, 1, 2), torch.ones(1, 1, 2), "entry [0, 0, 0] should be 1, not 0"),
        (torch.tensor([-torch.inf]), torch.tensor([-torch.inf]), ""),
        ([1, 2], [1, 3], "result 1: should be 3, not 2"),
    ],
)
def test_difference_in_words(got, want, wrong):
    assert difference(got, want) == wrong


@pytest.mark.parametrize("check", EVERY.values(), ids=EVERY)
def test_every_check_accepts_the_answer_and_names_every_mistake(check):
    assert check.verdict(stub) == f"{check.name}: not attempted yet"
    assert check.verdict(check.answer) == f"{check.name}: correct"
    for words, mistaken in check.mistakes.items():
        assert words in check.verdict(mistaken)


def only_what_lies_above(target, negatives):
    pull = negatives.sub(target[:, None]).sigmoid().mean(dim=1)
    return pull, pull


@pytest.mark.parametrize(
    ("name", "attempt", "words"),
    [
        ("recall", lambda ranks, k: (ranks <= k).sum() / k, "number of targets"),
        ("pulls", only_what_lies_above, "BPR-max: row 0 should be"),
        ("pulls", lambda t, n: (n.sub(t[:, None]).sigmoid().sum(1), t), "mean of the q_j"),
        ("share kept", lambda p, r, n: p[r <= 6].median() / p[r >= n / 4].median(), "0 to 5"),
        (
            "share kept",
            lambda p, r, n: p[r < 6].quantile(0.5) / p[r >= n / 4].quantile(0.5),
            "corr",
        ),
        ("score_regulariser", lambda n: n.square().sum(dim=1), "without weights"),
    ],
)
def test_what_is_nearly_right_is_told_what_is_wrong(name, attempt, words):
    assert words in EVERY[name].verdict(attempt)


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (stub, "not attempted yet"),
        (lambda target, negatives: negatives.mean(), "value of your loss must return (5,)"),
        (lambda target, negatives: negatives.exp().sum(dim=1), "is inf for target"),
        (LOSSES["bpr"].value, "that is bpr; change what"),
        (lambda target, negatives: negatives.mean(dim=1) - target, "it trains, to MRR@20 0."),
        (
            lambda target, negatives: (1 + negatives.amax(dim=1) - target).clamp(min=0),
            "correct",
        ),
    ],
)  # fmt: skip
def test_a_loss_of_ones_own_must_be_sound_new_and_better_than_bpr(attempt, words):
    assert words in own_loss_verdict(attempt)
    assert "being-checked" not in LOSSES


def test_results_of_each_entry_of_a_list_are_told_apart():
    got, want = [([1], [2])], [([1], [3])]
    assert difference(got, want, ("inputs", "targets")) == (
        "result 0: targets: result 0: should be 3, not 2"
    )


def test_a_lesson_goes_on_with_what_is_correct_or_else_with_the_answer():
    also_right = lambda target, negatives: row_mean(target, negatives)  # noqa: E731
    assert CHECK.or_answer(also_right) is also_right
    assert CHECK.or_answer(twice) is CHECK.or_answer(stub) is row_mean


def test_steps_by_hand_are_those_of_the_library_up_to_rounding():
    sessions = load_sessions("world:markov", n_sessions=40, n_items=20)
    config = Config(layers=(6,), loss="bpr-max", bpreg=0, elu_param=0, batch_size=8)
    network = network_of(config, 20, torch.Generator().manual_seed(0)).double()
    weights = [weight.detach().clone() for weight in network.parameters()]
    clicks = [part.tolist() for part in np.split(sessions.items, sessions.offsets[1:-1])]
    by_hand, schedule = check_batches.answer(clicks, 8), list(session_parallel(sessions, 8))
    extras = [torch.arange(k, k + 9) % 20 for k in range(len(schedule))]
    losses, trained = check_training.answer(check_step.answer, weights, by_hand, extras, config)
    library = Step(network, torch.from_numpy(sessions.support), batch_size=8)
    settings = Controls.of(config).settings
    pairs = zip(schedule, extras, strict=True)
    assert losses == pytest.approx([library(*pair, settings).item() for pair in pairs], abs=1e-12)
    for mine, theirs in zip(trained, network.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs.detach())


def test_no_two_checks_have_the_same_name():
    assert len(EVERY) == len(list(every_check()))


def test_bpr_by_hand_is_the_mean_of_minus_log_sigma():
    assert (
        check_bpr.verdict(lambda t, n: -(t[:, None] - n).sigmoid().log().mean(dim=1))
        == "bpr: correct"
    )
    assert "the mean" in check_bpr.verdict(lambda t, n: -(t[:, None] - n).sigmoid().log().sum(1))
    assert "wrong shape" in check_bpr.verdict(lambda t, n: -(t[:, None] - n).sigmoid().log())
    assert "should be" in check_bpr.verdict(LOSSES["top1"].value)


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def checked(path):
    """Each call of a check in a notebook with the line that it printed."""
    for cell in code_cells(path):
        called = re.findall(r"^check_\w+\(\w+\)", "".join(cell["source"]), re.MULTILINE)
        printed = "".join(line for output in cell["outputs"] for line in output.get("text", ""))
        yield from zip(called, printed.splitlines(), strict=True) if called else ()


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_exercise_is_stored_open_and_solved_in_the_solutions(path):
    stubs = sum("raise NotImplementedError" in "".join(cell["source"]) for cell in code_cells(path))
    open_ones = list(checked(path))
    assert stubs == len(open_ones), "an exercise is one cell: a stub and its check"
    assert all(line.endswith(": not attempted yet") for _, line in open_ones)
    if stubs:
        solved = list(checked(path.parent / "solutions" / path.name))
        assert [call for call, _ in solved] == [call for call, _ in open_ones]
        assert all(line.endswith(": correct") for _, line in solved)
