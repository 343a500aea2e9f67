import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from gru4rec_lab import Config, Recommender, evaluate, fit, load_model, load_sessions


@pytest.fixture(scope="module")
def model():
    world = load_sessions("world:cycle", n_sessions=2000)
    config = Config(layers=(32,), batch_size=32, n_sample=64, learning_rate=0.1, n_epochs=2)
    return fit(config, world)


def test_a_session_under_way_is_offered_the_next_item_of_the_cycle(model):
    visit = model.session()
    visit.click(model.item_ids[0])
    best = visit.top(1)[0].item
    visit.click(best)
    assert best in model.item_ids
    assert visit.top(1)[0].item != best


def test_an_unknown_item_changes_nothing_and_is_remembered(model):
    visit = model.session()
    visit.click(model.item_ids[3])
    before = visit.top(5)
    assert not visit.click("no such item")
    assert visit.top(5) == before
    assert visit.unknown == ["no such item"]


def test_scores_fall_and_k_may_exceed_the_catalogue(model):
    top = model.session().top(10**6)
    assert len(top) == len(model.item_ids)
    assert [t.score for t in top] == sorted((t.score for t in top), reverse=True)


def test_a_loaded_model_ranks_to_the_digit_like_the_saved_one(model, tmp_path):
    world = load_sessions("world:cycle", n_sessions=200, seed=5)
    loaded = load_model(model.save(tmp_path / "runs" / "first"))
    assert loaded.config == model.config
    assert loaded.item_ids.tolist() == model.item_ids.tolist()
    assert evaluate(loaded, world).ranks.tolist() == evaluate(model, world).ranks.tolist()


def test_saving_again_replaces_the_file_and_leaves_nothing_else(model, tmp_path):
    path = model.save(tmp_path / "first")
    model.save(tmp_path / "first")
    assert list(tmp_path.iterdir()) == [path]


def test_a_save_that_fails_leaves_the_old_file_as_it_was(model, tmp_path, monkeypatch):
    path = model.save(tmp_path / "first")
    before = path.read_bytes()

    def full_disk(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full_disk)
    with pytest.raises(OSError, match="no space"):
        model.save(tmp_path / "first")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_damaged_or_foreign_file_is_refused_with_its_name(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="no model at .*none.safetensors; model.save"):
        load_model(tmp_path / "none")
    path = model.save(tmp_path / "first")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"first.safetensors is damaged or no safetensors file"):
        load_model(path)
    safetensors.torch.save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="has format None, not 'gru4rec-lab/1'"):
        load_model(path)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 16, 100])
def test_the_batch_size_turns_no_near_tie(model, batch_size):
    """Half of the items are doubles of the other half: each target ties with its double."""
    world = load_sessions("world:cycle", n_sessions=60, seed=5)
    network = copy.deepcopy(model.network)
    half = network.n_items // 2
    with torch.no_grad():
        network.items[half : 2 * half] = network.items[:half]
        network.bias[half : 2 * half] = network.bias[:half]
    doubled = Recommender(network, model.item_ids, model.config)
    got = evaluate(doubled, world, batch_size=batch_size)
    assert got.ranks.tolist() == evaluate(doubled, world).ranks.tolist()


ANSWERS = """
from gru4rec_lab import evaluate, load_model, load_sessions, recommend
test_set = load_sessions("world:cycle", n_sessions=20, seed=5)
model = load_model("model", device="cpu")
print(load_sessions("flights").n_sessions > 0, len(recommend(model, test_set, 2)))
print(evaluate(model, test_set))
"""


@pytest.mark.slow
def test_a_model_answers_where_neither_package_nor_home_can_be_written(model, tmp_path):
    import gru4rec_lab

    package = tmp_path / "gru4rec_lab"
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(gru4rec_lab.__file__).parent, package, ignore=without)
    # A file where a folder would be made: it stops even a user who may write anywhere.
    for folder in [package, *filter(Path.is_dir, list(package.rglob("*")))]:
        (folder / "__pycache__").touch()
    model.save(tmp_path / "model")
    unset = ("GRU4REC_LAB_CACHE", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS], cwd=tmp_path, text=True, capture_output=True,
        env=environment | {"HOME": os.devnull, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    expected = evaluate(model, load_sessions("world:cycle", n_sessions=20, seed=5))
    assert done.stdout.splitlines() == ["True 40", repr(expected)], done.stderr
