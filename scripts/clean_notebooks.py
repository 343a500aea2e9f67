"""Clean notebooks for the repository: outputs and tags stay, what differs from run to run goes.

nb-clean removes metadata. What is left is done here: cells are numbered from 1, since strict nbval
leaves a cell without a number unchecked, and the ids and the saved state of widgets go, since a
stored widget whose kernel is gone shows an error, and without its id shows its text.
With --check nothing is written and the exit status says whether there is something to clean.
"""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

NB_CLEAN = Path(sysconfig.get_path("scripts")) / "nb-clean"
KEEP = [
    "--preserve-cell-outputs",
    "--preserve-execution-counts",
    "--preserve-cell-metadata-field=tags",
]
WIDGET = "application/vnd.jupyter.widget-view+json"


def cleaned(text: str) -> str:
    """The notebook as after one run from top to bottom, without that run's own marks."""
    notebook = json.loads(text)
    notebook["metadata"].pop("widgets", None)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate((cell for cell in code if "".join(cell["source"]).strip()), 1):
        cell["execution_count"] = number
        for output in cell["outputs"]:
            output.get("data", {}).pop(WIDGET, None)
            if "execution_count" in output:
                output["execution_count"] = number
    done = subprocess.run(
        [NB_CLEAN, "clean", *KEEP],
        input=json.dumps(notebook, indent=1, ensure_ascii=False),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.rstrip("\n") + "\n"


def main(arguments: list[str]) -> int:
    """Clean every notebook named; with --check, 1 when one is not clean."""
    check = "--check" in arguments
    dirty = False
    for path in (Path(name) for name in arguments if name != "--check"):
        before = path.read_text(encoding="utf-8")
        after = cleaned(before)
        if after != before:
            dirty = True
            print(f"{path}: {'not clean; make notebooks cleans it' if check else 'cleaned'}")
        if after != before and not check:
            path.write_text(after, encoding="utf-8")
    return int(check and dirty)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
