"""What panels say as HTML."""

from html.parser import HTMLParser

from gru4rec_lab.widgets.markup import Html, bold, html_table


class Table(HTMLParser):
    """The cells of a table by row: tag, scope, alignment and text of each."""

    def __init__(self, page):
        super().__init__()
        self.rows = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            found = dict(attrs)
            align = found["style"].partition("text-align:")[2].partition(";")[0]
            self.rows[-1].append([tag, found.get("scope"), align, ""])

    def handle_data(self, text):
        self.rows[-1][-1][-1] += text


def test_a_table_has_heads_above_and_at_the_left_with_a_scope():
    assert Table(html_table(["item", "cosine"], [["a", 0.5], ["b", None]])).rows == [
        [["th", "col", "left", "item"], ["th", "col", "left", "cosine"]],
        [["th", "row", "left", "a"], ["td", None, "left", "0.5"]],
        [["th", "row", "left", "b"], ["td", None, "left", "None"]],
    ]


def test_numbers_stand_on_the_right_and_heads_of_rows_do_not():
    rows = Table(html_table(["run", "recall"], [["pinned", ".1"]], align="right")).rows
    assert [[cell[2] for cell in row] for row in rows] == [["left", "right"]] * 2


def test_a_table_escapes_everything_but_html():
    page = html_table(["<i>", bold("<h>")], [["<b>own</b>", bold("a<b"), Html("<u>c</u>")]])
    assert "<i>" not in page
    assert "<b>own" not in page
    assert "<b>&lt;h&gt;</b>" in page
    assert "<b>a&lt;b</b>" in page
    assert "<u>c</u>" in page
