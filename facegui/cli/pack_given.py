"""A model added with what its pack says: its way with the pixels, its origin, its calibration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from facegui.cli.manifest import write_calibrations
from facegui.errors import KnownError
from facegui.faces.packs import Added
from facegui.faces.packs_entry import Origin
from facegui.faces.packs_given import Given, given_with
from facegui.faces.packs_manifest import MANIFEST
from facegui.matching.calibration import Calibration
from facegui.matching.tables import from_table

__all__ = ["Asked", "asked", "take_calibrations"]

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is to be added, and how.

    Attributes
    ----------
    file : Path
    name : str or None
    colour : str or None
    mean, scale : tuple of float or None
        None is to be found by trying.
    origin : Origin
    calibrations : tuple of Calibration
        Of the pack, for the file as it lies there.
    """

    file: Path
    name: str | None
    colour: str | None
    mean: Triple | None
    scale: Triple | None
    origin: Origin
    calibrations: tuple[Calibration, ...] = ()


def asked(wanted: Asked) -> Asked:
    """Complete what the user said by what the pack of the file says; the user's word comes first.

    Raises
    ------
    KnownError
        The pack is damaged, or the file is not the one that it describes.
    """
    given = given_with(wanted.file)
    if given is None:
        return wanted
    colour, mean, scale = wanted.colour or given.colour, wanted.mean or given.mean, wanted.scale or given.scale
    # With pixels prepared in another way the similarities are others.
    same = (colour, mean, scale) == (given.colour, given.mean, given.scale)
    origin = replace(given.origin, licence=wanted.origin.licence) if wanted.origin.licence else given.origin
    return Asked(
        given.file, wanted.name or given.id, colour, mean, scale, origin, _calibrations(given) if same else ()
    )  # fmt: skip


def _calibrations(given: Given) -> tuple[Calibration, ...]:
    found = tuple(from_table(table) for table in given.calibrations.values())
    if any(made.model_id != given.sha256 for made in found):
        raise KnownError(
            f"{given.file.parent / MANIFEST} cannot be used.",
            "Its calibration was made for another file.",
            "Export the model again, or take the calibration out of the list.",
        )
    return found


def take_calibrations(added: Added, calibrations: tuple[Calibration, ...]) -> tuple[Calibration, ...]:
    """Give an added model the calibration of its pack: the file was wrapped, its embeddings are the same."""
    own = tuple(replace(made, model_id=added.model.sha256) for made in calibrations)
    if own:
        write_calibrations(added.model.file.parent / MANIFEST, added.model.id, own)
    return own
