import numpy as np
import pytest

from gru4rec_lab import Sessions
from gru4rec_lab.arguments import check_kind, check_number, whole


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_a_whole_number_is_given_back_as_pythons_own(value):
    assert (whole("k", value), type(whole("k", value))) == (3, int)


@pytest.mark.parametrize("value", [0, -1, 1.5, 3.0, "3", None, True, [2], np.float64(3)])
def test_what_is_no_whole_number_from_1_is_refused(value):
    with pytest.raises(ValueError, match="k must be a whole number of at least 1, got"):
        whole("k", value)


@pytest.mark.parametrize("value", ["1", None, True, [1.0], 1j])
def test_what_is_no_number_is_refused(value):
    for number in (1, 0.5, np.float32(0.5), np.int64(7)):
        check_number("days", number)
    with pytest.raises(ValueError, match="days must be a number, got"):
        check_number("days", value)


def test_what_is_of_another_class_is_named_by_its_own():
    check_kind(int, "count", one=1, two=2)
    with pytest.raises(ValueError, match="two must be int, got str; count"):
        check_kind(int, "count", one=1, two="2")
    with pytest.raises(ValueError, match="sessions must be Sessions, got the class Sessions; load"):
        check_kind(Sessions, "load some", sessions=Sessions)
