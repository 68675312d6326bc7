"""Pictures from bytes: formats, orientation, depth, transparency, size limits, damage."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PilImage
from sample_pictures import (
    FORMATS,
    GREY,
    HEIGHT,
    ORIENTATION,
    PICTURE,
    STORED,
    WIDTH,
    assert_same,
    encoded,
    likeness,
    with_exif,
)

from facegui.errors import KnownError
from facegui.sources.exif import parse_exif
from facegui.sources.files import read_bytes, read_photo


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_comes_out_as_the_same_upright_rgb(name: str) -> None:
    form, options = FORMATS[name]
    frame = read_bytes(encoded(PICTURE, form, **options), "x")
    assert_same(frame.pixels)
    assert (frame.scale, frame.original_size, frame.taken) == (1.0, (WIDTH, HEIGHT), None)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_orientation_is_undone_exactly_once(form: str, orientation: int) -> None:
    stored = np.ascontiguousarray(STORED[orientation](PICTURE))
    data = encoded(stored, form, exif=with_exif(orientation, "2019:03:04 05:06:07"))
    frame = read_bytes(data, "x")
    assert_same(frame.pixels, tolerance=8.0)
    assert frame.original_size == (WIDTH, HEIGHT)
    if form != "TIFF":  # where Pillow writes no date
        assert frame.taken == datetime(2019, 3, 4, 5, 6, 7)


@pytest.mark.parametrize("orientation", STORED)
def test_orientation_of_16_bit_files_is_undone(orientation: int, tmp_path: Path) -> None:
    deep = np.ascontiguousarray(STORED[orientation](PICTURE)).astype(np.uint16) * 257
    ok, png = cv2.imencode(".png", deep[:, :, ::-1])
    assert ok
    exif = with_exif(orientation)[6:]
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    data = png.tobytes()
    assert_same(read_bytes(data[:33] + chunk + data[33:], "x").pixels)
    ok, tiff = cv2.imencode(".tiff", deep[:, :, ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 1])
    assert ok
    assert_same(read_bytes(with_tiff_orientation(tiff.tobytes(), orientation), "x").pixels)


def with_tiff_orientation(data: bytes, orientation: int) -> bytes:
    """Append a copy of the first directory that has an orientation, and point the file at it."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    entries = {
        struct.unpack_from("<H", data, at)[0]: data[at : at + 12] for at in range(start + 2, start + 2 + 12 * count, 12)
    }
    entries[ORIENTATION] = struct.pack("<HHIHH", ORIENTATION, 3, 1, orientation, 0)
    table = b"".join(entries[tag] for tag in sorted(entries))
    data += b"\0" * (len(data) % 2)
    pointer = struct.pack("<I", len(data))
    return data[:4] + pointer + data[8:] + struct.pack("<H", len(entries)) + table + b"\0\0\0\0"


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_counts(form: str) -> None:
    others = [PilImage.fromarray(np.full_like(PICTURE, value)) for value in (0, 255)]
    data = encoded(PICTURE, form, save_all=True, append_images=others)
    assert_same(read_bytes(data, "x").pixels, tolerance=8.0)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("bits", [16, 14, 12, 10])
@pytest.mark.parametrize("colour", [True, False])
def test_deep_pictures_are_scaled_from_the_bits_that_they_use(suffix: str, bits: int, colour: bool) -> None:
    source = PICTURE[:, :, ::-1] if colour else GREY
    deep = np.rint(source.astype(float) / source.max() * ((1 << bits) - 1)).astype(np.uint16)
    ok, data = cv2.imencode(suffix, deep)
    assert ok
    expected = PICTURE if colour else np.dstack([GREY] * 3)
    assert_same(read_bytes(data.tobytes(), "x").pixels, expected * (255 / source.max()), tolerance=1.5)


def test_a_dark_picture_that_uses_its_16_bits_stays_dark() -> None:
    deep = (GREY.astype(np.uint16) * 257) // 3
    ok, data = cv2.imencode(".png", deep)
    assert ok
    assert read_bytes(data.tobytes(), "x").pixels.mean() == pytest.approx(GREY.mean() / 3, abs=1.0)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "RGBA", "I;16", "F", "LAB"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    image = PilImage.fromarray(PICTURE)
    if mode == "I;16":
        image = PilImage.fromarray(GREY.astype(np.uint16) * 257)
    elif mode == "F":
        image = PilImage.fromarray(GREY.astype(np.float32) / 255)
    elif mode == "P":
        image = image.quantize(256)
    elif mode == "LAB":
        from PIL import ImageCms

        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
        assert converted is not None
        image = converted
    elif mode != "RGB":
        image = image.convert(mode)
    pixels = read_bytes(encoded(image, "TIFF"), "x").pixels
    coloured = mode in ("P", "CMYK", "RGBA", "LAB")
    assert pixels.shape == PICTURE.shape
    assert likeness(pixels, PICTURE if coloured else np.dstack([GREY] * 3)) > 0.98
    assert pixels.mean() == pytest.approx(PICTURE.mean() if coloured else GREY.mean(), abs=8)


def test_cmyk_jpeg_has_its_true_colours() -> None:
    # Pillow writes it as Adobe does, inverted and marked so.
    data = encoded(PilImage.fromarray(PICTURE).convert("CMYK"), "JPEG", quality=95)
    assert_same(read_bytes(data, "x").pixels)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_transparent_parts_show_middle_grey(form: str) -> None:
    alpha = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    alpha[: HEIGHT // 2] = 255
    pixels = read_bytes(encoded(np.dstack((PICTURE, alpha)), form, lossless=True), "x").pixels
    half = HEIGHT // 2
    assert_same(pixels[:half], PICTURE[:half], 1)
    assert (pixels[half:] == 128).all()


def test_transparent_palette_and_grey_show_middle_grey() -> None:
    palette = PilImage.fromarray(PICTURE).quantize(16)
    hidden = palette.getpixel((5, 5))
    assert tuple(read_bytes(encoded(palette, "PNG", transparency=hidden), "x").pixels[5, 5]) == (128, 128, 128)
    grey = np.dstack((GREY, np.zeros_like(GREY)))
    assert (read_bytes(encoded(PilImage.fromarray(grey, "LA"), "PNG"), "x").pixels == 128).all()


def test_16_bit_transparency_shows_middle_grey() -> None:
    deep = np.dstack((PICTURE[:, :, ::-1].astype(np.uint16) * 257, np.zeros((HEIGHT, WIDTH), np.uint16)))
    ok, data = cv2.imencode(".png", deep)
    assert ok
    assert (read_bytes(data.tobytes(), "x").pixels == 128).all()


def test_the_contents_decide_the_format_not_the_suffix(tmp_path: Path) -> None:
    for name, form in (("a.png", "JPEG"), ("a.jpg", "PNG"), ("a", "WEBP"), ("a.txt", "GIF")):
        (tmp_path / name).write_bytes(encoded(PICTURE, form))
        assert_same(read_photo(tmp_path / name).pixels, tolerance=8.0)


SPEED = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_large_pictures_are_reduced_to_the_working_size(form: str, orientation: int) -> None:
    large = cv2.resize(PICTURE, (1500, 1800), interpolation=cv2.INTER_CUBIC)
    data = encoded(STORED[orientation](large), form, exif=with_exif(orientation), **SPEED.get(form, {}))
    for wanted in (1700, 900, 500, 225, 100):
        frame = read_bytes(data, "x", working_pixels=wanted)
        assert (frame.height, frame.original_size) == (wanted, (1500, 1800))
        assert frame.scale == pytest.approx(wanted / 1800)
        expected = cv2.resize(PICTURE, (frame.width, frame.height), interpolation=cv2.INTER_AREA)
        assert_same(frame.pixels, expected, tolerance=8.0)


def test_small_pictures_are_not_enlarged() -> None:
    frame = read_bytes(encoded(PICTURE, "JPEG"), "x", working_pixels=1600)
    assert (frame.width, frame.height, frame.scale) == (WIDTH, HEIGHT, 1.0)


def bomb_png(side: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def bomb_ico() -> bytes:
    inner = bomb_png(20_000)
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(inner), 22) + inner


def bomb_jpeg() -> bytes:
    data = bytearray(encoded(PICTURE, "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    return bytes(data)


@pytest.mark.parametrize("make", [lambda: bomb_png(16_000), bomb_ico, bomb_jpeg])
def test_too_many_pixels_are_refused_by_the_header_alone(make: Callable[[], bytes]) -> None:
    with pytest.raises(KnownError, match="more than the limit of 200 megapixels") as caught:
        read_bytes(make(), "bomb")
    assert caught.value.do


@pytest.mark.parametrize("form", ["GIF", "TIFF", "BMP", "AVIF", "HEIF", "JPEG2000", "TGA", "PPM"])
def test_the_pixel_limit_holds_for_every_format(form: str) -> None:
    data = encoded(np.zeros((1100, 1000, 3), np.uint8), form)
    assert read_bytes(data, "x", max_megapixels=2).width == 1000
    with pytest.raises(KnownError, match="more than the limit of 1 megapixels"):
        read_bytes(data, "x", max_megapixels=1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"just some words\n", "text"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<?xml version='1.0'?><svg/>", "XML"),
        (bytes(range(256)), "not those of a picture"),
        (b"\xff\xd8\xff\xe0", "ends before|damaged"),
        (b"\x89PNG\r\n\x1a\n", "ends before|damaged"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "ends before|damaged"),
    ],
)
def test_what_is_no_picture_gets_a_clear_error(data: bytes, reason: str) -> None:
    with pytest.raises(KnownError, match=reason) as caught:
        read_bytes(data, "holiday.jpg")
    assert caught.value.what == "holiday.jpg cannot be used."
    assert caught.value.why
    assert caught.value.do


# Half of a file that is coded progressively is a whole picture of lower quality.
CUT_OFF = [(name, share) for name in FORMATS for share in (0.02, 0.5)]
CUT_OFF.remove(("progressive jpeg", 0.5))
CUT_OFF.remove(("jpeg 2000", 0.5))


@pytest.mark.parametrize(("name", "share"), CUT_OFF)
def test_a_cut_off_file_is_an_error(name: str, share: float) -> None:
    form, options = FORMATS[name]
    data = encoded(PICTURE, form, **options)
    with pytest.raises(KnownError):
        read_bytes(data[: int(len(data) * share)], "x")


def test_half_of_a_progressive_jpeg_is_used() -> None:
    data = encoded(PICTURE, "JPEG", quality=95, progressive=True)
    assert likeness(read_bytes(data[: len(data) // 2], "x").pixels, PICTURE) > 0.95


def test_a_jpeg_that_lacks_only_its_last_rows_is_used() -> None:
    data = encoded(PICTURE, "JPEG", quality=95)
    frame = read_bytes(data[: int(len(data) * 0.97)], "x")
    assert frame.pixels.shape == PICTURE.shape
    assert_same(np.ascontiguousarray(frame.pixels[: HEIGHT * 9 // 10]), PICTURE[: HEIGHT * 9 // 10])
    with pytest.raises(KnownError, match="ends before the picture does"):
        read_bytes(data[: int(len(data) * 0.7)], "x")


def test_damaged_bytes_give_pixels_or_a_known_error() -> None:
    random = np.random.default_rng(1)
    for form, options in FORMATS.values():
        data = np.frombuffer(encoded(PICTURE, form, **options), np.uint8)
        for _ in range(6):
            hurt = data.copy()
            hurt[random.integers(0, len(hurt), 12)] = random.integers(0, 256, 12)
            try:
                pixels = read_bytes(hurt.tobytes(), "x", max_megapixels=10).pixels
            except KnownError:
                continue
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3


def test_exif_that_is_damaged_counts_as_absent() -> None:
    block = with_exif(6, "2019:03:04 05:06:07")
    assert parse_exif(block).orientation == 6
    assert parse_exif(block[:20]).taken is None
    for date in ("0000:00:00 00:00:00", "    :  :     :  :  ", "2019:13:40 05:06:07", "no date at all here"):
        assert parse_exif(with_exif(1, date)).taken is None
    random = np.random.default_rng(2)
    for _ in range(300):
        hurt = np.frombuffer(block, np.uint8).copy()
        hurt[random.integers(0, len(hurt), 6)] = random.integers(0, 256, 6)
        assert parse_exif(hurt.tobytes()).orientation in range(1, 9)
