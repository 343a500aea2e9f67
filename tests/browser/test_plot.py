"""plot.js on a page of its own: what is drawn, by pointer, by keyboard, and when it is narrow."""

from dataclasses import replace

import numpy as np
import pytest

from gru4rec_lab.plots.picture import Axis, Line, Pane, Picture, across, colour_number, points
from gru4rec_lab.widgets.picture.modules import FOLDER
from tests.test_picture_modules import CASES

LEFT = Pane(Axis((1, 100), "log", name="rank"), Axis((0, 10)), (0, 0, 0.5, 1), "pull r_i")
RIGHT = Pane(Axis((0, 2)), Axis((0, 1)), (0.5, 0, 1, 1), right=Axis((0, 4)))
PICTURE = Picture(
    300,
    {"left": LEFT, "right": RIGHT},
    {
        "a": Line("left", "#0072B2", dash=(4, 2), key="picture"),
        "dot": Line("left", "#0072B2", width=0, dots=3, group="a"),
        "b": Line("left", key="picture"),
        "bars": Line("right", kind="bars", key="pane"),
        "mark": Line("right", kind="across", key="pane"),
        "mass": Line("right", axis="right"),
    },
)
LINES = {
    "a": points([1, 10, 100], [0, 5, 10]),
    "dot": points([10], [5]),
    "b": points([1, 100], [1, 1]),
    "bars": points([0.5, 1.5], [0.25, 0.5]),
    "mark": across(1),
    "mass": points([0, 2], [0, 4]),
}
MAKE = """async () => {
    const {Plot} = await import('/plot.js');
    window.told = [];
    const onHide = names => told.push(names);
    window.picked = [];
    const onPick = (line, point) => picked.push([line, point]);
    window.plot = new Plot(document.querySelector('#host'), {onHide, onPick}); }"""
SHOW = """([picture, shown]) => {
    window.picture = picture ?? window.picture;
    const lines = Object.fromEntries(Object.entries(shown.lines).map(
        ([name, numbers]) => [name, Float32Array.from(numbers.map(each => each ?? NaN))]));
    window.plot.show(window.picture, {...shown, lines}); }"""


class Shown:
    """A plot on a page, and what is seen of it."""

    def __init__(self, page):
        self.page = page

    def show(self, picture=None, lines=LINES, **words):
        plain = {name: [None if np.isnan(x) else float(x) for x in each.ravel()]
                 for name, each in lines.items()}  # fmt: skip
        shown = {"about": "a test", "lines": plain} | words
        self.page.evaluate(SHOW, [picture and picture.plain(), shown])

    def path(self, name, what="d", path="path"):
        found = self.page.locator(f"[data-line={name}] {path}").first
        return found.get_attribute(what)

    def version(self):
        return int(self.page.locator("svg[role=img]").get_attribute("data-version"))

    def tip(self):
        return self.page.locator(".g4r-tip").inner_text()

    def told(self):
        return self.page.locator(".g4r-told").text_content()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 900, "height": 700})
    failed = []
    page.on("pageerror", lambda error: failed.append(error))

    def answer(route):
        name = route.request.url.rsplit("/", 1)[1]
        if name.endswith((".js", ".css")):
            kind = "text/javascript" if name.endswith(".js") else "text/css"
            route.fulfill(path=FOLDER / name, content_type=kind)
        else:
            body = "<!doctype html><link rel=stylesheet href=plot.css><div id=host></div>"
            route.fulfill(body=body, content_type="text/html")

    page.route("http://plot/**", answer)
    page.goto("http://plot/")
    page.evaluate(MAKE)
    yield page
    page.close()
    assert failed == []


@pytest.fixture
def plot(page):
    shown = Shown(page)
    shown.show(PICTURE)
    return shown


def corners(path):
    return [tuple(map(float, point.split())) for point in path[1:].split("L")]


def test_pure_parts_in_chromium(page):
    for module, expression, wanted in CASES:
        names = "Object.keys(m).join()"
        code = f"async () => {{ const m = await import('/{module}'); const f = new Function('m', "
        code += f"`const {{${{{names}}}}} = m; return ${{{expression!r}}}`);"
        told = page.evaluate(code + " return JSON.parse(JSON.stringify(f(m))); }")
        assert told == wanted, expression


def test_a_point_lies_where_its_axes_say(plot):
    (x0, y0), (x1, y1), (x2, y2) = corners(plot.path("a"))
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.1)
    assert y1 == pytest.approx((y0 + y2) / 2, abs=0.1)
    assert y0 > y2
    assert plot.path("mark").startswith("M")
    assert plot.path("dot", path="path:nth-of-type(2)").startswith(f"M{x1 - 3:g} {y1:g}a3 3")


def test_dashes_are_of_the_width_and_the_thick_line_keeps_them(plot):
    assert plot.path("a", "stroke-dasharray") == "6 3"
    plot.show(thick="a")
    looks = [plot.path("a", what) for what in ("stroke-width", "stroke-dasharray")]
    assert looks == ["3.5", "14 7"]


def test_a_higher_layer_lies_above_and_keys_stay_in_order(plot):
    looks = PICTURE.lines | {"a": replace(PICTURE.lines["a"], layer=1)}
    plot.show(replace(PICTURE, lines=looks))
    drawn = plot.page.locator("[data-pane=left] [data-line]").all()
    assert [each.get_attribute("data-line") for each in drawn] == ["dot", "b", "a"]
    keys = plot.page.locator(".g4r-keys button").all_inner_texts()
    assert keys == ["a", "b"]


def test_a_point_alone_is_a_dot(plot):
    dots = "path:nth-of-type(2)"
    assert not plot.path("b", path=dots)
    plot.show(lines=LINES | {"b": points([10], [5])})
    assert plot.path("b", path=dots).startswith("M")


def test_only_what_changes_is_drawn_again_and_counted(plot):
    before = plot.version()
    plot.show()
    assert plot.version() == before
    plot.show(lines=LINES | {"a": LINES["a"][:, 1:]})
    assert plot.version() == before + 1
    plot.show(lines={})
    assert not plot.path("b")


def test_titles_and_the_text_alternative_change(plot):
    svg = plot.page.locator("svg[role=img]")
    assert svg.get_attribute("aria-label") == "a test"
    assert plot.page.locator(".g4r-title").first.inner_text() == "pull ri"
    plot.show(about="something else", titles={"left": "step 3"})
    assert svg.get_attribute("aria-label") == "something else"
    assert plot.page.locator(".g4r-title").first.inner_text() == "step 3"
    assert plot.page.locator(".g4r-head .g4r-key").count() == 2


def test_it_is_as_wide_as_its_host_and_stacked_when_narrow(plot):
    svg = plot.page.locator("svg[role=img]")
    width, height = (int(svg.get_attribute(name)) for name in ("width", "height"))
    assert (width, height) == (plot.page.evaluate("host.clientWidth"), 300)
    plot.page.set_viewport_size({"width": 500, "height": 700})
    plot.page.wait_for_function(
        "+document.querySelector('svg[role=img]').getAttribute('height') > 400"
    )
    left, right = (
        plot.page.locator(f"[data-pane={name}]").bounding_box() for name in PICTURE.panes
    )
    assert right["y"] >= left["y"] + left["height"] - 1
    assert plot.page.evaluate("document.documentElement.scrollWidth") <= 500


def test_a_hidden_plot_is_drawn_once_it_is_seen(plot):
    plot.page.evaluate("host.style.display = 'none'")
    plot.page.wait_for_function("plot.width === 0")
    before = plot.version()
    plot.show(lines={"b": LINES["b"]})
    assert plot.version() == before
    plot.page.evaluate("host.style.display = ''")
    plot.page.wait_for_function("!document.querySelector('[data-line=a] path').getAttribute('d')")


def test_the_pointer_reads_the_numbers_below_it(plot):
    (_, _), (x, y), _ = corners(plot.path("a"))
    box = plot.page.locator("svg[role=img]").bounding_box()
    plot.page.mouse.move(box["x"] + x + 2, box["y"] + y)
    assert plot.tip().split("\n") == ["rank 10", "a 5", "b 1"]
    plot.show(lines=LINES | {"a": points([1, 10, 100], [0, 6, 10])})
    assert "a 6" in plot.tip()
    plot.page.mouse.move(1, 1)
    assert plot.page.locator(".g4r-tip").is_hidden()


def test_a_click_picks_the_point_that_it_is_near_to(plot):
    (_, _), (x, y), _ = corners(plot.path("a"))
    box = plot.page.locator("svg[role=img]").bounding_box()
    for right, up in ((3, 3), (3, 30), (-200, 0)):
        plot.page.mouse.click(box["x"] + x + right, box["y"] + y - up)
    assert plot.page.evaluate("picked") == [["a", 1]]


def test_arrow_keys_read_the_numbers_and_say_them(plot):
    plot.page.locator("svg[role=img]").focus()
    press = plot.page.keyboard.press
    press("ArrowRight")
    assert plot.told() == "rank 1; a 0; b 1"
    press("ArrowRight")
    assert plot.told() == "rank 10; a 5; b 1"
    press("End")
    assert plot.told() == "rank 100; a 10; b 1"
    press("ArrowDown")
    assert plot.told() == "x 0; bars 0.25; mark 1; mass 0"
    press("Escape")
    assert plot.page.locator(".g4r-tip").is_hidden()


def test_a_key_switches_the_lines_of_its_group_by_keyboard(plot):
    key = plot.page.get_by_role("button", name="a", exact=True)
    assert key.get_attribute("aria-pressed") == "true"
    key.focus()
    plot.page.keyboard.press("Space")
    assert key.get_attribute("aria-pressed") == "false"
    assert not plot.path("a")
    assert not plot.path("dot", path="path:nth-of-type(2)")
    plot.page.keyboard.press("Enter")
    assert plot.path("a")
    assert plot.page.evaluate("told") == [["a"], []]


def test_the_focus_stays_where_it_was_in_a_new_layout(plot):
    plot.page.get_by_role("button", name="b", exact=True).focus()
    plot.show(PICTURE.limited("left", y=(0, 20)))
    assert plot.page.evaluate("document.activeElement.dataset.key") == "b"


def test_cells_have_colours_texts_and_a_readout_of_their_own(plot):
    pane = Pane(Axis((0, 2)), Axis((1, 0), ticks=((0.5, "row 0"),)), above=40, bare=True)
    looks = {"cells": Line("m", kind="cells"), "names": Line("m", kind="texts", turned=True)}
    cells = points([0.5, 1.5], [0.5, 0.5], colour_number(["#ff0000", "#00000f"]))
    names = ["<b>item</b>", "n_1"]
    plot.show(
        Picture(200, {"m": pane}, looks),
        {"cells": cells, "names": cells[:2]},
        texts={"names": names, "cells": ["one", "two"]},
    )
    rects = plot.page.locator("[data-line=cells] rect")
    assert [each.get_attribute("fill") for each in rects.all()] == ["#ff0000", "#00000f"]
    assert plot.page.locator("[data-line=names] text").all_text_contents() == names
    rects.nth(1).click(position={"x": 4, "y": 4})
    assert plot.page.evaluate("picked") == [["cells", 1]]
    plot.page.locator("svg[role=img]").focus()
    plot.page.keyboard.press("End")
    assert plot.told() == "two"
    frame = plot.page.locator(".g4r-here").get_attribute("d")
    assert frame.endswith("z"), "the cell is framed"
    tip = plot.page.locator(".g4r-tip").bounding_box()
    assert tip["y"] >= rects.nth(1).bounding_box()["y"] + rects.nth(1).bounding_box()["height"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_ink_and_paper_follow_the_theme(plot, theme):
    plot.page.emulate_media(color_scheme=theme)
    plot.page.evaluate("document.documentElement.style.colorScheme = 'light dark'")
    colour = (
        "(css, name) => getComputedStyle(document.querySelector(css))[name].match(/[\\d.]+/)[0]"
    )
    ink = plot.page.evaluate(f"() => ({colour})('[data-line=b] path', 'stroke')")
    paper = plot.page.evaluate(f"() => ({colour})('.g4r-plot', 'backgroundColor')")
    assert (float(ink) > float(paper)) == (theme == "dark")
