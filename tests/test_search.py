"""Searches: what is tried, what is told to optuna, what is found, and how they go on."""

import json
import signal
import subprocess
import sys

import pytest

from gru4rec_lab import SPACES, Config, load_sessions, search, sweep
from gru4rec_lab.sweeps import local
from gru4rec_lab.sweeps.search import JOURNAL, journal
from gru4rec_lab.sweeps.spaces import distribution, value_of
from gru4rec_lab.sweeps.trial import run_trial

from .labs import until

optuna = pytest.importorskip("optuna", reason="no package optuna: no search here")

TINY = Config(
    layers=(4,), batch_size=8, n_sample=4, n_epochs=1, device="cpu", step="plain", loss="bpr"
)
SPACE = {
    "loss": ["bpr", "bpr-max"],
    "learning_rate": (0.01, 0.2, "log"),
    "momentum": (0.0, 0.5, 0.05),
    "layers": (2, 6, 2),
}
SEARCHED = [*SPACE, "mrr@20", "error"]


@pytest.fixture(scope="module")
def split():
    return load_sessions("world:cycle", n_sessions=40, n_items=10).split_last(fraction=0.3)


def found(split, n_trials=12, space=SPACE, **how):
    return search(space, *split, config=TINY, n_trials=n_trials, progress=False, **how)


def columns(search):
    """All that a search with the same seed gives again."""
    return search.frame()[SEARCHED].to_dict("list")


@pytest.fixture(scope="module")
def twelve(split):
    return found(split)


# Spaces


@pytest.mark.parametrize("name", SPACES)
def test_the_official_spaces_hold_values_that_a_config_takes(name):
    for setting, given in SPACES[name].items():
        drawn = distribution(setting, given)
        if isinstance(given, tuple):
            ends = [value_of(setting, given, end) for end in (drawn.low, drawn.high)]
            assert ends == list(given[:2])
            assert drawn.step == given[2]
        else:
            ends = [value_of(setting, given, choice) for choice in drawn.choices]
        for value in ends:
            Config(**{setting: value})
    assert SPACES[name]["loss"] == [name]
    assert ("bpreg" in SPACES[name]) == (name == "bpr-max")


def test_a_range_is_whole_where_the_setting_is_and_values_are_choices():
    kinds = optuna.distributions
    assert distribution("layers", (64, 512, 32)) == kinds.IntDistribution(64, 512, step=32)
    assert distribution("n_sample", (1, 512, "log")) == kinds.IntDistribution(1, 512, log=True)
    assert distribution("momentum", (0, 1 / 2)) == kinds.FloatDistribution(0.0, 0.5)
    assert distribution("momentum", (0, 0.7, 0.05)) == kinds.FloatDistribution(0.0, 0.7, step=0.05)
    assert distribution("n_sample", [0, "all"]) == kinds.CategoricalDistribution([0, "all"])
    assert distribution("layers", [8, (8, 4)]) == kinds.CategoricalDistribution(["(8,)", "(8, 4)"])
    assert value_of("layers", [8, (8, 4)], "(8, 4)") == (8, 4)
    assert distribution("loss", "bpr") == kinds.CategoricalDistribution(["bpr"])
    assert value_of("momentum", (0, 0.7, 0.05), 0.15000000000000002) == 0.15


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "a space is a dictionary with at least one setting"),
        ("hinge", "unknown space 'hinge'; choose one of cross-entropy, bpr-max"),
        ({"n_samples": [1]}, "unknown setting 'n_samples'; choose one of layers"),
        ({"loss": []}, "loss has no values"),
        ({"loss": ["hinge"]}, "unknown loss 'hinge'"),
        ({"loss": ("bpr", "bpr-max")}, "loss has no range; give its values in a list"),
        ({"n_sample": (0,)}, "n_sample: a range is"),
        ({"momentum": (0.5, 0.1)}, "momentum: the range .* does not rise"),
        ({"momentum": (0.1, 1.5)}, "momentum must be a number of at least 0"),
        ({"momentum": (0.0, 0.5, "log")}, "momentum: a logarithmic range begins above 0"),
        ({"momentum": (0.0, 0.5, -1)}, "momentum: the third entry of a range is 'log' or a step"),
        ({"momentum": (0.0, 0.5, 0.2)}, "momentum: steps of 0.2 from 0.0 do not end at 0.5"),
        ({"layers": (2, 6, 0.5)}, "layers: the third entry .* a whole one"),
        ({"layers": ((2, 2), 6)}, "layers: a range has numbers at its ends"),
        ({"n_sample": (0, "all")}, "n_sample: a range has numbers at its ends"),
    ],
)  # fmt: skip
def test_a_space_that_makes_no_sense_is_refused_and_the_setting_named(split, space, message):
    with pytest.raises(ValueError, match=message):
        found(split, space=space)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"n_trials": 0}, "n_trials must be a whole number of at least 1, got 0"),
        ({"metric": "mrr"}, "unknown metric 'mrr'; it is recall@ or mrr@ and a cut-off"),
        ({"metric": "ndcg@20"}, "unknown metric 'ndcg@20'"),
        ({"metric": "mrr@0"}, "unknown metric 'mrr@0'"),
        ({"seed": 2**64}, "seed must be a whole number"),
        ({"backend": "threads"}, "unknown backend 'threads'"),
        ({"n_jobs": 2}, "n_jobs=2 is not possible with backend='serial'"),
        ({"n_jobs": 0, "backend": "loky"}, "n_jobs must be .* at least 1, got 0"),
        ({"n_jobs": 0, "backend": "dask"}, "n_jobs must be .* at least 1, got 0"),
    ],
)
def test_what_a_search_cannot_do_is_refused_before_anything_is_kept(split, tmp_path, how, message):
    with pytest.raises(ValueError, match=message):
        found(split, store=tmp_path / "new", **how)
    assert not (tmp_path / "new" / JOURNAL).exists()


def test_without_optuna_the_error_says_what_to_install(split, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna.distributions", None)
    with pytest.raises(ValueError, match=r"pip install 'gru4rec-lab\[search\]'"):
        found(split)


# What is found


def test_a_search_is_the_same_for_a_seed_and_another_for_another(split, twelve, capfd):
    assert columns(found(split)) == columns(twelve)
    assert columns(found(split, seed=1)) != columns(twelve)
    assert capfd.readouterr() == ("", "")


def test_the_best_is_that_of_the_frame_and_of_optuna(twelve):
    frame = twelve.frame()
    best = frame.loc[frame["mrr@20"].idxmax()]
    assert isinstance(twelve.best, Config)
    for name in SPACE:
        assert getattr(twelve.best, name) == best[name]
    assert twelve.best.n_sample == TINY.n_sample
    assert twelve.study.best_value == best["mrr@20"]
    assert repr(twelve) == f"12 trials: 12 done; mrr@20 up to {best['mrr@20']:.4f}"
    assert twelve.results.history(0)["epoch"].iloc[-1] == TINY.n_epochs


def test_the_metric_is_what_is_maximised(split):
    result = found(split, 3, metric="recall@5")
    assert result.study.best_value == result.frame()["recall@5"].max()


def test_importance_is_a_share_of_each_setting_that_varies(split, twelve):
    shares = twelve.importance()
    assert shares.keys() == SPACE.keys()
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    one = found(split, 10, {"loss": "bpr", "learning_rate": (0.01, 0.2)})
    assert one.importance() == {"learning_rate": 1.0}
    with pytest.raises(ValueError, match="importance needs 10 trials that ended well, here are 2"):
        found(split, 2).importance()


def test_a_failed_trial_is_a_row_and_told_to_optuna(split):
    space = {"learning_rate": [0.1, 1e38], "loss": ["cross-entropy"]}
    result = found(split, 6, space)
    errors = result.frame()["error"]
    assert errors.dropna().str.startswith("NonFiniteLoss").all()
    assert 0 < errors.isna().sum() < 6
    states = [trial.state for trial in result.study.trials]
    assert [state == optuna.trial.TrialState.FAIL for state in states] == errors.notna().tolist()
    assert result.best.learning_rate == 0.1
    with pytest.raises(ValueError, match="no trial has ended well: 1 trials: 1 failed"):
        _ = found(split, 1, space | {"learning_rate": [1e38]}).best


def test_settings_that_do_not_go_together_are_a_failed_trial(split):
    result = found(split, 8, {"embedding": [0, 3], "constrained_embedding": [True, False]})
    odd = result.frame()[lambda frame: frame["error"].notna()]
    assert (odd["embedding"] == 3).all()
    assert odd["constrained_embedding"].all()
    assert odd["error"].str.contains("a constrained embedding has the size").all()
    assert 0 < len(odd) < 8
    assert repr(result).startswith(f"8 trials: {8 - len(odd)} done, {len(odd)} failed; mrr@20")


# What is kept


def test_what_is_in_the_store_is_not_trained_again(split, tmp_path, twelve, monkeypatch):
    trials = list(dict.fromkeys(TINY.with_changes(**{
        name: row[name] for name in SPACE}) for row in twelve.results.rows))  # fmt: skip
    sweep(trials, *split, store=tmp_path, progress=False)
    monkeypatch.setattr(local, "run_trial", None)
    assert columns(found(split, store=tmp_path)) == columns(twelve)


def test_a_search_goes_on_as_if_it_had_not_ended(split, tmp_path, twelve):
    found(split, 5, store=tmp_path)
    assert columns(found(split, 12, store=str(tmp_path))) == columns(twelve)


def test_the_journal_is_read_by_optuna_and_has_a_study_for_each_search(split, tmp_path):
    result = found(split, 3, store=tmp_path)
    found(split, 2, store=tmp_path, seed=1)
    found(split, 2, store=tmp_path, space={"loss": ["bpr", "bpr-max"]})
    assert len(optuna.get_all_study_names(journal(tmp_path))) == 3
    loaded = optuna.load_study(study_name=result.study.study_name, storage=journal(tmp_path))
    assert loaded.best_value == result.frame()["mrr@20"].max()
    assert len(loaded.trials) == 3


def test_an_interrupt_keeps_what_was_found_and_the_search_goes_on(
    split, tmp_path, twelve, monkeypatch
):
    calls = []

    def interrupted(*task):
        calls.append(task)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return run_trial(*task)

    with monkeypatch.context() as patched:
        patched.setattr(local, "run_trial", interrupted)
        assert repr(found(split, store=tmp_path)).startswith("4 trials: 3 done, 1 not run; mrr@20")
    assert columns(found(split, store=tmp_path)) == columns(twelve)


KILLED = """
import sys
from gru4rec_lab import load_sessions, search
from tests.test_search import SPACE, TINY
split = load_sessions("world:cycle", n_sessions=40, n_items=10).split_last(fraction=0.3)
search(SPACE, *split, config=TINY, n_trials=100_000, store=sys.argv[1], progress=False)
"""


def test_a_search_that_is_killed_goes_on(split, tmp_path, twelve):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)])
    until(lambda: len(list(tmp_path.glob("*.jsonl"))) >= 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (tmp_path / f"{JOURNAL}.lock").unlink(missing_ok=True)  # else optuna waits for it for 30 s
    n_there = len(found(split, 1, store=tmp_path).results)
    again = found(split, max(12, n_there), store=tmp_path)
    assert again.frame()["error"].isna().all()
    assert {name: values[:12] for name, values in columns(again).items()} == columns(twelve)


def test_half_a_line_at_the_end_of_the_journal_is_taken_out(split, tmp_path, twelve):
    found(split, 3, store=tmp_path)
    path = tmp_path / JOURNAL
    with path.open("a") as file:
        file.write('{"op_code": 4, "study')
    assert columns(found(split, 12, store=tmp_path)) == columns(twelve)
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_choice_that_was_cut_short_counts_for_nothing(split, tmp_path, twelve):
    result = found(split, 3, store=tmp_path)
    study = optuna.load_study(study_name=result.study.study_name, storage=journal(tmp_path))
    study.ask({"loss": distribution("loss", SPACE["loss"])})
    again = found(split, 4, store=tmp_path)
    assert {name: values[:4] for name, values in columns(twelve).items()} == columns(again)


# Processes


@pytest.mark.slow
def test_processes_choose_the_same_points_again(split):
    first, again = (found(split, 5, backend="loky", n_jobs=2) for _ in range(2))
    assert columns(first) == columns(again)
    assert repr(first).startswith("5 trials: 5 done")
