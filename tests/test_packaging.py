"""The house: packaging, pins and documents say the same thing, and nothing private is in them."""

import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import torch
import yaml
from jaxtyping import TypeCheckError

import gru4rec_lab
from gru4rec_lab import LOSSES

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PRIVATE = re.compile(
    r"pypi[.]org|pythonhost[e]d|registry[.]npmjs|deb[.]debian"  # hosts of package registries
    r"|/(work|root|home|Users)/"  # somebody's folders
)
BINARY = {".parquet", ".npz", ".png", ".svg", ".safetensors", ".zip", ".gz"}


def name_of(requirement):
    """The package of a requirement, in the one spelling that pip compares."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def tracked_files(binary=frozenset()):
    """The files of the next commit: tracked, or new and not ignored; no `BINARY` but `binary`."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout, or no git")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = (ROOT / name for name in names.split("\0") if name)
    return [path for path in paths if path.is_file() and path.suffix not in BINARY - binary]


def test_every_direct_dependency_is_pinned():
    extras = PROJECT["optional-dependencies"].values()
    direct = {name_of(r) for group in [PROJECT["dependencies"], *extras] for r in group}
    assert direct - {name_of(pin) for pin in pins()} == set()


def test_pins_are_exact_and_run_on_every_machine():
    for pin in pins():
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", pin), f"{pin}: no exact, public version"


def test_conda_installs_what_make_setup_installs():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = (part["pip"] for part in conda["dependencies"] if isinstance(part, dict))
    assert conda["name"] == PROJECT["name"]
    assert f"python{PROJECT['requires-python']},<3.15" in conda["dependencies"]
    first, *named, last = pip
    assert [first, last] == ["-c constraints.txt", "-e .[dev,browser,app,cluster,search]"]
    assert set(named) <= set(pins())
    looked_for = {"torch", "jupyterlab", "ipywidgets", "matplotlib", "pandas", "nbval", "pooch"}
    assert {name_of(package) for package in named} == looked_for
    assert looked_for <= {name_of(requirement) for requirement in PROJECT["dependencies"]}
    assert (
        '"-e", ".[dev,browser,app,cluster,search]"' in (ROOT / "scripts" / "install.py").read_text()
    )


def test_setup_installs_the_pinned_versions_unless_it_is_asked_for_the_newest(monkeypatch):
    versions = runpy.run_path(str(ROOT / "scripts" / "install.py"))["versions"]
    monkeypatch.delenv("NEWEST", raising=False)
    assert versions() == ["-c", "constraints.txt"]
    monkeypatch.setenv("NEWEST", "1")
    assert "--upgrade" in versions()
    assert "constraints.txt" not in versions()


def workflow():
    """The jobs of the workflow, and its text."""
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    return yaml.safe_load(text)["jobs"], text


def commands(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_workflow_calls_make_on_every_python_that_setup_takes():
    jobs, _ = workflow()
    taken = re.search(r"([\d.| ]+)\) exec", (ROOT / "scripts" / "setup.sh").read_text())[1]
    assert jobs["make"]["strategy"]["matrix"]["python"] == taken.strip().split(" | ")
    assert commands(jobs["make"]) == ["make test"]
    assert commands(jobs["newest"]) == ["make test NEWEST=1"]


def test_the_workflow_goes_by_the_readme_on_windows():
    (block,) = re.findall(r"```powershell\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = [line for line in block.splitlines() if "jupyterlab" not in line]
    assert commands(workflow()[0]["windows"]) == lines


def test_every_action_of_the_workflow_is_pinned_to_a_commit():
    used = re.findall(r"uses: (.*)", workflow()[1])
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action) for action in used)


@pytest.mark.parametrize(
    "target", ["setup", "lab", "page", "test", "notebooks", "docs", "lint", "format", "clean"]
)
def test_make_has_the_target(target):
    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == gru4rec_lab.__version__ == citation["version"]


def test_citation_names_both_papers():
    papers = yaml.safe_load((ROOT / "CITATION.cff").read_text())["references"]
    arxiv = [identifier["value"] for paper in papers for identifier in paper["identifiers"]]
    assert arxiv == ["arXiv:1511.06939", "arXiv:1706.03847"]


def test_readme_names_both_commands_and_every_file_it_links_to_exists():
    readme = (ROOT / "README.md").read_text()
    assert "make lab" in readme
    assert "make test" in readme
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", readme)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_no_file_names_a_registry_host_or_a_private_folder():
    lines = (
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PRIVATE.search(line)
    )
    assert list(lines) == []


def test_shapes_in_signatures_are_enforced_in_tests():
    with pytest.raises(TypeCheckError):
        LOSSES["bpr"](torch.zeros(3), torch.zeros(2, 4))


@pytest.mark.slow
def test_a_built_wheel_holds_everything_that_is_in_the_package(tmp_path):
    files = [path.relative_to(ROOT) for path in tracked_files(BINARY)]
    for path in files:
        if path.parts[0] in ("gru4rec_lab", "pyproject.toml", "README.md", "LICENSE"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, tmp_path / path)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--quiet", "-w", "built"], cwd=tmp_path, check=True)
    (wheel,) = tmp_path.glob("built/*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {path.as_posix() for path in files if path.parts[0] == "gru4rec_lab"}
    assert "gru4rec_lab/widgets/picture/plot.js" in wanted
    assert "gru4rec_lab/page/js/page.js" in wanted
    assert wanted - packed == set()
