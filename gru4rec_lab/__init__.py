"""GRU4Rec Lab: see why ranking losses vanish, and train a GRU4Rec you can trust.

The names below are the public interface, in the order of the story; each is imported when it is
first used, so that `import gru4rec_lab` costs little. Beside them stand `gru4rec_lab.diagnostics`,
`.plots`, `.exercises` and `.widgets`. `__init__.pyi` tells editors the same names.
"""

from importlib import import_module

_HOME = {
    "list_datasets": "data.catalogue",
    "load_sessions": "data.catalogue",
    "claims_of": "data.lab_split",
    "load_split": "data.lab_split",
    "check_sessions": "data.check",
    "flight_routes": "data.flights",
    "Sessions": "data.sessions",
    "session_parallel": "batches",
    "Sampler": "sampling",
    "popularity_weight": "sampling",
    "copies": "sampling",
    "carried": "model",
    "LOSSES": "losses",
    "elu": "losses",
    "elu_grad": "losses",
    "score_regulariser": "losses",
    "score_regulariser_grad": "losses",
    "add_psl": "newer_losses",
    "add_bpr_top": "newer_losses",
    "add_bpr_max_at": "newer_losses",
    "add_top1_max_at": "newer_losses",
    "add_gbce": "newer_losses",
    "split_columns": "score_matrix",
    "loss_and_gradient": "score_matrix",
    "Config": "config",
    "Controls": "training.controls",
    "ControlChanged": "training.controls",
    "Step": "training.step",
    "StepDone": "training.events",
    "Report": "training.events",
    "train": "training.loop",
    "fit": "training.loop",
    "train_from": "training.loop",
    "resume": "training.loop",
    "at_epochs": "training.observe",
    "LiveRun": "training.live",
    "BASELINES": "baselines",
    "evaluate": "evaluation",
    "compare": "evaluation",
    "audit": "evaluation",
    "grid": "sweeps.trials",
    "sweep": "sweeps.sweep",
    "load_sweep": "sweeps.store",
    "search": "sweeps.search",
    "SPACES": "sweeps.spaces",
    "Recommender": "recommender",
    "load_model": "recommender",
    "network_of": "recommender",
    "recommend": "answers",
}
__all__ = ["__version__", *_HOME]
__version__ = "0.1.0"


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'gru4rec_lab' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
