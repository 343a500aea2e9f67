"""benchmarks/RESULTS.md: its sections, its tables, and the facts that stand above them."""

import os
import platform
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
GPU = "On a GPU"


def machine() -> str:
    """Cores and name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores, {name}"


def versions(*more: str) -> str:
    """Python and what does the arithmetic, with `more` packages where they are installed."""
    found = [f"Python {platform.python_version()}"]
    for name in ("torch", "numpy", "numba", "pandas", *more):
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return ", ".join(found)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """The table in markdown, printed row by row as it grows."""
    lines = [head, ("---",) * len(head)]
    print("\n" + " | ".join(head), flush=True)
    for row in rows:
        print(" | ".join(row), flush=True)
        lines.append(row)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def read() -> dict[str, str]:
    """The text of each section of RESULTS.md by its title; what stands above the first is ""."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    parts = (section.partition("\n") for section in sections)
    return {"": head.strip()} | {title: body.strip() for title, _, body in parts}


def write(sections: Mapping[str, str]) -> None:
    """Write RESULTS.md from its sections, as `read` gives them."""
    texts = [f"## {title}\n\n{body}" if title else body for title, body in sections.items()]
    RESULTS.write_text("\n\n".join(filter(None, texts)) + "\n", encoding="utf-8")
