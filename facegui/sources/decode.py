"""From the bytes of a picture file to upright RGB pixels.

OpenCV's decoders are the fast ones, but they drop transparency, do not read every format, and report a damaged
file on the standard error of the process. So they get the sound, plain files, which are nearly all, and Pillow and
pillow-heif get the rest. Which way is up is decided here and nowhere else, so the decoders are told to leave it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Image
from facegui.sources.containers import Header, Kind, png_of_icon, read_header, recognize
from facegui.sources.exif import Exif, parse_exif
from facegui.sources.opencv import quiet_opencv
from facegui.sources.pixels import composite, float_to_bytes, rgb, shrink, to_bytes, upright

if TYPE_CHECKING:
    from PIL import Image as PilImage

__all__ = ["BadPicture", "Decoded", "decode", "read_exif"]

_ENOUGH_ROWS = 0.9
"""A cut-off JPEG of which at least this share of rows could be decoded is used, one with less is refused."""


class BadPicture(Exception):  # noqa: N818 - says what it is; the user sees a KnownError
    """Bytes that cannot become a picture.

    Parameters
    ----------
    why, do : str
        What is wrong with them and what the user can do, each a sentence.
    """

    def __init__(self, why: str, do: str) -> None:
        super().__init__(why)
        self.why = why
        self.do = do


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A decoded picture.

    Attributes
    ----------
    pixels : Image
        RGB, uint8, (height, width, 3), contiguous, upright.
    original_size : tuple of int
        Upright width and height of the original.
    taken : datetime or None
        From EXIF.
    cut_off : bool
        The end of the file is missing and its last rows may be a plain colour.
    """

    pixels: Image
    original_size: tuple[int, int]
    taken: datetime | None
    cut_off: bool = False


def decode(data: bytes, working_pixels: int, max_megapixels: int) -> Decoded:
    """Decode a picture of any supported format.

    Parameters
    ----------
    data : bytes
        The whole file.
    working_pixels : int
        Long side wanted; larger pictures are reduced to it. 0 keeps the full size.
    max_megapixels : int
        Larger pictures are refused before a pixel is decoded.

    Raises
    ------
    BadPicture
        Not a picture, damaged, cut off, or too large.
    """
    kind = recognize(data)
    if kind is None:
        raise BadPicture(_instead(data), "Choose a photo such as a JPEG, PNG, WebP, HEIC or TIFF file.")
    header = read_header(kind, data)
    if header is not None:
        _check_size(header.width, header.height, max_megapixels)
    pixels = None
    if header is not None and (header.plain or (kind is Kind.PNG and header.deep and header.complete)):
        pixels = _by_opencv(kind, header, working_pixels)
    if pixels is not None and header is not None:
        size, exif = (header.width, header.height), header.exif
    else:
        pixels, size, exif = _by_pillow(kind, data, header, working_pixels, max_megapixels)
    turned = upright(shrink(pixels, working_pixels), exif.orientation)
    cut_off = kind is Kind.JPEG and header is not None and not header.complete
    return Decoded(turned, size[::-1] if exif.orientation > 4 else size, exif.taken, cut_off)


def read_exif(data: bytes) -> Exif:
    """Return the EXIF facts of a picture file without decoding it; nothing where they cannot be read."""
    kind = recognize(data)
    if kind is None:
        return Exif()
    header = read_header(kind, data)
    if header is not None:
        return header.exif
    if kind is Kind.TIFF:
        return parse_exif(data)
    if kind not in (Kind.AVIF, Kind.HEIF):
        return Exif()
    try:
        return parse_exif(_open(kind, data).info.get("exif") or b"")
    except Exception:  # whatever a decoder makes of a damaged file, it holds no date
        return Exif()


def _instead(data: bytes) -> str:
    """Say what is in a file that is no picture."""
    start = data[:256].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "It holds a web page, not a picture."
    if start.startswith(b"%pdf"):
        return "It holds a PDF document, not a picture."
    if start.startswith((b"<svg", b"<?xml")):
        return "It holds a drawing or other XML, not a photo."
    if start and all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start):
        return "It holds text, not a picture."
    return "Its contents are not those of a picture."


def _check_size(width: int, height: int, max_megapixels: int) -> None:
    if width * height > max_megapixels * 1_000_000:
        megapixels = width * height / 1e6
        raise BadPicture(
            f"It has {width} x {height} pixels ({megapixels:.0f} megapixels), more than the limit of "
            f"{max_megapixels} megapixels.",
            "Reduce the photo, or raise the limit in the settings.",
        )


def _by_opencv(kind: Kind, header: Header, working_pixels: int) -> Image | None:
    """Decode a sound and plain file; None where OpenCV cannot."""
    quiet_opencv()
    import cv2

    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    if header.deep:
        flags = cv2.IMREAD_UNCHANGED
    elif kind is Kind.JPEG and working_pixels:
        # libjpeg scales by 2, 4 or 8 inside the inverse cosine transform, which saves most of its time.
        for factor, reduced in (
            (8, cv2.IMREAD_REDUCED_COLOR_8),
            (4, cv2.IMREAD_REDUCED_COLOR_4),
            (2, cv2.IMREAD_REDUCED_COLOR_2),
        ):
            if max(header.width, header.height) // factor >= working_pixels:
                flags = (reduced & ~cv2.IMREAD_COLOR) | flags
                break
    try:
        # The stubs leave out that None comes back for what cannot be decoded.
        pixels: Any = cv2.imdecode(np.frombuffer(header.essence, np.uint8), flags)
    except cv2.error:
        return None
    if pixels is None:
        return None
    return _from_deep_opencv(pixels) if header.deep else pixels


def _from_deep_opencv(pixels: NDArray[Any]) -> Image:
    """Return what `IMREAD_UNCHANGED` gives, grey, BGR or BGRA, as RGB."""
    if pixels.ndim == 2:
        return rgb(to_bytes(pixels))
    colours = to_bytes(pixels[:, :, 2::-1])
    return composite(np.dstack((colours, to_bytes(pixels[:, :, 3])))) if pixels.shape[2] == 4 else rgb(colours)


def _by_pillow(
    kind: Kind, data: bytes, header: Header | None, working_pixels: int, max_megapixels: int
) -> tuple[Image, tuple[int, int], Exif]:
    """Decode by Pillow or pillow-heif: (pixels, size as stored, EXIF)."""
    cut_off = kind is Kind.JPEG and header is not None and not header.complete
    if cut_off:
        data += b"\xff\xd9"  # With an end mark, libjpeg hands over the rows that are there.
    if kind is Kind.ICO:
        inner = png_of_icon(data)
        if inner is not None:
            return _inside_icon(inner, max_megapixels)
    image = _guarded(lambda: _open(kind, data))
    size = (image.width, image.height)
    _check_size(*size, max_megapixels)
    if kind is Kind.JPEG and working_pixels and max(size) > working_pixels:
        image.draft(None, _draft_size(size, working_pixels))
    pixels = _guarded(lambda: _pixels(image, kind, data))
    if cut_off:
        _check_rows(pixels)
    return pixels, size, _exif_of(kind, image, header, data)


def _draft_size(size: tuple[int, int], working_pixels: int) -> tuple[int, int]:
    share = working_pixels / max(size)
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _guarded(step: Callable[[], Any]) -> Any:
    """Run a third party's decoder; whatever it raises means that the file is damaged."""
    try:
        return step()
    except MemoryError:
        raise BadPicture("There is not enough memory for it.", "Close other programs, or reduce the photo.") from None
    except BadPicture:
        raise
    except Exception as error:  # decoders raise nearly every type on crafted or damaged files
        if "truncated" in str(error).lower() or isinstance(error, EOFError):
            raise BadPicture("The file ends before the picture does.", "Copy or download it again.") from error
        raise BadPicture(
            "The picture is damaged or of an unusual kind.", "Copy it again, or save it as JPEG."
        ) from error


def _open(kind: Kind, data: bytes) -> PilImage.Image:
    """Open by the one decoder that the contents ask for."""
    from PIL import Image as PilImage

    # Both are set each time because they are the process's: our own limit stands in place of Pillow's, and what
    # Pillow says about odd metadata is of no use to anyone here.
    PilImage.MAX_IMAGE_PIXELS = None
    warnings.filterwarnings("ignore", module=r"PIL\.")
    if kind is Kind.HEIF:
        import pillow_heif

        return pillow_heif.open_heif(io.BytesIO(data)).to_pillow()  # type: ignore[no-any-return]
    return PilImage.open(io.BytesIO(data), formats=("JPEG", "MPO") if kind is Kind.JPEG else (kind.value,))


def _pixels(image: PilImage.Image, kind: Kind, data: bytes) -> Image:
    """Decode the first frame to RGB."""
    if kind is Kind.TIFF and image.mode in ("RGB", "RGBA") and 16 in image.tag_v2.get(258, ()):  # type: ignore[attr-defined]
        # Pillow would keep the upper eight bits, which leaves little of a 12-bit picture. OpenCV turns it upright.
        quiet_opencv()
        import cv2

        deep: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if deep is not None and deep.dtype == np.uint16:
            return _from_deep_opencv(deep)
    image.load()
    if image.mode.startswith("I"):
        return rgb(to_bytes(np.asarray(image)))
    if image.mode == "F":
        return rgb(float_to_bytes(np.asarray(image)))
    if image.has_transparency_data:
        return composite(np.asarray(image if image.mode == "RGBA" else image.convert("RGBA")))
    if image.mode == "LAB":
        from PIL import ImageCms

        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
        return rgb(np.asarray(converted))
    return rgb(np.asarray(image if image.mode == "RGB" else image.convert("RGB")))


def _check_rows(pixels: Image) -> None:
    """Refuse a cut-off JPEG unless nearly all rows are there; libjpeg fills up with one colour per row."""
    varied = np.flatnonzero((pixels != pixels[:, :1]).any(axis=(1, 2)))
    share = (int(varied[-1]) + 1) / len(pixels) if varied.size else 0.0
    if share < _ENOUGH_ROWS:
        raise BadPicture(
            f"The file ends before the picture does; about {share:.0%} of it is there.",
            "Copy or download it again.",
        )


def _exif_of(kind: Kind, image: PilImage.Image, header: Header | None, data: bytes) -> Exif:
    if header is not None:
        exif = header.exif
    elif kind is Kind.TIFF:
        exif = parse_exif(data)
    else:
        exif = parse_exif(image.info.get("exif") or b"")
    # Both TIFF decoders and libheif turn the picture themselves.
    return Exif(1, exif.taken) if kind in (Kind.TIFF, Kind.HEIF) else exif


def _inside_icon(data: bytes, max_megapixels: int) -> tuple[Image, tuple[int, int], Exif]:
    inner = decode(data, 0, max_megapixels)
    return inner.pixels, inner.original_size, Exif()
