from io import BytesIO

import numpy as np
import pytest
from matplotlib.image import imread

from gru4rec_lab.plots import png as png_module
from gru4rec_lab.plots.png import PngBands


def decoded(png):
    return np.round(imread(BytesIO(png), format="png") * 255).astype(np.uint8)


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (120, 40, 4), dtype=np.uint8)


@pytest.mark.parametrize("height", [1, 24, 25, 26, 120])
def test_a_picture_comes_back_as_it_was(noise, height):
    np.testing.assert_array_equal(decoded(PngBands().encode(noise[:height])), noise[:height])


def test_pictures_that_differ_in_any_band_come_back_as_they_were(noise):
    png = PngBands()
    for row in (0, 24, 25, 60, 119):
        noise[row] ^= 85
        np.testing.assert_array_equal(decoded(png.encode(noise)), noise)
        np.testing.assert_array_equal(decoded(png.encode(noise)), noise)


def test_only_bands_that_differ_are_compressed_again(noise, monkeypatch):
    done, png, whole = [], PngBands(), png_module._compressed
    monkeypatch.setattr(png_module, "_compressed", lambda rows: done.append(1) or whole(rows))
    png.encode(noise)
    assert len(done) == 5
    noise[30] ^= 1
    png.encode(noise)
    png.encode(noise)
    assert len(done) == 6


def test_pictures_of_another_size_begin_afresh(noise):
    png = PngBands()
    png.encode(noise)
    np.testing.assert_array_equal(decoded(png.encode(noise[:, :20])), noise[:, :20])
