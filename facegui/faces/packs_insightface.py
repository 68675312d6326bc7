"""InsightFace's packs: where they lie and what is inside one.

Where they lie and what their networks want is asked of the `insightface` package, in a process of its own: importing
it takes seconds, and it parses the files.
"""

from __future__ import annotations

import importlib
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from facegui.apart import Tell, run_apart
from facegui.errors import KnownError
from facegui.jobs import Job

__all__ = ["Recogniser", "open_pack", "pack_address"]

_TRAINING = {
    "w600k": "WebFace600K (a part of WebFace260M)",
    "glint": "Glint360K",
    "ms1m": "MS1M (MS-Celeb-1M)",
}
_MOST_BYTES = 3_000_000_000
_PIECE = 1 << 20
_EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Recogniser:
    """The face embedder of a pack, as the `insightface` package describes it.

    Attributes
    ----------
    file : Path
    mean, deviation : float
        The package computes ``(pixel - mean) / deviation`` on RGB.
    detector : Path or None
        The pack's SCRFD detector.
    training_data : str
        As far as the file's name says it.
    files : tuple of str
        Names of all networks of the pack.
    """

    file: Path
    mean: float
    deviation: float
    detector: Path | None
    training_data: str
    files: tuple[str, ...]


def pack_address(name: str) -> Job[str]:
    """Return where the `insightface` package looks for a pack.

    Raises
    ------
    KnownError
        The package is not installed.
    """
    found = yield from run_apart(_address, {"name": name}, what=f"The address of {name} was not found.")
    return str(found["url"])


def open_pack(archive: Path, folder: Path) -> Job[Recogniser]:
    """Unpack a pack and find its recogniser.

    Parameters
    ----------
    archive : Path
        The zip file.
    folder : Path
        Where its networks go.

    Raises
    ------
    KnownError
        It is not a pack, it is damaged, it has no recogniser, or the package is not installed.
    """
    found = yield from run_apart(
        _open, {"archive": str(archive), "folder": str(folder)}, what=f"{archive.name} cannot be used."
    )
    file = folder / found["recogniser"]
    training = next((words for start, words in _TRAINING.items() if file.name.startswith(start)), "")
    return Recogniser(
        file=file,
        mean=float(found["mean"]),
        deviation=float(found["deviation"]),
        detector=folder / found["detector"] if found["detector"] else None,
        training_data=training,
        files=tuple(found["files"]),
    )


def _package(module: str) -> Any:
    """Import a module of the `insightface` package; by name, because a packaged program may be without it."""
    try:
        return importlib.import_module(f"insightface.{module}")
    except ImportError as error:
        raise KnownError(
            "InsightFace's packs cannot be used.",
            f"The Python package insightface is missing or incomplete: {error}.",
            "Install it (pip install insightface), or unpack the pack yourself and run `facegui models add` on the "
            "recogniser in it, for example w600k_r50.onnx.",
        ) from error


def _address(arguments: dict[str, Any], tell: Tell) -> dict[str, Any]:
    tell(0, 0, "Asking insightface")
    return {"url": str(_package("utils.storage").model_zoo_download_url(f"{arguments['name']}.zip"))}


def _open(arguments: dict[str, Any], tell: Tell) -> dict[str, Any]:
    archive, folder = Path(arguments["archive"]), Path(arguments["folder"])
    names = _unpack(archive, folder, tell)
    tell(0, 0, "Asking insightface")
    manifest = _package("model_zoo.package_manifest")
    if manifest.has_model_package_manifest(folder):
        found = _listed(archive, manifest, folder)
    else:
        found = _routed(archive, folder, names, tell)
    return {**found, "files": names}


def _listed(archive: Path, manifest: Any, folder: Path) -> dict[str, Any]:
    """Read a pack that says itself what its networks are for."""
    try:
        tasks = manifest.load_model_package(folder).tasks
        recogniser = tasks[manifest.RECOGNITION_TASK]
        preprocessing = recogniser.metadata["preprocessing"]
        detector = tasks.get(manifest.DETECTION_TASK)
        for task in (recogniser, detector):
            if task is not None:
                manifest.verify_model_artifact(task)
    except KeyError:
        raise _without_recogniser(archive) from None
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise _damaged(archive, str(error)) from error
    whole = preprocessing == _EMBEDDED
    return {
        "recogniser": str(recogniser.path.relative_to(folder.resolve())),
        "detector": str(detector.path.relative_to(folder.resolve())) if detector is not None else "",
        "mean": 0.0 if whole else preprocessing["mean"],
        "deviation": 1.0 if whole else preprocessing["std"],
    }


def _routed(archive: Path, folder: Path, names: list[str], tell: Tell) -> dict[str, Any]:
    """Let the package's model zoo tell from each network's shape what it is for, as it does for older packs."""
    zoo = _package("model_zoo.model_zoo")
    found: dict[str, Any] = {"recogniser": "", "detector": "", "mean": 0.0, "deviation": 1.0}
    for done, name in enumerate(names):
        tell(done, len(names), name)
        try:
            model = zoo.get_model(str(folder / name), providers=["CPUExecutionProvider"])
        except Exception as error:  # whatever ONNX Runtime and the package raise on a damaged file
            raise _damaged(archive, f"{name}: {str(error).strip().partition(chr(10))[0]}") from error
        task = getattr(model, "taskname", None)
        if task == "recognition" and not found["recogniser"]:
            found |= {"recogniser": name, "mean": float(model.input_mean), "deviation": float(model.input_std)}
        elif task == "detection" and not found["detector"]:
            found["detector"] = name
    if not found["recogniser"]:
        raise _without_recogniser(archive)
    return found


def _damaged(archive: Path, why: str) -> KnownError:
    return KnownError(f"{archive.name} cannot be used.", f"It is damaged, or no pack: {why}.", "Get the file again.")


def _without_recogniser(archive: Path) -> KnownError:
    return KnownError(
        f"{archive.name} cannot be used.",
        "There is no network in it that tells people apart.",
        "Choose another pack, for example buffalo_l.",
    )


def _unpack(archive: Path, folder: Path, tell: Tell) -> list[str]:
    """Unpack the networks, the list of them and the licence; return the names of the networks.

    A folder around everything, as some packs have it, is left out. Nothing is written outside of `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    try:
        with zipfile.ZipFile(archive) as pack:
            members = [(member, _place(member.filename)) for member in pack.infolist() if not member.is_dir()]
            wanted = [(m, place) for m, place in members if place is not None and _is_wanted(place)]
            around = {place.parts[0] for _, place in wanted if len(place.parts) > 1}
            if len(around) == 1 and all(len(place.parts) > 1 for _, place in wanted):
                wanted = [(m, PurePosixPath(*place.parts[1:])) for m, place in wanted]
            left = _MOST_BYTES
            for done, (member, place) in enumerate(wanted):
                tell(done, len(wanted), f"Unpacking {place}")
                left -= _copy(pack, member, folder / place, left)
                if place.suffix.lower() == ".onnx":
                    names.append(str(place))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError) as error:
        raise _damaged(archive, str(error)) from error
    except OSError as error:
        raise KnownError(
            f"{archive.name} could not be unpacked.",
            f"{error.filename or folder}: {error.strerror or error}.",
            "Make room on the disk and try again.",
        ) from error
    if not names:
        raise _damaged(archive, "there is no .onnx file in it")
    return sorted(names)


def _place(name: str) -> PurePosixPath | None:
    place = PurePosixPath(name.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or ":" in name:
        return None
    return place


def _is_wanted(place: PurePosixPath) -> bool:
    name = place.name.lower()
    return not name.startswith(".") and (name.endswith((".onnx", ".license")) or name in ("manifest.json", "license"))


def _copy(pack: zipfile.ZipFile, member: zipfile.ZipInfo, file: Path, most: int) -> int:
    """Write one member; its checksum is compared on the way. Return its length."""
    if member.file_size > most:
        raise ValueError("it would fill the disk")
    file.parent.mkdir(parents=True, exist_ok=True)
    with pack.open(member) as source, file.open("wb") as out:
        shutil.copyfileobj(source, out, _PIECE)
        return out.tell()
