"""Several modules of JavaScript as one, without node: what Jupyter and a single HTML file take."""

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import .+? from "\./(?P<name>[\w/.]+)";\n', re.MULTILINE)


@cache
def joined(entry: str, *folders: Path) -> str:
    """The module `entry` behind all that it imports, each once, as one ES module.

    Modules are looked for in `folders`, then here. Their names end up in one scope: each stands in
    one module only. Exports other than `export default` are gone.
    """
    done: dict[str, str] = {}

    def collect(name: str) -> None:
        path = next(each / name for each in (*folders, FOLDER) if (each / name).is_file())
        text = path.read_text(encoding="utf-8")
        for found in _IMPORT.finditer(text):
            if found["name"] not in done:
                collect(found["name"])
        done[name] = re.sub(r"^export (?!default)", "", _IMPORT.sub("", text), flags=re.MULTILINE)

    collect(entry)
    return "".join(done.values())
