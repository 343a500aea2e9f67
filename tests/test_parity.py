"""The library against numbers recorded from the official PyTorch code; see parity/README.md."""

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
import torch

from gru4rec_lab.batches import Batch, session_parallel
from gru4rec_lab.config import Config
from gru4rec_lab.data.sessions import Sessions
from gru4rec_lab.device import generator
from gru4rec_lab.evaluation import evaluate
from gru4rec_lab.kernels.columns import merge
from gru4rec_lab.losses import LOSSES
from gru4rec_lab.model import Network, carried
from gru4rec_lab.recommender import Recommender
from gru4rec_lab.sampling import official_logq, popularity_weight
from gru4rec_lab.score_matrix import loss_and_gradient
from gru4rec_lab.training.choice import choose_step
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.step import Step

GOLDEN = Path(__file__).parent / "parity"
CONFIGURATIONS = sorted(path.stem for path in GOLDEN.glob("[1-8]_*.npz"))
CUDA = pytest.param("cuda", marks=pytest.mark.gpu)
every_step = pytest.mark.parametrize("kind", ["plain", "numba", CUDA])
CORRECTED = [name for name in CONFIGURATIONS if "logq1" in name]
# Official names of weights and ours, where more than the prefix differs.
NAMES = {
    "Wy.weight": "items",
    "By.weight": "bias",
    "E.weight": "inputs",
    "GE.Wx0.weight": "inputs",
    "GE.Wrz0": "layers.0.recurrent_gates",
    "GE.Wh0": "layers.0.recurrent_candidate",
    "GE.Bh0": "layers.0.bias",
}


def ours(name):
    return NAMES.get(name) or name.replace("G.", "layers.")


@cache
def golden(name):
    with np.load(GOLDEN / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


@cache
def clicks(name):
    return Sessions.from_frame(pd.read_csv(GOLDEN / f"{name}.csv.gz"))


def recorded_settings(name):
    given = json.loads(str(golden(name)["settings"]))
    live = Settings.of(Config()).__dict__ | {"elu_param": 0.0, "bpreg": 0.0, "sample_alpha": 0.5}
    return Settings(**live | {key: value for key, value in given.items() if key in live}), given


def recorded_batches(name, device="cpu"):
    shared, kind = golden("shared"), "unsampled" if "nosample" in name else "sampled"
    arrays = [shared[f"{kind}/{key}"] for key in ("input", "target", "hidden_from")]
    for step, n_rows in enumerate(shared[f"{kind}/n_rows"]):
        rows = (torch.from_numpy(array[step, :n_rows].astype(np.int64)) for array in arrays)
        yield Batch(*(row.to(device) for row in rows))


def starting_network(name, dtype):
    _, given = recorded_settings(name)
    network = Network(
        294,
        tuple(given["layers"]),
        embedding=given["embedding_size"],
        constrained_embedding=given["mode"] == "shared",
        generator=generator(0, "weights"),
    )
    start = {ours(key[5:]): value for key, value in golden(name).items() if key.startswith("init/")}
    network.load_state_dict({key: torch.from_numpy(value) for key, value in start.items()})
    return network.to(dtype)


def official_miscount(often, targets, negatives, *, logq):
    """The official loop always calls 32 columns in-batch, also when fewer rows are left."""
    columns = torch.cat([targets, negatives])
    in_batch = torch.arange(len(columns), device=columns.device) < 32
    return logq * often.support[columns].where(in_batch, often.extra[columns]).log()


def merge_with_miscount(targets, negatives, inputs, *rest):
    """The same for merged columns: the first samples count as targets until there are 32."""
    n, n_rows = merge(targets, negatives, inputs, *rest)
    items, counts = rest[2][:n], rest[-1][:, :n]
    for item in negatives[: 32 - len(targets)]:
        counts[:, items == item] += [[1], [-1]]
    return n, n_rows


def snapshot(step):
    copies = {
        "weights": dict(step.network.named_parameters()),
        "acc": step.optimiser.accumulated,
        "vel": step.optimiser.velocity,
    }
    return {
        kind: {key: value.detach().cpu().clone() for key, value in tensors.items()}
        for kind, tensors in copies.items()
    }


@cache
def replay(name, dtype=torch.float64, n_steps=None, miscounts=True, kind="plain"):
    """Replay both recorded epochs (or `n_steps` of them): by "plain", "numba", or plain on CUDA."""
    settings, _ = recorded_settings(name)
    device = "cuda" if kind == "cuda" else "cpu"
    network = starting_network(name, dtype).to(device)
    step = Step(network, torch.from_numpy(golden("shared")["support"]), batch_size=32)
    step = choose_step("plain" if kind == "cuda" else kind, step, settings)
    assert step.name == ("plain" if kind == "cuda" else kind)
    losses, snapshots, hidden = [], {}, None
    batches = list(recorded_batches(name, device))
    correction = official_miscount if miscounts else official_logq
    merging = merge_with_miscount if miscounts else merge
    with (
        patch("gru4rec_lab.sampling.official_logq", correction),
        patch("gru4rec_lab.training.numba_step.output.merge", merging),
    ):
        for number, batch in enumerate(batches * 2, start=1):
            if number - 1 in (0, len(batches)):
                step.begin_epoch()
            negatives = torch.from_numpy(golden(name)["negatives"][number - 1].astype(np.int64))
            losses.append(float(step(batch, negatives.to(device), settings)))
            if number in (1, 10, len(batches), 2 * len(batches)):
                snapshots[number] = snapshot(step)
            if number == 1:
                hidden = step.hidden
            if number == n_steps:
                break
    return SimpleNamespace(
        losses=np.array(losses), after=snapshots, step=step, hidden=hidden, per_epoch=len(batches)
    )


def largest_gap(name, state, prefix):
    """Largest absolute difference of any recorded number of `state` to the library's."""
    every, gaps = int(golden(name)["every"]), []
    for key, expected in golden(name).items():
        if key.startswith(prefix + "/"):
            got = state[ours(key[len(prefix) + 1 :])][::every].numpy()
            assert got.shape == expected.shape
            gaps.append(np.abs(got - expected).max())
    assert len(gaps) >= 6
    return max(gaps)


def is_unsampled(name):
    return "nosample" in name


def test_all_eight_recorded_configurations_are_here():
    assert [name[0] for name in CONFIGURATIONS] == list("12345678")


def test_items_are_numbered_as_the_official_code_numbers_them():
    train, shared = clicks("train"), golden("shared")
    assert train.item_ids.tolist() == shared["item_order"].tolist()
    assert train.support.tolist() == shared["support"].tolist()


def test_sampling_probabilities_are_the_official_ones():
    support = torch.from_numpy(golden("shared")["support"])
    weight = popularity_weight(support, 0.5)
    got = (weight.cumsum(0) / weight.sum()).numpy()
    np.testing.assert_allclose(got, golden("shared")["sampling_cdf"], atol=1e-6)


@pytest.mark.parametrize("kind", ["sampled", "unsampled"])
def test_the_schedule_is_the_official_one(kind):
    name = {"sampled": CONFIGURATIONS[0], "unsampled": CONFIGURATIONS[-1]}[kind]
    schedule = session_parallel(clicks("train"), 32)
    recorded = list(recorded_batches(name))
    for got, want in zip(schedule, recorded, strict=False):
        assert torch.equal(got.inputs, want.inputs)
        assert torch.equal(got.targets, want.targets)
        assert torch.equal(got.carry, want.carry)
    left = [len(schedule[step].targets) for step in range(len(recorded), len(schedule))]
    # Without extra negatives the official epoch ends where a single row is left.
    assert left == {"sampled": [], "unsampled": [1, 1, 1]}[kind]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_scores_and_hidden_state_of_the_first_step_are_the_official_ones(name):
    network, every = starting_network(name, torch.float64), int(golden(name)["every"])
    batch = next(recorded_batches(name))
    negatives = torch.from_numpy(golden(name)["negatives"][0].astype(np.int64))
    with torch.no_grad():
        _, table = network.input_table()
        hidden = network(table[batch.inputs], carried(network.start(32), batch.carry))
        scores = network.scores(hidden, torch.cat([batch.targets, negatives]))
    expected = golden(name)["scores_step1"]
    np.testing.assert_allclose(scores[::every].numpy(), expected, rtol=0, atol=1e-6)
    for layer, state in enumerate(hidden):
        expected = golden(name)[f"hidden_step1/layer{layer}"]
        np.testing.assert_allclose(state[::every].numpy(), expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(replay(name).hidden[layer], state)


@every_step
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_loss_of_every_step_of_both_epochs_is_the_official_one(name, kind):
    got, want = replay(name, kind=kind).losses, golden(name)["loss"]
    np.testing.assert_allclose(got[:1], want[:1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(got[:10], want[:10], rtol=2e-6)
    np.testing.assert_allclose(got, want, rtol=1e-4 if is_unsampled(name) else 2e-6)
    epochs = got.reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(epochs, golden(name)["epoch_loss"], rtol=1e-6)


@every_step
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_weights_after_1_and_10_steps_and_both_epochs_are_the_official_ones(name, kind):
    run = replay(name, kind=kind)
    # In-batch negatives alone: at the start the gradients nearly cancel, and Adagrad magnifies the
    # float32 rounding of the reference.
    loose = 10 if is_unsampled(name) else 1
    for prefix, number, within in (
        ("step1", 1, 1e-5),
        ("step10", 10, 1e-4),
        ("epoch1", run.per_epoch, 1e-4 * loose),
        ("epoch2", 2 * run.per_epoch, 1e-4 * loose),
    ):
        assert largest_gap(name, run.after[number]["weights"], prefix) < within


@every_step
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_adagrad_sums_after_10_steps_and_at_the_end_are_the_official_ones(name, kind):
    run = replay(name, kind=kind)
    assert largest_gap(name, run.after[10]["acc"], "acc10") < 1e-6
    assert largest_gap(name, run.after[2 * run.per_epoch]["acc"], "acc_end") < 1e-4


@every_step
@pytest.mark.parametrize("name", [name for name in CONFIGURATIONS if "mom03" in name])
def test_velocity_after_10_steps_and_at_the_end_is_the_official_one(name, kind):
    run = replay(name, kind=kind)
    assert largest_gap(name, run.after[10]["vel"], "vel10") < 1e-5
    assert largest_gap(name, run.after[2 * run.per_epoch]["vel"], "vel_end") < 1e-5


@every_step
@pytest.mark.parametrize("name", [name for name in CONFIGURATIONS if "mom03" not in name])
def test_without_momentum_there_is_no_velocity(name, kind):
    assert replay(name, kind=kind).step.optimiser.velocity == {}


@every_step
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_first_steps_are_the_official_ones_in_float32_too(name, kind):
    run = replay(name, kind=kind, dtype=torch.float32, n_steps=10)
    np.testing.assert_allclose(run.losses, golden(name)["loss"][:10], rtol=1e-5)
    assert largest_gap(name, run.after[1]["weights"], "step1") < 1e-5
    assert largest_gap(name, run.after[10]["weights"], "step10") < 1e-4
    assert largest_gap(name, run.after[10]["acc"], "acc10") < 1e-5


@pytest.mark.parametrize("name", CORRECTED)
def test_the_library_counts_in_batch_columns_right_where_the_official_loop_does_not(name):
    official, wrong = golden(name)["loss"], golden(name)["logq_slice_wrong"]
    got = replay(name, n_steps=96, miscounts=False).losses
    gap = np.abs(got - official[:96])
    assert wrong[:96].nonzero()[0].tolist() == list(range(82, 96))
    assert gap[:82].max() < 1e-5
    assert 0.05 < gap[82:].max() < 0.2


def test_the_miscount_moves_some_final_weight_by_a_few_hundredths():
    name = CORRECTED[0]
    run = replay(name, miscounts=False)
    gap = largest_gap(name, run.after[192]["weights"], "epoch2")
    assert 0.01 < gap < 0.1


def test_single_rows_without_negatives_cost_nothing_and_change_nothing():
    """The three pairs of an epoch that the official code drops without extra negatives."""
    name = CONFIGURATIONS[-1]
    step, (settings, _) = replay(name).step, recorded_settings(name)
    before = snapshot(step)
    schedule = session_parallel(clicks("train"), 32)
    none = torch.empty(0, dtype=torch.int64)
    for number in range(93, 96):
        assert step(schedule[number], none, settings) == 0
    after = snapshot(step)
    for kind in ("weights", "acc"):
        for key, value in before[kind].items():
            assert torch.equal(after[kind][key], value)


@pytest.mark.parametrize("device", ["cpu", CUDA])
@pytest.mark.parametrize("ties", ["conservative", "standard"])
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_recall_and_mrr_of_the_trained_model_are_the_official_ones(name, ties, device):
    shared = golden("shared")
    # The snapshot, since another test lets the replayed model go on.
    network = starting_network(name, torch.float64)
    run = replay(name)
    network.load_state_dict(run.after[2 * run.per_epoch]["weights"])
    model = Recommender(network.to(device), shared["item_order"], Config(layers=(32,)))
    cutoffs = shared["cutoffs"].tolist()
    got = evaluate(model, clicks("test"), cutoffs, ties=ties, all_ranks=True)
    assert got.n_targets == 540
    assert got.n_skipped == 10
    recall, mrr = golden(name)[f"recall_{ties}"], golden(name)[f"mrr_{ties}"]
    np.testing.assert_allclose(list(got.recall.values()), recall, rtol=1e-12)
    np.testing.assert_allclose(list(got.mrr.values()), mrr, rtol=1e-6)
    known = clicks("test").with_items(shared["item_order"])
    sessions = known.session_ids[known.lengths >= 2][got.session]
    by_id = np.argsort(sessions, kind="stable")
    assert sessions[by_id].tolist() == shared["test_session"].tolist()
    assert got.ranks[by_id].tolist() == golden(name)["test_rank_conservative"].tolist()


class Table:
    """Scores depend on the last click alone: row `item` of a table."""

    def __init__(self, table, item_ids):
        self.table, self.item_ids = torch.from_numpy(table).float(), item_ids

    def start(self, batch_size):
        return None

    def advance(self, inputs, state, carry):
        return inputs

    def scores(self, state):
        return self.table[state]


@pytest.mark.parametrize("ties", ["conservative", "standard"])
def test_metrics_with_many_ties_are_the_official_ones_in_both_modes(ties):
    shared = golden("shared")
    model = Table(shared["ties/table"], shared["item_order"])
    got = evaluate(model, clicks("test"), shared["ties/cutoffs"].tolist(), ties=ties)
    np.testing.assert_allclose(list(got.recall.values()), shared[f"ties/recall_{ties}"], rtol=1e-12)
    np.testing.assert_allclose(list(got.mrr.values()), shared[f"ties/mrr_{ties}"], rtol=1e-6)


CASES = [f"case{number:02}" for number in range(25)]
OFFICIAL = [
    ("xe", "cross-entropy", 0.0, 0.0),
    ("bprmax_elu0.0_reg0.0", "bpr-max", 0.0, 0.0),
    ("bprmax_elu0.0_reg1.0", "bpr-max", 1.0, 0.0),
    ("bprmax_elu0.5_reg0.0", "bpr-max", 0.0, 0.5),
    ("bprmax_elu0.5_reg1.0", "bpr-max", 1.0, 0.5),
]
PAPER = [("bpr_paper", "bpr"), ("top1_paper", "top1"), ("top1max", "top1-max")]


def with_official_floor(scores, loss, bpreg, elu_param):
    """Value and gradient with the official 1e-24 inside the logarithm, which caps it at 55.26."""
    ranking, by_ranking = loss_and_gradient(scores, LOSSES[loss], elu_param=elu_param)
    value, by_score = loss_and_gradient(scores, LOSSES[loss], bpreg=bpreg, elu_param=elu_param)
    win, floor = torch.exp(-ranking), 1e-24
    share = floor / (win + floor)
    return value - ranking - torch.log(win + floor), by_score - by_ranking * share[:, None]


def assert_same(value, gradient, case, tag):
    """Compare with the recorded sum over rows, and with the gradients of the recorded rows."""
    recorded = golden("losses")
    want = float(recorded[f"{case}/{tag}/loss64"])
    if np.isnan(want):
        assert recorded[f"{case}/scores"].shape[1] == 1  # no negatives: nothing to average
        want = 0.0
    assert float(value.sum()) == pytest.approx(want, rel=1e-9, abs=1e-12)
    if f"{case}/{tag}/grad" in recorded:
        expected = np.nan_to_num(recorded[f"{case}/{tag}/grad"])
        within = 1e-5 * (1 + np.abs(expected).max())
        np.testing.assert_allclose(gradient[: len(expected)].numpy(), expected, rtol=0, atol=within)


def recorded_scores(case):
    return torch.from_numpy(golden("losses")[f"{case}/scores"])


@pytest.mark.parametrize(("tag", "loss", "bpreg", "elu_param"), OFFICIAL)
@pytest.mark.parametrize("case", CASES)
def test_losses_with_the_official_floor_are_the_official_ones(case, tag, loss, bpreg, elu_param):
    got = with_official_floor(recorded_scores(case).double(), loss, bpreg, elu_param)
    if (case, tag) == ("case23", tag) and tag.startswith("bprmax_elu0.0"):
        # The official gradient is not a number: its softmax of scores near -110 is 0 / 0.
        expected = float(golden("losses")[f"{case}/{tag}/loss64"])
        assert float(got[0].sum()) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert got[1].isfinite().all()
    else:
        assert_same(*got, case, tag)


@pytest.mark.parametrize(("tag", "loss"), PAPER)
@pytest.mark.parametrize("case", CASES)
def test_losses_of_the_papers_have_the_recorded_values(case, tag, loss):
    scores = recorded_scores(case).double()
    assert_same(*loss_and_gradient(scores, LOSSES[loss]), case, tag)


@pytest.mark.parametrize("case", CASES)
def test_the_official_bpr_is_n_times_ours_plus_log_2(case):
    scores = recorded_scores(case).double()
    value, gradient = loss_and_gradient(scores, LOSSES["bpr"])
    n = scores.shape[1] - 1
    assert_same(n * value + np.log(2), n * gradient, case, "bpr_theano")


@pytest.mark.parametrize("case", CASES)
def test_the_official_top1_is_ours_shrunk_by_the_targets_own_column(case):
    scores = recorded_scores(case).double()
    value, gradient = loss_and_gradient(scores, LOSSES["top1"])
    n = scores.shape[1] - 1
    assert_same((n * value + 0.5) / (n + 1), gradient * n / (n + 1), case, "top1_theano")


@pytest.mark.parametrize(("tag", "loss", "bpreg", "elu_param"), OFFICIAL)
@pytest.mark.parametrize("case", sorted(set(CASES) - {"case20", "case21"}))  # those are capped
def test_losses_in_float32_equal_the_recorded_float64_ones(case, tag, loss, bpreg, elu_param):
    value, gradient = loss_and_gradient(
        recorded_scores(case), LOSSES[loss], bpreg=bpreg, elu_param=elu_param
    )
    want = np.nan_to_num(float(golden("losses")[f"{case}/{tag}/loss64"]))
    assert float(value.double().sum()) == pytest.approx(want, rel=1e-6, abs=1e-12)
    assert gradient.isfinite().all()


def test_bpr_max_stays_a_number_where_the_official_one_does_not():
    """All negatives at -110, the target at 0, float32, no ELU."""
    value, gradient = loss_and_gradient(recorded_scores("case23"), LOSSES["bpr-max"])
    assert value.tolist() == [0.0, 0.0]
    assert gradient.isfinite().all()


def test_log_sum_exp_keeps_the_gradient_that_the_official_floor_loses():
    """The target 160 below every negative: -1 here, 0 with 1e-24 inside the logarithm."""
    scores = recorded_scores("case21").double()
    value, gradient = loss_and_gradient(scores, LOSSES["cross-entropy"])
    assert value.min() > 160
    torch.testing.assert_close(gradient.diagonal(), -torch.ones(2, dtype=torch.float64))
    assert np.abs(golden("losses")["case21/xe/grad"]).max() < 1e-30
