"""Write the scores that the LossExplorer ships: models of BPR and BPR-max as they learn.

    python scripts/score_rows.py flights-bpr e-shop-bpr e-shop-bpr-max

The `lab` preset is trained on the sessions of `load_split`, as in the TrainingLab; for the e-shop,
fetch it first (python -m gru4rec_lab.data e-shop). Its two models differ in nothing but their loss:
BPR-max goes without ELU and score regularisation. After 0, .3, 1 and 4 epochs the same test targets
are taken, each with the scores of the whole catalogue, the other targets of its batch of 32 and the
support of every item; the explorer draws the extra negatives itself. When, how and with what a file
was made stands in it. One CPU thread, under a minute each; the same versions give the same scores.
"""

import json
import platform
import sys
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import numpy as np
import torch

from gru4rec_lab import Config
from gru4rec_lab.batches import session_parallel
from gru4rec_lab.data.lab_split import lab_data
from gru4rec_lab.diagnostics.stored import EPOCHS, N_TARGETS, score_file
from gru4rec_lab.training.observe import at_epochs

BATCH_SIZE, POOL = 32, 2000
PACKAGES = ("gru4rec-lab", "torch", "numpy", "pandas")
DATA = {
    "flights": "the most recent fifth of the training part of the flights",
    "e-shop": "the training part of the e-shop clicks",
}
TRAININGS = {
    "flights-bpr": ("flights", {}),
    "e-shop-bpr": ("e-shop", {}),
    "e-shop-bpr-max": ("e-shop", {"loss": "bpr-max", "bpreg": 0.0, "elu_param": 0.0}),
}


def main(*models: str) -> None:
    """Write the scores of each of these models."""
    torch.set_num_threads(1)
    for model in models or TRAININGS:
        write(model)


def write(model: str) -> None:
    """Train, score after each of `EPOCHS`, write `score_file(model)`."""
    name, settings = TRAININGS[model]
    data, file = lab_data(None, None, name), score_file(model)
    config = Config.preset("lab", n_epochs=max(EPOCHS), device="cpu", **settings)
    observe = partial(score, sessions=data.validation)
    observed = [seen.value for seen in at_epochs(config, data.training, observe, EPOCHS)]
    scores, (columns, *_) = zip(*observed, strict=True)
    print(f"{model}, spread of the scores:", *(f"{catalogue.std():.3f}" for catalogue in scores))
    support = data.training.support.astype(np.int32)
    made = np.array(json.dumps(provenance(model, config)))
    parts = {
        "scores": np.stack(scores).astype(np.float16),
        "columns": columns,
        "support": support,
        "made": made,
    }
    np.savez_compressed(file, **parts)
    print(f"{file.name}: {file.stat().st_size:,} bytes")


@torch.no_grad()
def score(model, sessions) -> tuple[np.ndarray, np.ndarray]:
    """Catalogue scores of `N_TARGETS` targets, [P, items]; the items of their batches, [P, 32].

    Targets are the same ones at every call; each stands first, the others of its batch after it.
    """
    network, catalogue, columns = model.network, [], []
    hidden, items = network.start(BATCH_SIZE), torch.arange(model.network.n_items)
    for batch in session_parallel(sessions, BATCH_SIZE, torch.device("cpu")):
        if len(batch.targets) < BATCH_SIZE or len(columns) >= POOL:
            break
        hidden = network.advance(batch.inputs, hidden, batch.carry)
        catalogue.append(network.scores(hidden, items))
        targets = batch.targets.tolist()
        columns += [
            [target, *targets[:row], *targets[row + 1 :]] for row, target in enumerate(targets)
        ]
    chosen = torch.randperm(len(columns), generator=torch.Generator().manual_seed(0))[:N_TARGETS]
    return torch.cat(catalogue)[chosen].numpy(), np.array(columns, dtype=np.int16)[chosen]


def provenance(model: str, config: Config) -> dict:
    """When, how and with what the file is made."""
    return {
        "command": f"python scripts/score_rows.py {model}",
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
        "config": str(config),
        "data": DATA[TRAININGS[model][0]],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
