"""`whole_file`: a file that appears whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, renamed to `path` when the block ends well; its folders are made.

    It lies beside `path`. A killed process or an error leaves what was at `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: its files are for nobody but their owner.
    unfinished = path.with_name(f".{path.stem}-{token_hex(8)}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
