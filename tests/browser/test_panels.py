"""Both panels in JupyterLab and as a web page: by mouse, by keyboard, and what they say."""

import pytest

# The element that Tab has reached, and whether it looks different for it.
FOCUSED = """() => {
    const at = document.activeElement, look = getComputedStyle(at);
    const box = at.closest('[class*="g4r-"]:not(.g4r-panel)');
    const css = box && [...box.classList].find(name => name.startsWith('g4r-'));
    const drawn = () => [look.outline, look.boxShadow, look.borderColor].join();
    const focused = drawn();
    at.blur();
    const seen = drawn() !== focused;
    at.focus();
    return [css || at.tagName, seen]; }"""


@pytest.fixture
def explorer(panels):
    panels.tab("Loss explorer")
    return panels.panel("g4r-words")


@pytest.fixture
def lab_panel(panels):
    panels.tab("Training lab")
    panel = panels.panel("g4r-start")
    panel.lengthen_runs()
    panel.element("g4r-reset").click()
    panel.until(lambda: "idle" in panel.text("g4r-state"), why="no reset")
    return panel


def is_clean(panel):
    return panel.errors() == [] and panel.text("g4r-error").strip() == ""


def test_dragging_the_negatives_changes_picture_and_words(explorer):
    picture, words = explorer.picture(), explorer.text("g4r-words")
    explorer.drag("g4r-n-sample", 0.7)
    explorer.wait_for_new_picture(picture)
    explorer.until(lambda: explorer.text("g4r-words") != words, why="the words stayed")
    assert is_clean(explorer)


def test_a_model_trains_while_its_controls_are_dragged(lab_panel):
    lab_panel.train_and_drag()
    assert is_clean(lab_panel)


def test_after_wild_dragging_what_is_shown_is_what_trains(lab_panel):
    lab_panel.start_training()
    lab_panel.drag_wildly(6)
    before, shown = lab_panel.picture(), lab_panel.main_settings()
    lab_panel.until(lambda: lab_panel.trained_settings() == shown, why=f"it trains not as {shown}")
    assert lab_panel.main_settings() == shown
    lab_panel.wait_for_new_picture(before)
    lab_panel.element("g4r-stop").click()
    lab_panel.until(lambda: "stopped" in lab_panel.text("g4r-state"), why="not stopped")
    assert is_clean(lab_panel)


def test_the_picture_is_as_wide_as_its_panel_and_follows_it(explorer):
    svg = explorer.page.locator(f"{explorer.scope}.g4r-picture svg[role=img]")
    size = explorer.page.viewport_size

    def fits():
        width = explorer.element("g4r-picture").evaluate("e => e.clientWidth")
        return abs(int(svg.get_attribute("width")) - width) <= 1

    for width in (900, size["width"]):
        explorer.page.set_viewport_size(size | {"width": width})
        explorer.until(fits, why="the picture has another width")
    assert fits()


def test_arrow_keys_read_the_numbers_of_the_picture(explorer):
    svg = explorer.page.locator(f"{explorer.scope}.g4r-picture svg[role=img]")
    assert "Pull on the target by its rank" in svg.get_attribute("aria-label")
    svg.focus()
    explorer.page.keyboard.press("ArrowRight")
    told = explorer.page.locator(f"{explorer.scope}.g4r-told")
    explorer.until(lambda: told.text_content().startswith("rank 0; top1"), why="nothing read")
    explorer.page.keyboard.press("Escape")


def test_a_key_of_the_picture_hides_a_loss_and_the_kernel_knows(explorer):
    key = explorer.element("g4r-keys").get_by_role("button", name="bpr", exact=True)
    before = explorer.picture()
    key.focus()
    explorer.page.keyboard.press("Enter")
    explorer.wait_for_new_picture(before)
    assert key.get_attribute("aria-pressed") == "false"
    key.click()
    assert key.get_attribute("aria-pressed") == "true"
    assert is_clean(explorer)


def test_scores_that_are_none_show_an_error_until_they_are_some(explorer):
    source = explorer.element("g4r-source").get_by_role("button")
    source.nth(2).click()
    box = explorer.element("g4r-pasted").locator("textarea")
    box.fill("3, 2, much")
    box.press("Tab")
    explorer.until(lambda: "much" in explorer.text("g4r-error"), why="no error shown")
    before = explorer.picture()
    box.fill("3, 2, 1, 0, -1")
    box.press("Tab")
    explorer.until(lambda: explorer.text("g4r-error").strip() == "", why="the error stayed")
    explorer.wait_for_new_picture(before)
    source.nth(0).click()
    explorer.until(lambda: explorer.element("g4r-spread").is_visible(), why="no spread")


def test_tab_reaches_every_control_of_the_explorer_and_shows_where_it_is(explorer):
    fold = explorer.element("g4r-more-header")
    fold.click()
    explorer.until(lambda: explorer.element("g4r-preset").is_visible(), why="not unfolded")
    explorer.element("g4r-source").get_by_role("button").first.focus()
    reached = {}
    for _ in range(40):
        css, seen = explorer.page.evaluate(FOCUSED)
        reached[css] = seen or reached.get(css, False)
        explorer.page.keyboard.press("Tab")
    controls = {f"g4r-{name}" for name in ("preset", "source", "n-sample", "spread")}
    controls |= {f"g4r-{name}" for name in ("target-score", "loss", "scale", "pane")}
    assert controls <= set(reached)
    assert not [css for css in controls if not reached[css]], f"no focus seen: {reached}"
    fold.click()


def test_settings_of_a_new_run_open_by_keyboard(lab_panel):
    lab_panel.element("g4r-next-run-header").focus()
    lab_panel.page.keyboard.press("Space")
    lab_panel.until(lambda: lab_panel.element("g4r-next-run-layers").is_visible(), why="not open")
    lab_panel.page.keyboard.press("Tab")
    assert lab_panel.page.evaluate(FOCUSED)[0] == "g4r-next-run-data"
    lab_panel.element("g4r-next-run-header").click()


def test_arrow_keys_move_sliders(explorer):
    before = explorer.picture()
    explorer.element("g4r-spread").locator(".noUi-handle").focus()
    explorer.page.keyboard.press("ArrowLeft")
    explorer.wait_for_new_picture(before)


def test_space_and_enter_press_buttons(lab_panel):
    panel = lab_panel
    for css, key, state in [
        ("g4r-start", "Enter", "running"),
        ("g4r-pause", "Space", "paused"),
        ("g4r-stop", "Enter", "stopped"),
    ]:
        panel.element(css).focus()
        panel.page.keyboard.press(key)
        panel.until(lambda state=state: state in panel.text("g4r-state"), why=f"not {state}")
    assert is_clean(panel)
