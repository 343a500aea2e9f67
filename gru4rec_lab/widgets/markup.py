"""Text as HTML: what panels say, made without ipywidgets so that it can be tested alone."""

import html
from collections.abc import Iterable, Sequence

# As their theme has it, light on dark where JupyterLab is dark.
BLUE = "var(--jp-content-link-color,#1c6ea4)"
RED = "var(--jp-error-color1,#8b0000)"


class Html(str):
    """Text that is HTML already; `html_table` escapes any other text."""


def bold(text: object) -> Html:
    """The text, escaped, in bold."""
    return Html(f"<b>{_escaped(text)}</b>")


def html_table(
    heads: Sequence[object], rows: Iterable[Sequence[object]], *, align: str = "left"
) -> str:
    """A table as HTML: `heads` above the columns; the first cell of each row is the row's head.

    A cell is shown as `str(cell)`, escaped unless it is `Html`. `align` is "left" or "right" and
    holds for all columns but the first, which is on the left.
    """
    body = "".join(
        f"<tr>{_cells([head], 'th', 'row', 'left')}{_cells(cells, 'td', '', align)}</tr>"
        for head, *cells in rows
    )
    head = _cells(heads[:1], "th", "col", "left") + _cells(heads[1:], "th", "col", align)
    return f'<table style="line-height:1.4"><tr>{head}</tr>{body}</table>'


def _cells(cells: Sequence[object], tag: str, scope: str, align: str) -> str:
    scoped = f' scope="{scope}"' if scope else ""
    weight = ";font-weight:normal" if scope == "row" else ""
    start = f'<{tag}{scoped} style="padding:1px 8px;text-align:{align}{weight}">'
    return "".join(f"{start}{_escaped(cell)}</{tag}>" for cell in cells)


def _escaped(text: object) -> str:
    return text if isinstance(text, Html) else html.escape(str(text), quote=False)


def advice(text: str) -> str:
    """The text, which is HTML, as a line of advice."""
    # Two lines high in any case, so that the picture below stays where it is.
    style = f"color:{BLUE};line-height:1.5;min-height:3em;max-width:960px"
    return f'<div style="{style}"><b>Try:</b> {text}</div>'


def aside(text: str, *, wrong: bool = False) -> str:
    """The text, escaped, as a small line below a control; red and told at once if it is wrong."""
    colour, role = (RED, ' role="alert"') if wrong else (BLUE, "")
    style = f"color:{colour};font-size:12px;line-height:1.3;padding-left:158px"
    return f'<div{role} style="{style}">{_escaped(text)}</div>'
