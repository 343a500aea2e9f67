"""Fetching a public set of clicks: downloaded by pooch, checked, then kept whole or not at all."""

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from zipfile import BadZipFile, ZipFile, is_zipfile

from ..storage import whole_file
from .recipes import Recipe, prepared


def fetch(recipe: Recipe, source: str | os.PathLike | None = None) -> Path:
    """Where the file of `recipe` lies now, downloaded or taken from `source`.

    `source` is the file, or that file in a zip, tar or gz. The sessions are prepared on the way. A
    file that lies in the same file system is linked and takes no more room, else copied. Nothing is
    kept of what is not the known clicks, or of a download that was interrupted.

    Raises:
        ConnectionError: the address cannot be reached, or not all of it came.
        FileNotFoundError: no such `source`, or none was given for a set that no command downloads.
        ValueError: something else came than the clicks of the recipe.
        OSError: the file cannot be kept.
    """
    if not (source or recipe.address):
        raise FileNotFoundError(f"no command can download it ({recipe.licence}); {recipe.by_hand}")
    with TemporaryDirectory(prefix="gru4rec_lab-") as folder:
        came = Path(source).expanduser() if source else _download(recipe, Path(folder))
        if not came.is_file():
            raise FileNotFoundError(f"no file {str(came)!r}; check its path")
        file = _unpacked(recipe, came, Path(folder))
        if source is None and file == came:
            raise ValueError(f"what {recipe.address} sent is no archive; {recipe.by_hand}")
        kept = recipe.path.with_name(_kept_name(recipe, file.name))
        others = [path for path in recipe.paths if path.name != kept.name]
        prepared(recipe, sorted([*others, file], key=lambda path: path.name), fresh=True)
        try:
            with whole_file(kept) as unfinished:
                _link(file.resolve(), unfinished)
        except OSError as why:
            raise OSError(
                f"cannot keep {kept.name!r} in {kept.parent}: {why.strerror}; "
                "name a folder that can be written in GRU4REC_LAB_CACHE"
            ) from why
    return kept


def _kept_name(recipe: Recipe, name: str) -> str:
    """The name of the recipe's file; where that is a pattern, the file's own name."""
    if "?" not in recipe.file:
        return recipe.file
    if not fnmatch(name, recipe.file):
        raise ValueError(f"{name!r} is not named like {recipe.file!r}; keep the publisher's name")
    return name


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # another file system, or one without links
        shutil.copyfile(file, to)


def _download(recipe: Recipe, folder: Path) -> Path:
    # Here and not above: it takes a while to load, and only this command needs it.
    import pooch

    # It would tell to write down the checksum of the archive, which nobody has published: the
    # clicks in it are checked instead.
    pooch.get_logger().setLevel("WARNING")
    try:
        name = pooch.retrieve(
            recipe.address, known_hash=None, fname="archive", path=folder, progressbar=True
        )
    except OSError as why:  # requests' own errors too
        raise ConnectionError(f"cannot download {recipe.name}: {why}; {recipe.by_hand}") from why
    return Path(name)


def _unpacked(recipe: Recipe, came: Path, folder: Path) -> Path:
    """The recipe's file, taken out of the archive into `folder`; `came` if it is no archive."""
    try:
        if is_zipfile(came):
            with ZipFile(came) as opened:
                return _taken(recipe, came, opened.namelist(), opened.open, folder)
        if tarfile.is_tarfile(came):
            with tarfile.open(came) as opened:
                return _taken(recipe, came, opened.getnames(), opened.extractfile, folder)
        with came.open("rb") as file:
            begins = file.read(6)
        if begins == b"7z\xbc\xaf\x27\x1c":
            raise ValueError(f"{came.name} is a 7z archive; unpack it (7z x), give {recipe.file!r}")
        if begins.startswith(b"\x1f\x8b"):
            return _taken(recipe, came, [came.stem], lambda _: gzip.open(came), folder)
    except (BadZipFile, EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as why:
        raise ValueError(f"{came.name} is damaged: {why}; download it again") from why
    return came


def _taken(
    recipe: Recipe, archive: Path, names: list[str], opened: Callable[[str], IO], folder: Path
) -> Path:
    inside = {Path(name).name: name for name in names}
    found = [name for name in inside if fnmatch(name, recipe.file)]
    if not found:
        there = ", ".join(inside)[:200] or "nothing"
        raise ValueError(f"no {recipe.file!r} in {archive.name}, but {there}")
    unpacked = folder / found[0]
    with opened(inside[found[0]]) as packed, unpacked.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return unpacked
