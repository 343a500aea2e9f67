"""No word before its meaning: the first use of each term of the glossary leads to its entry."""

import json
import re
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ENTRY = re.compile(r"^### (.+)$", re.MULTILINE)
TERMS = ENTRY.findall((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))
# What is no running text: titles and contents name what comes later, code names are not words.
FENCE, HEADING, TABLE = r"```.*?```", r"^ *#.*?$", r"^ *\|.*?$"
MATH, PICTURE, ADDRESS = r"\$\$.*?\$\$|\$[^$]*\$", r"!\[[^]]*\]", r"(?<=\])\([^)]*\)"
NO_PROSE = re.compile(
    "|".join((FENCE, HEADING, TABLE, MATH, PICTURE, ADDRESS)), re.DOTALL | re.MULTILINE
)
EXPLAINED = re.compile(r"\*\*([^*]+)\*\*|\[([^]]*)\]\([^)]*glossary\.md#([\w-]+)\)")


def slug(term):
    """The address of an entry on its page."""
    return re.sub(r"[^\w -]", "", term.lower()).replace(" ", "-")


def first_use(text, term):
    """Where in the running text a term first stands; None where it does not."""
    words = re.escape(term).replace("@k", r"@\d+").replace(r"\ ", r"\s+")
    case = 0 if term != term.lower() else re.IGNORECASE
    prose = NO_PROSE.sub(lambda part: " " * len(part[0]), text)
    if term == "sigma":
        return re.search(r"\\sigma|\bsigma\b", text)
    return re.search(rf"\b{words}s?\b(?!-max|-parallel|[=(.]\w)", prose, case)


def explained(text, term):
    """Whether a term is linked to its entry, or bold where it is explained, at its first use.

    None where it is not used. A symbol may be explained below its first formula.
    """
    use = first_use(text, term)
    if use is None:
        return None
    if term == "sigma":
        return "glossary.md#sigma" in text[use.start() :]
    for mark in EXPLAINED.finditer(text):
        if mark.start() <= use.start() < mark.end():
            return mark[1] is not None or mark[3] == slug(term)
    return False


def cells(path):
    """The texts of a lesson, in order."""
    every = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in every if cell["cell_type"] == "markdown"]


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_explained_where_the_lessons_first_use_it(term):
    each = ((path.stem, text) for path in LESSONS for text in cells(path))
    uses = ((name, text, explained(text, term)) for name, text in each)
    name, text, well = next(use for use in uses if use[2] is not None)
    at = first_use(text, term).start()
    assert well, f"{name}: ...{text[max(0, at - 60) : at + 60]}..."


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_explained_where_the_readme_first_uses_it(term):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    use = first_use(text, term)
    assert use is None or explained(text, term), text[max(0, use.start() - 60) : use.start() + 60]


def test_every_link_into_the_glossary_leads_to_an_entry():
    texts = chain(*map(cells, LESSONS), [(ROOT / "README.md").read_text(encoding="utf-8")])
    linked = set(chain(*(re.findall(r"glossary\.md#([\w-]+)", text) for text in texts)))
    assert linked <= set(map(slug, TERMS))
    assert len(linked) > 20


def test_entries_stand_in_the_order_of_the_alphabet():
    assert sorted(TERMS, key=str.lower) == TERMS


@pytest.mark.parametrize(
    ("text", "well"),
    [
        ("nothing here", None),
        ("## The pull\n\n$pull$ and `x`", None),
        ("the pull is strong", False),
        ("the **pull** is strong, and the pull", True),
        ("a [pull](../docs/glossary.md#pull)", True),
        ("a pull, a [pull](../docs/glossary.md#pull)", False),
        ("a [pull](../docs/glossary.md#push)", False),
        ("![the pull](a.png)", None),
        ("it pulls", False),
    ],
)
def test_a_first_use_is_found_and_judged(text, well):
    assert explained(text, "pull") is well
