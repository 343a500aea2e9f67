"""The figures of the README, from the stored tables, and a picture of each panel."""

from collections.abc import Iterator
from pathlib import Path
from time import sleep

import numpy as np
import torch
from matplotlib import rcParams
from matplotlib.figure import Figure
from network import network
from plan import Plan

from gru4rec_lab import plots
from gru4rec_lab.diagnostics import results, stored_curves
from gru4rec_lab.diagnostics.steps import Replay
from gru4rec_lab.plots.batches import step_figure
from gru4rec_lab.training.observe import at_epochs
from gru4rec_lab.widgets import LossExplorer, TrainingLab

FOUR = ("top1", "bpr", "top1-max", "bpr-max")
DPI = 100


def all_figures(plan: Plan, tables: Path, folder: Path) -> Iterator[Path]:
    """Draw each figure into `folder`, the panels as SVG; their paths, one by one."""
    rcParams["svg.hashsalt"] = "figures"  # else every id differs from run to run
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        path = folder / f"{name}.png"
        draw(tables).savefig(path, dpi=DPI)
        yield path
    for name, draw in PICTURES.items():
        yield draw(plan, folder / name)


def vanishing_gradients(tables: Path) -> Figure:
    """Figure 2 of arXiv 1706.03847 on one model's scores: BPR's, at the end of its training."""
    gradients = results("gradients", tables)
    epoch, (batch, extra) = gradients["epoch"].max(), sorted(gradients["n_sample"].unique())
    return plots.gradient_panels(
        {
            title: stored_curves(gradients, model="bpr", epoch=epoch, n_sample=n_sample)
            for title, n_sample in (("batch only", batch), (f"+ {extra:,} samples", extra))
        }
    )


def rank_trajectories(tables: Path) -> Figure:
    """Where later targets stand while TOP1, BPR and their -max forms train."""
    table = results("history", tables)
    return plots.rank_by_epoch(table[table["model"].isin(FOUR) & (table["epoch"] > 0)])


def effective_negatives(tables: Path) -> Figure:
    """Spread of the scores and effective negatives while models train."""
    table = results("history", tables)
    return plots.score_by_epoch(table[table["model"].isin([*FOUR, "cross-entropy"])])


def batch_matrix(plan: Plan, path: Path) -> Path:
    """Figure 1 of arXiv 1511.06939 with the score matrix of a step beside it."""
    config = plan.config.with_changes(n_sample=max(plan.grid_samples))
    ((*_, model),) = at_epochs(config, plan.small, lambda model: model, [1])
    support = torch.from_numpy(plan.small.support)
    first = plan.small.take(np.arange(plan.small.n_sessions) < 30)
    step_figure(Replay(model, first, 4, support=support, most_extra=8), 5, 8).savefig(path, dpi=DPI)
    return path


def network_picture(plan: Plan, path: Path) -> Path:
    """The network of lesson 01, from a click to the scores."""
    network().savefig(path)
    return path


def loss_explorer(plan: Plan, path: Path) -> Path:
    """The picture of the `LossExplorer` with 2048 extra samples."""
    panel = LossExplorer(key="figures", settings={"n_sample": 2048})
    try:
        return panel.save_picture(path)
    finally:
        panel.close()


def training_lab(plan: Plan, path: Path) -> Path:
    """The picture of the `TrainingLab` after two epochs, the loss changed from BPR to BPR-max."""
    config = plan.config.with_changes(n_epochs=2, n_sample=max(plan.grid_samples))
    panel = TrainingLab(plan.small, config, plan.test, key="figures", speed_limit=100)
    try:
        panel.start()
        while panel.state in ("loading", "running") and not panel.run.history.epochs:
            sleep(0.05)
        panel.loss.value = "bpr-max"
        panel.run.wait()
        panel.update()
        return panel.save_picture(path)
    finally:
        panel.close()


FIGURES = {
    "vanishing_gradients": vanishing_gradients,
    "rank_trajectories": rank_trajectories,
    "effective_negatives": effective_negatives,
}
PICTURES = {
    "batch_matrix.png": batch_matrix,
    "network.svg": network_picture,
    "loss_explorer.svg": loss_explorer,
    "training_lab.svg": training_lab,
}
