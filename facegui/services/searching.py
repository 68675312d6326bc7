"""One face against all of the index: exact while that is fastest, by the index on disk beyond."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from facegui import paths
from facegui.errors import KnownError
from facegui.faces.packs_manifest import changing
from facegui.faces.types import Face, Vector
from facegui.lookalikes.ranking import Ranking, rank
from facegui.lookalikes.vector_index import Batch, IndexLimits, VectorIndex

if TYPE_CHECKING:
    from facegui.gallery.tables import FaceTable
    from facegui.services.core import Services

__all__ = ["INDEXES", "all_at_once", "fused_probe", "index_folder", "make_ready", "opened", "ranked"]

INDEXES = "index-"
"""What the names of folders with an index begin with, in the cache."""

_WASTE = 0.2
"""Share of forgotten faces from which an index is built anew."""

_SPARE = 2
"""Faces looked up per photo wanted."""

_lock = threading.Lock()
_open: WeakKeyDictionary[Services, dict[str, VectorIndex]] = WeakKeyDictionary()


def fused_probe(services: Services, faces: Sequence[Face]) -> Vector:
    """Return one probe of several photos of one person: the mean of their vectors, weighted by quality.

    Its length is below 1 where the photos disagree, as for an enrolled person, so that thresholds keep their meaning.
    """
    embedder = services.pipeline.embedder
    vectors = np.stack(
        [
            face.embedding.vector
            if face.embedding is not None and face.embedding.model_id == embedder.model_id
            else embedder.embed([face.crop])[0].vector
            for face in faces
        ]
    )
    weights = np.array([max(face.quality.score, 1e-3) for face in faces], np.float32)
    mean = (vectors * weights[:, None]).sum(0) / weights.sum()
    length = float(np.linalg.norm(mean))
    if length == 0.0:
        first: Vector = vectors[0]
        return first
    shrink = float(services.catalog.tables["enrolment"]["template_shrink"])
    fused: Vector = (mean / length * length**shrink).astype(np.float32)
    return fused


def ranked(
    services: Services, probe: Vector, *, folders: Sequence[str] | None = None, top: int | None = None,
    one_per_photo: bool = False,
) -> Ranking:  # fmt: skip
    """Order the faces of the index by their similarity to a probe.

    Parameters
    ----------
    services : Services
    probe : Vector
        (d,), by the model in use.
    folders : sequence of str, optional
        Only photos in or below these.
    top : int, optional
        So many at most. All, in 0.2 s for a million, where nothing is said.
    one_per_photo : bool
        Only the most similar face of each photo.
    """
    gallery, model_id = services.gallery, services.model.sha256
    if all_at_once(services):
        return rank(gallery.face_matrix(model_id, folders), probe, top=top, one_per_photo=one_per_photo)
    with _lock:
        index = _index(services)
        wanted = top or len(index)
        allowed = None if folders is None else _within(gallery.face_table(), folders, index.face_ids)
        places, scores = index.search(probe, wanted * _SPARE if one_per_photo else wanted, allowed)
        searched = len(index) if allowed is None else int(allowed.sum())
        found = Ranking(index.face_ids[places], index.photo_ids[places], scores, searched)
    if one_per_photo:
        _, first = np.unique(found.photo_ids, return_index=True)
        best = np.sort(first)
        found = Ranking(found.face_ids[best], found.photo_ids[best], found.similarities[best], searched)
    return Ranking(found.face_ids[:wanted], found.photo_ids[:wanted], found.similarities[:wanted], searched)


def _within(table: FaceTable, folders: Sequence[str], face_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which faces lie in photos in or below folders; by the table in memory, which takes no query."""
    inside = tuple(folder.rstrip(os.sep) + os.sep for folder in folders)
    there = np.array([(name + os.sep).startswith(inside) for name in table.folder_names], np.bool_)
    rows = np.searchsorted(table.face_ids, face_ids)
    known = rows < len(table.face_ids)
    known[known] = table.face_ids[rows[known]] == face_ids[known]
    known[known] = there[table.folders[rows[known]]]
    return known


def make_ready(services: Services, folders: Sequence[str] | None = None) -> None:
    """Read the vectors into memory, or bring the index on disk up to date, before somebody asks."""
    if all_at_once(services):
        services.gallery.face_matrix(services.model.sha256, folders)
    else:
        with _lock:
            _index(services)


def all_at_once(services: Services) -> bool:
    """Tell whether there are so few faces that all are compared in memory."""
    few = int(services.catalog.tables["index"]["exact_up_to"])
    return services.gallery.embedded_faces(services.model.sha256) <= few


def index_folder(epoch: str, model_id: str) -> Path:
    """Return where the index of a gallery's faces lies, as one model made them."""
    return paths.cache_dir() / f"{INDEXES}{epoch[:16]}-{model_id[:16]}"


@contextlib.contextmanager
def opened(services: Services, folder: Path, *, wait: bool = True) -> Iterator[VectorIndex]:
    """Open an index as it lies on the disk, to change it; nobody else changes or searches it meanwhile.

    Parameters
    ----------
    services : Services
    folder : Path
    wait : bool
        Wait for those who use it.

    Raises
    ------
    BlockingIOError
        It is in use and `wait` is false.
    KnownError
        There is none, or it is damaged.
    """
    if not _lock.acquire(blocking=wait):
        raise BlockingIOError(f"{folder} is in use")
    try:
        with changing(paths.cache_dir(), wait=wait):
            mine = [index for index in _open.get(services, {}).values() if index.folder == folder and index.current]
            yield mine[0] if mine else VectorIndex.open(folder)
    finally:
        _lock.release()


def _index(services: Services) -> VectorIndex:
    """Return the index of the model in use, brought up to date; one process at a time does that."""
    with changing(paths.cache_dir()):
        return _brought_up_to_date(services)


def _brought_up_to_date(services: Services) -> VectorIndex:
    gallery, model_id = services.gallery, services.model.sha256
    kept = _open.setdefault(services, {})
    stamp = gallery.stamp()
    epoch, removed = stamp[0], stamp[3]
    folder = index_folder(epoch, model_id)
    index = kept.get(model_id)
    if index is not None and not index.current:
        index = None
    if index is None or index.stamp.get("epoch") != epoch:
        with contextlib.suppress(KnownError):
            index = VectorIndex.open(folder)
    if index is None or index.stamp.get("epoch") != epoch or index.gone_share > _WASTE:
        index = _built(services, folder=folder, epoch=epoch, removed=removed)
    elif index.stamp["removed"] != removed:
        there, here = gallery.embedded_ids(model_id), index.present
        index.remove(np.setdiff1d(here, there), {**index.stamp, "removed": removed})
        _add(services, index, only=np.setdiff1d(there, here).tolist())
    _add(services, index)
    kept[model_id] = index
    return index


def _add(services: Services, index: VectorIndex, only: Sequence[int] | None = None) -> None:
    stamp = index.stamp
    after = 0 if only is not None else int(stamp["last"])
    for batch in services.gallery.face_vectors(services.model.sha256, after=after, only=only):
        stamp["last"] = max(batch.last, int(stamp["last"]))
        index.add(batch.vectors, batch.face_ids, batch.photo_ids, None if only is not None else stamp)


def _built(services: Services, *, folder: Path, epoch: str, removed: int) -> VectorIndex:
    gallery, model_id = services.gallery, services.model.sha256
    limits = IndexLimits.from_table(services.catalog.tables["index"])
    every = max(1, gallery.embedded_faces(model_id) // limits.trained_on)
    sample = np.concatenate([batch.vectors for batch in gallery.face_vectors(model_id, every=every)])
    last = 0

    def batches() -> Iterator[Batch]:
        nonlocal last
        for batch in gallery.face_vectors(model_id):
            last = batch.last
            yield batch.vectors, batch.face_ids, batch.photo_ids

    stamp = {"epoch": epoch, "gallery": str(gallery.file), "model": model_id, "removed": removed, "last": 0}
    index = VectorIndex.build(folder, sample, batches(), limits, stamp)
    index.note({**stamp, "last": last})
    return index
