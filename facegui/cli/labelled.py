"""Photos with the names of the people on them: from folders, or from a list."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from facegui.errors import KnownError
from facegui.sources.files import photo_files

__all__ = ["Labelled", "labelled_photos"]

_POSES = {"frontal": False, "profile": True}
_PATH_COLUMNS = ("path", "file", "photo")
_NAME_COLUMNS = ("person", "name", "identity", "label")
_POSE_COLUMNS = ("condition", "pose")


@dataclass(frozen=True, slots=True)
class Labelled:
    """Photos and who is on them.

    Attributes
    ----------
    paths : tuple of Path
    people : tuple of str
        One name per photo.
    profiles : tuple of bool
        Whether a photo shows a face turned far to the side.
    unnamed : tuple of Path
        Photos that say nobody's name and are left out.
    name : str
        Name of the folder or the list.
    """

    paths: tuple[Path, ...]
    people: tuple[str, ...]
    profiles: tuple[bool, ...]
    unnamed: tuple[Path, ...]
    name: str


def labelled_photos(source: Path, root: Path | None = None) -> Labelled:
    """Read a folder with one folder per person, or a CSV list.

    Parameters
    ----------
    source : Path
        A folder: ``NAME/photo.jpg`` at any depth; folders called ``frontal`` and ``profile`` inside a person's
        folder say how the face is turned. Or a list with the header ``path,person`` and, if wanted, ``condition``
        (``frontal`` or ``profile``).
    root : Path, optional
        Where the paths of a list start; the list's own folder by default.

    Raises
    ------
    KnownError
        There is no such file or folder, nobody is named in it, or a row is wrong.
    """
    if source.is_dir():
        found = _from_folder(source)
    elif source.exists():
        found = _from_list(source, root or source.parent)
    else:
        raise KnownError(f"{source} was not found.", "There is no such file or folder.", "Check its name.")
    if not found.paths:
        raise KnownError(
            f"{source} names nobody.",
            "No photo in it lies in the folder of a person." if source.is_dir() else "The list is empty.",
            "Put the photos of each person into a folder of their own, or give a list with path,person.",
        )
    return found


def _from_folder(folder: Path) -> Labelled:
    paths, people, profiles, unnamed = [], [], [], []
    for path in photo_files([folder]):
        parts = path.relative_to(folder).parts[:-1]
        turned = False
        if parts and parts[-1].lower() in _POSES:
            turned = _POSES[parts[-1].lower()]
            parts = parts[:-1]
        if not parts:
            unnamed.append(path)
            continue
        paths.append(path)
        people.append("/".join(parts))
        profiles.append(turned)
    return Labelled(tuple(paths), tuple(people), tuple(profiles), tuple(unnamed), folder.resolve().name)


def _from_list(file: Path, root: Path) -> Labelled:
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise KnownError(f"{file} cannot be read.", "It is not text in UTF-8.", "Save the list as UTF-8.") from None
    except OSError as error:
        raise KnownError(
            f"{file} cannot be read.", f"{error.strerror or error}.", "Check that you may read it."
        ) from error
    header = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    names = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    path_at, name_at, pose_at = (
        next((names.index(name) for name in known if name in names), None)
        for known in (_PATH_COLUMNS, _NAME_COLUMNS, _POSE_COLUMNS)
    )
    if path_at is None or name_at is None:
        raise KnownError(
            f"{file.name} does not say who is on which photo.",
            "Its first row lacks the columns path and person.",
            "Start the list with a row that reads path,person. A list of pairs is for `facegui evaluate`.",
        )
    paths, people, profiles = [], [], []
    for number, cells in rows[1:]:
        if len(cells) <= max(path_at, name_at) or not cells[path_at].strip() or not cells[name_at].strip():
            raise KnownError(f"Row {number} of {file.name} is incomplete.", "", "Name a photo and a person.")
        pose = cells[pose_at].strip().lower() if pose_at is not None and pose_at < len(cells) else ""
        if pose and pose not in _POSES:
            raise KnownError(
                f"Row {number} of {file.name} cannot be understood.",
                f"The condition is {pose!r}.",
                "Write frontal or profile.",
            )
        paths.append(root / cells[path_at].strip())
        people.append(cells[name_at].strip())
        profiles.append(_POSES.get(pose, False))
    return Labelled(tuple(paths), tuple(people), tuple(profiles), (), file.stem)
