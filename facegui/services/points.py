"""The landmark network for photos of which the faces are known: finer pose, eyes, mouth, and what covers a face."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from facegui.faces.types import Photo

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["with_points"]


def with_points(services: Services, photo: Photo) -> Photo:
    """Return the photo with what the landmark network says about its faces; the time counts as alignment.

    Raises
    ------
    KnownError
        The network is missing or damaged.
    """
    start = perf_counter()
    faces = services.pipeline.add_dense(photo.frame, photo.faces)
    spent = photo.timings.align + (perf_counter() - start) * 1000
    return replace(photo, faces=tuple(faces), timings=replace(photo.timings, align=spent))
