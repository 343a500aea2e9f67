"""Prepared sessions kept on disk, so that only the first load has to read the source.

A cache may only save time: whatever is wrong with it, the sessions are prepared again. Many clicks
are kept uncompressed and mapped into memory: they are there at once, a part is read from the disk
when it is used, and a bit that flipped in them is not noticed.
"""

import json
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from platformdirs import user_cache_path

from ..storage import whole_file
from .sessions import Dropped, Sessions

MANY = 1_000_000  # clicks that take longer to compress and to read than to prepare


def cache_folder() -> Path:
    """The folder named by GRU4REC_LAB_CACHE, else `gru4rec_lab` where the system keeps caches.

    Raises:
        RuntimeError: neither that variable nor a home folder.
    """
    named = os.environ.get("GRU4REC_LAB_CACHE")
    return Path(named) if named else user_cache_path("gru4rec_lab", appauthor=False)


def cached(key: str, prepare: Callable[[], Sessions], *, fresh: bool = False) -> Sessions:
    """The sessions kept under `key`; else those of `prepare()`, kept for the next time.

    If `fresh`, they are prepared in any case. A file that cannot be read is replaced; a folder that
    cannot be written is done without.
    """
    try:
        path = cache_folder() / f"{key}.npz"
    except RuntimeError:  # no home folder
        return prepare()
    # Any error: a damaged archive fails in a dozen ways, and none of them is the reader's concern.
    if not fresh:
        with suppress(Exception):
            return _read(path)
    sessions = prepare()
    with suppress(OSError):
        _write(path, sessions)
        if sessions.n_clicks >= MANY:
            return _read(path)  # mapped, so that their memory is free again
    return sessions


def _read(path: Path) -> Sessions:
    kept = _mapped(path)
    if kept is None:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            kept = dict(archive)
    about = json.loads(str(kept["about"]))
    sessions = Sessions(
        items=kept["items"].astype(np.int64, copy=False),
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


def _mapped(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of an uncompressed archive, mapped into memory; None for a compressed one."""
    found = {}
    with ZipFile(path) as archive, path.open("rb") as file:
        for member in archive.infolist():
            if member.compress_type != ZIP_STORED:
                return None
            # The array begins behind the member's own header, whose last two parts vary in length.
            file.seek(member.header_offset + 26)
            file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError(f"{path} holds arrays of another version")
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            if dtype.hasobject:  # bytes of a file would become addresses in memory
                raise ValueError(f"{path} holds objects")
            # Writable, as other arrays are; what is written there stays in memory.
            array = np.memmap(path, dtype, mode="c", offset=file.tell(), shape=shape)
            found[member.filename.removesuffix(".npy")] = np.asarray(array)
    return found


def _write(path: Path, sessions: Sessions) -> None:
    about = {"name": sessions.name, "note": sessions.note}
    about["dropped"] = [asdict(step) for step in sessions.dropped]
    many = sessions.n_clicks >= MANY
    save = np.savez if many else np.savez_compressed
    # No reader may meet half a file. An open file, since numpy adds a suffix to a name.
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        save(
            file,
            about=np.array(json.dumps(about)),
            items=sessions.items.astype(np.int64 if many else np.int32, copy=False),
            times=sessions.times,
            offsets=sessions.offsets,
            item_ids=_plain(sessions.item_ids, str),
            session_ids=_plain(sessions.session_ids, str),
        )


def _plain(ids: np.ndarray, text: type) -> np.ndarray:
    """The ids as they are if they are whole numbers, else as `text`."""
    return ids if ids.dtype.kind in "iu" else ids.astype(text)
