"""Fetching a public set of clicks: downloaded by pooch, checked, then kept whole or not at all."""

import os
import shutil
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, is_zipfile

from ..storage import whole_file
from .recipes import Recipe, read_checked


def fetch(recipe: Recipe, source: str | os.PathLike | None = None) -> Path:
    """Where the file of `recipe` lies now, downloaded or taken from `source`, a zip or the file.

    Nothing is kept of what is not the known clicks, or of a download that was interrupted.

    Raises:
        ConnectionError: the address cannot be reached, or not all of it came.
        FileNotFoundError: no such `source`.
        ValueError: something else came than the clicks of the recipe.
        OSError: the file cannot be kept.
    """
    kept = recipe.path
    with TemporaryDirectory(prefix="gru4rec_lab-") as folder:
        came = Path(source).expanduser() if source else _download(recipe, Path(folder))
        if not came.is_file():
            raise FileNotFoundError(f"no file {str(came)!r}; check its path")
        file = _unpacked(recipe, came, Path(folder)) if is_zipfile(came) else came
        if source is None and file == came:
            raise ValueError(f"what {recipe.address} sent is no zip archive; {recipe.by_hand}")
        read_checked(recipe, file)
        try:
            with whole_file(kept) as unfinished:
                shutil.copyfile(file, unfinished)
        except OSError as why:
            raise OSError(
                f"cannot keep {recipe.file!r} in {kept.parent}: {why.strerror}; "
                "name a folder that can be written in GRU4REC_LAB_CACHE"
            ) from why
    return kept


def _download(recipe: Recipe, folder: Path) -> Path:
    # Here and not above: it takes a while to load, and only this command needs it.
    import pooch

    # It would tell to write down the checksum of the archive, which nobody has published: the
    # clicks in it are checked instead.
    pooch.get_logger().setLevel("WARNING")
    try:
        name = pooch.retrieve(
            recipe.address, known_hash=None, fname="archive.zip", path=folder, progressbar=True
        )
    except OSError as why:  # requests' own errors too
        raise ConnectionError(f"cannot download {recipe.name}: {why}; {recipe.by_hand}") from why
    return Path(name)


def _unpacked(recipe: Recipe, archive: Path, folder: Path) -> Path:
    """The recipe's file, taken out of the archive into `folder`."""
    with ZipFile(archive) as opened:
        inside = {Path(name).name: name for name in opened.namelist()}
        if recipe.file not in inside:
            raise ValueError(
                f"no {recipe.file!r} in {archive.name}, but {', '.join(inside)[:200] or 'nothing'}"
            )
        unpacked = folder / recipe.file
        try:
            with opened.open(inside[recipe.file]) as packed, unpacked.open("wb") as file:
                shutil.copyfileobj(packed, file)
        except (BadZipFile, EOFError, zlib.error) as why:
            raise ValueError(f"{archive.name} is damaged: {why}; download it again") from why
    return unpacked
