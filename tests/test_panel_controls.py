"""Elements that panels share."""

import threading

import pytest

from gru4rec_lab.widgets.controls import Updating


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
