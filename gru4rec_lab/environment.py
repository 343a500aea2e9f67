"""Does this machine run the notebooks? One check a question, with the way out where it fails."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

import torch
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from .device import choose_device

PACKAGE = "gru4rec-lab"
INSTALL_AGAIN = "run `make setup` in the project's folder, then restart the kernel"
# What a notebook's pictures and sliders need; the rest fails loudly on import.
PACKAGES = ("torch", "numpy", "pandas", "matplotlib", "jupyterlab", "ipywidgets", "nbval", "numba")


@dataclass(frozen=True)
class Check:
    """One question about the machine: what was found, and the way out if it is not `ok`."""

    name: str
    ok: bool
    found: str
    way_out: str = ""


def check_environment() -> list[Check]:
    """The checks of this Python, its packages, its device and its threads; none of them raises."""
    return [check_python(), *check_packages(), check_device(), check_step(), check_threads()]


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Check:
    """Is Python new enough, by what the project requires?"""
    found = ".".join(map(str, version))
    wanted = metadata.metadata(PACKAGE)["Requires-Python"]
    way_out = f"install a Python {wanted}, then `make setup PYTHON=/path/to/python`"
    return Check("Python", found in SpecifierSet(wanted), found, way_out)


def check_packages() -> Iterator[Check]:
    """Is each package there, and new enough by what the project requires?"""
    required = map(Requirement, metadata.requires(PACKAGE) or [])
    wanted = {each.name: each.specifier for each in required if each.name in PACKAGES}
    return (check_package(name, wanted[name]) for name in PACKAGES)


def check_package(name: str, wanted: SpecifierSet) -> Check:
    """Is the package installed, in a version that is wanted?"""
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(name, False, "not installed", INSTALL_AGAIN)
    ok = wanted.contains(found, prereleases=True)
    return Check(name, ok, found, f"{name}{wanted} is needed; {INSTALL_AGAIN}")


def check_device() -> Check:
    """Can the device that "auto" stands for add two numbers?"""
    device = choose_device()
    try:
        works = float(torch.ones(1, device=device) + 1) == 2
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        return Check("device", False, f"{device}: {reason}", "set device='cpu' in the Config")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU is needed"
    return Check("device", works, f"{device} ({name})", "set device='cpu' in the Config")


def check_step() -> Check:
    """Does the fastest training step run here that there is for the device? See `Config.step`."""
    fastest = {"cuda": "graph", "cpu": "numba"}.get(choose_device().type, "plain")
    ok = fastest != "numba" or find_spec("numba") is not None
    return Check("training step", ok, fastest if ok else "plain", f"no numba; {INSTALL_AGAIN}")


def usable_cores() -> int:
    """How many cores this process may use."""
    # Python 3.13 and Linux count them.
    count = getattr(os, "process_cpu_count", None)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (count() if count else usable) or 1


def check_threads() -> Check:
    """Does torch use more threads than there are cores? They would wait for each other."""
    cores, threads = usable_cores(), torch.get_num_threads()
    found = f"{cores} for {threads} torch thread{'s' if threads > 1 else ''}"
    return Check("cores", threads <= cores, found, "start with `OMP_NUM_THREADS=1 make lab`")
