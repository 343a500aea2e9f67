"""`make figures`, on a tiny world."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from gru4rec_lab.baselines import BASELINES
from gru4rec_lab.diagnostics import RESULT_FOLDER, results

ROOT = Path(__file__).parents[1]
STORED = ROOT / "docs" / "figures"
SCRIPT = ROOT / "scripts" / "figures"
OF_BENCHMARKS = {"growth.svg"}
MODELS = ["top1", "bpr", "top1-max", "bpr-max", "cross-entropy"]


def run(*arguments, env=None):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=env)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    done = run("--fast", "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_fast_run_writes_tables_with_the_columns_of_the_stored_ones(folder):
    made, stored = ({path.stem for path in each.glob("*.csv")} for each in (folder, RESULT_FOLDER))
    assert made >= stored
    for name in stored:
        table = results(name, folder)
        assert list(table.columns) == list(results(name).columns)
        assert table.attrs["made by"] == "make figures FAST=1"
        assert "tiny" in table.attrs["data"]
        counted = table.filter(regex="rank|recall|mrr|first")
        assert np.isfinite(counted.to_numpy()).all()
    assert results("history", folder)["model"].unique().tolist()[:5] == MODELS


@pytest.mark.slow
def test_fast_run_draws_every_figure(folder):
    drawn = {path.name for path in folder.glob("*.[ps][nv]g")}
    assert drawn == {path.name for path in STORED.glob("*.*")} - OF_BENCHMARKS
    assert {path.stem for path in folder.glob("*.svg")} == {"loss_explorer", "training_lab"}
    for picture in map(imread, folder.glob("*.png")):
        assert picture.shape[1] > 500
        assert picture.std() > 0.05


@pytest.mark.slow
def test_run_is_repeatable(folder, tmp_path):
    done = run("--fast", "--only", "batch_sizes", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["batch_size.csv"]
    again = results("batch_size", tmp_path)
    pd.testing.assert_frame_equal(again, results("batch_size", folder))


@pytest.mark.slow
def test_table_of_methods_has_the_baselines_and_each_loss_on_the_same_targets(folder):
    table = results("methods_diginetica", folder)
    assert table["method"].tolist() == [*BASELINES, "bpr", "bpr-max"]
    assert (
        table["seed"].isna().tolist() == table["epochs"].isna().tolist() == [True] * 5 + [False] * 2
    )
    assert table["targets"].nunique() == 1
    assert "n_sample 512; V-SkNN judged by at most" in table.attrs["data"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "way_out"),
    [
        ("sweep_e-shop", "python -m gru4rec_lab.data e-shop"),
        ("methods_diginetica", "GRU4REC_LAB_DEV_DATA, the folder with its data/, is not set"),
    ],
)
def test_grid_of_data_that_is_not_here_is_left_as_it_is(tmp_path, table, way_out):
    nowhere = os.environ | {"GRU4REC_LAB_CACHE": str(tmp_path / "empty")}
    nowhere.pop("GRU4REC_LAB_DEV_DATA", None)
    done = run("--only", table, "--out", tmp_path / "made", env=nowhere)
    assert done.returncode == 0, done.stderr
    assert f"{table}: left as it is" in done.stdout
    assert way_out in done.stdout
    assert not (tmp_path / "made").exists()


def test_fast_numbers_cannot_replace_the_stored_ones():
    done = run("--fast")
    assert done.returncode == 2
    assert "--fast needs --out" in done.stderr


def test_figures_of_the_readme_are_small():
    for path in STORED.glob("*.*"):
        assert path.stat().st_size < 150_000, f"{path.name} is too large"


def test_make_has_the_target():
    makefile = (ROOT / "Makefile").read_text()
    assert "\nfigures: $(STAMP)  ## " in makefile
    assert "scripts/figures" in makefile
