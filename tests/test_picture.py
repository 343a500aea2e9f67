"""Pictures as plain data, and matplotlib's drawing of them."""

import json
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from gru4rec_lab import LOSSES
from gru4rec_lab.plots.drawn import figure_of
from gru4rec_lab.plots.loss_panes import pull_lines, push_lines
from gru4rec_lab.plots.picture import (
    Axis,
    Line,
    Pane,
    Picture,
    Shown,
    across,
    colour_number,
    points,
)
from gru4rec_lab.widgets.picture.view import PictureView

PUSH = Axis((-10, 10), "symlog", "∂L / ∂r_j", around=1e-6, decades=0.7, ticks=((0, "0"),))
PICTURE = Picture(
    200,
    {
        "left": Pane(Axis((1, 100), "log"), PUSH, (0, 0, 0.5, 1), "pushes"),
        "right": Pane(
            Axis((0, 4)), Axis((0, 1)), (0.5, 0, 1, 1), right=Axis((0, 2), colour="#1c6ea4")
        ),
    },
    {
        "bpr": Line("left", "#0072B2", dash=(4, 2), key="picture"),
        "dot": Line("left", "#0072B2", width=0, dots=3, group="bpr"),
        "shares": Line("right", kind="bars", key="pane"),
        "mass": Line("right", axis="right", kind="steps"),
        "mark": Line("right", kind="across"),
    },
)
SHOWN = Shown(
    {
        "bpr": points([1, 10, 100], [-1, 0, 1]),
        "dot": points([10], [0]),
        "shares": points([0.5, 1.5, 2.5, 3.5], [0, 0.5, 1, np.nan]),
        "mass": points([1, 3], [1, 2]),
        "mark": across(2, None),
    },
    "a test",
    thick="bpr",
)


def test_a_picture_is_plain_json():
    plain = json.loads(json.dumps(PICTURE.plain()))
    assert plain["panes"]["right"]["right"]["limits"] == [0, 2]
    assert plain["lines"]["bpr"]["dash"] == [4, 2]


def test_equal_pictures_are_told_by_comparison_and_other_limits_give_another():
    assert PICTURE.limited("left", x=(1, 100)) == PICTURE
    other = PICTURE.limited("left", x=(1, 9))
    assert other != PICTURE
    assert other.panes["left"].x.limits == (1, 9)
    assert other.panes["right"] is PICTURE.panes["right"]


def test_long_curves_are_thinned_and_keep_both_ends():
    thinned = points(range(5000), range(5000))
    assert thinned.dtype == np.float32
    assert thinned.shape == (2, 400)
    assert thinned[:, [0, -1]].tolist() == [[0, 4999]] * 2


def test_every_colour_is_a_number_that_float32_holds():
    assert colour_number(["#ffffff", "#fffffe", "#000001"]).tolist() == [2**24 - 1, 2**24 - 2, 1]


def test_matplotlib_draws_each_line_with_its_look_and_its_numbers():
    figure = figure_of(PICTURE, SHOWN)
    left, right, second = figure.axes
    zero, line, dot = left.lines
    assert zero.get_ydata() == [0, 0]
    np.testing.assert_array_equal(line.get_xydata().T, SHOWN.lines["bpr"])
    assert (line.get_color(), line.is_dashed(), line.get_linewidth()) == ("#0072B2", True, 3.5)
    assert (dot.get_marker(), dot.get_linestyle()) == ("o", "None")
    (bars,), (steps,) = right.patches, second.patches
    assert bars.get_data().values.tolist() == [0, 0.5, 1, 0]
    assert steps.get_data().edges.tolist() == [0, 2, 4]
    (mark,) = right.collections
    assert mark.get_segments()[0][:, 0].tolist() == [2, 2]
    assert second.get_ylim() == (0, 2)
    assert figure.legends[0].get_texts()[0].get_text() == "bpr"


def test_lines_of_a_higher_layer_lie_above_and_a_point_alone_is_a_dot():
    lines = {"above": Line("p", layer=1), "solid": Line("p"), "dots": Line("p", dots=2)}
    picture = Picture(200, {"p": Pane(Axis((0, 3)), Axis((0, 3)))}, lines)
    parted = points([0, 1, 2, 3], [1, 2, np.nan, 3])
    numbers = {"above": points([1], [1]), "solid": parted, "dots": parted}
    solid, dots, above = figure_of(picture, Shown(numbers, "")).axes[0].lines
    assert solid.get_zorder() < dots.get_zorder() < above.get_zorder()
    alone = [list(line.get_markevery()) for line in (solid, above)]
    assert alone == [[False, False, False, True], [True]]
    assert {line.get_marker() for line in (solid, dots, above)} == {"o"}
    assert dots.get_markevery() is None


def test_dashed_curves_lie_above_solid_ones_and_dots_above_all():
    lines = pull_lines("pull", LOSSES, dots=True) | push_lines("push", LOSSES)
    for name, loss in LOSSES.items():
        assert lines[f"pull {name}"].layer == lines[f"push {name}"].layer == bool(loss.dash)
        assert (lines[f"pull {name}"].width > Line("pull").width) == bool(loss.dash)
        assert lines[f"dot {name}"].layer == 2


def test_matplotlib_has_the_axes_of_the_description():
    left = figure_of(PICTURE, SHOWN).axes[0]
    assert (left.get_xscale(), left.get_yscale()) == ("log", "symlog")
    assert left.yaxis.get_transform().linthresh == 1e-6
    assert left.get_title(loc="left") == "pushes"
    assert left.get_ylabel() == "∂L / ∂$\\mathdefault{r}_j$"


def test_a_hidden_group_and_lines_without_numbers_are_not_drawn():
    left, right, _ = figure_of(PICTURE, Shown({}, ""), hidden=()).axes
    assert [len(left.lines), len(right.patches)] == [1, 0]
    assert len(figure_of(PICTURE, SHOWN, hidden=["bpr"]).axes[0].lines) == 1


def test_a_title_that_changes_replaces_that_of_the_picture():
    titles = {"left": "n_sample=3 of $4, r_i"}
    left = figure_of(PICTURE, Shown({}, "", titles=titles)).axes[0]
    assert left.get_title(loc="left") == "n_sample=3 of \\$4, $\\mathdefault{r}_i$"


def test_cells_and_their_texts_are_drawn_where_they_stand():
    axes = Axis((0, 2))
    matrix = Picture(
        200,
        {"m": Pane(axes, Axis((1, 0), ticks=((0.5, "row 0"),)), bare=True, above=30)},
        {"cells": Line("m", kind="cells"), "names": Line("m", kind="texts", width=9)},
    )
    cells = points([0.5, 1.5], [0.5, 0.5], colour_number(["#ff0000", "#0000ff"]))
    shown = Shown({"cells": cells, "names": cells[:2]}, "", texts={"names": ["a", "b"]})
    (drawn,) = figure_of(matrix, shown).axes
    (collection,) = drawn.collections
    assert [to_hex(colour) for colour in collection.get_facecolor()] == ["#ff0000", "#0000ff"]
    assert collection.get_paths()[1].get_extents().bounds == (1, 0, 1, 1)
    written = [(text.get_position(), text.get_text()) for text in drawn.texts if text.get_text()]
    assert written == [((0.5, 0.5), "a"), ((1.5, 0.5), "b")]


def test_title_and_keys_stand_above_what_is_kept_free_above_the_axes():
    pane = Pane(Axis((0, 1)), Axis((0, 1)), title="matrix", above=30)
    picture = Picture(200, {"m": pane}, {"line": Line("m", key="pane")})
    figure = figure_of(picture, Shown({}, ""))
    figure.canvas.draw()
    (axes,) = figure.axes
    (title,) = (text for text in figure.findobj(Text) if text.get_text() == "matrix")
    free = axes.bbox.y1 + 2 * 30
    assert title.get_window_extent().y0 >= free
    assert axes.get_legend().get_window_extent().y0 >= free - 1


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_figure_can_be_written(kind):
    written = BytesIO()
    figure_of(PICTURE, SHOWN).savefig(written, format=kind)
    assert len(written.getvalue()) > 5000


@pytest.fixture
def sent(monkeypatch):
    """The names of the traits of each message to the browser."""
    messages = []
    monkeypatch.setattr(PictureView, "send_state", lambda _, key: messages.append(set(key)))
    return messages


def test_what_changes_goes_to_the_browser_in_one_message(sent):
    view = PictureView()
    sent.clear()
    view.show(PICTURE, SHOWN)
    view.show(PICTURE, replace(SHOWN, lines={"bpr": points([1], [2])}))
    view.show(PICTURE.limited("left", x=(1, 9)), Shown({"bpr": points([1], [2])}, "b"))
    view.show(PICTURE.limited("left", x=(1, 9)), Shown({"bpr": points([1], [2])}, "b"))
    wanted = [{"picture", "numbers", "words"}, {"numbers"}, {"picture", "words"}]
    assert list(filter(None, sent)) == wanted


def test_the_bytes_are_the_numbers(sent):
    view = PictureView()
    view.show(PICTURE, SHOWN)
    bpr = np.frombuffer(view.numbers["bpr"], np.float32)
    assert bpr.tolist() == [1, 10, 100, -1, 0, 1]
    assert view.line("bpr").ravel().tolist() == bpr.tolist()


def test_what_the_browser_hides_is_not_in_the_figure():
    view = PictureView()
    view.show(PICTURE, SHOWN)
    view.set_state({"hidden": ["bpr"]})
    assert len(view.figure().axes[0].lines) == 1
    view.close()


def test_a_view_has_a_text_that_is_the_same_everywhere():
    assert "0x" not in repr(PictureView())
