"""The pure parts of the JavaScript by node, where there is one; Chromium runs the same cases."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gru4rec_lab.widgets.picture.modules import FOLDER, joined

SCRIPTS = sorted(path.name for path in FOLDER.glob("*.js"))
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node")
RANK = {"scale": "symlog", "limits": [-1, 100], "around": 1, "decades": 0.9, "ticks": []}
PUSH = RANK | {"limits": [-10, 10], "around": 1e-6}
LOG, LINEAR = ({"scale": scale, "limits": [1, 100], "ticks": []} for scale in ("log", "linear"))
FLIPPED = LINEAR | {"limits": [2, 0]}
PANES = {"a": {"box": [0, 0, 0.5, 1]}, "b": {"box": [0.5, 0, 1, 1]}}
# Module, an expression with its names, and what that is as JSON.
CASES = [
    ("scales.js", f"[1, 10, 100, 0].map(scale({json.dumps(LOG)}))", [0, 0.5, 1, None]),
    ("scales.js", f"[-1, 0, 1, 100].map(scale({json.dumps(RANK)}))", [0, 0.25, 0.5, 1]),
    ("scales.js", f"[-10, 0, 10].map(scale({json.dumps(PUSH)}))", [0, 0.5, 1]),
    ("scales.js", f"[2, 1, 0].map(scale({json.dumps(FLIPPED)}))", [0, 0.5, 1]),
    ("scales.js", f"ticks({json.dumps(LOG)}).map(tick => tick[1])", ["10^{0}", "10^{1}", "10^{2}"]),
    ("scales.js", f"ticks({json.dumps(LOG | {'limits': [1e-4, 2]})}).map(tick => tick[0])",
     [1e-4, 1e-3, 1e-2, 1e-1, 1]),
    ("scales.js", f"ticks({json.dumps(LINEAR | {'limits': [0, 2532]})}).map(tick => tick[1])",
     ["0", "1,000", "2,000"]),
    ("scales.js", f"ticks({json.dumps(LINEAR | {'limits': [-0.25, 1.05]})}).map(tick => tick[1])",
     ["0.0", "0.5", "1.0"]),
    ("scales.js", f"ticks({json.dumps(LINEAR | {'limits': [1999, 2000.5]})}).map(tick => tick[1])",
     ["1,999.0", "1,999.5", "2,000.0", "2,000.5"]),
    ("scales.js", f"ticks({json.dumps(FLIPPED)}).map(tick => tick[1])",
     ["0.0", "0.5", "1.0", "1.5", "2.0"]),
    ("scales.js", f"ticks({json.dumps(LOG | {'ticks': [[1, 'one']]})})", [[1, "one"]]),
    ("scales.js", "[0, 0.00123456, 1e-7, -2.5, 999.6, 12345.6, 1e6, NaN].map(short)",
     ["0", "0.00123", "1.0e−7", "−2.5", "1000", "12,346", "1,000,000", "–"]),
    ("paths.js", f"arranged({json.dumps({'height': 300, 'narrow': 600, 'panes': PANES})}, 800)",
     {"height": 300, "boxes": {"a": [0, 0, 400, 300], "b": [400, 0, 800, 300]}}),
    ("paths.js", f"arranged({json.dumps({'height': 300, 'narrow': 600, 'panes': PANES})}, 500)",
     {"height": 480, "boxes": {"a": [0, 0, 500, 240], "b": [0, 240, 500, 480]}}),
    ("paths.js", "joined([[0, 1], [1, NaN], [2, 3], [3, 4]])", "M0 1M2 3L3 4"),
    ("paths.js", "alone([[0, 1], [1, 2], [2, NaN], [3, 4], [4, NaN]])", [[3, 4]]),
    ("paths.js", "alone([[0, 1]])", [[0, 1]]),
    ("paths.js", "bins([[5, 2], [15, NaN]], 9, false)", "M0 9V2H10V9H20V9"),
    ("paths.js", "bins([[5, 2], [15, 99]], 9, true)", "M0 9V2H10V9zM10 9V9H20V9z"),
    ("paths.js", "upright([[3, NaN], [NaN, 0]], 9, 1)", "M3 9V1"),
    ("paths.js", "marked([[5, 5], [NaN, 1]], 10, 'square')", "M-4 -4h18v18h-18z"),
    ("elements.js", "parts('−∂L / ∂r_i of 10^{−2}, n_sample')",
     [["−∂L / ∂r", ""], ["i", "_"], [" of 10", ""], ["−2", "^"], [", n_sample", ""]]),
]  # fmt: skip


def in_node(code):
    command = ["node", "--input-type=module"]
    done = subprocess.run(command, input=code, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_node
def test_pure_parts_in_node():
    modules = {name: (FOLDER / name).read_text(encoding="utf-8") for name, _, _ in CASES}
    for module, expression, wanted in CASES:
        told = in_node(f"{modules[module]}\nconsole.log(JSON.stringify({expression}))")
        assert json.loads(told) == wanted, expression


@needs_node
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_module_is_javascript(name, tmp_path):
    copy = tmp_path / Path(name).with_suffix(".mjs")
    shutil.copy(FOLDER / name, copy)
    checked = subprocess.run(["node", "--check", copy], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_a_module_stands_once_behind_what_it_imports(tmp_path):
    (tmp_path / "a.js").write_text('import {b} from "./b.js";\nimport {c} from "./c.js";\nb(c);\n')
    (tmp_path / "b.js").write_text('import {c} from "./c.js";\nexport const b = c;\n')
    (tmp_path / "c.js").write_text("export function c() {}\n")
    assert joined("a.js", tmp_path) == "function c() {}\nconst b = c;\nb(c);\n"


def test_what_jupyter_gets_imports_nothing_and_names_nothing_twice():
    text = joined("view.js")
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("import ")] == []
    assert [line for line in lines if line.startswith("export ")] == ["export default {render};"]
    heads = [line.split("=")[0].split("(")[0] for line in lines if line[:1].isalpha()]
    names = [head.split()[1] for head in heads if head.split()[0] in ("const", "function", "class")]
    assert len(names) > 20
    assert len(set(names)) == len(names)
