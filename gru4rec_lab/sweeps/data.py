"""What all trials of a sweep read: the sessions as plain arrays, which workers share."""

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from ..arguments import check_kind
from ..batches import session_parallel
from ..data.sessions import MAKE_THEM, Sessions
from ..storage import fingerprint


@dataclass(frozen=True, eq=False)
class SweepData:
    """Training and test sessions over one vocabulary, without names and times.

    No result depends on those: items are numbered, and sessions stand in time order.

    Attributes:
        train_items, test_items: [clicks] item index of every click.
        train_offsets, test_offsets: [sessions + 1] where each session starts.
        n_items: size of the vocabulary, that of the training sessions.
    """

    train_items: np.ndarray
    train_offsets: np.ndarray
    test_items: np.ndarray
    test_offsets: np.ndarray
    n_items: np.ndarray

    @classmethod
    def of(cls, train_set: Sessions, test_set: Sessions) -> "SweepData":
        """The data of a sweep.

        Raises:
            ValueError: no `Sessions`, sessions that cannot be trained on, or no test session with
                two known items.
        """
        check_kind(Sessions, MAKE_THEM, train_set=train_set, test_set=test_set)
        if not train_set.n_sessions or train_set.lengths.min() < 2:
            session_parallel(train_set, 1)  # raises, and says what is wrong with them
        known = test_set.with_targets(train_set.item_ids)
        if not known.n_sessions:
            raise ValueError(
                f"none of the {test_set.n_sessions} test sessions has 2 clicks on items of the "
                f"training sessions"
            )
        arrays = train_set.items, train_set.offsets, known.items, known.offsets, train_set.n_items
        return cls(*(np.asarray(array, dtype="<i8", order="C") for array in arrays))

    @cached_property
    def fingerprint(self) -> str:
        """Equal for equal data alone, on any machine."""
        return fingerprint((f"{name}{array.shape}", array) for name, array in self._arrays())

    @property
    def train(self) -> Sessions:
        """The training sessions."""
        return self._sessions(self.train_items, self.train_offsets)

    @property
    def test(self) -> Sessions:
        """The test sessions."""
        return self._sessions(self.test_items, self.test_offsets)

    def _sessions(self, items: np.ndarray, offsets: np.ndarray) -> Sessions:
        # One zero seen many times: nothing is copied, and nothing is read.
        times = np.broadcast_to(0.0, len(items))
        ids = np.arange(self.n_items)
        return Sessions(items, times, offsets, ids, np.broadcast_to(0, len(offsets) - 1))

    def _arrays(self) -> list[tuple[str, np.ndarray]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]

    def save(self, folder: str) -> None:
        """Write each array as a file that processes can map into their memory."""
        for name, array in self._arrays():
            np.save(Path(folder, f"{name}.npy"), array)


@lru_cache(maxsize=1)
def mapped(folder: str) -> SweepData:
    """What `SweepData.save` wrote; all processes of a machine share the memory."""
    paths = [Path(folder, f"{field.name}.npy") for field in fields(SweepData)]
    return SweepData(*(np.asarray(np.load(path, mmap_mode="r")) for path in paths))
