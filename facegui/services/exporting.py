"""Lookalikes into files: rows read from the gallery a few at a time, so that 100,000 of them need no memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from facegui.jobs import Job, Progress
from facegui.lookalikes.ranking import Ranking
from facegui.lookalikes.result_files import SHEET_MOST, ResultRow, ResultSheet, check_name, write_rows

if TYPE_CHECKING:
    from facegui.services.core import Services

__all__ = ["Writer", "export_results"]

Writer = Callable[[ResultSheet, Iterable[ResultRow], Path], Generator[None]]
_AT_ONCE = 200


def export_results(
    services: Services, ranking: Ranking, sheet: ResultSheet, file: Path, writers: dict[str, Writer] | None = None
) -> Job[Path]:
    """Return the job that writes a ranking into a file: ``.csv``, ``.json`` or ``.html``.

    Parameters
    ----------
    services : Services
    ranking : Ranking
        The rows; of a contact sheet, `SHEET_MOST` at most.
    sheet : ResultSheet
    file : Path
    writers : dict, optional
        For further suffixes, such as ``.pdf``, which needs Qt.

    Raises
    ------
    KnownError
        The suffix says nothing, or the file cannot be written.
    """
    further = writers or {}
    suffix = file.suffix.lower()
    check_name(file, (".csv", ".json", ".html", *further))
    pictures = suffix not in (".csv", ".json")
    total = min(len(ranking), SHEET_MOST) if pictures else len(ranking)
    if total < len(ranking):
        sheet = replace(sheet, pictured=total)
    names = {person.id: person.name for person in services.gallery.people()}
    write = further.get(suffix, write_rows)

    def rows() -> Iterator[ResultRow]:
        for start in range(0, total, _AT_ONCE):
            yield from _rows(services, ranking, start, min(total, start + _AT_ONCE), names, pictures=pictures)

    yield Progress(0, total)
    with contextlib.closing(write(sheet, rows(), file)) as written:
        for number, _ in enumerate(written, 1):
            if number % _AT_ONCE == 0:
                yield Progress(number, total)
    yield Progress(total, total)
    return file


def _rows(
    services: Services, ranking: Ranking, start: int, stop: int, names: dict[int, str], *, pictures: bool
) -> Iterator[ResultRow]:
    ids = ranking.face_ids[start:stop].tolist()
    records = {record.face_id: record for record in services.gallery.faces(ids)}
    photos = services.gallery.photos({record.photo_id for record in records.values()})
    crops = services.gallery.crops(ids) if pictures else {}
    for place, face_id in enumerate(ids, start):
        record = records.get(face_id)
        if record is None:
            continue  # deleted meanwhile
        photo = photos.get(record.photo_id)
        yield ResultRow(
            place + 1,
            float(ranking.similarities[place]),
            record.path,
            names.get(record.person_id, "") if record.person_id is not None else "",
            record.box,
            record.quality.score,
            photo.taken if photo is not None else None,
            face_id,
            crops.get(face_id),
        )
