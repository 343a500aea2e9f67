"""`Config`: every setting of a run, in the authors' spelling and with their defaults."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .losses import LOSSES

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

# Field to (smallest, largest) value; None = no bound on that side.
_RANGES: dict[str, tuple[float | None, float | None]] = {
    "batch_size": (1, None),
    "n_sample": (0, None),
    "sample_alpha": (0, None),
    "logq": (0, None),
    "bpreg": (0, None),
    "elu_param": (0, None),
    "embedding": (0, None),
    "dropout_p_embed": (0, 0.99),
    "dropout_p_hidden": (0, 0.99),
    "momentum": (0, 0.9999),
    "n_epochs": (0, None),
    "report_every": (1, None),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "shape_scores": ("bpr-max", "all"),
    "cell": ("gru", "feed-forward"),
    "logq_mode": ("official", "exact"),
    "sampler": ("popularity", "uniform", "log-uniform", "hard"),
    "collisions": ("keep", "mask", "resample"),
    "step": ("auto", "plain", "numba"),
}


def check_setting(name: str, value: Any) -> None:
    """Accept `value` as setting `name`, or say what is wrong with it.

    Raises:
        ValueError: an unknown setting, a value outside its range, an unknown choice.
    """
    if name == "loss":
        _ = LOSSES[value]
    if name in CHOICES and value not in CHOICES[name]:
        choices = ", ".join(CHOICES[name])
        raise ValueError(f"unknown {name} {value!r}; choose one of {choices}")
    if name in _RANGES:
        low, high = _RANGES[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or value != value or value < low or (high is not None and value > high):
            upper = "" if high is None else f" and at most {high}"
            raise ValueError(f"{name} must be a number of at least {low}{upper}, got {value!r}")
    if name in ("batch_size", "n_sample", "n_epochs", "embedding") and value != int(value):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    if name == "learning_rate" and not (
        isinstance(value, int | float) and 0 < value < float("inf")
    ):
        raise ValueError(f"learning_rate must be a number above 0, got {value!r}; .05 is usual")


@dataclass(frozen=True)
class Config:
    """The settings of one run; checked when made, never changed afterwards.

    Attributes:
        layers: units of each GRU layer, the lowest first.
        loss: a name of `LOSSES`.
        batch_size: sessions that advance side by side.
        n_sample: extra negatives drawn for every step, shared by its rows; may exceed the
            catalogue, since draws are with replacement.
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
        step: "plain" runs on any device; "numba" does the same on compiled kernels, on a CPU, and
            several times faster; "auto" is "numba" where it can run these settings, else "plain".
        report_every: steps between two reports of the loss.
    """

    layers: tuple[int, ...] = (100,)
    loss: str = "cross-entropy"
    batch_size: int = 64
    n_sample: int = 2048
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
        for name, value in asdict(self).items():
            check_setting(name, value)
        layers = self.layers if isinstance(self.layers, tuple | list) else (self.layers,)
        if not layers or not all(isinstance(units, int) and units > 0 for units in layers):
            raise ValueError(f"layers must be whole numbers above 0, got {self.layers!r}")
        object.__setattr__(self, "layers", tuple(layers))
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
            ValueError: no such preset; the message lists them.
        """
        if name not in _PRESETS:
            raise ValueError(f"unknown preset {name!r}; choose one of {', '.join(_PRESETS)}")
        return cls(**(_PRESETS[name] | changes))

    def with_changes(self, **changes: Any) -> "Config":
        """The same settings but for `changes`.

        Raises:
            ValueError: an unknown setting or a bad value.
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; choose one of {', '.join(known)}")
        return replace(self, **changes)
