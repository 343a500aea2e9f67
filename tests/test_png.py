from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from gru4rec_lab.plots.png import PngEncoder


def decoded(png):
    return np.round(imread(BytesIO(png), format="png") * 255).astype(np.uint8)


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (120, 40, 4), dtype=np.uint8)


@pytest.mark.parametrize("height", [1, 2, 120])
def test_a_picture_comes_back_as_it_was(noise, height):
    np.testing.assert_array_equal(decoded(PngEncoder().encode(noise[:height])), noise[:height])


def test_pictures_that_differ_in_any_row_come_back_as_they_were(noise):
    png = PngEncoder()
    for row in (0, 1, 60, 119):
        noise[row] ^= 85
        np.testing.assert_array_equal(decoded(png.encode(noise)), noise)


def test_pictures_of_another_size_begin_afresh(noise):
    png = PngEncoder()
    png.encode(noise)
    np.testing.assert_array_equal(decoded(png.encode(noise[:, :20])), noise[:, :20])


def test_a_plain_picture_takes_few_bytes():
    assert len(PngEncoder().encode(np.full((400, 400, 4), 255, dtype=np.uint8))) < 6000
