"""Elements that panels share."""

import threading

import pytest

from gru4rec_lab.widgets.controls import Field, Updating, steps_slider
from gru4rec_lab.widgets.settings_box import RestoreBox


def test_updating_holds_inside_with_also_twice_and_after_an_error():
    updating = Updating()
    assert not updating
    with updating:
        with updating:
            assert updating
        assert updating
    assert not updating
    with pytest.raises(KeyError), updating:
        raise KeyError
    assert not updating


def test_what_one_thread_sets_does_not_silence_another():
    updating, seen = Updating(), []
    with updating:
        other = threading.Thread(target=lambda: seen.append(bool(updating)))
        other.start()
        other.join()
    assert seen == [False]


def test_a_line_of_settings_that_follows_is_not_taken_for_typed():
    settings, taken = ["loss=bpr"], []
    box = RestoreBox(lambda: settings[-1], taken.append, lambda callback: callback)
    settings.append("loss=top1")
    box.follow()
    assert (box.text.value, taken) == ("loss=top1", [])
    box.text.value = "loss=bpr"
    assert taken == ["loss=bpr"]
    box.close()


@pytest.mark.parametrize("value", [0, 8, "all"])
def test_the_box_beside_a_slider_shows_its_number_from_the_start(value):
    words = {"words": str, "order": lambda step: 9 if step == "all" else step}
    slider = steps_slider("items", value, [0, 8, "all"], css="g4r-items", tooltip="", **words)
    assert Field(slider).typed.value == str(value)
