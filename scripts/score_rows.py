"""Write the score rows that the LossExplorer ships: a BPR model on the flights as it learns.

    python scripts/score_rows.py

The `lab` preset is trained on the most recent fifth of the flights, as in the TrainingLab. After
0, .3, 1 and 4 epochs the same test targets are scored with the same negatives: the other targets
of a batch of 32 first, then 2048 draws with popularity^.5. One CPU thread, under a minute.
"""

import numpy as np
import torch

from gru4rec_lab import Config
from gru4rec_lab.diagnostics import probe_scores
from gru4rec_lab.diagnostics.trained import EPOCHS, N_TARGETS, SCORE_FILE
from gru4rec_lab.events import Started, StepDone
from gru4rec_lab.training import train
from gru4rec_lab.widgets.lab_data import lab_data

BATCH_SIZE, N_SAMPLE = 32, 2048


def main() -> None:
    """Train, score after each of `EPOCHS`, write `SCORE_FILE`."""
    torch.set_num_threads(1)
    data = lab_data(None, None)
    config = Config.preset("lab", n_epochs=max(EPOCHS), device="cpu")
    targets, negatives = [], []
    for event in train(config, data.training):
        if isinstance(event, Started):
            model, due = event.model, [round(epoch * event.n_steps) for epoch in EPOCHS]
        step = getattr(event, "step", 0)
        if isinstance(event, Started | StepDone) and step == due[len(targets)]:
            target, rows = score(model, data)
            rank = (rows > target[:, None]).sum(dim=1).double()
            print(f"step {step}: spread {rows.std():.3f}, median rank {rank.quantile(0.5):.0f}")
            targets.append(target.numpy().astype(np.float16))
            negatives.append(rows.numpy().astype(np.float16))
            if len(targets) == len(EPOCHS):
                break
    np.savez_compressed(SCORE_FILE, target=np.stack(targets), negatives=np.stack(negatives))
    print(f"{SCORE_FILE.name}: {SCORE_FILE.stat().st_size:,} bytes")


def score(model, data) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of `N_TARGETS` test targets and of their negatives, the same ones at every call."""
    support = torch.from_numpy(data.training.support)
    target, negatives = probe_scores(
        model, data.validation, n_sample=N_SAMPLE, sample_alpha=0.5, support=support,
        batch_size=BATCH_SIZE, max_targets=2000,
    )  # fmt: skip
    chosen = torch.randperm(len(target), generator=torch.Generator().manual_seed(0))[:N_TARGETS]
    return target[chosen], negatives[chosen]


if __name__ == "__main__":
    main()
