"""Whether people were trained on: what is measured on them flatters a network. Needs no PyTorch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from facegui.training.prepare import LIST, listed

__all__ = ["trained_on"]


def trained_on(sources: Iterable[Path | None], photos: Sequence[Path], people: Sequence[str]) -> set[str] | None:
    """Return which people are among those of trainings, by their photos or, failing that, by their names.

    Parameters
    ----------
    sources : iterable of Path or None
        What was trained on: folders with one folder per person.
    photos, people : sequence
        Photos, and who is on each.

    Returns
    -------
    set of str or None
        None where one of the trainings cannot be looked at: it is gone, or a file that names nobody.
    """
    names: set[str] = set()
    used: set[str] = set()
    for source in sources:
        if source is None or not source.is_dir() or (source / "train.rec").is_file():
            return None
        rows = listed(source / LIST)
        names |= {row[1] for row in rows} if rows else set(_folders(source))
        used |= {os.path.realpath(row[0]) for row in rows}
    return {
        person for photo, person in zip(photos, people, strict=True)
        if person in names or os.path.realpath(photo) in used
    }  # fmt: skip


def _folders(source: Path) -> Iterable[str]:
    for place, _, files in os.walk(source):
        if files and Path(place) != source:
            yield Path(place).relative_to(source).as_posix()
