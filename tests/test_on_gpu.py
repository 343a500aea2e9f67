"""Models and scores that live on a GPU, through every function: the numbers of a CPU come out.

On any machine a GPU is pretended; where there is CUDA, the same is tried on it.
"""

from copy import deepcopy
from dataclasses import fields, is_dataclass
from functools import cache
from inspect import isfunction
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from gru4rec_lab import (
    LOSSES,
    Config,
    Recommender,
    audit,
    compare,
    diagnostics,
    evaluate,
    fit,
    load_model,
    load_sessions,
    plots,
    recommend,
    resume,
    session_parallel,
    train,
)
from gru4rec_lab.data.lab_split import LabData
from gru4rec_lab.diagnostics.neighbours import nearest
from gru4rec_lab.diagnostics.steps import column_roles
from gru4rec_lab.diagnostics.weights import best_first
from gru4rec_lab.evaluation import TIES, rank_targets
from gru4rec_lab.own_losses import without_absent
from gru4rec_lab.sampling import WEIGHTS, copies, first_without, hardest
from gru4rec_lab.score_matrix import loss_and_gradient
from gru4rec_lab.training.controls import Settings
from gru4rec_lab.training.events import StepDone
from gru4rec_lab.training.observe import at_epochs
from gru4rec_lab.widgets import BatchExplorer, NeighbourFinder, ScoreShaper
from gru4rec_lab.widgets.training_lab.observation import observe
from gru4rec_lab.widgets.training_lab.probe import Probe

from .pretend_gpu import pretended_gpu

CONFIG = Config(layers=(6,), batch_size=4, n_sample=12, n_epochs=1, step="plain", device="cpu")

# All that takes a model or scores and draws nothing: `w` is what `world` makes.
FUNCTIONS = {
    "agreement": lambda w: diagnostics.agreement(w.model, w.labels),
    "alike_in_use": lambda w: diagnostics.alike_in_use(w.model, w.sessions),
    "audit": lambda w: [each.value for each in audit(w.model, w.sessions, w.sessions)][:3],
    "click_effects": lambda w: diagnostics.click_effects(
        w.model, w.model.item_ids[[0, 3, 0]].tolist(), w.model.item_ids[2:5].tolist()
    ),
    "column_roles": lambda w: column_roles(w.targets, w.extra),
    "compare": lambda w: compare({"a": w.model, "b": [w.model] * 2}, w.sessions).frame()["mrr@20"],
    "copies": lambda w: copies(w.targets, w.extra),
    "diagnose": lambda w: [
        diagnostics.diagnose(
            gradient=LOSSES["bpr"].gradient(w.target, w.negatives), scores=(w.target, w.negatives)
        )
        == "bpr"
    ],
    "effective_negatives": lambda w: diagnostics.effective_negatives(w.negatives),
    "evaluate": lambda w: [evaluate(w.model, w.sessions, ties=ties).ranks for ties in TIES],
    "evaluate with all ranks": lambda w: evaluate(w.model, w.sessions, all_ranks=True).ranks,
    "first_without": lambda w: first_without(w.extra, w.targets, 3),
    "flat_share": lambda w: diagnostics.flat_share(w.negatives, 0.5),
    "gradient_by_rank": lambda w: diagnostics.gradient_by_rank(w.target, w.negatives),
    "hardest": lambda w: hardest(w.extra, w.scores[:, w.extra], w.targets, 3),
    "loss_and_gradient": lambda w: [
        loss_and_gradient(w.scores, loss, bpreg=1.0, elu_param=0.5) for loss in LOSSES.values()
    ],
    "loss_table": lambda w: diagnostics.loss_table(w.target[:1], w.negatives[:1]),
    "nearest": lambda w: nearest(w.model.network.items.detach(), 3, torch.tensor([1, 2])),
    "negative_gradients": lambda w: diagnostics.negative_gradients(
        w.target, w.negatives, bpreg=0.5
    ),
    "neighbours": lambda w: diagnostics.neighbours(w.model, w.model.item_ids[3], table="input"),
    "popular_share": lambda w: diagnostics.popular_share(w.support, w.support, 3),
    "pull_by_place": lambda w: diagnostics.pull_by_place(w.rows, elu_param=0.5),
    "pull_through": lambda w: diagnostics.pull_through("bpr-max", w.target, w.negatives),
    "pulls_of_bugs": lambda w: diagnostics.pulls_of_bugs(w.target[:2], w.negatives[:2]),
    "rank_summary": lambda w: diagnostics.rank_summary(
        evaluate(w.model, w.sessions, all_ranks=True)
    ),
    "rank_targets": lambda w: [rank_targets(w.scores, w.targets, ties) for ties in TIES],
    "ranks": lambda w: diagnostics.ranks(w.target, w.negatives),
    "recommend": lambda w: recommend(w.model, w.sessions, 3, exclude_seen=True),
    "recommended": lambda w: diagnostics.recommended(w.model, w.sessions, 3),
    "sample_shares": lambda w: diagnostics.sample_shares(w.support, 0.5),
    "score_histogram": lambda w: diagnostics.score_histogram(w.target, w.negatives, low=-2, high=2),
    "score_summary": lambda w: diagnostics.score_summary(w.negatives),
    "score_summary of absent ones": lambda w: diagnostics.score_summary(w.masked),
    "score_histograms": lambda w: plots.score_histograms({"rows": w.rows}) and None,
    "seen_by_loss": lambda w: diagnostics.seen_by_loss(w.model.config, w.target, w.masked),
    "share_by_popularity": lambda w: diagnostics.share_by_popularity(w.support, w.support),
    "softmax_weights": lambda w: diagnostics.softmax_weights(w.negatives),
    "spread_summary": lambda w: diagnostics.spread_summary(CONFIG, w.target, w.masked),
    "target_curves": lambda w: diagnostics.target_curves(w.negatives[:1]),
    "target_gradients": lambda w: diagnostics.target_gradients(w.target, w.negatives),
    "target_pulls": lambda w: diagnostics.target_pulls(w.target, w.negatives),
    "targets_at_ranks": lambda w: diagnostics.targets_at_ranks(w.rows, above=0.3),
    "targets_at_ranks of a CPU": lambda w: diagnostics.targets_at_ranks(
        w.rows, above=0.3, places=torch.tensor([0, 2])
    ),
    "top_share": lambda w: diagnostics.top_share(w.negatives),
    "visit": lambda w: _visit(w.model),
    "without_absent": lambda w: [
        function(w.target, w.masked)
        for function in without_absent(LOSSES["bpr"].value, LOSSES["bpr"].gradient)
    ],
    "weights": lambda w: [weight(w.support, 0.5) for weight in WEIGHTS.values()],
    "ScoreShaper": lambda w: ScoreShaper({"rows": w.rows}, key="on a gpu").numbers,
    "NeighbourFinder": lambda w: NeighbourFinder({"a": w.model}, key="on a gpu").found,
}
# What draws too. On CUDA other negatives are drawn than on a CPU: the numbers differ there.
DRAWN = {
    "at_epochs": lambda w: [
        seen.value.n_items for seen in at_epochs(w.config, w.sessions, _network, (0, 0.5))
    ],
    "probe_of": lambda w: diagnostics.probe_of(w.model, w.sessions, w.support),
    "probe_of with counts on the GPU": lambda w: diagnostics.probe_of(
        w.model, w.sessions, w.support.to(w.model.device)
    ),
    "probe_scores": lambda w: diagnostics.probe_scores(w.model, w.sessions),
    "observe": lambda w: _observed(w),
    "Replay": lambda w: vars(diagnostics.Replay(w.model, w.sessions, 4).view(3, 6)),
    "rows_figure": lambda w: plots.rows_figure(diagnostics.Replay(w.model, w.sessions, 4)) and None,
    "step_figure": lambda w: (
        plots.step_figure(diagnostics.Replay(w.model, w.sessions, 4), 3, 6) and None
    ),
    "softmax_estimates": lambda w: diagnostics.softmax_estimates(
        w.scores, w.targets, w.support, n_sample=8, n_draws=2
    ),
    "spread_by_epoch": lambda w: diagnostics.spread_by_epoch(
        {"bpr": w.config}, w.sessions, w.sessions, (0, 0.5)
    ),
    "train and evaluate": lambda w: (
        evaluate(fit(w.config, w.sessions, validation=w.sessions, progress=False), w.sessions).ranks
    ),
    "BatchExplorer": lambda w: BatchExplorer(w.model, w.sessions, key="on a gpu").numbers,
}


def _network(model):
    return model.network


def _visit(model):
    visit = model.session()
    for item in model.item_ids[[0, 3]]:
        visit.click(item)
    return [each.item for each in visit.top(3, exclude_seen=True)]


def _observed(w):
    data = LabData(w.sessions, w.sessions, w.sessions)
    return observe(w.model, Settings.of(w.config), data, Probe())


@pytest.fixture(scope="module")
def trained():
    sessions = load_sessions("world:cycle", n_sessions=12, n_items=40, seed=1)
    return sessions, fit(CONFIG, sessions, progress=False)


@pytest.fixture(scope="module")
def here(trained):
    """A small model on the CPU, and scores of it."""
    sessions, model = trained
    batch, support = session_parallel(sessions, 4)[0], torch.from_numpy(sessions.support)
    target, negatives = diagnostics.probe_of(model, sessions, support)
    with torch.no_grad():
        scores = model.scores(model.advance(batch.inputs, model.start(4), batch.carry))
    return SimpleNamespace(
        sessions=sessions, support=support, model=model, config=CONFIG,
        labels={item: number % 3 for number, item in enumerate(sessions.item_ids.tolist())},
        target=target, negatives=negatives, rows=best_first(negatives)[:3], scores=scores,
        masked=negatives.masked_fill(negatives < negatives.quantile(0.1), -torch.inf),
        targets=batch.targets, extra=torch.tensor([3, 1, 4, 1, 5, 9, 2, 6]),
    )  # fmt: skip


def moved(here, device):
    """The same on a device, but for the counts of clicks: they may stay on the CPU."""
    tensors = {name: part for name, part in vars(here).items() if isinstance(part, torch.Tensor)}
    tensors = {name: part.to(device) for name, part in tensors.items()}
    config = CONFIG.with_changes(device=str(device))
    network = deepcopy(here.model.network).to(device)
    model = Recommender(network, here.sessions.item_ids, config)
    changed = tensors | {"model": model, "config": config, "support": here.support}
    return SimpleNamespace(**vars(here) | changed)


REAL = pytest.param("a real one", marks=pytest.mark.gpu)


@pytest.fixture(params=["cuda", "mps", REAL])
def gpu(request):
    """The device: one that is pretended, and CUDA where it is."""
    if request.param == "a real one":
        yield torch.device("cuda")
        return
    with pretended_gpu(request.param) as device:
        yield device


def plain(value):
    """Tensors as they are, all that holds some as lists of them."""
    if isinstance(value, torch.Tensor):
        return value.cpu()
    if isinstance(value, np.ndarray | pd.Index | pd.Series) and value.dtype != object:
        return np.asarray(value)
    if isinstance(value, pd.DataFrame):
        return value.select_dtypes("number").to_numpy()
    if is_dataclass(value):
        return [plain(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, dict):
        return [plain(part) for part in value.values()]
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def assert_same(got, want, *, values=True):
    """`values=False`: the shapes alone."""
    if isinstance(want, list):
        assert len(got) == len(want)
        for one, other in zip(got, want, strict=True):
            assert_same(one, other, values=values)
    elif isinstance(want, torch.Tensor | np.ndarray):
        assert got.shape == want.shape
        if values:
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    elif values:
        assert got == (pytest.approx(want, nan_ok=True) if isinstance(want, float) else want)


@pytest.fixture(scope="module")
def wanted(here):
    """What a function gives on a CPU."""
    return cache(lambda name: plain((FUNCTIONS | DRAWN)[name](here)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_comes_out_on_a_gpu_is_what_comes_out_on_a_cpu(here, wanted, gpu, name):
    assert_same(plain(FUNCTIONS[name](moved(here, gpu))), wanted(name))


@pytest.mark.parametrize("name", DRAWN)
def test_what_draws_runs_on_a_gpu(here, wanted, gpu, name):
    pretended = gpu.index is not None
    assert_same(plain(DRAWN[name](moved(here, gpu))), wanted(name), values=pretended)


def test_a_model_is_saved_from_a_gpu_and_loaded_onto_it(here, gpu, tmp_path):
    path = moved(here, gpu).model.save(tmp_path / "model")
    again = load_model(path, device=str(gpu))
    assert again.device.type == gpu.type
    assert_same(plain(again.network.items.detach()), here.model.network.items.detach())


def test_a_training_on_a_gpu_goes_on_from_its_checkpoint_and_from_its_model(here, gpu, tmp_path):
    changes = {"device": str(gpu), "momentum": 0.2, "dropout_p_hidden": 0.1}
    config, path = CONFIG.with_changes(**changes), tmp_path / "run"
    for event in train(config, here.sessions, checkpoint=path, checkpoint_every=3):
        if isinstance(event, StepDone) and event.step == 4:
            break
    model = resume(path, here.sessions, progress=False)
    want = fit(config, here.sessions, progress=False)
    for got in (model, model.continue_training(here.sessions, progress=False)):
        assert got.device.type == gpu.type
        items = (plain(each.network.items.detach()) for each in (got, want))
        assert_same(*items, values=got is model)


# These take no tensor and no model.
NO_TENSOR = {"by_method", "gaussian_effective", "gaussian_scores", "judged_with", "kept_share",
             "museum", "relevant_drawn", "relevant_shares", "results", "stored_curves",
             "trained_scores", "trained_with"}  # fmt: skip


def test_every_function_of_the_diagnostics_is_tried():
    functions = {name for name in diagnostics.__all__ if isfunction(getattr(diagnostics, name))}
    assert functions - NO_TENSOR <= {*FUNCTIONS, *DRAWN}


def test_mixed_devices_foreign_generators_and_reading_are_refused_as_on_a_gpu():
    with pretended_gpu("cuda") as device:
        there, here = torch.ones(3, device=device), torch.ones(3)
        for wrong in (lambda: there + here, lambda: torch.cat([here, there]), lambda: here[there]):
            with pytest.raises((RuntimeError, IndexError)):
                wrong()
        with pytest.raises(TypeError, match="use Tensor.cpu"):
            there.numpy()
        with pytest.raises(RuntimeError, match="a generator on cpu"):
            torch.rand(3, generator=torch.Generator(), device=device)
        assert (there + 1).device == device
        assert (there.cpu() + here).sum() == 6
    with pretended_gpu("mps"), pytest.raises(TypeError, match="float64"):
        torch.ones(3, device="mps").double()
