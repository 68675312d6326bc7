"""People as plain files: for another program, for another computer, or for the person who asks for their data."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from facegui.errors import KnownError
from facegui.gallery.facerows import encode_crop
from facegui.gallery.people import People
from facegui.gallery.records import PersonRecord, SampleRecord

__all__ = ["FORMAT", "FORMAT_VERSION", "export_people"]

FORMAT = "facegui person"
FORMAT_VERSION = 1

# What Windows does not allow in a file name; names there must not be those of devices either.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_DEVICES = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)
_LONGEST = 100


def export_people(gallery: People, person_ids: Sequence[int], target: str | Path) -> Path:
    """Write people into a folder or, where the name ends in ``.zip``, into an archive.

    Each person has a folder with ``person.json`` (name, dates, and per sample the source, box, landmarks, quality),
    the aligned crops as PNG, and ``embeddings.npz``: per model an array named by its sha256, float32 (n, d), and one
    named ``<sha256>.samples`` with the numbers of the samples its rows belong to. No pickles.

    Parameters
    ----------
    gallery : Gallery
    person_ids : sequence of int
    target : str or Path
        Must not exist; it appears only when it is complete.

    Raises
    ------
    KnownError
        The target exists or cannot be written, or a person is no longer there.
    """
    path = Path(target).expanduser().absolute()
    if path.exists():
        raise KnownError(f"{path} exists already.", "", "Choose another name.")
    people = [gallery.person(person_id) for person_id in person_ids]
    found = [person for person in people if person is not None]
    if len(found) != len(people):
        raise KnownError("This person is no longer in the gallery.", "", "Look at the list of people again.")
    draft: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.stem}-", dir=path.parent))
        content = draft / "content"
        content.mkdir()
        taken: set[str] = set()
        for person in found:
            _write_person(gallery, person, content / _folder_name(person.name, taken))
        if path.suffix.lower() == ".zip":
            archive = draft / "archive.zip"
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
                for file in sorted(content.rglob("*")):
                    out.write(file, file.relative_to(content))
            archive.rename(path)
        else:
            content.rename(path)
    except OSError as error:
        raise KnownError(
            f"{path} could not be written.",
            f"{error.strerror or error}.",
            "Check the folder's permissions and free space, or choose another place.",
        ) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)
    return path


def _folder_name(name: str, taken: set[str]) -> str:
    cleaned = _FORBIDDEN.sub("_", name)[:_LONGEST].strip(" .") or "person"
    if _DEVICES.match(cleaned):
        cleaned = f"{cleaned}_"
    unique, number = cleaned, 2
    while unique.casefold() in taken:
        unique, number = f"{cleaned} ({number})", number + 1
    taken.add(unique.casefold())
    return unique


def _write_person(gallery: People, person: PersonRecord, folder: Path) -> None:
    folder.mkdir()
    samples = gallery.samples(person.id)
    described: list[dict[str, Any]] = []
    for number, sample in enumerate(samples):
        crop = f"sample-{number:04d}.png"
        (folder / crop).write_bytes(encode_crop(sample.crop, lossless=True))
        described.append({"number": number, "crop": crop, **_describe(sample)})
    vectors = gallery.embeddings([sample.face_id for sample in samples])
    numbers = {sample.face_id: number for number, sample in enumerate(samples)}
    arrays: dict[str, Any] = {}
    for model_id, by_face in vectors.items():
        arrays[model_id] = np.stack(list(by_face.values()))
        arrays[f"{model_id}.samples"] = np.array([numbers[face_id] for face_id in by_face], np.int64)
    np.savez(folder / "embeddings.npz", **arrays)
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "name": person.name,
        "created": person.created.isoformat(),
        "last_seen": person.last_seen.isoformat() if person.last_seen else None,
        "models": sorted(vectors),
        "samples": described,
    }
    # Plain ASCII: a path may hold characters that no encoding has.
    (folder / "person.json").write_text(json.dumps(document, indent=2), encoding="ascii")


def _describe(sample: SampleRecord) -> dict[str, Any]:
    quality = asdict(sample.quality)
    quality["reasons"] = [str(reason) for reason in sample.quality.reasons]
    return {
        "source": sample.photo_path,
        "added": sample.added.isoformat(),
        "box": asdict(sample.box),
        "landmarks": np.asarray(sample.landmarks, np.float64).round(3).tolist(),
        "quality": quality,
    }
