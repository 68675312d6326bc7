"""What is shown of an enrolled person: their samples, and the photo of the best one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QImage

from facegui.errors import KnownError
from facegui.faces.align import align
from facegui.gallery.records import PersonRecord, SampleRecord
from facegui.gui import images
from facegui.gui.widgets.photo_marks import FaceMark
from facegui.services.thumbnails import same_picture

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Portrait", "load_portrait"]


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A person's samples by face id, the picture to show, its size in pixels, and where the face is in it."""

    samples: dict[int, SampleRecord]
    image: QImage | None
    size: tuple[int, int]
    mark: FaceMark | None


def load_portrait(services: Services, person: PersonRecord) -> Portrait:
    """Read a person's samples, and the photo of the best one if it is still where it was; for a worker thread."""
    samples = {sample.face_id: sample for sample in services.gallery.samples(person.id)}
    cover = samples.get(person.cover_face_id or -1)
    if cover is None:
        return Portrait(samples, None, (0, 0), None)
    try:
        frame = services.read(cover.photo_path)
        landmarks = cover.landmarks * np.float32(frame.scale)
        if same_picture(align(frame.pixels, landmarks), cover.crop):
            mark = FaceMark(cover.box.scaled(frame.scale), landmarks)
            return Portrait(samples, images.to_qimage(frame.pixels), (frame.width, frame.height), mark)
    except (KnownError, ValueError):
        pass  # taken by a camera, moved, or another photo by now: the crop itself is shown
    side = cover.crop.shape[0]
    return Portrait(samples, images.to_qimage(cover.crop), (side, side), None)
