"""The import graph, checked: layers look down, nothing goes round, private names stay at home.

Each check is a function of a package's folder that returns what is wrong in it, one line each; it
is tried on small packages with the fault before it is believed about this one.
"""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "gru4rec_lab"
LAYERS = [
    {"arguments", "device", "kernels", "loss_parts", "own_losses", "storage"},
    {"losses", "sampling"},
    {"newer_losses"},
    {"config", "data", "environment", "model"},
    {"batches", "score_matrix"},
    {"answers"},
    {"baselines", "evaluation", "recommender"},
    {"training"},
    {"diagnostics", "sweeps", "warm_up"},
    {"exercises", "plots"},
    {"widgets"},
    {"page"},
]
PLAIN_ARGUMENTS_ONLY = {"batches", "losses", "newer_losses", "sampling", "score_matrix"}
# Elements are made and set here; whatever else panels need is tested without them.
ELEMENTS = {
    "batch_explorer", "controls", "environment_panel", "neighbour_finder", "own_clicks", "panel",
    "picture.view", "save_box", "score_shaper", "settings_box", "sweep_explorer",
    "loss_explorer.controls", "loss_explorer.explorer", "training_lab.controls", "training_lab.lab",
    "training_lab.layout", "training_lab.settings", "training_lab.tour", "tour",
    "visit_explorer",
}  # fmt: skip
HEAVY = ["pandas", "matplotlib", "ipywidgets", "anywidget", "numba", "joblib", "distributed",
         "optuna"]  # fmt: skip
MOST_LINES = 400


class Import(NamedTuple):
    """That module `importer` imports `module`, or takes `name` from it; both spelt from the top."""

    importer: str
    module: str
    name: str

    def __str__(self):
        taken = f" {self.name} of" if self.name else ""
        return f"{self.importer} imports{taken} {self.module}"


def modules(folder):
    """Every module and package of the package in `folder`, spelt from the top, to its file."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = [folder.name, *path.relative_to(folder).with_suffix("").parts]
        found[".".join(parts[:-1] if path.stem == "__init__" else parts)] = path
    return found


@cache
def trees(folder):
    """Every module, spelt from the top, to its syntax tree."""
    return {
        name: ast.parse(path.read_text(encoding="utf-8")) for name, path in modules(folder).items()
    }


@cache
def imports(folder):
    """Every import in a package, wherever it stands: in functions and for type checkers too."""
    return list(_imports(folder))


def _imports(folder):
    known = modules(folder)
    for importer, tree in trees(folder).items():
        here = importer.split(".")
        if known[importer].stem != "__init__":
            here.pop()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (Import(importer, alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = here[: len(here) + 1 - node.level] if node.level else []
                origin = ".".join([*above, *filter(None, [node.module])])
                for alias in node.names:
                    whole = f"{origin}.{alias.name}"
                    is_module = whole in known
                    yield Import(importer, *((whole, "") if is_module else (origin, alias.name)))


def below_top(module):
    """The module, or the package, directly below the top that this one belongs to; "" the top."""
    return module.partition(".")[2].partition(".")[0]


def upward(folder, layers):
    """Imports that do not look down: into the same layer, a higher one, the top, or no layer."""
    level = {name: number for number, layer in enumerate(layers) for name in layer}
    for each in imports(folder):
        importer, module = below_top(each.importer), below_top(each.module)
        within = each.module.partition(".")[0] == folder.name and module != importer
        if within and level.get(module, 99) >= level.get(importer, 99):
            yield str(each)


def without_layer(folder, layers):
    """Modules directly below the top that no layer names."""
    tops = {below_top(name) for name in modules(folder)} - {""}
    return [f"{name} is in no layer" for name in sorted(tops - set().union(*layers))]


def circles(folder):
    """A circle of modules, if there is one; a module imports each package that its import runs."""
    graph = {name: set() for name in modules(folder)}
    for importer, module, _ in imports(folder):
        parts = module.split(".")
        run = {".".join(parts[:end]) for end in range(1, len(parts))}
        # The packages that a module is in have begun to run before it.
        run = {each for each in run if not f"{importer}.".startswith(f"{each}.")} | {module}
        graph[importer] |= run & graph.keys() - {importer}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" < ".join(error.args[1])]
    return []


def is_private(name):
    """A name that begins with an underscore; `_repr_png_` and its like are a protocol's."""
    # torch documents its _foreach_ functions.
    return name.startswith("_") and not (name.endswith("_") or name.startswith("_foreach_"))


def private(folder):
    """Private names that a module takes from another, or reads of what it did not make itself."""
    taken = (str(each) for each in imports(folder) if is_private(each.name))
    return [*taken, *_read_elsewhere(folder)]


def _read_elsewhere(folder):
    for module, tree in trees(folder).items():
        nodes, made, read = list(ast.walk(tree)), {"_replace", "_asdict", "_fields"}, {}
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                made.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                made.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                made.add(node.attr)
            elif isinstance(node, ast.Attribute) and is_private(node.attr):
                read[node.attr] = node.lineno
        yield from (
            f"{module} line {line} reads {name}, which it does not make"
            for name, line in read.items()
            if name not in made
        )


def elements(folder, allowed):
    """Imports of ipywidgets outside `allowed` modules of widgets, directly or through those."""
    makers = {f"{folder.name}.widgets.{name}" for name in allowed}
    yield from (f"{each} is not there" for each in sorted(makers - modules(folder).keys()))
    for each in imports(folder):
        library = each.module.partition(".")[0] in {"anywidget", "ipywidgets", "IPython"}
        # A package may name what is in it.
        passed_on = each.module in makers and not each.module.startswith(f"{each.importer}.")
        if each.importer not in makers and (library or passed_on):
            yield str(each)


def settings_below(folder, names):
    """Imports of the configuration by modules that take plain arguments."""
    for each in imports(folder):
        if below_top(each.importer) in names and below_top(each.module) == "config":
            yield str(each)


def long(folder):
    """Modules of more lines than `MOST_LINES`: split them by idea."""
    for name, path in modules(folder).items():
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES:
            yield f"{name} has {lines} lines"


CHECKS = {
    "every module is in a layer": lambda folder: without_layer(folder, LAYERS),
    "layers look down": lambda folder: upward(folder, LAYERS),
    "nothing goes round": circles,
    "private names stay at home": private,
    "only elements know ipywidgets": lambda folder: elements(folder, ELEMENTS),
    "plain arguments only": lambda folder: settings_below(folder, PLAIN_ARGUMENTS_ONLY),
    "modules are short": long,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_the_package_is_in_order(check):
    assert "\n".join(check(PACKAGE)) == ""


@pytest.fixture
def package(tmp_path):
    """A function that writes a package `lab` of these files and returns its folder."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / "lab" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "lab"

    return write


SMALL = [{"low"}, {"high", "other"}]
IN_FUNCTION = "def f():\n    "


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"low": "from .high import x"}, "lab.low imports x of lab.high"),
        ({"low": "from . import high"}, "lab.low imports lab.high"),
        ({"low": "import lab.high as h"}, "lab.low imports lab.high"),
        ({"low": f"{IN_FUNCTION}from .high import x"}, "lab.low imports x of lab.high"),
        (
            {"low/__init__": "", "low/in": "from ..high import x"},
            "lab.low.in imports x of lab.high",
        ),
        ({"other": "from .high import x"}, "lab.other imports x of lab.high"),
        ({"other": "from . import x"}, "lab.other imports x of lab"),
        ({"other": "from .new import x"}, "lab.other imports x of lab.new"),
    ],
)
def test_an_import_that_does_not_look_down_is_seen(package, files, fault):
    folder = package({"__init__": "", "high": "x = 1", "new": "x = 1"} | files)
    assert list(upward(folder, SMALL)) == [fault]


def test_imports_that_look_down_or_out_are_not_reported(package):
    files = {"__init__": "", "low": "x = 1", "high": "import json\nfrom .low import x"}
    folder = package(files | {"other/__init__": "", "other/a": "", "other/b": "from . import a"})
    for check in (lambda folder: upward(folder, SMALL), circles, private, long):
        assert list(check(folder)) == []
    assert without_layer(folder, SMALL) == []


def test_a_module_in_no_layer_is_seen(package):
    assert without_layer(package({"new": ""}), SMALL) == ["new is in no layer"]


@pytest.mark.parametrize(
    "files",
    [
        {"p/a": "from .b import x", "p/b": "from .a import y"},
        {"p/a": "from . import b", "p/b": "from . import a"},
        {"p/a": "import lab.p.b", "p/b": f"{IN_FUNCTION}from .a import y"},
        {"p/a": "from .b import x", "p/b": "from .c import x", "p/c": "from .a import y"},
        {"p/__init__": "from .a import x", "p/a": "from . import x"},
        {"p/__init__": "from .a import x", "p/a": "from ..q import y", "q": "from .p.b import z",
         "p/b": ""},
    ],
    ids=["files", "by name", "in a function", "of three", "package", "package on the way"],
)  # fmt: skip
def test_a_circle_is_seen(package, files):
    (circle,) = circles(package({"__init__": "", "p/__init__": ""} | files))
    assert circle.startswith("lab.p")
    assert circle.count(" < ") >= 2


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("from .a import _x", "lab.b imports _x of lab.a"),
        (f"{IN_FUNCTION}from .a import _x", "lab.b imports _x of lab.a"),
        ("from . import a\na._x()", "lab.b line 2 reads _x, which it does not make"),
        ("import lab.a\nlab.a._x()", "lab.b line 2 reads _x, which it does not make"),
        ("def f(run): run._lock", "lab.b line 1 reads _lock, which it does not make"),
        ("from .a import A\nclass B(A):\n    def f(self): self._y",
         "lab.b line 3 reads _y, which it does not make"),
    ],
)  # fmt: skip
def test_a_private_name_of_another_module_is_seen(package, text, fault):
    assert private(package({"__init__": "", "a": "_x = 1", "b": text})) == [fault]


def test_private_names_of_ones_own_and_of_protocols_are_not_reported(package):
    text = "class A:\n    _n = 1\n    def f(self, other):\n        self._m = 2\n"
    text += "        return self._m, other._n, other._replace(), other._repr_png_(), self.__class__"
    assert private(package({"a": text})) == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("model", "import ipywidgets", "lab.model imports ipywidgets"),
        ("widgets/run", "import ipywidgets as w", "lab.widgets.run imports ipywidgets"),
        ("widgets/run", "from IPython.display import HTML",
         "lab.widgets.run imports HTML of IPython.display"),
        ("widgets/run", "from .panel import Panel",
         "lab.widgets.run imports Panel of lab.widgets.panel"),
        ("widgets/run", "from . import panel", "lab.widgets.run imports lab.widgets.panel"),
    ],
)  # fmt: skip
def test_elements_outside_their_modules_are_seen(package, name, text, fault):
    widgets = {"widgets/__init__": "from .panel import Panel", "widgets/panel": "import ipywidgets"}
    folder = package({"__init__": "", name: text} | widgets)
    assert list(elements(folder, {"panel"})) == [fault]
    assert list(elements(folder, {"panel", "gone"}))[0] == "lab.widgets.gone is not there"


@pytest.mark.parametrize("text", ["from .config import Config", "from . import config"])
def test_settings_in_a_module_of_plain_arguments_are_seen(package, text):
    folder = package({"__init__": "", "config": "", "losses": text, "training": text})
    (fault,) = settings_below(folder, {"losses"})
    assert fault.startswith("lab.losses imports")


def test_a_long_module_is_seen(package):
    folder = package({"a": "\n" * MOST_LINES, "b": "\n" * (MOST_LINES + 1)})
    assert list(long(folder)) == [f"lab.b has {MOST_LINES + 1} lines"]


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, gru4rec_lab; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"
