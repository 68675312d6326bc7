"""What the first bytes and the structure of a picture file say, read without decoding a pixel."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from facegui.sources.exif import Exif, parse_exif

__all__ = ["Header", "Kind", "png_of_icon", "read_header", "recognize"]


class Kind(StrEnum):
    """A picture format, as its contents show it; the value is Pillow's name for it."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    ICO = "ICO"
    JPEG2000 = "JPEG2000"
    PPM = "PPM"
    AVIF = "AVIF"
    HEIF = "HEIF"
    TGA = "TGA"


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a JPEG, PNG or WebP file before decoding.

    Attributes
    ----------
    width, height : int
        Size as stored, in pixels.
    exif : Exif
    plain : bool
        Undamaged as far as its structure shows, without transparency, grey or three colours: what OpenCV's
        decoders take without printing a warning.
    deep : bool
        16 bits per channel.
    complete : bool
        The end of the picture is there.
    essence : bytes
        The file with everything left out that is not needed for its pixels.
    """

    width: int
    height: int
    exif: Exif
    plain: bool
    deep: bool
    complete: bool
    essence: bytes


_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIGNATURES = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (_PNG_SIGNATURE, Kind.PNG),
    (b"GIF8", Kind.GIF),
    (b"BM", Kind.BMP),
    (b"II*\x00", Kind.TIFF),
    (b"MM\x00*", Kind.TIFF),
    (b"II+\x00", Kind.TIFF),
    (b"MM\x00+", Kind.TIFF),
    (b"\x00\x00\x01\x00", Kind.ICO),
    (b"\x00\x00\x00\x0cjP  ", Kind.JPEG2000),
    (b"\xff\x4f\xff\x51", Kind.JPEG2000),
)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
_TGA_HEADER = struct.Struct("<BBBHHBHHHHBB")
_TGA_TYPES = {1, 2, 3, 9, 10, 11}
_TGA_DEPTHS = {8, 15, 16, 24, 32}


def recognize(data: bytes) -> Kind | None:
    """Return the format that the contents show, or None when they are no picture that facegui reads."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind.WEBP
    if data[4:8] == b"ftyp":
        end = min(struct.unpack_from(">I", data)[0], len(data))
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
        if brands & _AVIF_BRANDS:
            return Kind.AVIF
        return Kind.HEIF if brands & _HEIF_BRANDS else None
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace():
        return Kind.PPM
    return Kind.TGA if _is_tga(data) else None


def _is_tga(data: bytes) -> bool:
    """Tell whether the header makes sense as Targa, which has no signature at its start."""
    if len(data) < _TGA_HEADER.size:
        return False
    _, palette, kind, _, colours, bits, _, _, width, height, depth, flags = _TGA_HEADER.unpack_from(data)
    palette_fits = (palette == 1 and colours > 0 and bits in _TGA_DEPTHS) or (palette == 0 and colours == 0)
    return (
        palette_fits
        and (kind in _TGA_TYPES)
        and (kind % 8 != 1 or palette == 1)
        and width > 0
        and height > 0
        and depth in _TGA_DEPTHS
        and flags < 0x40
    )


def read_header(kind: Kind, data: bytes) -> Header | None:
    """Read the structure of a JPEG, PNG or WebP file.

    Returns
    -------
    Header or None
        None for other formats and for headers that are damaged or incomplete.
    """
    try:
        if kind is Kind.JPEG:
            return _jpeg(data)
        if kind is Kind.PNG:
            return _png(data)
        return _webp(data) if kind is Kind.WEBP else None
    except (struct.error, IndexError):
        return None


_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def _jpeg(data: bytes) -> Header | None:
    exif = Exif()
    frame: tuple[int, int, int, int] | None = None
    at = 2
    while True:
        if data[at] != 0xFF:
            return None
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker in _STANDALONE:
            continue
        if marker == _EOI:
            return None
        (length,) = struct.unpack_from(">H", data, at)
        if marker in _START_OF_FRAME:
            frame = struct.unpack_from(">BHHB", data, at + 2)
        elif marker == _APP1 and data[at + 2 : at + 8] == b"Exif\x00\x00":
            exif = parse_exif(data[at + 2 : at + length])
        at += length
        if marker == _SOS:
            break
    if frame is None:
        return None
    bits, height, width, channels = frame
    # Inside the coded part 0xFF is always followed by a stuffed zero, so this can only be the end mark.
    complete = data.rfind(bytes((0xFF, _EOI)), at) >= 0
    plain = complete and bits == 8 and channels in (1, 3)
    return Header(width, height, exif, plain, bits > 8, complete, data)


_PNG_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PNG_ALPHA_TYPES = {4, 6}


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each chunk that is wholly there."""
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            return
        yield data[at + 4 : at + 8], at, end
        at = end


def _png(data: bytes) -> Header | None:
    width, height, depth, colour = struct.unpack_from(">IIBB", data, len(_PNG_SIGNATURE) + 8)
    exif = Exif()
    kept = [_PNG_SIGNATURE]
    seen = set()
    sound = True
    for kind, start, end in _png_chunks(data):
        seen.add(kind)
        if kind == b"eXIf":
            exif = parse_exif(data[start + 8 : end - 4])
        if kind in _PNG_PIXELS:
            kept.append(data[start:end])
            sound &= zlib.crc32(data[start + 4 : end - 4]) == struct.unpack_from(">I", data, end - 4)[0]
        if kind == b"IEND":
            break
    complete = b"IEND" in seen and b"IDAT" in seen
    plain = complete and sound and colour not in _PNG_ALPHA_TYPES and b"tRNS" not in seen
    return Header(width, height, exif, plain, depth == 16, complete, b"".join(kept))


_VP8X_ANIMATION, _VP8X_ALPHA = 0x02, 0x10
_SIZE_BITS = 0x3FFF


def _webp(data: bytes) -> Header | None:
    complete = struct.unpack_from("<I", data, 4)[0] + 8 <= len(data)
    first = data[12:16]
    exif = Exif()
    if first == b"VP8X":
        flags = data[20]
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        plain = not flags & (_VP8X_ANIMATION | _VP8X_ALPHA)
        at = 12
        while at + 8 <= len(data):
            (length,) = struct.unpack_from("<I", data, at + 4)
            if data[at : at + 4] == b"EXIF":
                exif = parse_exif(data[at + 8 : at + 8 + length])
            at += 8 + length + length % 2
    elif first == b"VP8 ":
        width, height = (size & _SIZE_BITS for size in struct.unpack_from("<HH", data, 26))
        plain = True
    elif first == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & _SIZE_BITS) + 1, (bits >> 14 & _SIZE_BITS) + 1
        plain = not bits >> 28 & 1
    else:
        return None
    return Header(width, height, exif, plain and complete, False, complete, data)


_ICON_ENTRY = 16


def png_of_icon(data: bytes) -> bytes | None:
    """Return the largest picture of an icon if it is stored as PNG, whose size the icon itself does not tell."""
    count = int.from_bytes(data[4:6], "little")
    starts = []
    for at in range(6, min(6 + count * _ICON_ENTRY, len(data) - _ICON_ENTRY + 1), _ICON_ENTRY):
        length, start = (int.from_bytes(data[at + skip : at + skip + 4], "little") for skip in (8, 12))
        area = (data[at] or 256) * (data[at + 1] or 256)
        starts.append((area, data[start : start + length]))
    best = max(starts, key=lambda entry: entry[0], default=(0, b""))[1]
    return best if recognize(best) is Kind.PNG else None
