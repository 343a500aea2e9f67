"""The public names: where a notebook finds them, and what importing them costs."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import gru4rec_lab.widgets

HEAVY = ("pandas", "matplotlib", "ipywidgets", "numba", "dask", "joblib")


@pytest.mark.parametrize("package", [gru4rec_lab, gru4rec_lab.widgets], ids=["top", "widgets"])
def test_editors_are_told_every_name_and_its_place(package):
    stub = ast.parse(Path(package.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    told = {
        alias.asname: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == alias.asname  # else it is not exported
    }
    assert told == package._HOME


@pytest.mark.parametrize("package", ["", ".diagnostics", ".plots", ".exercises", ".widgets"])
def test_every_public_name_is_there(package):
    home = import_module(f"gru4rec_lab{package}")
    assert len(set(home.__all__)) == len(home.__all__)
    for name in home.__all__:
        assert getattr(home, name) is not None


def test_checks_are_named_as_their_notebooks_call_them():
    exercises = import_module("gru4rec_lab.exercises")
    modules = [module for module in vars(exercises).values() if isinstance(module, ModuleType)]
    made = {name for module in modules for name in vars(module) if name.startswith("check_")}
    assert made == set(exercises.__all__) - {"Check"}


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import gru4rec_lab", set()),
        ("from gru4rec_lab import LOSSES, Config, Sampler, load_split, session_parallel", set()),
        ("import gru4rec_lab.exercises", set()),
        ("import gru4rec_lab.diagnostics", set()),
        ("import gru4rec_lab.plots", {"matplotlib"}),
        ("import gru4rec_lab.widgets", set()),
    ],
)
def test_importing_loads_nothing_heavier_than_it_needs(statement, allowed):
    code = f"import sys\n{statement}\nprint(*{set(HEAVY) - allowed} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
