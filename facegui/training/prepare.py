"""Aligned crops of everybody in a photo folder, as training takes them; needs no PyTorch.

The crops come from the program's own chain: the same second look and the same alignment as at recognition, so that a
network is trained on what it will see.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2

from facegui.errors import KnownError
from facegui.faces.pipeline import FacePipeline
from facegui.faces.stages import analyse_photos
from facegui.faces.types import FacePolicy, Frame, Image
from facegui.jobs import Job, Progress

__all__ = ["LIST", "Prepared", "prepare"]

LIST = "prepared.csv"
"""In the folder of the crops: what became of each photo."""

_COLUMNS = ("photo", "person", "crop", "width", "why")
_NO_FACE = "no face"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made.

    Attributes
    ----------
    people, photos, crops : int
        In the folder now; `people` are those with a crop.
    skipped : int
        Photos that an earlier run had done already.
    without_face : int
    unreadable : dict of str to str
        Photo and reason.
    """

    people: int
    photos: int
    crops: int
    skipped: int
    without_face: int
    unreadable: dict[str, str]


def prepare(
    paths: Sequence[Path],
    people: Sequence[str],
    out: Path,
    pipeline: FacePipeline,
    read: Callable[[Path], Frame],
    reason: Callable[[KnownError, Path], str],
) -> Job[Prepared]:
    """Write the largest face of each photo, aligned, into the folder of its person.

    A run that was broken off goes on where it stopped. Crops are PNG: nothing is lost a second time.

    Parameters
    ----------
    paths, people : sequence
        Photos, and who is on each.
    out : Path
        Made if need be.
    pipeline : FacePipeline
    read : callable
        Turns a path into a frame; raises KnownError.
    reason : callable
        Says in one line why a photo could not be read.

    Yields
    ------
    Progress
        After each photo.

    Raises
    ------
    KnownError
        The folder cannot be written, or holds something else.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        done = _earlier(out)
        if not done and any(out.iterdir()):
            raise KnownError(
                f"{out} is not empty.", "It holds other things than crops of an earlier run.", "Name a new folder."
            )
        wanted = [(path, name) for path, name in zip(paths, people, strict=True) if str(path.resolve()) not in done]
        with (out / LIST).open("a", encoding="utf-8", newline="") as listed:
            writer = csv.writer(listed)
            if not done:
                writer.writerow(_COLUMNS)
            flow = analyse_photos(pipeline, [path for path, _ in wanted], read, FacePolicy.LARGEST, embed=False)
            try:
                yield Progress(0, len(wanted))
                for number, (result, (path, name)) in enumerate(zip(flow, wanted, strict=True), 1):
                    row = [str(path.resolve()), name, "", "", ""]
                    try:
                        photo = result.result()
                    except KnownError as error:
                        row[4] = reason(error, path)
                    else:
                        if photo.faces:
                            face = photo.faces[0]
                            row[2] = _write(out, name, path, face.crop)
                            row[3] = f"{face.detection.box.width:.0f}"
                        else:
                            row[4] = _NO_FACE
                    writer.writerow(row)
                    done[row[0]] = row
                    _flush(listed)
                    yield Progress(number, len(wanted), path.name)
            finally:
                flow.close()
    except OSError as error:
        raise KnownError(
            f"{out} cannot be written.", f"{error.strerror or error}.", "Free some space, or name another folder."
        ) from error
    return _summary(done, len(paths) - len(wanted))


def _flush(listed: IO[str]) -> None:
    listed.flush()  # after the crop: a row never names a file that a killed run did not write


def _earlier(out: Path) -> dict[str, list[str]]:
    """Return the rows of an earlier run by photo; a last row that was cut off counts for nothing."""
    if not (out / LIST).is_file():
        return {}
    text = (out / LIST).read_text("utf-8")
    if not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        (out / LIST).write_text(text, "utf-8")
    rows = list(csv.reader(text.splitlines()))
    if not rows:
        return {}
    if tuple(rows[0]) != _COLUMNS:
        raise KnownError(f"{out / LIST} is not a list of crops.", "Its first row is another.", "Name a new folder.")
    return {row[0]: row for row in rows[1:] if len(row) == len(_COLUMNS)}


def _write(out: Path, person: str, photo: Path, crop: Image) -> str:
    """Write a crop and return its name below the folder."""
    parts = [part for part in person.split("/") if part not in ("", ".", "..")]
    folder = out.joinpath(*(part.replace("\\", "_").replace(":", "_") for part in parts))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{photo.stem}.png"
    number = 1
    while file.exists():
        number += 1
        file = folder / f"{photo.stem}-{number}.png"
    good, data = cv2.imencode(".png", crop[..., ::-1])
    if not good:
        raise OSError(f"the crop of {photo} could not be encoded")
    part = file.with_suffix(".part")
    part.write_bytes(data.tobytes())
    part.replace(file)
    return file.relative_to(out).as_posix()


def _summary(done: dict[str, list[str]], skipped: int) -> Prepared:
    rows = list(done.values())
    return Prepared(
        people=len({row[1] for row in rows if row[2]}),
        photos=len(rows),
        crops=sum(bool(row[2]) for row in rows),
        skipped=skipped,
        without_face=sum(row[4] == _NO_FACE for row in rows),
        unreadable={row[0]: row[4] for row in rows if row[4] and row[4] != _NO_FACE},
    )
