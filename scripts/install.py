"""Fill .venv with the pinned packages, or say in one line why not. Run by scripts/setup.sh.

pip's whole output goes to .venv/setup.log. The last step writes .venv/.installed with the path
of this checkout: a moved folder, or an interrupted run, is set up again. With NEWEST in the
environment, the newest versions that pyproject.toml allows take the place of the pinned ones.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "setup.log"
STAMP = VENV / ".installed"
# The third import also builds matplotlib's font cache, whose notice would land in a notebook; the
# call compiles the kernels of the training step, some 20 seconds that the first run then saves.
WARM_UP = (
    "import gru4rec_lab, torch, matplotlib.font_manager, jupyterlab;"
    "from gru4rec_lab.warm_up import warm_up; warm_up()"
)

NO_SPACE = r"No space left on device|Errno 28\b|Disk quota exceeded"
NO_RETRY_LEFT = "Retry(total=0"
NO_NETWORK = (
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError"
    r"|SSLError|Connection(Reset|Refused)Error|Connection (refused|reset)|Max retries exceeded"
)


def main() -> None:
    """Make .venv, install into it, import once what the notebooks need, compile the kernels."""
    STAMP.unlink(missing_ok=True)
    LOG.unlink(missing_ok=True)
    if not usable():
        run([sys.executable, "-m", "venv", "--clear", str(VENV)], "make .venv")
    version = sys.version.split()[0]
    print(f"setup: installing for Python {version}, minutes; log: .venv/setup.log", flush=True)
    run([*pip(), "install", *versions(), "-e", ".[dev,browser,app,cluster,search]"], "install")
    run([str(PYTHON), "-c", WARM_UP], "import what was installed and compile the kernels")
    STAMP.write_text(f"{ROOT} newest\n" if os.environ.get("NEWEST") else f"{ROOT}\n")


def versions() -> list[str]:
    """What tells pip which versions to install."""
    if os.environ.get("NEWEST"):
        return ["--upgrade", "--upgrade-strategy=eager"]
    return ["-c", "constraints.txt"]


def pip() -> list[str]:
    """The command that runs the environment's own pip, never asking anything."""
    return [str(PYTHON), "-m", "pip", "--no-input", "--disable-pip-version-check"]


def usable() -> bool:
    """An environment is there, made in this place, with a pip that runs and this Python."""
    made_here = VENV.is_dir() and str(VENV) in read(VENV / "bin" / "activate")
    here = f"(python {sys.version_info[0]}.{sys.version_info[1]})"
    with suppress(OSError):
        answer = subprocess.run([*pip(), "--version"], capture_output=True, text=True)
        return made_here and answer.stdout.strip().endswith(here)
    return False


def read(path: Path) -> str:
    """The text of a file, or nothing where there is no file."""
    return path.read_text() if path.is_file() else ""


def run(command: list[str], purpose: str) -> None:
    """Run a command, keep its output in the log, leave with one line when it fails."""
    output = []
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    for line in process.stdout:
        output.append(line.rstrip())
        show(line)
        # A full disk must not hide its own message: `output` has it.
        with suppress(OSError), LOG.open("a") as log:
            log.write(line)
    if process.wait():
        stop(f"could not {purpose}: {reason(output)}")


def show(line: str) -> None:
    """On a terminal, the package that pip is at, on one line that is written over."""
    if sys.stdout.isatty() and line.startswith(("Collecting ", "Installing ")):
        print(f"\r{' '.join(line.split()[:2])[:70]:<72}", end="\r", flush=True)


def stop(why: str) -> None:
    """Leave with one line on stderr and a status that make takes for a failure."""
    blank = f"\r{'':72}\r" if sys.stdout.isatty() else ""
    sys.exit(f"{blank}setup: {why}")


def reason(output: list[str]) -> str:
    """The cause in the output of a command that failed."""
    text, last = "\n".join(output), "\n".join(output[-40:])
    places = sorted({VENV if VENV.exists() else ROOT, Path(tempfile.gettempdir())})
    free = {place: shutil.disk_usage(place).free >> 20 for place in places}
    if re.search(NO_SPACE, last) or min(free.values()) < 10:
        return f"the disk is full ({', '.join(f'{free[p]} MB free in {p}' for p in places)})"
    if NO_RETRY_LEFT in text or re.search(NO_NETWORK, last):
        return "the package index cannot be reached; check the network or the proxy, then repeat"
    if re.search(r"ensurepip is not\s+available", text):
        return "this Python has no venv (on Debian and Ubuntu: apt install python3-venv)"
    errors = [line for line in output if re.match(r"ERROR: (?!ResolutionImpossible)", line)]
    cause = [*filter(None, output), *errors][-1:] or ["no output"]
    return f"{cause[0].removeprefix('ERROR: ')} (see .venv/setup.log)"


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        main()
    except KeyboardInterrupt:
        stop("stopped; make setup goes on from here")
    except OSError as why:
        stop(reason([str(why)]))
