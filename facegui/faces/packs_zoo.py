"""InsightFace's packs by name: what they are, what their licence says, and getting one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from facegui import paths
from facegui.errors import KnownError
from facegui.faces.catalog import Catalog, file_sha256
from facegui.faces.packs import Added, Origin, TryFaces, add_model, check_name
from facegui.faces.packs_download import download
from facegui.faces.packs_insightface import Recogniser, open_pack, pack_address
from facegui.faces.packs_manifest import draft, entries, models_folder
from facegui.jobs import Job, Progress

__all__ = [
    "LICENCE",
    "LICENCE_ADDRESS",
    "LICENCE_TEXT",
    "PACKS",
    "Pack",
    "add_pack",
    "downloads_folder",
    "kept_detectors",
    "pack_of",
]

LICENCE = "InsightFace: non-commercial research only"
LICENCE_ADDRESS = "https://github.com/deepinsight/insightface#license"
LICENCE_TEXT = (
    "The makers of InsightFace allow these trained models to be used for non-commercial research only, however the "
    "files were obtained. Any other use needs their permission."
)


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack of InsightFace's model zoo.

    Attributes
    ----------
    name : str
    size : int
        Bytes to download; 0 where that is not known.
    sha256 : str
        Of the zip file; empty where that is not known.
    words : str
        What is in it.
    """

    name: str
    size: int = 0
    sha256: str = ""
    words: str = ""


# The zoo publishes no hashes. These are the ones that several independent projects pinned for its release assets.
PACKS: Mapping[str, Pack] = {
    pack.name: pack
    for pack in (
        Pack(
            "buffalo_l", 288_621_354, "80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
            "ArcFace ResNet-50, 512 numbers, trained on WebFace600K",
        ),
        Pack(
            "buffalo_m", 275_951_529, "d98264bd8f2dc75cbc2ddce2a14e636e02bb857b3051c234b737bf3b614edca9",
            "the recogniser of buffalo_l, with a smaller detector",
        ),
        Pack(
            "buffalo_s", 127_607_557, "d85a87f503f691807cd8bb97128bdf7a0660326cd9cd02657127fa978bab8b5e",
            "ArcFace MobileFaceNet, 512 numbers, trained on WebFace600K",
        ),
        Pack(
            "buffalo_sc", 14_969_382, "57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72",
            "the recogniser of buffalo_s, with a detector and nothing else",
        ),
        Pack(
            "antelopev2", 360_662_982, "8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5",
            "ArcFace ResNet-100, 512 numbers, trained on Glint360K",
        ),
    )
}  # fmt: skip


def pack_of(name: str) -> Pack:
    """Return a pack by its name; one that is not listed here may exist all the same.

    Raises
    ------
    KnownError
        No pack can be called so.
    """
    if name in PACKS:
        return PACKS[name]
    if not name.isascii() or not name.replace("_", "").replace("-", "").isalnum():
        raise KnownError(
            f"There is no pack called {name}.", f"Known packs: {', '.join(PACKS)}.", "Choose one of these."
        )
    return Pack(name)


def kept_detectors() -> dict[str, Path]:
    """Return the SCRFD detectors that came with packs, by the id of the pack's model; for measurements."""
    folder = models_folder()
    files = {
        str(entry["id"]): folder / str(entry["detector_file"]) for entry in entries(folder) if "detector_file" in entry
    }
    return {name: file for name, file in files.items() if file.is_file()}


def downloads_folder() -> Path:
    """Return where downloads wait until they are whole."""
    return paths.cache_dir() / "downloads"


def add_pack(
    pack: Pack,
    faces: TryFaces,
    *,
    source: str | None = None,
    sha256: str | None = None,
    name: str | None = None,
    threads: int = 0,
) -> Job[Added]:
    """Get a pack and add its recogniser to the user's models. Its detector is kept beside it, for measurements.

    Show the licence and have it accepted before.

    Parameters
    ----------
    pack : Pack
    faces : TryFaces
        The recogniser is tried on them.
    source : str, optional
        Another address than the one that the `insightface` package knows, or a zip file on this computer.
    sha256 : str, optional
        What the zip file must hash to; the one of `pack` by default.
    name : str, optional
        Id of the model; the pack's name by default.
    threads : int
        For the network; 0 for one per core.

    Yields
    ------
    Progress
        Bytes while it is downloaded.

    Raises
    ------
    KnownError
        There is no network, no such pack, no room, the file is not the expected one, or its name is taken.
    """
    model_id = name or pack.name
    check_name(model_id, Catalog())
    expected = sha256 or pack.sha256 or None
    local = Path(source) if source is not None and "://" not in source else None
    if local is not None:
        yield Progress(0, 0, "Checking")
        archive, digest = local, _checked(local, expected)
    else:
        url = source or (yield from pack_address(pack.name))
        archive = downloads_folder() / f"{pack.name}.zip"
        by_hand = f"Or get {url} on another computer and give the file: "
        by_hand += f"facegui models download {pack.name} --from {pack.name}.zip"
        digest = yield from download(url, archive, sha256=expected, help_text=by_hand)
    folder = models_folder()
    try:
        with draft(folder) as place:
            try:
                found = yield from open_pack(archive, place)
            except KnownError:
                if local is None:
                    archive.unlink()
                raise
            added = yield from _take_in(found, folder, pack, faces, model_id, digest, threads)
        if local is None:
            archive.unlink()
    except OSError as error:
        raise KnownError(
            f"{pack.name} was not added.",
            f"{error.filename or folder}: {error.strerror or error}.",
            "Check that the disk is not full and the folder can be written.",
        ) from error
    return added


def _take_in(
    found: Recogniser, folder: Path, pack: Pack, faces: TryFaces, model_id: str, digest: str, threads: int
) -> Job[Added]:
    detector_file = ""
    if found.detector is not None:
        detector_file = f"detectors/{model_id}-{found.detector.name}"
    origin = Origin(
        title=f"InsightFace {pack.name}",
        licence=LICENCE,
        source=f"InsightFace model zoo, {pack.name}.zip, {found.file.name}",
        training_data=found.training_data,
        extra=(
            ("pack", pack.name), ("pack_sha256", digest), ("licence_address", LICENCE_ADDRESS),
            *((("detector_file", detector_file),) if detector_file else ()),
        ),
    )  # fmt: skip
    kept = folder / detector_file
    if found.detector is not None:
        kept.parent.mkdir(exist_ok=True)
        shutil.move(found.detector, kept)
    try:
        scale = 1.0 / found.deviation
        return (
            yield from add_model(
                found.file, faces, name=model_id, colour="RGB", mean=(found.mean,) * 3, scale=(scale,) * 3,
                origin=origin, threads=threads,
            )
        )  # fmt: skip
    except BaseException:
        if detector_file:
            kept.unlink(missing_ok=True)
        raise


def _checked(archive: Path, expected: str | None) -> str:
    try:
        digest = file_sha256(archive)
    except OSError as error:
        raise KnownError(f"{archive} cannot be read.", f"{error.strerror or error}.", "Check its name.") from error
    if expected is not None and digest != expected.lower():
        raise KnownError(
            f"{archive.name} is not the file that was expected.",
            f"Its sha256 is {digest}, not {expected.lower()}.",
            "Get it again; it may have been cut short or changed.",
        )
    return digest
