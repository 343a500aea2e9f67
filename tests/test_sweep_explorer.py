"""SweepExplorer and what it draws, headless."""

import numpy as np
import pandas as pd
import pytest

from gru4rec_lab import Config, grid, load_sessions
from gru4rec_lab.plots.sweep_panes import alpha_map, by_n_sample, in_words
from gru4rec_lab.sweeps.estimate import Estimator
from gru4rec_lab.sweeps.live import LiveSweep
from gru4rec_lab.widgets import SweepExplorer

pytestmark = pytest.mark.usefixtures("no_thread_or_panel_is_left")
QUICK = Config(layers=(4,), batch_size=8, report_every=5, device="cpu")
BOX = (0, 0, 1, 1)


@pytest.fixture(scope="module")
def world():
    sessions = load_sessions("world:cycle", n_sessions=60, n_items=20)
    return sessions.split_last(fraction=0.3)


@pytest.fixture
def panel(world):
    made = SweepExplorer(*world, QUICK)
    made.workers.value = 1
    made.wait()
    yield made
    made.close()


def run(panel, **values):
    for name, value in values.items():
        getattr(panel, name).value = value
    panel.start()
    assert panel.wait()
    return panel.frame()


def numbers(trials):
    """A frame of trials as a sweep gives it."""
    rows = [
        {"loss": loss, "n_sample": size, "sample_alpha": alpha, "seed": seed, "error": error,
         "recall@20": value, "mrr@20": value / 2, "recall@1": value / 4, "seconds": 1.0}
        for loss, size, alpha, seed, value, error in trials
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_grid_is_trained_and_each_trial_is_a_point(panel):
    frame = run(panel, n_sample="0, 8, all", seed="0, 1")
    assert panel.state == "finished"
    assert panel.words.value == "12 trials: 12 done"
    lines = panel.picture.line("recall@20 bpr")
    assert lines.shape == (2, 3)
    means = frame[frame.loss == "bpr"].groupby("n_sample")["recall@20"].mean()
    assert np.allclose(lines[1], [means[0], means[8], means["all"]])
    bars = panel.picture.line("recall@20 bpr bars")
    spread = frame[frame.loss == "bpr"].groupby("n_sample")["recall@20"].std()
    assert np.allclose(bars[1][:2], [means[0] - spread[0], means[0] + spread[0]])
    assert set(panel.picture.picture["panes"]) == {
        "recall@20", "mrr@20", "seconds", "map", "history"
    }  # fmt: skip
    assert "bpr at most" in panel.picture.words["about"]
    assert panel.failures.value == ""


def test_a_click_on_a_point_draws_the_history_of_its_trial(panel):
    run(panel, n_sample="0, 8")
    frame = panel.frame()
    panel.picture.picked = ["mrr@20 bpr-max", 1]
    chosen = frame.loc[panel.trial.value]
    assert (chosen.loss, chosen.n_sample) == ("bpr-max", 8)
    history = panel.results.history(panel.trial.value)
    assert np.allclose(panel.picture.line("history"), history[["step", "loss"]].to_numpy().T)
    assert "bpr-max, 8 extra" in panel.picture.picture["panes"]["history"]["title"]
    panel.picture.picked = ["map", 0]
    assert frame.loc[panel.trial.value].loss == panel.map_loss.value == "bpr"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("n_sample", "0, x", "x"),
        ("n_sample", "-1", "-1"),
        ("n_sample", "", "no values"),
        ("sample_alpha", "0, half", "half"),
        ("seed", "1.5", "1.5"),
    ],
)
def test_a_wrong_list_is_told_at_its_field_and_nothing_starts(panel, name, value, told):
    getattr(panel, name).value = value
    assert told in panel._fields[name].note.value
    assert told in panel.error
    assert panel.estimate.value == ""
    panel.buttons["start"].click()
    assert (panel.state, told in panel.error) == ("idle", True)
    getattr(panel, name).value = "1"
    assert not panel._fields[name].note.value
    assert not panel.error


def test_no_loss_is_no_grid(panel):
    for box in panel.losses.values():
        box.value = False
    assert "tick at least one" in panel.error


def test_the_grid_says_how_many_trials_and_how_long_before_it_starts(panel):
    assert panel.estimate.value.startswith("6 trials, about ")
    panel.seed.value = "0, 1"
    assert panel.estimate.value.startswith("12 trials, about ")


def test_an_estimate_grows_with_epochs_and_is_shared_by_processes(world):
    estimator = Estimator(*world)
    trials = grid(QUICK, n_sample=[0, 8], n_epochs=1)
    once = estimator.seconds(trials)
    assert estimator.seconds(grid(QUICK, n_sample=[0, 8], n_epochs=3)) == pytest.approx(3 * once)
    assert once / 2 <= estimator.seconds(trials, 2) < once
    assert estimator.seconds(grid(QUICK, n_sample=["all"])) <= estimator.seconds(
        grid(QUICK, n_sample=[20])
    )
    assert estimator.seconds([]) == 0


def test_sessions_that_cannot_be_measured_are_told_once(world):
    train_set, test_set = world
    calls = []

    def data():
        calls.append(1)
        raise ValueError("no such clicks")

    live = LiveSweep()
    for _ in range(3):
        assert live.seconds(grid(QUICK), "odd", data, 1) is None
        live.wait()
    assert (len(calls), str(live.error)) == (1, "no such clicks")
    live.start(grid(QUICK), lambda: (train_set, test_set))
    assert live.wait()
    assert (live.state, live.error, len(live.results)) == ("finished", None, 1)


def test_what_is_in_the_store_is_not_trained_again_and_can_be_loaded(world, tmp_path):
    first = SweepExplorer(*world, QUICK, store=tmp_path / "kept", key="first")
    first.workers.value = 1
    once = run(first, n_sample="0, 8")
    again = run(first, n_sample="8, 16")
    kept = once[once.n_sample == 8].set_index("loss").seconds
    assert again[again.n_sample == 8].set_index("loss").seconds.equals(kept)
    second = SweepExplorer(*world, QUICK, store=tmp_path / "kept", key="second")
    second.load()
    assert sorted(second.frame().n_sample) == [0, 0, 8, 8, 16, 16]
    assert second.state == "idle"
    second.store.value = str(tmp_path / "none")
    second.buttons["load"].click()
    assert "no trials in" in second.error
    first.close()
    second.close()


def test_a_sweep_that_is_cancelled_keeps_what_has_ended(world):
    panel = SweepExplorer(*world, QUICK)
    panel.workers.value, panel.epochs.value = 1, 1000
    panel.wait()
    panel.start()
    with pytest.raises(RuntimeError, match="running"):
        panel.sweep.start(panel.trials, lambda: world)
    assert panel.buttons["start"].disabled
    panel.buttons["load"].click()
    assert "cancel it first" in panel.error
    panel.cancel()
    assert panel.state == "cancelled"
    assert "not run" in panel.words.value
    assert not panel.buttons["start"].disabled
    panel.close()


def test_a_trial_that_fails_is_listed_and_the_others_are_drawn(world):
    panel = SweepExplorer(*world, QUICK.with_changes(learning_rate=1e30))
    panel.workers.value = 1
    frame = run(panel, n_sample="0")
    assert frame.error.notna().all()
    assert panel.failures.value.count("NonFinite") == 2
    assert panel.picture.line("recall@20 bpr").size == 0
    panel.close()


def test_a_store_that_cannot_be_written_is_told_in_the_panel(panel, tmp_path):
    (tmp_path / "file").write_text("")
    panel.store.value = str(tmp_path / "file" / "store")
    panel.buttons["start"].click()
    panel.wait()
    assert "cannot write" in panel.error
    panel.update()
    assert "cannot write" in panel.error
    assert panel.state.startswith("failed")


def test_picture_and_numbers_are_saved(panel, tmp_path):
    run(panel, n_sample="0")
    assert panel.save_picture(tmp_path / "sweep.svg").stat().st_size > 1000
    saved = pd.read_csv(panel.save_numbers(tmp_path / "sweep.csv"))
    assert saved["recall@20"].tolist() == pytest.approx(panel.frame()["recall@20"].tolist())


def test_trials_of_one_point_are_a_mean_with_a_bar_and_a_gap_where_none_ended():
    frame = numbers(
        [
            ("bpr", 0, 0.5, 0, 0.2, None), ("bpr", 0, 0.5, 1, 0.4, None),
            ("bpr", "all", 0.5, 0, 0.5, None), ("bpr", 32, 0.5, 0, np.nan, "it failed"),
        ]
    )  # fmt: skip
    part = by_n_sample("quality", frame, "recall@20", BOX)
    assert np.allclose(part.numbers["quality bpr"], [[0, 2], [0.3, 0.5]])
    low, high, gap = part.numbers["quality bpr bars"][1][:3]
    assert (low, high) == pytest.approx((0.3 - 0.1 * 2**0.5, 0.3 + 0.1 * 2**0.5))
    assert np.isnan(gap)
    assert np.isnan(part.numbers["quality bpr bars"][1][3:]).all(), "one seed has no bar"
    assert [text for _, text in part.pane.x.ticks] == ["0", "32", "all"]
    assert part.trials["quality bpr"] == [0, 2]
    assert "bpr at most 0.500 at n_sample all" in in_words(frame, ["recall@20"])


def test_a_map_has_a_cell_for_each_pair_that_ended_the_deepest_the_best():
    frame = numbers(
        [
            ("bpr", 0, 0.0, 0, 0.2, None),
            ("bpr", 8, 0.0, 0, 0.4, None),
            ("bpr", 8, 1.0, 0, 0.3, None),
        ]
    )
    part = alpha_map("map", frame, "recall@20", BOX, "title")
    x, y, colours = part.numbers["map"]
    assert list(zip(x, y, strict=True)) == [(0, 0), (1, 0), (1, 1)]
    assert colours.argmin() == 1, "the greatest is the deepest"
    assert part.texts["map numbers"] == ["0.200", "0.400", "0.300"]
    assert part.texts["map"][2] == "n_sample 8, alpha 1.0: 0.3000"


def test_with_no_trial_there_is_nothing_to_draw(panel):
    assert panel.picture.picture["panes"] == {}
    assert panel.trial.options == ("-",)


def test_only_data_that_is_here_is_offered(panel, monkeypatch, tmp_path):
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path))
    made = SweepExplorer(*panel._given, QUICK, key="offers")
    made.wait()
    assert "flights" in made.data.options
    assert "e-shop" not in made.data.options
    made.close()
