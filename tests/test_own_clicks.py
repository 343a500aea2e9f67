"""The panel that reads clicks of one's own, driven from code."""

import datetime

import pytest

from gru4rec_lab.widgets import OwnClicks
from gru4rec_lab.widgets.own_clicks import options_of

pytestmark = pytest.mark.usefixtures("no_thread_or_panel_is_left")
TEXT = "SessionId,ItemId,Time\n1,<b>,5\n1,c,6\n2,c,7\n2,c,8\n"


def uploaded(**files):
    """Files as the browser sends them; `_` stands for the dot."""
    return tuple(
        {
            "name": name.replace("_", "."), "type": "", "size": len(text),
            "content": memoryview(text.encode()), "last_modified": datetime.datetime(2026, 1, 1),
        }
        for name, text in files.items()
    )  # fmt: skip


def test_an_uploaded_file_is_read_checked_and_reported():
    panel = OwnClicks()
    assert panel.sessions is None
    panel.upload.value = uploaded(clicks_csv=TEXT)
    assert panel.sessions.n_clicks == 4
    assert panel.findings.value("duplicates") == 0
    assert "clicks.csv: 2 sessions, 2 items, 4 clicks" in panel.report.value
    assert panel.error == ""


def test_parts_are_uploaded_together():
    panel = OwnClicks()
    panel.upload.value = uploaded(a_csv=TEXT, b_csv=TEXT)
    assert panel.sessions.n_clicks == 8
    assert "<b>look</b>" in panel.report.value  # each click is there twice
    assert "was a file read twice?" in panel.report.value


def test_a_path_is_read_with_options_and_takes_the_place_of_what_was_uploaded(tmp_path):
    (tmp_path / "own.csv").write_text(TEXT.replace("SessionId", "visit"))
    panel = OwnClicks()
    panel.upload.value = uploaded(clicks_csv=TEXT)
    panel.path.value = str(tmp_path / "own.csv")
    assert "no column 'SessionId'; it has visit" in panel.error
    assert panel.sessions is None
    assert panel.report.value == ""
    panel.options.value = 'session="visit", repeats=False'
    assert panel.error == ""
    assert panel.sessions.n_clicks == 3
    assert "dropped clicks on the item clicked just before: 1 clicks" in panel.report.value
    assert panel.upload.value == ()


def test_a_panel_made_with_a_path_has_read_it(tmp_path):
    (tmp_path / "own.csv").write_text(TEXT)
    assert OwnClicks(tmp_path / "own.csv", "longest=1").sessions.n_clicks == 2
    assert "no file" in OwnClicks("nowhere.csv").error


def test_warnings_are_shown_and_names_of_items_are_no_html(tmp_path):
    text = TEXT + '3,"c,9\n3,c",10\n'
    (tmp_path / "<i>.csv").write_text(text)
    panel = OwnClicks(tmp_path / "<i>.csv")
    assert "warning: '&lt;i&gt;.csv' has 6 lines below its header but gave 5" in panel.report.value


@pytest.mark.parametrize("text", ["visit", "session=visit", "7", "**{}", "gap=30)", "a=("])
def test_options_that_cannot_be_read_are_refused(text):
    with pytest.raises(ValueError, match="cannot read the options.*write them as session="):
        options_of(text)


def test_options_are_read_as_in_a_call():
    text = 'user="who", gap=30, only={"event": ["view"]}, time=("day", "order")'
    want = {"user": "who", "gap": 30, "only": {"event": ["view"]}, "time": ("day", "order")}
    assert options_of(text) == want
    assert options_of(" ") == {}
