"""`Controls`: the settings that may change between two steps of a running training."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ..arguments import check_kind
from ..config import Config, check_setting
from ..losses import LOSSES


@dataclass(frozen=True)
class Settings:
    """One consistent set of live settings; meanings as in `Config`."""

    loss: str
    n_sample: int | Literal["all"]
    sample_alpha: float
    learning_rate: float
    momentum: float
    bpreg: float
    elu_param: float
    logq: float

    @classmethod
    def of(cls, config: Config) -> "Settings":
        """The live part of `config`."""
        return cls(**{name: getattr(config, name) for name in cls.__dataclass_fields__})

    @property
    def acting_logq(self) -> float:
        """`logq` where it acts, else 0: not on every loss, and not if all items are negatives."""
        return self.logq if LOSSES[self.loss].corrects_logq and self.n_sample != "all" else 0.0


LIVE = tuple(Settings.__dataclass_fields__)


@dataclass(frozen=True)
class ControlChanged:
    """`name` went from `old` to `new` before step number `step` (1-based).

    `settings` are all settings from that step on; a change written by hand need not have them.
    """

    step: int
    name: str
    old: Any
    new: Any
    settings: Settings | None = field(default=None, compare=False, repr=False)


class Controls:
    """What may be changed while a run is going, from any thread: `controls.n_sample = 64`.

    The training loop reads `settings` once before each step. Recorded `ControlChanged` events given
    as `replay` are applied again before the same steps, which repeats a run exactly. `on_set` is
    called after each change, in the thread that made it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        replay: Iterable[ControlChanged] = (),
        on_set: Callable[[], None] | None = None,
    ):
        self._lock = threading.Lock()
        self._settings, self._on_set = settings, on_set
        self._replay = sorted(replay, key=lambda change: change.step, reverse=True)

    @classmethod
    def of(
        cls,
        config: Config,
        *,
        replay: Iterable[ControlChanged] = (),
        on_set: Callable[[], None] | None = None,
    ) -> "Controls":
        """Controls that start at the settings of `config`."""
        check_kind(Config, "Config(...) makes one", config=config)
        return cls(Settings.of(config), replay=replay, on_set=on_set)

    @property
    def settings(self) -> Settings:
        """The settings now, all from one moment."""
        return self._settings

    @property
    def replay(self) -> list[ControlChanged]:
        """The recorded changes that are still to come, the next one first."""
        return self._replay[::-1]

    def set(self, **changes: Any) -> None:
        """Change several settings at once, all or none.

        Raises:
            ValueError: not a live setting, or a bad value.
        """
        for name in changes:
            if name not in LIVE:
                raise ValueError(
                    f"{name!r} cannot change while a run is going; live are {', '.join(LIVE)}; "
                    f"everything else needs a new run"
                )
        stored = {name: check_setting(name, value) for name, value in changes.items()}
        with self._lock:
            self._settings = replace(self._settings, **stored)
        if self._on_set is not None:
            self._on_set()

    def before_step(self, step: int, previous: Settings) -> tuple[Settings, list[ControlChanged]]:
        """The settings of step number `step` and how they differ from `previous`."""
        while self._replay and self._replay[-1].step <= step:
            change = self._replay.pop()
            self.set(**{change.name: change.new})
        now = self._settings
        if now is previous:
            return now, []
        old, new = asdict(previous), asdict(now)
        return now, [
            ControlChanged(step, name, old[name], new[name], now)
            for name in LIVE
            if old[name] != new[name]
        ]

    def __getattr__(self, name: str) -> Any:
        if name in LIVE:
            return getattr(self._settings, name)
        raise AttributeError(f"no control {name!r}; there are {', '.join(LIVE)}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
        else:
            self.set(**{name: value})

    def __repr__(self) -> str:
        return repr(self._settings).replace("Settings", "Controls")
