"""The pages for readers: links that lead somewhere, an API reference without a warning."""

import ast
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    path for folder in (".", "docs", "datasets") for path in sorted((ROOT / folder).glob("*.md"))
]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
PACKAGES = [f"gru4rec_lab.{name}" for name in ("diagnostics", "plots", "exercises", "widgets")]
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def links(path):
    """Every relative link of a page, or of a notebook's markdown cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return [link for link in LINK.findall(text) if not re.match(r"\w+:", link)]


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_no_link_is_dead(path):
    dead = [link for link in links(path) if not (path.parent / link).exists()]
    assert dead == []


def inner_imports(code):
    """What this code imports of the library that is not a public name of one of its packages."""
    public = set(PACKAGES)
    for home in ("gru4rec_lab", *PACKAGES):
        public |= {f"{home}.{name}" for name in import_module(home).__all__}
    names = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{name.name}" for name in node.names]
    return [name for name in names if name.startswith("gru4rec_lab.") and name not in public]


def code_of(path):
    """The code of a notebook, cell below cell."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.mark.parametrize("number", ["00", "06", "07", "08", "09", "11", "12"])
def test_one_name_switches_a_lesson_to_another_set(number):
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    code = code_of(path)
    (data,) = re.findall(r'^DATA = "([\w:-]+)"', code, re.MULTILINE)
    assert f'claims_of("{data}", DATA)' in code
    assert not re.search(rf'load_(split|sessions)\("{data}"', code), "loads it by its own name"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_notebook_imports_public_names_only(path):
    assert inner_imports(code_of(path)) == []


@pytest.mark.parametrize(
    "code",
    [
        "import gru4rec_lab.losses",
        "from gru4rec_lab import losses",
        "from gru4rec_lab.losses import bpr",
        "from gru4rec_lab.diagnostics import scores",
        "from gru4rec_lab.exercises.losses_by_hand import check_bpr",
    ],
)
def test_an_import_from_an_inner_module_is_found(code):
    assert len(inner_imports(code)) == 1


def minutes_of(path):
    """Minutes of a notebook as its first cell says them, and those of its exercises added up."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    (said,) = re.findall(
        r"^\*About (\d+) minutes, (\d+) more for the exercises", text, re.MULTILINE
    )
    each = [int(found) for found in re.findall(r"(\d+) minutes, (?:easy|middle|hard)", text)]
    assert int(said[1]) == sum(each)
    return " + ".join(said)


@pytest.mark.parametrize("page", ["notebooks/00_start_here.ipynb", "docs/teaching.md"])
def test_the_contents_say_how_long_each_notebook_takes(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        number = path.name[:2]
        row = re.search(rf"\| (?:\*\*|\[){number}\b.*", text)
        assert row, f"no line for {path.name}"
        assert minutes_of(path) in row[0]


def test_links_are_found_at_all():
    assert "docs/parity.md" in links(ROOT / "README.md")


@pytest.mark.slow
def test_the_api_reference_is_written_without_a_warning(tmp_path):
    command = [sys.executable, ROOT / "scripts" / "docs.py", tmp_path]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    page = (tmp_path / "gru4rec_lab" / "losses.html").read_text(encoding="utf-8")
    assert "Mean of -log sigma(r_i - r_j) over the negatives" in page
    assert 'href="gru4rec_lab/losses.html"' in (tmp_path / "gru4rec_lab.html").read_text()


PAPERS = {"[H16]": "arXiv 1511.06939", "[H18]": "arXiv 1706.03847"}


def test_a_module_that_cites_a_paper_says_which_it_is():
    texts = {
        path: path.read_text(encoding="utf-8") for path in (ROOT / "gru4rec_lab").rglob("*.py")
    }
    unsaid = [
        f"{path.relative_to(ROOT)}: {tag}"
        for path, text in texts.items()
        for tag, paper in PAPERS.items()
        if tag in text and paper not in text
    ]
    assert unsaid == []
