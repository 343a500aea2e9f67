"""Each malformed input of the table has its outcome, and the page shows the table as it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .bad_inputs import PAGE, TABLE, page

ROWS = [(given, said) for rows in TABLE.values() for given, said in rows.items()]


@pytest.fixture(scope="module")
def outcomes():
    """What became of each input, in a process that checks no types."""
    command = [sys.executable, "-m", "tests.bad_inputs"]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("given", "said"), ROWS, ids=[given for given, _ in ROWS])
def test_a_malformed_input_has_its_outcome(outcomes, given, said):
    assert said in outcomes[given]


def test_no_input_stands_in_the_table_twice():
    assert len({given for given, _ in ROWS}) == len(ROWS) >= 60


def test_the_page_shows_the_table():
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.bad_inputs --write"
