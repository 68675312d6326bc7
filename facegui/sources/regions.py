"""Names that other programs gave to faces: MWG regions in photos and sidecars, Microsoft's, and Picasa's lists.

digiKam, Lightroom and many others write `mwg-rs:Regions` (Metadata Working Group, 2010) into the photo's XMP or into a
sidecar; Windows' photo programs write `MP:RegionInfo`; Picasa keeps `.picasa.ini` in each folder. Boxes come out in
shares of the upright photo, left and top first.
"""

from __future__ import annotations

import configparser
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, indent, register_namespace, tostring

from facegui.errors import KnownError
from facegui.faces.types import Box

__all__ = ["Region", "read_regions", "sidecar_of", "write_sidecar"]

_NAMES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
}
_PACKET = re.compile(rb"<x:xmpmeta[\s>].*?</x:xmpmeta>", re.DOTALL)
_LARGEST = 32 * 2**20
"""Bytes of a photo that are searched for its XMP, which stands near the front or the end."""
_LARGEST_PACKET = 4 * 2**20
_PICASA_NOBODY = "ffffffffffffffff"
_ORIENTED = {
    # How a box (x, y, width, height) of the stored picture lies in the upright one, by EXIF orientation.
    2: lambda x, y, w, h: (1 - x - w, y, w, h),
    3: lambda x, y, w, h: (1 - x - w, 1 - y - h, w, h),
    4: lambda x, y, w, h: (x, 1 - y - h, w, h),
    5: lambda x, y, w, h: (y, x, h, w),
    6: lambda x, y, w, h: (1 - y - h, x, h, w),
    7: lambda x, y, w, h: (1 - y - h, 1 - x - w, h, w),
    8: lambda x, y, w, h: (y, 1 - x - w, h, w),
}


@dataclass(frozen=True, slots=True)
class Region:
    """A named part of a photo.

    Attributes
    ----------
    name : str
    box : Box
        In shares of the upright photo, 0..1.
    source : str
        ``photo``, ``sidecar`` or ``picasa``.
    """

    name: str
    box: Box
    source: str


def sidecar_of(photo: Path) -> Path | None:
    """Return the sidecar of a photo, ``photo.jpg.xmp`` (digiKam) or ``photo.xmp`` (Lightroom), if there is one."""
    for candidate in (photo.with_name(f"{photo.name}.xmp"), photo.with_suffix(".xmp")):
        if candidate.is_file():
            return candidate
    return None


def read_regions(photo: Path, orientation: int = 1) -> list[Region]:
    """Return the named faces of a photo: from its sidecar, else from itself, else from Picasa's list.

    Parameters
    ----------
    photo : Path
    orientation : int
        EXIF orientation: regions are stored for the picture as it lies in the file.

    Returns
    -------
    list of Region
        Empty where there is none or it cannot be understood: a broken sidecar is no fault of the photo.
    """
    sidecar = sidecar_of(photo)
    found = _of_packet(_bytes(sidecar, _LARGEST_PACKET), "sidecar", orientation) if sidecar else []
    if not found:
        packet = _PACKET.search(_bytes(photo, _LARGEST))
        found = _of_packet(packet.group(), "photo", orientation) if packet else []
    return found or _of_picasa(photo)


def _bytes(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError:
        return b""


def _of_packet(data: bytes, source: str, orientation: int) -> list[Region]:
    # A document type can make a small file unfold into a huge one; XMP has none.
    if not data or len(data) > _LARGEST_PACKET or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return []
    try:
        root = fromstring(data)  # noqa: S314
    except (ParseError, ValueError):
        return []
    found = [*_mwg(root), *_microsoft(root)]
    return [Region(name, _upright(box, orientation), source) for name, box in found]


def _tag(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{_NAMES[prefix]}}}{local}"


def _value(element: Element, name: str) -> str | None:
    """Return a property, which may be written as an attribute or as an element."""
    for place in (element, *element.findall(_tag("rdf:Description"))):
        if (given := place.get(_tag(name))) is not None:
            return given
        child = place.find(_tag(name))
        if child is not None and child.text:
            return child.text
    return None


def _mwg(root: Element) -> Iterator[tuple[str, Box]]:
    for holder in root.iter(_tag("mwg-rs:RegionList")):
        for item in holder.iter(_tag("rdf:li")):
            kind, name = _value(item, "mwg-rs:Type"), _value(item, "mwg-rs:Name")
            area = next(item.iter(_tag("mwg-rs:Area")), None)
            if name is None or not name.strip() or area is None or (kind or "Face") != "Face":
                continue
            if (_value(area, "stArea:unit") or "normalized") != "normalized":
                continue
            numbers = [_number(_value(area, f"stArea:{part}")) for part in ("x", "y", "w", "h")]
            box = _box(numbers)
            if box is not None:  # the area's x and y are its middle
                yield name.strip(), Box(box.x - box.width / 2, box.y - box.height / 2, box.width, box.height)


def _microsoft(root: Element) -> Iterator[tuple[str, Box]]:
    for holder in root.iter(_tag("MPRI:Regions")):
        for item in holder.iter(_tag("rdf:li")):
            name, area = _value(item, "MPReg:PersonDisplayName"), _value(item, "MPReg:Rectangle")
            box = _box([_number(part) for part in (area or "").split(",")])
            if name and name.strip() and box is not None:
                yield name.strip(), box


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _box(numbers: Sequence[float | None]) -> Box | None:
    values = [number for number in numbers if number is not None and -1.0 <= number <= 2.0]
    if len(values) != 4 or len(numbers) != 4 or values[2] <= 0 or values[3] <= 0:
        return None
    return Box(*values)


def _upright(box: Box, orientation: int) -> Box:
    turn = _ORIENTED.get(orientation)
    return Box(*turn(box.x, box.y, box.width, box.height)) if turn else box


def _of_picasa(photo: Path) -> list[Region]:
    """Read Picasa's list: ``faces=rect64(HEX),ID;...`` per photo, and names by id in ``[Contacts2]``."""
    for name in (".picasa.ini", "Picasa.ini"):
        data = _bytes(photo.with_name(name), _LARGEST_PACKET)
        if data:
            break
    else:
        return []
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=(), allow_no_value=True)
    try:
        parser.read_string(data.decode("utf-8-sig", "replace"))
    except configparser.Error:
        return []
    people: Mapping[str, str | None] = dict(parser["Contacts2"]) if parser.has_section("Contacts2") else {}
    if not parser.has_section(photo.name):
        return []
    found = []
    for area, who in re.findall(r"rect64\(([0-9a-fA-F]{1,16})\),([0-9a-fA-F]+)", parser[photo.name].get("faces") or ""):
        person = (people.get(who.lower()) or "").split(";")[0].strip()
        left, top, right, bottom = (int(area.zfill(16)[part : part + 4], 16) / 65535 for part in (0, 4, 8, 12))
        if person and who.lower() != _PICASA_NOBODY and right > left and bottom > top:
            box = Box(left, top, right - left, bottom - top)
            # Picasa's boxes are of the photo as it is shown.
            found.append(Region(person, box, "picasa"))
    return found


def write_sidecar(photo: Path, regions: Sequence[Region], size: tuple[int, int]) -> Path:
    """Write named faces into a photo's sidecar, the photo itself is left alone; return the sidecar.

    What else an existing sidecar holds is kept; its regions are replaced.

    Parameters
    ----------
    photo : Path
    regions : sequence of Region
        Boxes in shares of the upright photo.
    size : tuple of int
        Width and height of the upright photo in pixels.

    Raises
    ------
    KnownError
        An existing sidecar cannot be understood, or the file cannot be written.
    """
    for prefix, space in _NAMES.items():
        register_namespace(prefix, space)
    target = sidecar_of(photo) or photo.with_name(f"{photo.name}.xmp")
    root = _existing(target)
    place = root.find(_tag("rdf:RDF"))
    if place is None:
        place = SubElement(root, _tag("rdf:RDF"))
    for description in place.findall(_tag("rdf:Description")):
        for old in description.findall(_tag("mwg-rs:Regions")):
            description.remove(old)
    home = place.find(_tag("rdf:Description"))
    if home is None:
        home = SubElement(place, _tag("rdf:Description"), {_tag("rdf:about"): ""})
    _write_regions(home, regions, size)
    indent(root)
    text = b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, "utf-8") + b"\n"
    try:
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".facegui-", suffix=".xmp")
        with os.fdopen(handle, "wb") as out:
            out.write(text)
        Path(draft).replace(target)
    except OSError as error:
        raise KnownError(
            f"{target} could not be written.",
            f"{error.strerror or error}.",
            "Check the folder's permissions and free space.",
        ) from error
    return target


def _existing(target: Path) -> Element:
    data = _bytes(target, _LARGEST_PACKET + 1)
    if not data.strip():
        return Element(_tag("x:xmpmeta"))
    try:
        if len(data) > _LARGEST_PACKET or b"<!DOCTYPE" in data:
            raise ValueError("it is no plain XMP")
        root = fromstring(data)  # noqa: S314
    except (ParseError, ValueError) as error:
        raise KnownError(
            f"The sidecar {target} was left as it is.", f"It cannot be understood: {error}.", "Mend or move it."
        ) from error
    return root


def _write_regions(description: Element, regions: Sequence[Region], size: tuple[int, int]) -> None:
    resource = {_tag("rdf:parseType"): "Resource"}
    holder = SubElement(description, _tag("mwg-rs:Regions"), resource)
    SubElement(
        holder,
        _tag("mwg-rs:AppliedToDimensions"),
        {_tag("stDim:w"): str(size[0]), _tag("stDim:h"): str(size[1]), _tag("stDim:unit"): "pixel"},
    )
    bag = SubElement(SubElement(holder, _tag("mwg-rs:RegionList")), _tag("rdf:Bag"))
    for region in regions:
        item = SubElement(bag, _tag("rdf:li"), resource)
        SubElement(item, _tag("mwg-rs:Name")).text = region.name
        SubElement(item, _tag("mwg-rs:Type")).text = "Face"
        box = region.box
        middle = {"x": box.x + box.width / 2, "y": box.y + box.height / 2, "w": box.width, "h": box.height}
        area = {_tag(f"stArea:{name}"): f"{value:.6f}" for name, value in middle.items()}
        SubElement(item, _tag("mwg-rs:Area"), {**area, _tag("stArea:unit"): "normalized"})
