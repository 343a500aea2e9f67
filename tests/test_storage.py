import os
import stat

import pytest
import torch

from gru4rec_lab.storage import read_model, whole_file, write_model


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
