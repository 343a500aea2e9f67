"""The pages for readers: links that lead somewhere, an API reference without a warning."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    path for folder in (".", "docs", "datasets") for path in sorted((ROOT / folder).glob("*.md"))
]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
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
