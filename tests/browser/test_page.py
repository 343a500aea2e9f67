"""The page, opened from a disk as a student opens it."""

import re
from contextlib import contextmanager
from html import unescape

import pytest

from gru4rec_lab.losses import LOSSES
from gru4rec_lab.page import build
from gru4rec_lab.widgets import LossExplorer
from gru4rec_lab.widgets.loss_explorer.address import address
from gru4rec_lab.widgets.loss_explorer.settings import PAGE_CONTROLS, PRESETS
from gru4rec_lab.widgets.loss_explorer.tour_steps import STEPS, tour_numbers
from gru4rec_lab.widgets.tour import seen

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
USUAL = {name: control["value"] for name, control in PAGE_CONTROLS.items()}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The page as `make page` writes it."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    build.main(str(path))
    return path


@pytest.fixture
def opened(browser, file):
    """Opens the page at a text behind #; it asks for nothing else, stores and reports nothing."""

    @contextmanager
    def open_page(text="", path=file, **look):
        context = browser.new_context(**look)
        page, told, asked = context.new_page(), [], []
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("console", lambda message: told.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{path.as_uri()}#{text}")
        page.wait_for_selector("#picture [data-line] path", state="attached")
        yield page
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
        assert told == []
        assert {each.partition("#")[0] for each in asked if each[:5] != "data:"} == {path.as_uri()}
        context.close()

    return open_page


def state(page):
    return page.evaluate("lossExplorer.state")


def at_rest(page, text):
    """Wait until this stands behind # in the address."""
    page.wait_for_function("text => location.hash === '#' + text", arg=text)


def plain(html):
    """The words of some HTML, numbers left out, since they are compared elsewhere."""
    words = unescape(re.sub("<br>|</?div.*?>|</?p>", " ", html))
    words = re.sub("<.*?>", "", words).replace("\u2011", "-").replace("\u2212", "-")
    return re.sub(r"-?\d[\d,.]*(e-?\d+)?|nan|–", "N", " ".join(words.split()))


def test_it_shows_every_loss_that_has_a_twin_and_draws_it(opened):
    with opened() as page:
        assert state(page)["settings"] == USUAL | {"losses": list(LOSSES)}
        assert page.locator(".g4r-keys button").all_inner_texts() == list(LOSSES)
        for name in LOSSES:
            assert page.locator(f"[data-line='pull {name}'] path").first.get_attribute("d")
        assert page.locator("#equations img").count() == len(LOSSES)


def test_a_loss_without_a_twin_is_not_on_the_page(opened, tmp_path):
    LOSSES.add("hinge", lambda target, negatives: LOSSES["bpr"](target, negatives) / 2)
    try:
        build.main(str(tmp_path / "more.html"))
    finally:
        LOSSES.remove("hinge")
    with opened("losses=bpr,hinge", path=tmp_path / "more.html") as page:
        assert page.locator(".g4r-keys button").all_inner_texts() == list(LOSSES)
        assert state(page)["settings"]["losses"] == ["bpr"]
        assert "hinge is not on this page" in page.inner_text("#faults")


def test_keys_change_the_picture_its_words_and_the_address(opened):
    with opened() as page:
        line, svg = page.locator("[data-line='pull bpr'] path").first, "#picture [role=img]"
        before, about = line.get_attribute("d"), page.get_attribute(svg, "aria-label")
        page.focus(".g4r-n_sample")
        for _ in range(9):
            page.keyboard.press("ArrowRight")
        assert page.input_value("#g4r-n_sample") == "2048"
        assert line.get_attribute("d") != before
        assert page.get_attribute(svg, "aria-label") != about
        assert "2,079 negatives" in page.inner_text("#said")
        at_rest(page, "source=gaussian&n_sample=2048")
        numbers = page.evaluate("lossExplorer.numbers")
        page.reload()
        assert page.evaluate("lossExplorer.numbers") == numbers


def test_the_key_of_a_loss_takes_it_out_and_brings_it_back(opened):
    with opened() as page:
        page.locator(".g4r-keys button", has_text="cross-entropy").click()
        at_rest(page, "source=gaussian&losses=top1,bpr,top1-max,bpr-max")
        assert not page.locator("[data-line='pull cross-entropy'] path").first.get_attribute("d")
        page.locator(".g4r-keys button", has_text="cross-entropy").click()
        at_rest(page, "source=gaussian")


@pytest.mark.parametrize(
    "settings",
    [
        *PRESETS.values(),
        {"source": "gaussian", "n_sample": 333, "spread": 0.30000000000000004, "seed": 12},
        {"source": "trained", "epoch": 0.3, "number": 40, "losses": ["bpr", "bpr-max"]},
        {"source": "trained", "model": "e-shop-bpr-max", "n_sample": 512},
        {"source": "trained", "model": "e-shop-bpr", "n_sample": 512, "temperature": 4.0},
        {"source": "pasted", "pasted": "3 2.5, 1\n-2e1", "temperature": 2.0, "losses": []},
        {"scale": "relative", "pane": "pushes", "bpreg": 1.1},
    ],
)
def test_the_text_that_python_gives_opens_these_settings(opened, settings):
    text = address(settings, hide=["spread", "seed"])
    with opened(text) as page:
        shown = state(page)
        wanted = USUAL | {"losses": list(LOSSES)} | settings
        assert shown["settings"] == wanted | {"spread": round(wanted["spread"], 12)}
        assert shown["hide"] == ["spread", "seed"]
        assert page.input_value("#address") == text
        assert page.locator("#faults").is_hidden()


def test_a_hidden_control_is_not_shown_and_keeps_its_value(opened):
    with opened("n_sample=512&spread=2&losses=bpr,bpr-max&hide=spread,losses,words,link") as page:
        assert page.locator("#g4r-spread").is_hidden()
        assert page.locator("#g4r-n_sample").is_visible()
        assert page.locator("#words").is_hidden()
        assert page.locator(".g4r-keys button").all_inner_texts() == ["bpr", "bpr-max"]
        assert state(page)["settings"]["spread"] == 2


def test_what_is_wrong_in_a_link_is_named_and_left_as_usual(opened):
    with opened("spread=99&n_sample=1.5&pane=left&sprad=1&losses=bpr,lambda&hide=x&epoch=") as page:
        told = page.inner_text("#faults")
        for wrong in (
            "spread=99 is no number from 0.1 to 6; 4 is taken",
            "n_sample=1.5 is no whole number; 0 is taken",
            "pane=left is none of weights, pushes, scores",
            "sprad is no setting",
            "lambda is not on this page",
            "hide: x is not",
            "epoch= is none of 0, 0.3, 1, 4",
        ):
            assert wrong in told
        assert state(page)["settings"] == USUAL | {"losses": ["bpr"]}


def test_a_wrong_value_is_named_at_its_control_and_the_picture_waits(opened):
    with opened("source=pasted") as page:
        page.fill("#g4r-pasted", "3 two")
        assert "'two'" in page.inner_text("[data-control=pasted] .fault")
        assert page.get_attribute("body", "class") == "stale"
        page.fill("#g4r-pasted", "3 2 -2")
        assert page.inner_text("[data-control=pasted] .fault") == ""
        assert "2 negatives" in page.inner_text("#said")
        page.fill("#g4r-pasted", "1e4 0 0")
        assert "top1 0, bpr 0, top1\u2011max 0, bpr\u2011max 0" in page.inner_text("#said")
        page.fill("#g4r-temperature", "7")
        page.keyboard.press("Enter")
        assert "7 is no number from 0.25 to 4" in page.inner_text("[data-control=temperature]")
        assert state(page)["settings"]["temperature"] == 1


@pytest.mark.parametrize(
    ("settings", "preset"),
    [
        ({}, "batch only"),
        *((settings, name) for name, settings in PRESETS.items()),
        ({"source": "trained", "model": "e-shop-bpr-max", "n_sample": 512}, ""),
        ({"source": "trained", "model": "e-shop-bpr", "n_sample": 512, "temperature": 4.0}, ""),
    ],
)
def test_it_says_what_the_panel_says(opened, settings, preset):
    panel = LossExplorer(settings=settings)
    try:
        with opened(address(panel.controls.settings())) as page:
            assert page.input_value("#preset") == preset
            assert plain(page.inner_html("#said")) == plain(panel.words.value)
            assert plain(page.inner_html("#hint")) == plain(panel.hint.value)
    finally:
        panel.close()


def test_the_tour_is_left_and_taken_up_and_says_the_panel_s_numbers(opened):
    ends = [("n_sample", 2048), ("spread", 0.5), ("target_score", 0.0), ("pane", "pushes")]
    panel = LossExplorer()
    with opened() as page:
        page.get_by_role("button", name="Guided tour").click()
        for step, (name, value) in zip(STEPS, [*ends, ("source", "trained")], strict=True):
            settings = {key: each for key, each in (USUAL | step["start"]).items() if key != "seed"}
            panel.controls.apply(settings)
            before = tour_numbers(panel.numbers, panel.curves)
            assert page.locator(".pointed").get_attribute("data-control") == step["control"]
            assert page.inner_text(".seen") == ""
            page.get_by_role("button", name=step["choices"][0]).click()
            if name == "spread":
                page.get_by_role("button", name="Leave the tour").click()
                assert page.locator(".pointed").count() == 0
                page.get_by_role("button", name="Go on with the tour (step 2)").click()
            if isinstance(value, str):
                page.locator(f"[data-control={name}] input[value={value}]").check(force=True)
            else:
                page.fill(f"#g4r-{name}", str(value))
                page.keyboard.press("Enter")
            panel.controls.apply({name: value})
            wanted = seen(step, before, tour_numbers(panel.numbers, panel.curves))
            assert page.inner_text(".seen").endswith(wanted)
            page.get_by_role("button", name=re.compile("Next step|End of the tour")).click()
        assert page.get_by_role("button", name="Guided tour").is_visible()
    panel.close()


def test_a_link_is_copied_or_shown_to_be_copied(opened, file):
    with opened("n_sample=64") as page:
        page.get_by_role("button", name="Copy link").click()
        page.wait_for_function("document.querySelector('#copied').textContent")
        if "press" in page.inner_text("#copied"):
            assert page.input_value("#address") == f"{file.as_uri()}#source=gaussian&n_sample=64"
        page.fill("#address", "spread=1")
        page.keyboard.press("Enter")
        assert state(page)["settings"]["spread"] == 1


@pytest.mark.parametrize("source", PAGE_CONTROLS["source"]["choices"].values())
def test_every_control_is_reached_by_tab_and_shows_its_focus(opened, source):
    with opened(f"source={source}&losses=bpr&tour=0") as page:
        wanted = page.evaluate(
            """[...document.querySelectorAll('input, select, textarea, button, summary, a, svg')]
                 .filter(each => each.tabIndex >= 0 && each.checkVisibility()
                   && (each.type !== 'radio' || each.checked)).length"""
        )
        reached = set()
        for _ in range(wanted):
            page.keyboard.press("Tab")
            outline, place = page.evaluate(
                """() => { const on = document.activeElement;
                     const seen = on.type === 'radio' ? on.nextElementSibling : on;
                     return [getComputedStyle(seen).outlineStyle,
                             [...document.querySelectorAll('*')].indexOf(on)]; }"""
            )
            assert outline != "none"
            reached.add(place)
        assert len(reached) == wanted


@pytest.mark.parametrize("source", PAGE_CONTROLS["source"]["choices"].values())
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_is_cut_off(opened, source, width):
    with opened(f"source={source}&tour=1" if width == 390 else f"source={source}",
                viewport={"width": width, "height": 640}) as page:  # fmt: skip
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        beyond = page.evaluate(
            """[...document.querySelectorAll('body *')].filter(each => each.checkVisibility()
                 && each.getBoundingClientRect().right > innerWidth + 1).length"""
        )
        assert beyond == 0


def test_a_finger_moves_a_slider_on_a_phone(opened):
    with opened(**PHONE) as page:
        page.locator(".g4r-n_sample").scroll_into_view_if_needed()
        bar = page.locator(".g4r-n_sample").bounding_box()
        page.touchscreen.tap(bar["x"] + bar["width"] * 0.72, bar["y"] + bar["height"] / 2)
        assert state(page)["settings"]["n_sample"] >= 512


def test_it_is_dark_where_the_system_is(opened):
    with opened(color_scheme="dark") as page:
        paper, ink = page.evaluate(
            "['backgroundColor', 'color'].map(name => getComputedStyle(document.body)[name])"
        )
        dark, light = (int(re.findall(r"\d+", each)[0]) for each in (paper, ink))
        assert dark < 60 < 200 < light


def test_wild_dragging_leaves_no_element_and_no_listener_behind(opened):
    wild = """steps => { let seed = 7;
        const random = () => (seed = seed * 48271 % 2147483647) / 2147483647;
        const bars = [...document.querySelectorAll('input[type=range], input[type=radio]')];
        for (let i = 0; i < steps; i++) {
          const on = bars[Math.floor(bars.length * random())];
          if (on.type === 'radio') on.click();
          else on.value = Number(on.min) + random() * (on.max - on.min);
          on.dispatchEvent(new Event('input')); }
        document.querySelector('#reset').click(); }"""
    with opened() as page:
        counter = page.context.new_cdp_session(page)
        held = []
        for _ in range(3):
            page.evaluate(wild, 100)
            counter.send("HeapProfiler.collectGarbage")
            held.append(counter.send("Memory.getDOMCounters"))
        assert held[1] == held[2]
        assert state(page)["settings"] == USUAL | {"losses": list(LOSSES)}
