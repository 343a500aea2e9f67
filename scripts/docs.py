"""Write the API reference, made from the docstrings, into a folder; a warning is an error.

python scripts/docs.py [FOLDER]   (build/docs if none is named; open index.html in it)
"""

import pkgutil
import sys
import warnings
from importlib import import_module
from pathlib import Path

import pdoc
import pdoc.render

import gru4rec_lab

ROOT = Path(__file__).resolve().parent.parent


def modules() -> list[str]:
    """Every module of the package by its dotted name, the package itself first."""
    below = pkgutil.walk_packages(gru4rec_lab.__path__, "gru4rec_lab.")
    return ["gru4rec_lab", *(module.name for module in below)]


def list_submodules() -> None:
    """Let the page of each package name its modules: the generator goes by `__all__` alone."""
    for name in modules():
        package = import_module(name)
        below = [each.name for each in pkgutil.iter_modules(getattr(package, "__path__", []))]
        if hasattr(package, "__all__"):
            for lazy in package.__all__:
                getattr(package, lazy)
            package.__all__ = [*below, *(each for each in package.__all__ if each not in below)]


def write(folder: Path) -> Path:
    """Write one page a module and a search index; the path of the first page.

    Raises:
        Warning: something that the generator could not make sense of.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list_submodules()
        pdoc.render.configure(
            docformat="google",
            footer_text=f"GRU4Rec Lab {gru4rec_lab.__version__}",
            show_source=True,
        )
        pdoc.pdoc("gru4rec_lab", output_directory=folder)
    return folder / "index.html"


if __name__ == "__main__":
    print(write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"))
