"""Names and faces in and out: regions beside photos, folders of people, tables of embeddings."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.faces.types import Box, FacePolicy, Vector
from facegui.jobs import Job, Progress
from facegui.paths import plain
from facegui.services.values import EnrolSample
from facegui.sources.exif import parse_exif
from facegui.sources.files import photo_files
from facegui.sources.regions import Region, read_regions, write_sidecar

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = [
    "FolderImport", "NamesFound", "NamesWritten", "export_embeddings", "import_embeddings", "import_names",
    "import_people", "write_names",
]  # fmt: skip

_BATCH = 200
_EXIF_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class NamesFound:
    """What an import of names found: photos looked at, regions, those that lie on a face, and the names."""

    photos: int
    regions: int
    matched: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamesWritten:
    """What was written into sidecars, and what could not be."""

    sidecars: tuple[str, ...]
    names: int
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FolderImport:
    """What became of a folder of people: samples by name, and the photos left out, with the reasons."""

    samples: dict[str, int]
    left_out: tuple[tuple[str, str], ...]


def _orientation(photo: Path) -> int:
    try:
        with photo.open("rb") as file:
            head = file.read(_EXIF_BYTES)
    except OSError:
        return 1
    place = head.find(b"Exif\0\0")
    return parse_exif(head[place:]).orientation if place >= 0 else 1


def import_names(services: Services, folders: Sequence[Path]) -> Job[NamesFound]:
    """Return the job that reads the names which other programs gave to faces in indexed folders.

    The names become suggestions: groups of faces carry them until the user confirms who it is.
    """
    gallery = services.gallery
    ids = gallery.photos_within([str(plain(folder)) for folder in folders]).tolist()
    regions = matched = 0
    names: set[str] = set()
    for start in range(0, len(ids), _BATCH):
        records = gallery.photos(ids[start : start + _BATCH])
        found = {}
        for photo_id, record in records.items():
            photo = Path(record.path)
            some = read_regions(photo, _orientation(photo))
            found[photo_id] = [(region.name, region.box, region.source) for region in some]
            regions += len(some)
            names.update(region.name for region in some)
        matched += gallery.store_regions(found)[0]
        yield Progress(min(start + _BATCH, len(ids)), len(ids), "Reading names")
    return NamesFound(len(ids), regions, matched, tuple(sorted(names)))


def write_names(services: Services, folders: Sequence[Path]) -> Job[NamesWritten]:
    """Return the job that writes confirmed names into the sidecars of indexed photos; photos are left alone."""
    gallery = services.gallery
    ids = gallery.photos_within([str(plain(folder)) for folder in folders]).tolist()
    known = gallery.known_names(ids)
    records = gallery.photos(known)
    written, failed, names = [], [], 0
    for done, (photo_id, faces) in enumerate(known.items(), 1):
        regions = [Region(name, box, "sidecar") for name, box, _ in faces]
        try:
            written.append(str(write_sidecar(Path(records[photo_id].path), regions, faces[0][2])))
            names += len(regions)
        except KnownError as error:
            failed.append(str(error))
        yield Progress(done, len(known), "Writing names")
    return NamesWritten(tuple(written), names, tuple(failed))


def import_people(services: Services, folder: Path) -> Job[FolderImport]:
    """Return the job that enrolls a folder of people: ``NAME/photo.jpg``, or ``NAME.jpg``.

    That is how face_recognition and DeepFace keep their known people. The largest face of each photo counts; a photo
    without a face is left out.
    """
    if not folder.is_dir():
        raise KnownError(f"There is no folder {folder}.", "", "Check its name.")
    photos = list(photo_files(folder))
    if not photos:
        raise KnownError(f"{folder} holds no photos.", "", "Name a folder with a folder of photos for each person.")
    samples: dict[str, int] = {}
    left_out: list[tuple[str, str]] = []
    for done, path in enumerate(photos, 1):
        inside = path.relative_to(folder).parts
        name = (inside[0] if len(inside) > 1 else path.stem).replace("_", " ").strip()
        try:
            photo, face = services.probe(path, FacePolicy.LARGEST)
            services.enroll(name, [EnrolSample(face, photo.frame)])
            samples[name] = samples.get(name, 0) + 1
        except KnownError as error:
            left_out.append((str(path), str(error)))
        yield Progress(done, len(photos), path.name)
    return FolderImport(samples, tuple(left_out))


def export_embeddings(services: Services, file: Path, folders: Sequence[Path] | None = None) -> int:
    """Write the vectors of the indexed faces into a table: ``.csv`` or ``.npz``; return how many.

    Columns: path, face_id, x, y, width, height, quality, person, then the numbers of the vector.

    Raises
    ------
    KnownError
        The suffix is another, or the file cannot be written.
    """
    gallery, model_id = services.gallery, services.model.sha256
    where = None if folders is None else [str(plain(folder)) for folder in folders]
    matrix = gallery.face_matrix(model_id, where)
    records = {record.face_id: record for record in gallery.faces(matrix.face_ids.tolist())}
    names = {person.id: person.name for person in gallery.people()}
    rows = [place for place, face in enumerate(matrix.face_ids.tolist()) if face in records]
    known = [records[int(matrix.face_ids[place])] for place in rows]
    people = [names.get(record.person_id, "") if record.person_id is not None else "" for record in known]
    sides = [(box.x, box.y, box.width, box.height) for box in (record.box for record in known)]
    try:
        if file.suffix.lower() == ".npz":
            np.savez(
                file,
                path=np.array([record.path for record in known], np.str_),
                face_id=matrix.face_ids[rows],
                box=np.array(sides, np.float32).reshape(-1, 4),
                quality=np.array([record.quality.score for record in known], np.float32),
                person=np.array(people, np.str_),
                embedding=matrix.vectors[rows],
                model_id=np.full(len(rows), model_id, "U64"),
            )
        elif file.suffix.lower() == ".csv":
            text = io.StringIO()
            table = csv.writer(text, lineterminator="\n")
            numbers = [f"e{n}" for n in range(matrix.vectors.shape[1])]
            heads = ["path", "face_id", "x", "y", "width", "height", "quality", "person", "model_id", *numbers]
            table.writerow(heads)
            for place, record, person in zip(rows, known, people, strict=True):
                box = record.box
                places = [f"{value:.1f}" for value in (box.x, box.y, box.width, box.height)]
                vector = [f"{value:.8g}" for value in matrix.vectors[place].tolist()]
                quality = f"{record.quality.score:.4f}"
                table.writerow([record.path, record.face_id, *places, quality, person, model_id, *vector])
            file.write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))
        else:
            raise KnownError(f"{file.name} is no name for a table.", "", "Let it end in .csv or .npz.")
    except OSError as error:
        raise KnownError(
            f"{file} could not be written.", f"{error.strerror or error}.", "Check the folder and its free space."
        ) from error
    return len(rows)


def import_embeddings(services: Services, file: Path) -> int:
    """Take vectors of faces that the index knows from a table, such as one made on a faster machine; return how many.

    Rows are matched by path and box; vectors of any model may come.

    Raises
    ------
    KnownError
        The file is no such table.
    """
    paths, boxes, vectors, models = _read_table(file)
    gallery = services.gallery
    taken = 0
    by_path: dict[str, list[int]] = {}
    for row, path in enumerate(paths):
        by_path.setdefault(str(plain(Path(path))), []).append(row)
    ids = gallery.photos_within(sorted({str(Path(path).parent) for path in by_path}))
    wanted: dict[str, list[tuple[int, Vector]]] = {}
    for photo_id, record in gallery.photos(ids.tolist()).items():
        faces = gallery.photo_faces(photo_id)
        for row in by_path.get(record.path, ()):
            best = max(faces, key=lambda face: _shared(face.box, boxes[row]), default=None)
            if best is not None and _shared(best.box, boxes[row]) >= 0.5:
                wanted.setdefault(models[row], []).append((best.face_id, vectors[row]))
    for model, some in wanted.items():
        gallery.store_embeddings(model, some)
        taken += len(some)
    return taken


def _shared(one: Box, other: Box) -> float:
    across = min(one.right, other.right) - max(one.x, other.x)
    down = min(one.bottom, other.bottom) - max(one.y, other.y)
    shared = max(0.0, across) * max(0.0, down)
    return shared / max(one.area + other.area - shared, 1e-9)


def _read_table(file: Path) -> tuple[list[str], list[Box], NDArray[np.float32], list[str]]:
    """Read paths, boxes, vectors and models of a table of embeddings."""
    try:
        if file.suffix.lower() == ".npz":
            with np.load(file, allow_pickle=False) as data:
                paths, models = [str(path) for path in data["path"]], [str(model) for model in data["model_id"]]
                raw, vectors = data["box"], data["embedding"]
        else:
            with file.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
                rows = list(csv.DictReader(lines))
            paths, models = [row["path"] for row in rows], [row["model_id"] for row in rows]
            raw = np.array([[row[side] for side in ("x", "y", "width", "height")] for row in rows], np.float64)
            numbers = [f"e{n}" for n in range(sum(name[:1] == "e" and name[1:].isdigit() for name in rows[0]))]
            vectors = np.array([[row[name] for name in numbers] for row in rows], np.float64)
        vectors = np.asarray(vectors, np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        good = vectors.ndim == 2 and np.isfinite(vectors).all() and (lengths > 0).all()
        if not good or not len(paths) == len(models) == len(raw) == len(vectors):
            raise ValueError("its columns do not fit")
        boxes = [Box(*map(float, box)) for box in raw]
        return paths, boxes, (vectors / lengths).astype(np.float32), models
    except (OSError, ValueError, KeyError, IndexError, TypeError, zipfile.BadZipFile) as error:
        raise KnownError(
            f"{file} is no table of embeddings.",
            f"{type(error).__name__}: {error}.",
            "Take one that `facegui embed` or `facegui export embeddings` has written.",
        ) from error
