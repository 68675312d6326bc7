"""Aligned crops of everybody in a photo folder, as training takes them; needs no PyTorch.

The crops come from the program's own chain: the same second look and the same alignment as at recognition, so that a
network is trained on what it will see.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2

from facegui.errors import KnownError
from facegui.faces.pipeline import FacePipeline
from facegui.faces.stages import analyse_photos
from facegui.faces.types import FacePolicy, Frame, Image
from facegui.jobs import Job, Progress
from facegui.sources.files import shown_name

__all__ = ["LIST", "Prepared", "listed", "prepare"]

LIST = "prepared.csv"
"""In the folder of the crops: what became of each photo."""

_COLUMNS = ("photo", "person", "crop", "width", "why")
_NO_FACE = "no face"
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')  # in names, on one system or another
_LONGEST = 200  # bytes of a name; systems allow 255, and a number and a suffix follow
_TEXT = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}  # names may be no text


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
        if not (out / LIST).is_file() and any(out.iterdir()):
            raise KnownError(
                f"{out} is not empty.", "It holds other things than crops of an earlier run.", "Name a new folder."
            )
        done, everyone = _earlier(out), _once(paths, people)
        wanted = {photo: value for photo, value in everyone.items() if photo not in done}
        folders = _Folders(list(done.values()))
        with (out / LIST).open("a", **_TEXT) as file:  # type: ignore[call-overload]
            writer = csv.writer(file)
            if not done:
                writer.writerow(_COLUMNS)
            flow = analyse_photos(
                pipeline, [path for path, _ in wanted.values()], read, FacePolicy.LARGEST, embed=False
            )
            try:
                yield Progress(0, len(wanted))
                for number, (result, (photo, (path, name))) in enumerate(zip(flow, wanted.items(), strict=True), 1):
                    row = [photo, name, "", "", ""]
                    try:
                        found = result.result()
                    except KnownError as error:
                        row[4] = reason(error, path)
                    else:
                        if found.faces:
                            face = found.faces[0]
                            row[2] = _drafted(out, folders.of(name), path, face.crop)
                            row[3] = f"{face.detection.box.width:.0f}"
                        else:
                            row[4] = _NO_FACE
                    writer.writerow(row)
                    file.flush()
                    # Only now it counts as a crop: a killed run leaves no crop that the list does not name, which
                    # would be made a second time.
                    _finish(out, row)
                    done[photo] = row
                    yield Progress(number, len(wanted), path.name)
            finally:
                flow.close()
    except OSError as error:
        raise KnownError(
            f"{out} cannot be written.", f"{error.strerror or error}.", "Free some space, or name another folder."
        ) from error
    return _summary(done, len(everyone) - len(wanted))


def _once(paths: Sequence[Path], people: Sequence[str]) -> dict[str, tuple[Path, str]]:
    """Return each photo, by where it lies, with who is on it; a link is a photo of its own.

    Raises
    ------
    KnownError
        A photo is said to show two people.
    """
    found: dict[str, tuple[Path, str]] = {}
    for path, name in zip(paths, people, strict=True):
        _, before = found.setdefault(str(path.parent.resolve() / path.name), (path, name))
        if before != name:
            raise KnownError(
                f"{path} is listed twice.", f"It should show {before} and {name}.",
                "Give each photo one person: the largest face on it is taken for that person's.",
            )  # fmt: skip
    return found


def listed(file: Path) -> list[list[str]]:
    """Return the complete rows of a list of crops, its head left out; none where it is not there.

    Raises
    ------
    KnownError
        It is another kind of list.
    """
    if not file.is_file():
        return []
    with file.open(**_TEXT) as opened:  # type: ignore[call-overload]
        text = opened.read()
    rows = list(csv.reader(io.StringIO(text[: _complete(text)], newline="")))
    if rows and tuple(rows[0]) != _COLUMNS:
        raise KnownError(f"{file} is not a list of crops.", "Its first row is another.", "Name a new folder.")
    return [row for row in rows[1:] if len(row) == len(_COLUMNS)]


def _complete(text: str) -> int:
    """Return where the last complete row ends; a name in quotation marks may hold a line end."""
    end = text.rfind("\n") + 1
    while text.count('"', 0, end) % 2:
        end = text.rfind("\n", 0, end - 1) + 1
    return end


def _earlier(out: Path) -> dict[str, list[str]]:
    """Return the rows of an earlier run by photo; a last row that was cut off counts for nothing and goes."""
    rows = listed(out / LIST)
    if (out / LIST).is_file():
        with (out / LIST).open("r+b") as file:
            data = file.read()
            file.truncate(len(data.decode("latin-1")[: _complete(data.decode("latin-1"))]))
    if rows:
        _finish(out, rows[-1])
    return {row[0]: row for row in rows}


class _Folders:
    """Which folder each person has; two people never share one, whatever is replaced in their names."""

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        self._of = {row[1]: PurePosixPath(row[2]).parent.as_posix() for row in rows if row[2]}
        self._taken = {folder.casefold() for folder in self._of.values()}

    def of(self, person: str) -> str:
        """Return the folder of a person, as a path below that of the crops."""
        if person not in self._of:
            parts = [_name(part) for part in person.split("/") if part not in ("", ".", "..")]
            plain = folder = "/".join(parts) or "_"
            number = 1
            while folder.casefold() in self._taken:
                number += 1
                folder = f"{plain}-{number}"
            self._of[person] = folder
            self._taken.add(folder.casefold())
        return self._of[person]


def _name(text: str) -> str:
    """Return a text as a name that every system takes."""
    plain = _FORBIDDEN.sub("_", shown_name(text)).encode()[:_LONGEST].decode("utf-8", "ignore")
    return plain.rstrip(" .") or "_"


def _drafted(out: Path, folder: str, photo: Path, crop: Image) -> str:
    """Write a crop as a draft and return the name, below the folder of the crops, that it will have."""
    (out / folder).mkdir(parents=True, exist_ok=True)
    stem = _name(photo.stem)
    name, number = f"{folder}/{stem}.png", 1
    while (out / name).exists():
        number += 1
        name = f"{folder}/{stem}-{number}.png"
    good, data = cv2.imencode(".png", crop[..., ::-1])
    if not good:
        raise OSError(f"the crop of {photo} could not be encoded")
    _draft(out / name).write_bytes(data.tobytes())
    return name


def _draft(crop: Path) -> Path:
    return crop.with_name(f"{crop.name}.part")


def _finish(out: Path, row: Sequence[str]) -> None:
    """Give the crop of a row its name, if it does not have it yet."""
    if row[2] and _draft(out / row[2]).is_file():
        _draft(out / row[2]).replace(out / row[2])


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
