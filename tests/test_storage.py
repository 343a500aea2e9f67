import json
import os
import pickle
import stat
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch

from gru4rec_lab.storage import (
    FORMAT,
    fingerprint,
    read_model,
    remove_unfinished,
    whole_file,
    write_model,
)


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with whole_file(path) as unfinished:
        unfinished.write_text("all of it")
        assert not path.exists()
    assert path.read_text() == "all of it"
    assert list(path.parent.iterdir()) == [path]


def fail_half_way(path):
    with whole_file(path) as unfinished:
        unfinished.write_text("half of")
        raise ValueError("the rest is missing")


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ValueError, match="the rest is missing"):
        fail_half_way(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_others_may_read_what_they_could_read_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    with whole_file(tmp_path / "whole") as unfinished:
        unfinished.touch()
    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "whole")]
    assert rights[0] == rights[1]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a", "a.safetensors"),
        ("run.1", "run.1.safetensors"),
        ("a.safetensors", "a.safetensors"),
        ("a.SAFETENSORS", "a.SAFETENSORS"),
        ("~/a", "a.safetensors"),
    ],
)
def test_a_model_is_written_and_found_under_the_name_that_was_typed(
    tmp_path, monkeypatch, name, written
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_model(name, {"weight": torch.ones(2)}, {"made by": "a test"})
    assert [path.name for path in tmp_path.iterdir()] == [written]
    tensors, facts = read_model(name)
    assert tensors["weight"].tolist() == [1, 1]
    assert facts == {"made by": "a test"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077, 0o002])
def test_a_model_may_be_read_by_those_whom_the_umask_lets(tmp_path, umask):
    before = os.umask(umask)
    try:
        path = write_model(tmp_path / "model", {"weight": torch.ones(2)}, {})
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    left = [tmp_path / f".run-{token}.part" for token in ("0" * 16, "0123456789abcdef")]
    kept = [tmp_path / name for name in ("run", ".run-2.part", ".other-0123456789abcdef.part")]
    for path in (*left, *kept):
        path.touch()
    remove_unfinished(tmp_path / "run.safetensors")
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_a_fingerprint_tells_names_and_contents_apart():
    parts = [("items", np.arange(4)), ("offsets", b"01")]
    prints = {fingerprint(parts), fingerprint(parts[::-1]), fingerprint(parts[:1])}
    prints |= {fingerprint([("items", np.arange(5)), parts[1]]), fingerprint([("x", b"01")])}
    assert len(prints) == 5
    assert fingerprint(parts) == fingerprint([("items", np.arange(4)), ("offsets", b"01")])


TENSORS = {
    "items": torch.arange(60.0).view(12, 5),
    "training/support": torch.arange(12),
    "run/dropout": torch.arange(9, dtype=torch.uint8),
    "scalar": torch.tensor(0.5, dtype=torch.float64),
    "nothing": torch.zeros(0, 3),
}
FACTS = {"items": ["a", "\N{SNOWMAN}", "007"], "config": {"learning_rate": 0.1}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a model file."""
    return write_model(tmp_path_factory.mktemp("whole") / "model", TENSORS, FACTS).read_bytes()


def damaged(whole, random):
    """A cut, a turned bit, some other bytes, or bytes too few or too many; anywhere."""
    # Half of the damage is in the header, which is short beside the tensors of a real model.
    most = len(whole) if random.random() < 0.5 else 8 + int.from_bytes(whole[:8], "little")
    place, changed = int(random.integers(most)), bytearray(whole)
    match random.integers(5):
        case 0:
            return whole[:place]
        case 1:
            changed[place] ^= 1 << int(random.integers(8))
        case 2:
            changed[place : place + 8] = random.bytes(len(changed[place : place + 8]))
        case 3:
            del changed[place : place + int(random.integers(1, 9))]
        case 4:
            changed[place:place] = random.bytes(int(random.integers(1, 9)))
    return bytes(changed)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_file_is_refused_with_its_name(tmp_path, whole, seed):
    path = tmp_path / "model.safetensors"
    content = damaged(whole, np.random.default_rng(seed))
    path.write_bytes(content)
    if content != whole:
        with pytest.raises(ValueError, match=r"model\.safetensors (is damaged|has format)"):
            read_model(path)


def foreign_files():
    yield "empty", b""
    yield "text", b"a,b\n1,2\n" * 20
    yield "json", json.dumps({"weights": [1, 2]}).encode()
    yield "pickle", pickle.dumps({"weights": [1, 2]})
    yield "zeros", bytes(500)
    yield "ones", b"\xff" * 500
    yield "safetensors", safetensors.torch.save({"a": torch.zeros(2)})
    yield "another format", safetensors.torch.save({"a": torch.zeros(2)}, {"format": "pt"})
    newer = {"format": "gru4rec-lab/9", "facts": "{}"}
    yield "a format to come", safetensors.torch.save({"a": torch.zeros(2)}, newer)
    yield "no facts", safetensors.torch.save({"a": torch.zeros(2)}, {"format": FORMAT})


@pytest.mark.parametrize("content", [pytest.param(c, id=name) for name, c in foreign_files()])
def test_a_foreign_file_is_refused_with_its_name(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.safetensors (is damaged|has format)"):
        read_model(path)


def test_a_folder_or_a_zip_file_is_refused_with_its_name(tmp_path):
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no model at .*folder\.safetensors"):
        read_model(tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "zip.safetensors", "w") as file:
        file.writestr("weights", "1")
    with pytest.raises(ValueError, match=r"zip\.safetensors is damaged"):
        read_model(tmp_path / "zip")


def test_a_file_of_an_earlier_version_has_no_checksum_and_is_read(tmp_path):
    path, header = tmp_path / "model.safetensors", {"format": FORMAT, "facts": json.dumps(FACTS)}
    safetensors.torch.save_file(TENSORS, path, header)
    tensors, facts = read_model(path)
    assert facts == FACTS
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())
