"""Prepared sessions kept on disk, so that only the first load has to read the source.

A cache may only save time: whatever is wrong with it, the sessions are prepared again.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from ..storage import whole_file
from .sessions import Dropped, Sessions


def cache_folder() -> Path:
    """The folder named by GRU4REC_LAB_CACHE, else `gru4rec_lab` where the system keeps caches.

    Raises:
        RuntimeError: neither that variable nor a home folder.
    """
    named = os.environ.get("GRU4REC_LAB_CACHE")
    return Path(named) if named else user_cache_path("gru4rec_lab", appauthor=False)


def cached(key: str, prepare: Callable[[], Sessions]) -> Sessions:
    """The sessions kept under `key`; else those of `prepare()`, kept for the next time.

    A file that cannot be read is replaced; a folder that cannot be written is done without.
    """
    try:
        path = cache_folder() / f"{key}.npz"
    except RuntimeError:  # no home folder
        return prepare()
    # Any error: a damaged archive fails in a dozen ways, and none of them is the reader's concern.
    with suppress(Exception):
        return _read(path)
    sessions = prepare()
    with suppress(OSError):
        _write(path, sessions)
    return sessions


def _read(path: Path) -> Sessions:
    with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as kept:
        about = json.loads(str(kept["about"]))
        sessions = Sessions(
            items=kept["items"].astype(np.int64),
            times=kept["times"],
            offsets=kept["offsets"],
            item_ids=_plain(kept["item_ids"], object),
            session_ids=_plain(kept["session_ids"], object),
            name=about["name"],
            note=about["note"],
            dropped=tuple(Dropped(**step) for step in about["dropped"]),
        )
    if not len(sessions.items) == len(sessions.times) == sessions.offsets[-1]:
        raise ValueError(f"{path} does not hold one set of sessions")
    return sessions


def _write(path: Path, sessions: Sessions) -> None:
    about = {"name": sessions.name, "note": sessions.note}
    about["dropped"] = [asdict(step) for step in sessions.dropped]
    # No reader may meet half a file. An open file, since numpy adds a suffix to a name.
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(
            file,
            about=np.array(json.dumps(about)),
            items=sessions.items.astype(np.int32),
            times=sessions.times,
            offsets=sessions.offsets,
            item_ids=_plain(sessions.item_ids, str),
            session_ids=_plain(sessions.session_ids, str),
        )


def _plain(ids: np.ndarray, text: type) -> np.ndarray:
    """The ids as they are if they are whole numbers, else as `text`."""
    return ids if ids.dtype.kind in "iu" else ids.astype(text)
