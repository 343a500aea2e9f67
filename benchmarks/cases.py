"""What is measured: configurations in the official spelling, and the arithmetic of each."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import torch

_SMALL = dict(layers=[100], batch_size=32, n_sample=2048, loss="cross-entropy", sample_alpha=0.5,
              logq=1.0, learning_rate=0.1)  # fmt: skip
CASES: Mapping[str, dict[str, Any]] = {
    "a": _SMALL,
    "b": dict(layers=[224], batch_size=80, n_sample=2048, loss="bpr-max", elu_param=0.5, bpreg=1.0,
              sample_alpha=0.4, dropout_p_embed=0.5, dropout_p_hidden=0.05, learning_rate=0.05,
              momentum=0.4),
    "c": dict(layers=[100], batch_size=32, n_sample=0, loss="cross-entropy", learning_rate=0.1),
    "d": _SMALL | {"batch_size": 512},
    "e": _SMALL | {"constrained_embedding": False},
    "f": dict(layers=[480], batch_size=192, n_sample=2048, loss="cross-entropy", sample_alpha=0.2,
              logq=1.0, dropout_p_hidden=0.2, learning_rate=0.07),
    "g": _SMALL | {"layers": [1000], "batch_size": 512, "n_sample": 8192},
}  # fmt: skip
WORDS = {
    "a": "100 units, batch 32, 2048 samples, cross-entropy",
    "b": "224 units, batch 80, 2048 samples, BPR-max, dropout, momentum",
    "c": "as a, no samples",
    "d": "as a, batch 512",
    "e": "as a, one-hot input",
    "f": "480 units, batch 192, 2048 samples, cross-entropy, dropout",
    "g": "1000 units, batch 512, 8192 samples, cross-entropy",
}


def matrix_products(
    settings: Mapping[str, Any], device: torch.device | str = "cpu"
) -> Callable[[], None]:
    """The products of one step that no exact implementation avoids; no other operation.

    Scores and their two gradients, the GRU cell's five (the state of the step before is a
    constant, so its gradient is not needed).
    """
    rows, units = settings["batch_size"], settings["layers"][0]
    columns = rows + settings["n_sample"]
    shapes = (
        (rows, units),
        (columns, units),
        (rows, columns),
        (3 * units, units),
        (rows, 3 * units),
    )
    hidden, items, scores, weight, gates = (torch.randn(shape, device=device) for shape in shapes)

    def run() -> None:
        torch.mm(hidden, items.T)
        torch.mm(scores.T, hidden)
        torch.mm(scores, items)
        for _ in range(2):
            torch.mm(hidden, weight.T)
            torch.mm(gates.T, hidden)
        torch.mm(gates, weight)

    return run


def options(doc: str) -> argparse.ArgumentParser:
    """The arguments that all benchmarks share."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--official", help="checkout of GRU4Rec_PyTorch_Official, at d1fc311")
    letters = "which configurations, as letters"
    parser.add_argument("--cases", type=_known, default="abcde", help=letters)
    parser.add_argument("--rounds", type=int, default=9, help="pairs of measurements")
    parser.add_argument("--clicks", type=int, default=1_000_000, help="size of the click log")
    return parser


def _known(cases: str) -> str:
    if unknown := [case for case in cases if case not in CASES]:
        raise argparse.ArgumentTypeError(f"no case {unknown[0]!r}; choose from {''.join(CASES)}")
    return cases
