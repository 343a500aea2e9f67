"""PNG for pictures of which little changes: only the bands that differ are compressed again.

A PNG holds one zlib stream. Deflate blocks that end on a whole byte can be put one after the
other, and the checksum of the whole follows from those of the parts, so that a band of rows that
is as it was before costs a comparison instead of a compression.
"""

import struct
import zlib

import numpy as np

BAND_ROWS = 25
ADLER = 65521
# Small enough for the tables of zlib to stay in the cache of a processor: a third less time.
MEMORY_LEVEL = 5


class PngBands:
    """Encodes one picture after another; level 1, since speed counts and not size."""

    def __init__(self) -> None:
        self._pixels: np.ndarray | None = None
        self._bands: dict[int, tuple[bytes, int, int]] = {}

    def encode(self, rgba: np.ndarray) -> bytes:
        """PNG of [height, width, 4] bytes."""
        height, width = rgba.shape[:2]
        pixels = rgba.reshape(height, -1)
        if self._pixels is None or self._pixels.shape != pixels.shape:
            self._pixels, self._bands = np.zeros_like(pixels), {}
        for start in range(0, height, BAND_ROWS):
            band = slice(start, start + BAND_ROWS)
            if start not in self._bands or not np.array_equal(self._pixels[band], pixels[band]):
                self._pixels[band] = pixels[band]
                self._bands[start] = _compressed(pixels[band])
        header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
        chunks = (b"IHDR", header), (b"IDAT", _stream([*self._bands.values()])), (b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)


def _compressed(pixels: np.ndarray) -> tuple[bytes, int, int]:
    """Deflate blocks of these rows up to a whole byte, the checksum of the rows, their length.

    Every row but the first is stored as its difference to the one above: a third fewer bytes.
    """
    height, width = pixels.shape
    rows = np.empty((height, 1 + width), dtype=np.uint8)
    rows[:1, 0], rows[1:, 0] = 0, 2
    rows[:1, 1:] = pixels[:1]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
    packer = zlib.compressobj(1, zlib.DEFLATED, -15, MEMORY_LEVEL)
    blocks = packer.compress(rows) + packer.flush(zlib.Z_SYNC_FLUSH)
    return blocks, zlib.adler32(rows), rows.size


def _stream(bands: list[tuple[bytes, int, int]]) -> bytes:
    """The zlib stream of all bands."""
    checksum = 1
    for _, of_band, length in bands:
        checksum = _joined(checksum, of_band, length)
    # The last block of a stream must say that it is the last: an empty one does.
    end = zlib.compressobj(1, zlib.DEFLATED, -15).flush()
    return b"\x78\x01" + b"".join(band[0] for band in bands) + end + struct.pack(">I", checksum)


def _joined(first: int, second: int, length: int) -> int:
    """Adler-32 of two parts, from those of the parts and the length of the second."""
    low = (first % 65536 + second % 65536 - 1) % ADLER
    high = (first // 65536 + second // 65536 + length * (first % 65536 - 1)) % ADLER
    return high * 65536 + low


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
