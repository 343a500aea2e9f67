"""`Config`: every setting of a run, in the authors' spelling and with their defaults."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Literal, no_type_check

import numpy as np
import torch

from .losses import LOSSES
from .sampling import WEIGHTS

# Rows of the official README (2023) under the name of their data set; "lab" is small enough to
# watch on two cores.
_PRESETS: dict[str, dict[str, Any]] = {
    "lab": dict(layers=(64,), loss="bpr", batch_size=64, n_sample=512, learning_rate=0.1,
                n_epochs=4),
    "yoochoose": dict(layers=(480,), loss="cross-entropy", batch_size=48, dropout_p_hidden=0.2,
                      learning_rate=0.07, sample_alpha=0.2, logq=1.0),
    "rees46": dict(layers=(512,), loss="cross-entropy", batch_size=240, dropout_p_embed=0.45,
                   learning_rate=0.065, sample_alpha=0.5, logq=1.0),
    "coveo": dict(layers=(512,), loss="bpr-max", batch_size=144, dropout_p_embed=0.35,
                  learning_rate=0.05, momentum=0.4, sample_alpha=0.2, bpreg=1.85, elu_param=1.0),
    "retailrocket": dict(layers=(224,), loss="bpr-max", batch_size=80, dropout_p_embed=0.5,
                         dropout_p_hidden=0.05, learning_rate=0.05, momentum=0.4,
                         sample_alpha=0.4, bpreg=1.95, elu_param=0.5),
    "diginetica": dict(layers=(512,), loss="bpr-max", batch_size=128, dropout_p_embed=0.5,
                       dropout_p_hidden=0.3, learning_rate=0.05, momentum=0.15, sample_alpha=0.3,
                       bpreg=0.9, elu_param=1.0),
}  # fmt: skip

CHOICES: dict[str, tuple[str, ...]] = {
    "shape_scores": ("bpr-max", "all"),
    "cell": ("gru", "feed-forward"),
    "logq_mode": ("official", "exact"),
    "sampler": tuple(WEIGHTS),
    "collisions": ("keep", "mask", "resample"),
    "step": ("auto", "plain", "numba", "graph", "compiled"),
}
# Counts are int32 in kernels, weights and scores float32: nothing larger can be worked with.
_MOST, _LARGEST = 2**31 - 1, 3e38


class _Unfit(ValueError):  # noqa: N818
    """What a value should have been; `check_setting` adds the field, the value and the default."""


# Takes a value and returns what is stored.
_Check = Callable[[Any], Any]


def _is_within(value: Any, low: float, high: float) -> bool:
    if isinstance(value, np.generic):
        value = value.item()  # float16 does not reach as far as most limits
    return isinstance(value, Real) and not isinstance(value, bool) and low <= value <= high


def _limits(value: Any, low: float, high: float) -> str:
    """The limits in words; the one above only where it is the setting's own, or was passed."""
    own = high not in (_MOST, _LARGEST) or _is_within(value, high, float("inf"))
    return f"of at least {low:g}" + (f" and at most {high:g}" if own else "")


def _whole(low: int, high: int = _MOST) -> _Check:
    def check(value: Any) -> int:
        if not _is_within(value, low, high) or value != int(value):
            raise _Unfit(f"must be a whole number {_limits(value, low, high)}")
        return int(value)

    return check


def _number(low: float, high: float = _LARGEST) -> _Check:
    def check(value: Any) -> float:
        if not _is_within(value, low, high):
            raise _Unfit(f"must be a number {_limits(value, low, high)}")
        return float(value)

    return check


def _n_sample(value: Any) -> int | str:
    try:
        return "all" if isinstance(value, str) and value == "all" else _whole(0)(value)
    except _Unfit as wanted:
        raise _Unfit(f"{wanted}, or 'all'") from None


def _rate(value: Any) -> float:
    if not _is_within(value, 0, _LARGEST) or not value:
        raise _Unfit("must be a number above 0")
    return float(value)


def _seed(value: Any) -> int:
    try:
        return _whole(-(2**63), 2**64 - 1)(value)  # what torch's generators take
    except _Unfit:
        raise _Unfit("must be a whole number of at most 64 bits") from None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise _Unfit("must be True or False")
    return bool(value)


def _loss(value: Any) -> str:
    return LOSSES[str(value)].name


def _choice(choices: tuple[str, ...]) -> _Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise _Unfit(f"choose one of {', '.join(choices)}")
        return str(value)

    return check


def _device(value: Any) -> str:
    if not isinstance(value, str | torch.device):
        raise _Unfit("must be text, such as 'auto', 'cpu' or 'cuda'")
    return str(value)


def _layers(value: Any) -> tuple[int, ...]:
    several = isinstance(value, tuple | list) or (isinstance(value, np.ndarray) and value.ndim)
    units = list(value) if several else [value]
    try:
        return tuple(map(_whole(1), units or [0]))
    except _Unfit:
        raise _Unfit("must be whole numbers above 0, the lowest layer first") from None


_CHECKS: dict[str, _Check] = {
    "layers": _layers,
    "loss": _loss,
    "batch_size": _whole(1),
    "n_sample": _n_sample,
    "sample_alpha": _number(0),
    "logq": _number(0),
    "bpreg": _number(0),
    "elu_param": _number(0),
    "embedding": _whole(0),
    "constrained_embedding": _flag,
    "dropout_p_embed": _number(0, 0.99),
    "dropout_p_hidden": _number(0, 0.99),
    "learning_rate": _rate,
    "momentum": _number(0, 0.9999),
    "n_epochs": _whole(0),
    "seed": _seed,
    "device": _device,
    "report_every": _whole(1),
} | {name: _choice(choices) for name, choices in CHOICES.items()}


def check_setting(name: str, value: Any) -> Any:
    """`value` as setting `name` stores it: numpy's numbers as Python's, 64.0 as 64, and so on.

    Raises:
        ValueError: an unknown setting, or a value that it cannot take.
    """
    if name not in _CHECKS:
        raise ValueError(f"unknown setting {name!r}; choose one of {', '.join(_CHECKS)}")
    try:
        return _CHECKS[name](value)
    except _Unfit as wanted:
        if name in CHOICES:
            raise ValueError(f"unknown {name} {value!r}; {wanted}") from None
        usual = getattr(Config, name)
        raise ValueError(f"{name} {wanted}, got {value!r}; the default is {usual!r}") from None


# No static types are checked: what searches and files give is converted or refused when made.
@no_type_check
@dataclass(frozen=True)
class Config:
    """The settings of one run; checked when made, never changed afterwards.

    Attributes:
        layers: units of each GRU layer, the lowest first.
        loss: a name of `LOSSES`.
        batch_size: sessions that advance side by side.
        n_sample: extra negatives drawn for every step, shared by its rows; may exceed the
            catalogue, since draws are with replacement. "all": a row's negatives are all items but
            its target, each once. Nothing is drawn and nothing to correct, so that `sample_alpha`,
            `logq`, `logq_mode`, `sampler` and `collisions` do nothing.
        sample_alpha: extra negatives are drawn with probability ~ support^alpha (0 uniform, 1
            popularity).
        logq: strength of the popularity correction of cross-entropy (0 off, 1 full).
        bpreg: strength of the score regularisation.
        elu_param: ELU on the scores in training (0 = linear scores).
        embedding: size of a separate input embedding; 0 = none.
        constrained_embedding: one table for input and output; the input is one-hot if this is
            False and `embedding` is 0.
        dropout_p_embed: share of the input embedding's units dropped in training.
        dropout_p_hidden: share of each layer's units dropped in training.
        learning_rate: Adagrad's.
        momentum: heavy-ball momentum, on touched rows only.
        n_epochs: passes over the training sessions.
        seed: of weights, negatives and dropout.
        device: "auto" (CUDA, then MPS, then CPU) or a torch device.
        shape_scores: "bpr-max": `bpreg` and `elu_param` act on BPR-max alone; "all": on any loss.
        cell: "gru", or "feed-forward", which knows the last click alone: does order matter?
        logq_mode: "official": from raw counts, the target corrected too; "exact": from expected
            counts, the target left as it is and its copies masked.
        sampler: how extra negatives are drawn: by "popularity" to the `sample_alpha`, "uniform",
            "log-uniform" by popularity rank, or "hard", the best-scoring of a larger pool.
        collisions: "keep": a sample that equals a row's target is its negative, as in the official
            code; "mask": it counts for nothing in that row; "resample": it is drawn again.
        step: "plain" runs on any device. Faster are "numba" on a CPU, by compiled kernels, and
            "graph" on CUDA, by one launch a step; "compiled" is "graph" after torch.compile, which
            takes some ten seconds at the start and with each new loss or `n_sample`. "auto" is
            "graph" or "numba", where it can run these settings, else "plain".
        report_every: steps between two reports of the loss.
    """

    layers: tuple[int, ...] = (100,)
    loss: str = "cross-entropy"
    batch_size: int = 64
    n_sample: int | Literal["all"] = 2048
    sample_alpha: float = 0.5
    logq: float = 0.0
    bpreg: float = 1.0
    elu_param: float = 0.5
    embedding: int = 0
    constrained_embedding: bool = True
    dropout_p_embed: float = 0.0
    dropout_p_hidden: float = 0.0
    learning_rate: float = 0.05
    momentum: float = 0.0
    n_epochs: int = 10
    seed: int = 0
    device: str = "auto"
    shape_scores: str = "bpr-max"
    cell: str = "gru"
    logq_mode: str = "official"
    sampler: str = "popularity"
    collisions: str = "keep"
    step: str = "auto"
    report_every: int = 50

    def __post_init__(self) -> None:
        for name in _CHECKS:
            object.__setattr__(self, name, check_setting(name, getattr(self, name)))
        if self.cell == "feed-forward" and not (self.constrained_embedding or self.embedding):
            raise ValueError(
                "cell='feed-forward' needs an input embedding; set constrained_embedding=True or "
                "embedding= to its size"
            )
        if self.logq_mode == "exact" and self.sampler == "hard":
            raise ValueError(
                "the expected counts of hard negatives are not known; use logq_mode='official' or "
                "another sampler than 'hard'"
            )
        if self.constrained_embedding and self.embedding not in (0, self.layers[-1]):
            raise ValueError(
                f"a constrained embedding has the size of the last layer, {self.layers[-1]}, not "
                f"{self.embedding}; leave embedding=0 or set constrained_embedding=False"
            )

    @classmethod
    def preset(cls, name: str, **changes: Any) -> "Config":
        """The named settings (`lab`, or a data set of the official README), with `changes`.

        Raises:
            ValueError: no such preset (the message lists them), an unknown setting or a bad value.
        """
        if name not in _PRESETS:
            raise ValueError(f"unknown preset {name!r}; choose one of {', '.join(_PRESETS)}")
        return cls(**_PRESETS[name]).with_changes(**changes)

    def with_changes(self, **changes: Any) -> "Config":
        """The same settings but for `changes`.

        Raises:
            ValueError: an unknown setting or a bad value.
        """
        return replace(self, **{name: check_setting(name, new) for name, new in changes.items()})
