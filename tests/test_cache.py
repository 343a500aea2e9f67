import os
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from gru4rec_lab import Sessions
from gru4rec_lab.data.cache import cache_folder, cached
from gru4rec_lab.data.sessions import Dropped

SESSIONS = Sessions(
    items=np.array([1, 0, 1, 2]),
    times=np.array([1.5, 2.0, 7.0, 9.0]),
    offsets=np.array([0, 2, 4]),
    item_ids=np.array(["UA1", "café", "B6 2"], dtype=object),
    session_ids=np.array(["N1 week 01", "N2 week 01"], dtype=object),
    name="flights",
    note="routes",
    dropped=(Dropped("cancelled", items=2, clicks=3),),
)


@pytest.fixture(params=[10, 1], ids=["few", "many"])
def folder(request, tmp_path, monkeypatch):
    """An empty cache, for which the four clicks of SESSIONS are few or many."""
    monkeypatch.setattr("gru4rec_lab.data.cache.MANY", request.param)
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def prepare():
    prepare.calls += 1
    return SESSIONS


@pytest.fixture(autouse=True)
def _no_calls_yet():
    prepare.calls = 0


def assert_same(got, want):
    for field in fields(Sessions):
        np.testing.assert_array_equal(getattr(got, field.name), getattr(want, field.name))
        if isinstance(getattr(want, field.name), np.ndarray):
            assert getattr(got, field.name).dtype == getattr(want, field.name).dtype


def test_the_second_load_reads_what_the_first_one_kept(folder):
    assert_same(cached("k", prepare), SESSIONS)
    assert_same(cached("k", prepare), SESSIONS)
    assert prepare.calls == 1
    assert [path.name for path in folder.iterdir()] == ["k.npz"]


def test_names_read_from_the_cache_are_plain_strings(folder):
    cached("k", prepare)
    assert type(cached("k", prepare).item_ids[0]) is str


def test_ids_that_are_numbers_are_read_as_numbers(folder):
    numbered = replace(SESSIONS, session_ids=np.array([7, 12]), item_ids=np.array([3, 1, 2]))
    assert_same(cached("k", lambda: numbered), numbered)
    assert_same(cached("k", prepare), numbered)


def test_another_key_is_another_file(folder):
    cached("k", prepare)
    cached("k2", prepare)
    assert prepare.calls == 2


def test_many_clicks_are_mapped_and_changing_them_changes_no_file(folder, monkeypatch):
    monkeypatch.setattr("gru4rec_lab.data.cache.MANY", 1)
    assert isinstance(cached("k", prepare).items.base, np.memmap)  # the first time too
    before = (folder / "k.npz").read_bytes()
    got = cached("k", prepare)
    assert isinstance(got.items.base, np.memmap)
    got.items[0] = 2
    assert (folder / "k.npz").read_bytes() == before
    assert_same(cached("k", prepare), SESSIONS)
    assert prepare.calls == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"not an archive",
        lambda data: data[: len(data) // 2],
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: data[:-100] + b"\0" * 100,
    ],
    ids=["empty", "foreign", "half", "a flipped bit", "zeros at the end"],
)
def test_a_damaged_file_is_replaced(folder, damage):
    cached("k", prepare)
    whole = (folder / "k.npz").read_bytes()
    (folder / "k.npz").write_bytes(damage(whole))
    assert_same(cached("k", prepare), SESSIONS)
    assert prepare.calls == 2
    assert_same(cached("k", prepare), SESSIONS)
    assert prepare.calls == 2


def test_an_archive_of_something_else_is_replaced(folder):
    folder.mkdir()
    np.savez(folder / "k.npz", items=np.arange(3))
    assert_same(cached("k", prepare), SESSIONS)
    assert prepare.calls == 1


class Trap:
    """Makes a folder where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_file_that_would_run_code_is_replaced_without_running_it(folder):
    folder.mkdir()
    np.savez(folder / "k.npz", about=np.array([Trap(str(folder / "sprung"))], dtype=object))
    assert_same(cached("k", prepare), SESSIONS)
    assert prepare.calls == 1
    assert not (folder / "sprung").exists()


def test_a_folder_that_cannot_be_written_does_not_stop_the_loading(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path / "file" / "cache"))
    assert_same(cached("k", prepare), SESSIONS)
    assert prepare.calls == 1


def test_a_write_that_fails_leaves_no_file_behind(folder, monkeypatch):
    def full(*args, **arrays):
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full)
    monkeypatch.setattr(np, "savez_compressed", full)
    assert_same(cached("k", prepare), SESSIONS)
    assert list(folder.iterdir()) == []


def test_an_error_of_the_preparation_is_not_swallowed(folder):
    def broken():
        raise OSError("source gone")

    with pytest.raises(OSError, match="source gone"):
        cached("k", broken)


def test_the_folder_is_named_or_the_one_where_this_system_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("GRU4REC_LAB_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("GRU4REC_LAB_CACHE", "")
    assert cache_folder() == Path(platformdirs.user_cache_dir("gru4rec_lab", appauthor=False))
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
        assert cache_folder() == tmp_path / "caches" / "gru4rec_lab"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems give every user a home")
def test_a_user_without_a_home_folder_does_without(monkeypatch, tmp_path):
    def nobody(number):
        raise KeyError("getpwuid(): uid not found")

    for name in ("GRU4REC_LAB_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.chdir(tmp_path)
    assert cached("k", prepare) is SESSIONS
    assert list(tmp_path.iterdir()) == []
