"""Files that appear whole or not at all, and models as such files: safetensors with a JSON header.

Reading a model runs no code. A checksum over all that a file says tells a damaged one from a whole
one: safetensors has none.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from os import PathLike
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import Any

import numpy as np
import torch
from torch import Tensor

SUFFIX = ".safetensors"
FORMAT = "gru4rec-lab/1"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, renamed to `path` when the block ends without an error.

    It lies in a folder of its own beside `path`, for what else a library may write on the way, and
    the folder of `path` is made if it is missing. A killed process or an error leaves what was at
    `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile: only the owner may read its files.
    private = path.with_name(f".{path.stem}-{token_hex(8)}.part")
    private.mkdir()
    try:
        yield private / path.name
        (private / path.name).replace(path)
    finally:
        rmtree(private, ignore_errors=True)


def remove_unfinished(path: Path) -> None:
    """Remove what killed processes left of files that would have become `path`."""
    for unfinished in path.parent.glob(f".{escape(path.stem)}-{'[0-9a-f]' * 16}.part"):
        rmtree(unfinished, ignore_errors=True)


def fingerprint(parts: Iterable[tuple[str, bytes | np.ndarray]]) -> str:
    """16 hexadecimal digits, equal for equal names and contents alone, on any machine."""
    found = hashlib.sha256()
    for name, content in parts:
        found.update(name.encode())
        found.update(content)
    return found.hexdigest()[:16]


def model_path(path: str | Path) -> Path:
    """The path with the suffix .safetensors, in capitals or not, and ~ as the home folder.

    Raises:
        ValueError: a path without a name.
    """
    if not isinstance(path, str | PathLike) or not Path(path).name:
        raise ValueError(f"{path!r} names no file; give a path such as 'models/first'")
    path = Path(path).expanduser()
    return path if path.suffix.lower() == SUFFIX else path.with_name(path.name + SUFFIX)


def write_model(path: str | Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> Path:
    """Write tensors and JSON-ready facts, whole or not at all; returns `model_path(path)`."""
    from safetensors.torch import save_file

    target = model_path(path)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"format": FORMAT, "facts": json.dumps(facts)}
    header["checksum"] = _checksum(plain, header["facts"])
    with whole_file(target) as unfinished:
        unfinished.touch()
        rights = unfinished.stat().st_mode
        save_file(plain, unfinished, metadata=header)
        # safetensors lets only the owner read its files, whatever the umask says.
        unfinished.chmod(rights)
    return target


def read_model(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and facts that `write_model` wrote.

    Raises:
        FileNotFoundError: no such file.
        PermissionError: a file that this user may not read.
        ValueError: not a model of this library, or a damaged one.
    """
    from safetensors import SafetensorError, safe_open

    source = model_path(path)
    if not source.is_file():
        raise FileNotFoundError(f"no model at {source}; model.save(path) writes one")
    # Without the right to read, safetensors would say that there is no such file.
    source.open("rb").close()
    try:
        with safe_open(source, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{source} is damaged or no safetensors file: {error}") from None
    if header.get("format") != FORMAT:
        found = header.get("format")
        raise ValueError(f"{source} has format {found!r}, not {FORMAT!r}; save the model again")
    # Files of earlier versions have no checksum, and nothing else in its place.
    checksum = _checksum(tensors, header.get("facts", ""))
    if header.keys() != {"format", "facts"} and header.get("checksum") != checksum:
        raise ValueError(f"{source} is damaged: what it holds is not what its checksum says")
    return tensors, json.loads(header["facts"])


def _checksum(tensors: dict[str, Tensor], facts: str) -> str:
    parts = [
        (f"{name}{tensor.dtype}{tuple(tensor.shape)}", tensor.flatten().view(torch.uint8).numpy())
        for name, tensor in sorted(tensors.items())
    ]
    return fingerprint([*parts, ("facts", facts.encode())])
