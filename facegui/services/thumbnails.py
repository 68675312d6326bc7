"""Small pictures of faces for lists: the aligned face with the hair and chin around it, cut out of its photo.

They are kept in one bounded cache on disk and made when they are first looked at. Until then, and where the photo
cannot be read, the stored crop stands in its place in the same picture.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.faces.align import ARCFACE_TEMPLATE, CROP_SIZE, align, similarity_transform, warp
from facegui.faces.types import Image, Landmarks
from facegui.gallery.records import Change
from facegui.lookalikes.thumbnail_cache import ThumbnailCache

if TYPE_CHECKING:
    from facegui.gallery.store import Gallery
    from facegui.services.core import Services

__all__ = ["better_thumbnail", "follow_gallery", "reduced", "same_picture", "thumbnail"]

SIDE: Final = 224
"""Width and height in pixels: a tile of 112 at twice the usual density."""
_SHARE: Final = 0.8
"""Width of the aligned crop in a thumbnail of width 1."""
_TOP: Final = 0.14
"""Room above the crop, for the hair."""
_BACKDROP: Final = 24
"""Pixels of the blurred copy of the crop that fills what is not known."""
_REACH: Final = (2 * _BACKDROP - 1, 2 * _BACKDROP - 1)
"""Size of the blur: from any pixel to any other."""
_BLACK: Final = 8
"""Crops are no lighter than this where they reach beyond their photo."""
_DIM: Final = 0.6
_SAME_PICTURE: Final = 0.9  # correlation of pixels; a stored crop and the same crop made again exceed 0.99
_MEGA: Final = 2**20

_lock = threading.Lock()
_caches: WeakKeyDictionary[Gallery, ThumbnailCache] = WeakKeyDictionary()


def thumbnail(services: Services, face_id: int) -> tuple[Image, bool] | None:
    """Return a face's picture at once, and whether it is the best there is.

    Returns
    -------
    picture : Image
        RGB uint8, (224, 224, 3).
    final : bool
        False where `better_thumbnail` may make a better one from the photo.
    None
        There is no such face.
    """
    cache = _cache(services.gallery, weakref.ref(services))
    if services.settings.thumbnail_megabytes:
        kept = cache.get(face_id)
        if kept is not None:
            return kept, True
    else:
        cache.clear()
    crop = services.gallery.crop(face_id)
    return (_framed(crop), False) if crop is not None else None


def better_thumbnail(services: Services, face_id: int) -> Image | None:
    """Cut a face's picture out of its photo and keep it; None where the photo is not there or another one by now."""
    gallery = services.gallery
    record = next(iter(gallery.faces([face_id])), None)
    crop = gallery.crop(face_id)
    if record is None or crop is None:
        return None
    try:
        frame = services.read(record.path)
        landmarks = record.landmarks * np.float32(frame.scale)
        if not same_picture(align(frame.pixels, landmarks), crop):
            return None
    except (KnownError, ValueError):
        return None
    picture = _cut_out(frame.pixels, landmarks)
    cache = _cache(gallery, weakref.ref(services))
    cache.put(face_id, picture)
    # Whoever erased the face in the meantime has deleted its picture before it was written here, or will find it.
    if not gallery.existing([face_id]):
        cache.drop([face_id])
        return None
    return picture


def reduced(picture: Image, side: int) -> Image:
    """Return a thumbnail with at most `side` pixels in width and height."""
    if side >= picture.shape[0]:
        return picture
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def same_picture(first: Image, second: Image) -> bool:
    """Tell whether two aligned crops are of the same picture."""
    if first.shape != second.shape:
        return False
    return bool(np.corrcoef(first.ravel().astype(np.float32), second.ravel().astype(np.float32))[0, 1] > _SAME_PICTURE)


def follow_gallery(services: Services, gallery: Gallery) -> None:
    """Let the pictures of faces go when the faces change or go; to be called once for each gallery opened.

    What an earlier run could not delete any more, because it was killed, is deleted now.
    """
    asked = weakref.ref(services)  # the gallery would keep alive what keeps the gallery

    def changed(change: Change) -> None:
        cache = _cache(gallery, asked)
        if change.everything:
            _tidy(gallery, cache)
        else:
            cache.drop(change.faces)

    gallery.subscribe(changed)
    _tidy(gallery, _cache(gallery, asked))


def _tidy(gallery: Gallery, cache: ThumbnailCache) -> None:
    """Delete the pictures of faces that are no longer in the gallery."""
    _, people, _, removed, _ = gallery.stamp()
    if not cache.tidied((people, removed)):
        kept = cache.face_ids()
        there = gallery.existing(kept)
        cache.drop(face_id for face_id in kept if face_id not in there)
        cache.note_tidied((people, removed))


def _cache(gallery: Gallery, services: Callable[[], Services | None]) -> ThumbnailCache:
    """Return the cache of the database that now lies in the gallery's place."""
    epoch = gallery.stamp()[0]
    with _lock:
        kept = _caches.get(gallery)
        if kept is None or kept.epoch != epoch:

            def limit() -> int:
                asked = services()
                return asked.settings.thumbnail_megabytes * _MEGA if asked is not None else 0

            kept = _caches[gallery] = ThumbnailCache(gallery.file, epoch, limit)
        return kept


def _cut_out(photo: Image, landmarks: Landmarks) -> Image:
    """Return a face with its surroundings; what would lie outside the photo is filled up as behind a crop."""
    template = (ARCFACE_TEMPLATE * (_SHARE / CROP_SIZE) + np.array([(1 - _SHARE) / 2, _TOP])) * SIDE
    matrix = similarity_transform(landmarks, template.astype(np.float32))
    picture = warp(photo, matrix, SIDE)
    height, width = photo.shape[:2]
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]) @ matrix[:, :2].T
    inside = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(inside, np.rint(corners + matrix[:, 2]).astype(np.int32), 1)
    # The outermost pixels are mixed with black by the interpolation.
    kept = np.asarray(cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=1)) > 0
    return picture if kept.all() else np.where(kept[:, :, None], picture, _backdrop(picture, kept))


def _framed(crop: Image) -> Image:
    """Put a crop where it lies in a thumbnail, on its backdrop."""
    picture = _backdrop(crop, crop.max(2) > _BLACK)
    side = round(SIDE * _SHARE)
    left, top = (SIDE - side) // 2, round(SIDE * _TOP)
    picture[top : top + side, left : left + side] = cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC)
    return picture


def _backdrop(picture: Image, known: NDArray[np.bool_]) -> Image:
    """Return a blurred, dimmed copy, (224, 224, 3), of what is known of a picture, carried on over all of it."""
    few = (_BACKDROP, _BACKDROP)
    weights = known.astype(np.float32)
    colours = cv2.resize(picture * weights[:, :, None], few, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(colours, _REACH, _BACKDROP / 8)
    there = cv2.GaussianBlur(cv2.resize(weights, few, interpolation=cv2.INTER_AREA), _REACH, _BACKDROP / 8)
    carried = smooth / np.maximum(there, np.finfo(np.float32).tiny)[:, :, None]
    return np.asarray(np.clip(cv2.resize(carried, (SIDE, SIDE)) * _DIM, 0, 255), np.uint8)
