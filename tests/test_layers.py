"""The import graph, checked: a module imports only from the layers below its own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gru4rec_lab"
FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem[0] != "_"
)
LAYERS = [
    {"device", "kernels", "losses", "storage"},
    {"config", "data", "environment", "model", "sampling"},
    {"batches", "score_matrix"},
    {"baselines", "evaluation", "recommend"},
    {"training"},
    {"diagnostics", "warm_up"},
    {"exercises", "plots"},
    {"widgets"},
]
LEVEL = {name: level for level, layer in enumerate(LAYERS) for name in layer}
PLAIN_ARGUMENTS_ONLY = {"losses", "sampling", "batches"}
HEAVY = ["pandas", "matplotlib", "ipywidgets", "numba", "dask"]


def module(path):
    """The module, or the package directly below gru4rec_lab, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """Every dotted name a file imports, spelt from the top."""
    here = ["gru4rec_lab", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) + 1 - node.level] if node.level else []
            origin = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_looks_down_only_and_is_short(path):
    name = module(path)
    assert name in LEVEL, f"give {name} a place in LAYERS"
    for used in imports(path):
        top, _, rest = used.partition(".")
        assert top not in {"ipywidgets", "IPython"} or name == "widgets", f"{name} imports {used}"
        below = rest.split(".")[0]
        if top != "gru4rec_lab" or below == name:
            continue
        assert LEVEL.get(below, 99) < LEVEL[name], f"{name} must not import {used}"
        assert below != "config" or name not in PLAIN_ARGUMENTS_ONLY, (
            f"{name} takes plain arguments"
        )
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, "split it by idea"


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, gru4rec_lab; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"
