"""Clean notebooks for the repository: outputs and tags stay, what differs from run to run goes.

nb-clean removes execution counts and metadata; the ids of widgets and their saved state go here.
A stored widget is shown by its text until its cell is run; a stale id would show an error.
With --check nothing is written and the exit status says whether there is something to clean.
"""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

NB_CLEAN = Path(sysconfig.get_path("scripts")) / "nb-clean"
KEEP = ["--preserve-cell-outputs", "--preserve-cell-metadata-field", "tags"]
WIDGET = "application/vnd.jupyter.widget-view+json"


def cleaned(text: str) -> str:
    """The notebook without execution counts, metadata and traces of widgets."""
    notebook = json.loads(text)
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    return subprocess.run(
        [NB_CLEAN, "clean", *KEEP],
        input=json.dumps(notebook),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    ).stdout


def main(arguments: list[str]) -> int:
    """Clean every notebook named; with --check, 1 when one is not clean."""
    check = "--check" in arguments
    dirty = []
    for path in (Path(name) for name in arguments if name != "--check"):
        before = path.read_text(encoding="utf-8")
        after = cleaned(before)
        if after != before:
            dirty.append(path)
            if not check:
                path.write_text(after, encoding="utf-8")
    for path in dirty:
        print(f"{path}: {'not clean; make notebooks cleans it' if check else 'cleaned'}")
    return int(check and bool(dirty))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
