import math
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gru4rec_lab import LOSSES
from gru4rec_lab.baselines import BASELINES
from gru4rec_lab.diagnostics import BUGS, RESULT_FOLDER, by_method, results, stored_curves
from gru4rec_lab.evaluation.compare import METRICS

NAMES = ("history", "gradients", "long", "batch_size", "sample_alpha")
SWEEPS = {
    "sweep_flights": ["loss", "n_sample", "seed"],
    "sweep_e-shop": ["loss", "n_sample", "seed"],
    "sweep_yoochoose1_64": ["loss", "n_sample", "seed"],
    "sweep_diginetica": ["loss", "n_sample", "seed"],
    "batch_flights": ["loss", "batch_size", "seed", "epoch"],
    "alpha_flights": ["loss", "n_sample", "sample_alpha", "seed"],
    "alpha_e-shop": ["loss", "n_sample", "sample_alpha", "seed"],
    "newer_flights": ["loss", "n_sample", "seed"],
    "newer_e-shop": ["loss", "n_sample", "seed"],
    "newer_yoochoose1_64": ["loss", "n_sample", "seed"],
}
# One for each set of clicks; those of sets that were not here when they were made are missing.
MUSEUM = "bugs"
METHODS = [path.stem for path in RESULT_FOLDER.glob("methods_*.csv")]


@pytest.mark.parametrize("name", [*NAMES, *SWEEPS, *METHODS, MUSEUM])
def test_stored_table_says_where_it_is_from(name):
    table = results(name)
    assert list(table.attrs) == ["made by", "date", "versions", "data"]
    assert table.attrs["made by"] == "make figures"
    data = name.partition("_")[2] if name in {*SWEEPS, *METHODS} else "flights"
    data = "synthetic worlds" if name == MUSEUM else data
    assert table.attrs["data"].startswith(data)
    assert "torch" in table.attrs["versions"]
    assert len(table)
    assert table.drop(columns=["seed", "epochs"], errors="ignore").notna().all(axis=None)


def test_stored_tables_are_small_and_all_known():
    files = list(RESULT_FOLDER.glob("*.csv"))
    assert {path.stem for path in files} == {*NAMES, *SWEEPS, *METHODS, MUSEUM}
    assert sum(path.stat().st_size for path in files) < 1_000_000


@pytest.mark.parametrize("name", SWEEPS)
def test_stored_grid_has_each_combination_once_and_says_its_seeds_and_epochs(name):
    table = results(name)
    cells = table.groupby(SWEEPS[name], sort=False).size()
    assert (cells == 1).all()
    others = [column for column in SWEEPS[name] if column != "seed"]
    of_cells = table.groupby(others)["seed"].nunique()
    assert len(of_cells) == math.prod(table[column].nunique() for column in others)
    # Some cells of the large shop have one seed only.
    allowed = {table["seed"].nunique()} | ({1} if "yoochoose" in name else set())
    assert set(of_cells) <= allowed
    seeds = ", ".join(map(str, sorted(table["seed"].unique())))
    assert f"seeds {seeds}, all else as in the preset lab" in table.attrs["data"]
    assert " trainings, epochs " in table.attrs["data"]
    assert (table["recall@1"] <= table["mrr@20"]).all()
    assert (table["mrr@20"] <= table["recall@20"]).all()


@pytest.mark.parametrize("name", METHODS)
def test_stored_methods_are_the_baselines_once_and_each_loss_with_each_seed(name):
    table = results(name)
    trained = table[table["seed"].notna()]
    assert table[table["seed"].isna()]["method"].tolist() == list(BASELINES)
    assert table["epochs"].notna().equals(table["seed"].notna())
    assert sorted(trained["method"].unique()) == sorted(LOSSES)
    assert (trained.groupby(["method", "seed"]).size() == 1).all()
    assert len(trained) == trained["method"].nunique() * trained["seed"].nunique()
    assert (table["recall@1"] <= table["mrr@20"]).all()
    assert (table["mrr@20"] <= table["recall@20"]).all()
    assert (table[["recall@20_se", "mrr@20_se"]] > 0).all(axis=None)
    assert table[table["method"] != "V-SkNN"]["targets"].nunique() == 1


def test_the_stored_museum_has_each_bug_in_each_world_with_each_seed_once():
    table = results(MUSEUM)
    cells = table.groupby(["world", "batch_size", "bpreg", "bug", "seed"]).size()
    assert (cells == 1).all()
    whole = table[(table["batch_size"] == 32) & (table["bpreg"] == 1)]
    assert set(whole["bug"]) == set(BUGS)
    assert len(whole) == len(BUGS) * whole["world"].nunique() * whole["seed"].nunique()
    sound = table["bug"].str.startswith("sound")
    assert (table[sound]["kept"] == 1).all()


def test_sizes_of_a_stored_grid_are_numbers_beside_all():
    assert results("sweep_flights")["n_sample"].unique().tolist() == [0, 32, 128, 512, 2048, "all"]
    assert results("alpha_flights")["n_sample"].dtype == np.int64


def test_unknown_table_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no stored results 'ranks'; choose one of alpha_e-shop"):
        results("ranks")


def test_stored_curves_are_the_rows_of_the_table():
    gradients = results("gradients")
    curves = stored_curves(gradients, model="bpr", epoch=3, n_sample=2048)
    rows = gradients.query("model == 'bpr' and epoch == 3 and n_sample == 2048 and loss == 'top1'")
    assert list(curves.curves) == ["top1", "bpr", "top1-max", "bpr-max", "cross-entropy"]
    np.testing.assert_array_equal(curves.curves["top1"], rows["pull"])
    np.testing.assert_array_equal(curves.rank, rows["rank"])
    assert curves.badly_ranked["top1"] == rows["badly_ranked"].iloc[0]
    assert curves.count.sum() > 1500


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"model": "hinge", "epoch": 3, "n_sample": 0}, "model='hinge'; choose one of top1, bpr"),
        ({"model": "bpr", "epoch": 9, "n_sample": 0}, "epoch=9; choose one of 0.13"),
        ({"model": "bpr", "epoch": 3, "n_sample": 7}, "n_sample=7; choose one of 0, 2048"),
    ],
)
def test_curves_that_are_not_stored_are_refused_with_a_way_out(asked, message):
    with pytest.raises(ValueError, match=message):
        stored_curves(results("gradients"), **asked)


def test_stored_gradients_keep_the_order_of_the_losses_on_the_same_scores():
    wide = results("gradients").pivot_table(
        index=["model", "epoch", "n_sample", "rank"], columns="loss", values="pull"
    )
    assert (wide["bpr"] <= wide["bpr-max"] * 1.001).all()
    assert (wide["bpr-max"] <= wide["cross-entropy"] * 1.001).all()


def test_first_place_is_part_of_the_first_six_in_every_row():
    tables = pd.concat([results(name) for name in NAMES if name != "gradients"])
    assert (tables["first"] <= tables["first_six"]).all()
    assert (tables["first_six"] <= tables["recall_20"]).all()
    assert (tables["mrr_20"] <= tables["recall_20"]).all()


def test_stored_tables_are_installed_with_the_package():
    pyproject = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    patterns = pyproject["tool"]["setuptools"]["package-data"]["gru4rec_lab"]
    for path in RESULT_FOLDER.glob("*.csv"):
        assert any(path.relative_to(RESULT_FOLDER.parents[1]).match(each) for each in patterns)


def test_seeds_of_a_method_become_one_row():
    numbers = {f"{metric}{part}": [0.1, 0.2, 0.4] for metric in METRICS for part in ("", "_se")}
    table = pd.DataFrame({"method": ["Markov", "bpr", "bpr"], "targets": [9, 9, 9]} | numbers)
    found = by_method(table)
    assert found.index.tolist() == ["Markov", "bpr"]
    assert found["n_models"].tolist() == [1, 2]
    np.testing.assert_allclose(found["mrr@20"], [0.1, 0.3])
    np.testing.assert_allclose(found["recall@1_se"], [0.1, 0.3])
    np.testing.assert_allclose(found["recall@20_sd"], [np.nan, 0.1 * 2**0.5])
