"""Similarity boards of a folder, of chosen faces, or of the enrolled people."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facegui.errors import KnownError
from facegui.faces.types import Face, Image
from facegui.gallery.records import FaceRecord
from facegui.jobs import Job, Progress
from facegui.lookalikes.board import Board, BoardItem, MapKind, make_board
from facegui.paths import plain
from facegui.services.searching import fused_probe

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["MOST", "board_of_faces", "board_of_folder", "board_of_people", "board_of_photos"]

MOST = 600
"""Items of a board: beyond, nobody can read the matrix."""


def board_of_folder(services: Services, folder: Path, *, top: int = 3, map_kind: MapKind = "tsne") -> Job[Board]:
    """Return the job that makes the board of a folder's indexed photos, with the largest face of each."""
    yield Progress(0, 3, "Choosing faces")
    gallery = services.gallery
    photos = gallery.photos_within([str(plain(folder))])
    table = gallery.face_table()
    rows = np.flatnonzero(np.isin(table.photo_ids, photos))
    # The largest face of each photo, photos in the order in which they came.
    rows = rows[np.lexsort((-table.size[rows], table.photo_ids[rows]))]
    _, first = np.unique(table.photo_ids[rows], return_index=True)
    faces = table.face_ids[rows[first]].tolist()
    return (yield from board_of_faces(services, faces, top=top, map_kind=map_kind, root=plain(folder)))


def board_of_faces(
    services: Services, face_ids: Sequence[int], *, top: int = 3, map_kind: MapKind = "tsne", root: Path | None = None
) -> Job[Board]:
    """Return the job that makes the board of stored faces.

    Who they are is taken from the gallery: enrolled people, then groups; where neither is known, from the folders
    right below `root`, if there are several.

    Raises
    ------
    KnownError
        There are fewer than two, or more than `MOST`.
    """
    if len(face_ids) > MOST:
        raise KnownError(
            f"A board shows {MOST} faces at most.",
            f"These are {len(face_ids):,}.",
            "Take a smaller folder.",
        )
    yield Progress(1, 3, "Comparing faces")
    vectors = services.gallery.embeddings(face_ids).get(services.model.sha256, {})
    records = [record for record in services.gallery.faces(face_ids) if record.face_id in vectors]
    people = _people(services, records, root)
    items = [
        BoardItem(record.face_id, Path(record.path).name, record.path, person, record.quality.score)
        for record, person in zip(records, people, strict=True)
    ]
    yield Progress(2, 3, "Drawing the map")
    matrix = np.stack([vectors[record.face_id] for record in records]) if records else np.empty((0, 1), np.float32)
    board = yield from make_board(items, matrix, top, map_kind)
    yield Progress(3, 3)
    return board


def board_of_people(
    services: Services, people: Collection[int] | None = None, *, top: int = 3, map_kind: MapKind = "tsne"
) -> Job[Board]:
    """Return the job that makes the board of enrolled people, each by the mean of their samples.

    Parameters
    ----------
    services : Services
    people : collection of int, optional
        Only these; everybody by default.

    Raises
    ------
    KnownError
        There are fewer than two, or more than `MOST`.
    """
    yield Progress(0, 1, "Comparing people")
    matrix = services.gallery.template_matrix(services.model.sha256)
    rows = [row for row, person in enumerate(matrix.people.tolist()) if people is None or person in people]
    if len(rows) > MOST:
        raise KnownError(f"A board shows {MOST} people at most.", f"These are {len(rows):,}.", "Choose fewer.")
    covers = {person.id: person.cover_face_id for person in services.gallery.people()}
    items = [
        BoardItem(covers.get(person) or 0, matrix.names[person], "", matrix.names[person], 1.0)
        for person in matrix.people[rows].tolist()
    ]
    board = yield from make_board(items, matrix.means[rows], top, map_kind)
    yield Progress(1, 1)
    return board


def board_of_photos(
    services: Services, paths: Sequence[Path], *, top: int = 3, map_kind: MapKind = "tsne"
) -> Job[tuple[Board, dict[int, Image]]]:
    """Return the job that makes the board of some files, with the largest face of each, and the faces by their id.

    The files need not be in the index, so the ids stand for these faces alone: -1, -2 and so on. Files without a face,
    or that cannot be read, are left out.

    Raises
    ------
    KnownError
        There are fewer than two faces, or more than `MOST` files.
    """
    if len(paths) > MOST:
        raise KnownError(f"A board shows {MOST} photos at most.", f"These are {len(paths):,}.", "Choose fewer.")
    faces: dict[int, tuple[Path, Face]] = {}
    for number, path in enumerate(paths):
        yield Progress(number, len(paths), path.name)
        with contextlib.suppress(KnownError):
            photo = services.analyse(path)
            if photo.faces:
                faces[-1 - len(faces)] = path, photo.faces[0]
    items = [BoardItem(key, path.name, str(path), "", face.quality.score) for key, (path, face) in faces.items()]
    vectors = [fused_probe(services, [face]) for _, face in faces.values()]
    board = yield from make_board(items, np.stack(vectors) if vectors else np.empty((0, 1), np.float32), top, map_kind)
    yield Progress(len(paths), len(paths))
    return board, {key: face.crop for key, (_, face) in faces.items()}


def _people(services: Services, records: Sequence[FaceRecord], root: Path | None) -> list[str]:
    names = {person.id: person.name for person in services.gallery.people()}
    here = {record.face_id for record in records}
    groups: dict[int, str] = {}
    unknown = 0
    for cluster in services.gallery.clusters():
        faces = here.intersection(services.gallery.cluster_faces(cluster.id))
        if not faces:
            continue
        called = cluster.person or (f"{cluster.name}?" if cluster.name else "")
        if not called and len(faces) > 1:
            unknown += 1
            called = f"Person {unknown}"
        groups.update(dict.fromkeys(faces, called))
    folders: dict[int, str] = {}
    if root is not None:
        for record in records:
            inside = Path(record.path).relative_to(root).parts if Path(record.path).is_relative_to(root) else ()
            folders[record.face_id] = inside[0] if len(inside) > 1 else ""
        if len(set(folders.values())) < 2:
            folders = {}
    return [
        (names.get(record.person_id, "") if record.person_id is not None else "")
        or folders.get(record.face_id, "")
        or groups.get(record.face_id, "")
        for record in records
    ]
