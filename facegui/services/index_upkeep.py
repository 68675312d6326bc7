"""Search indexes on disk hold nothing of faces that were erased, nor of galleries that are no more."""

from __future__ import annotations

import contextlib
import logging
import shutil
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from facegui import paths
from facegui.errors import KnownError
from facegui.faces.packs_manifest import changing
from facegui.gallery.records import Change
from facegui.lookalikes.vector_index import VectorIndex
from facegui.services.searching import INDEXES, index_folder, opened

if TYPE_CHECKING:
    from facegui.gallery.store import Gallery
    from facegui.services.core import Services

__all__ = ["follow_index"]

_log = logging.getLogger(__name__)

_NOTED: Final = {"epoch", "gallery", "model", "removed"}


def follow_index(services: Services, gallery: Gallery) -> None:
    """Let faces go from the indexes when they go from the gallery; to be called once for each gallery opened.

    What an earlier run could not erase any more, because it was killed, is erased now.
    """
    asked = weakref.ref(services)  # the gallery would keep alive what keeps the gallery

    def changed(change: Change) -> None:
        if change.everything:
            _tidy(asked, gallery, wait=True)
        elif change.faces:
            touched = np.fromiter(change.faces, np.int64)
            for folder, _ in _indexes(gallery):
                known = np.intersect1d(VectorIndex.face_ids_of(folder), touched)
                gone = np.setdiff1d(known, np.fromiter(gallery.existing(known.tolist()), np.int64))
                if len(gone):
                    _erase(asked, folder, gone, {}, wait=True)

    gallery.subscribe(changed)
    # Whoever opens a gallery may hold up others, so nobody is waited for: who uses an index brings it up to date.
    _tidy(asked, gallery, wait=False)


def _tidy(services: Callable[[], Services | None], gallery: Gallery, *, wait: bool) -> None:
    """Erase faces that are gone, and the indexes of databases that lay in this gallery's place."""
    with contextlib.suppress(OSError), changing(paths.cache_dir(), wait=wait):
        _leave_others(gallery)
    removed = gallery.stamp()[3]
    for folder, stamp in _indexes(gallery):
        if removed not in (stamp["removed"], stamp.get("erased")):
            there = gallery.embedded_ids(stamp["model"])
            gone = np.setdiff1d(VectorIndex.face_ids_of(folder), there)
            _erase(services, folder, gone, {"erased": removed}, wait=wait)


def _indexes(gallery: Gallery) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield where indexes of this gallery lie, one for each model, with their stamps."""
    epoch = gallery.stamp()[0]
    for folder in _folders():
        stamp = VectorIndex.stamp_of(folder)
        if stamp is not None and stamp.keys() >= _NOTED and folder == index_folder(epoch, stamp["model"]):
            yield folder, stamp


def _folders() -> list[Path]:
    return [folder for folder in paths.cache_dir().glob(f"{INDEXES}*") if folder.is_dir()]


def _leave_others(gallery: Gallery) -> None:
    """Delete indexes that nobody opens any more; nobody may be making one."""
    epoch = gallery.stamp()[0]
    for folder in _folders():
        stamp = VectorIndex.stamp_of(folder)
        if stamp is not None and stamp.keys() >= _NOTED:
            place = Path(stamp["gallery"])
            if place.exists() and (place != gallery.file or stamp["epoch"] == epoch):
                continue
        # Also what is damaged, of an earlier version, or was left by a program that was killed while it made one.
        shutil.rmtree(folder, ignore_errors=True)


def _erase(
    services: Callable[[], Services | None],
    folder: Path,
    gone: NDArray[np.int64],
    note: dict[str, int],
    *,
    wait: bool,
) -> None:
    asked = services()
    if asked is None:
        return
    try:
        with opened(asked, folder, wait=wait) as index:
            index.remove(gone, index.stamp | note)
    except BlockingIOError:
        _log.info("%s is in use", folder)
    except (KnownError, OSError) as error:
        # It is built anew for the next search, without them.
        _log.warning("faces could not be erased from %s: %s", folder, error)
        shutil.rmtree(folder, ignore_errors=True)
