"""Lookalikes as files: tables (CSV, JSON) and a contact sheet (HTML) that needs nothing beside itself."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import cv2

from facegui.errors import KnownError
from facegui.faces.types import Box, Image, Outcome
from facegui.matching.decision import Rule, decide
from facegui.matching.wording import format_similarity
from facegui.paths import assets_dir

__all__ = ["SHEET_MOST", "SUFFIXES", "ResultRow", "ResultSheet", "check_name", "parts_of", "write_rows"]

SHEET_MOST = 2000
"""Pictures on a contact sheet: more make a file that nobody can open. Tables have all rows."""
SUFFIXES = (".csv", ".json", ".html", ".pdf")

_PICTURE_QUALITY = 85
_MARKS = {Outcome.MATCH: ("✓", "Match"), Outcome.UNSURE: ("?", "Unsure"), Outcome.NO_MATCH: ("✕", "No match")}


@dataclass(frozen=True, slots=True, eq=False)
class ResultRow:
    """One face of a ranking, with all that a file says of it.

    Attributes
    ----------
    rank : int
        1 for the most similar.
    similarity : float
        Cosine, -1..1.
    path : str
    person : str
        Name of the enrolled person whose sample it is; empty for nobody.
    box : Box
        In pixels of the upright original.
    quality : float
        0..1.
    taken : datetime or None
        When the photo was taken, where its file says so.
    face_id : int
    crop : Image or None
        The aligned face; None in tables.
    """

    rank: int
    similarity: float
    path: str
    person: str
    box: Box
    quality: float
    taken: datetime | None
    face_id: int
    crop: Image | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ResultSheet:
    """What stands above the rows.

    Attributes
    ----------
    probe : str
        Whose lookalikes these are.
    crop : Image or None
        Their face.
    model : str
        Id of the model.
    rule : Rule or None
        Threshold and unsure band; None for a model that is not calibrated.
    meaning : str
        What the threshold means, a sentence.
    searched : int
        Faces compared.
    shown : int
        Rows after the filters.
    filters : tuple of str
        What was left out, in words.
    pictured : int or None
        Rows on a contact sheet, if those are not all.
    made : datetime
    """

    probe: str
    crop: Image | None
    model: str
    rule: Rule | None
    meaning: str
    searched: int
    shown: int
    filters: tuple[str, ...] = ()
    pictured: int | None = None
    made: datetime = field(default_factory=lambda: datetime.now().astimezone())

    def lines(self) -> tuple[str, ...]:
        """Return the sentences that belong on every sheet: what was compared, threshold and model, a caution."""
        compared = f"{self.searched:,} faces compared with {self.probe}, {self.shown:,} shown."
        if self.filters:
            compared += f" Filters: {', '.join(self.filters)}."
        if self.pictured is not None:
            compared += f" Here are the {self.pictured:,} most similar; a table (CSV, JSON) has all."
        at = f"Match from {format_similarity(self.rule.threshold)}. " if self.rule is not None else ""
        return (
            compared,
            f"{at}{self.meaning} Model: {self.model}.",
            f"Made on {self.made:%Y-%m-%d %H:%M}. A similarity is evidence, not proof.",
        )


def check_name(file: Path, suffixes: Iterable[str] = SUFFIXES) -> None:
    """Refuse a file whose suffix says nothing, before anything is read.

    Raises
    ------
    KnownError
    """
    known = tuple(suffixes)
    if file.suffix.lower() not in known:
        raise KnownError(
            f"Results cannot be written to {file.name}.",
            f"Its name does not end in {', '.join(known[:-1])} or {known[-1]}.",
            "Choose one of these.",
        )


def decision_of(similarity: float, rule: Rule | None) -> Outcome | None:
    """Return the decision on a row; None without a calibration."""
    return decide(similarity, rule) if rule is not None else None


def parts_of(rows: Iterable[ResultRow], rule: Rule | None) -> Iterator[tuple[str, ResultRow]]:
    """Yield rows, the first below the threshold with the words for what follows it, as the very first with its own."""
    before: bool | None = None
    for row in rows:
        same = rule is not None and row.similarity >= rule.threshold
        words = ""
        if rule is not None and same is not before:
            words = "Probably the same person" if same else "Lookalikes"
        before = same
        yield words, row


def write_rows(sheet: ResultSheet, rows: Iterable[ResultRow], file: Path) -> Generator[None]:
    """Write a table or a contact sheet; the suffix says which. Yields after each row, which need not fit in memory.

    The file is in its place when the iterator is exhausted, and untouched when it is closed before.

    Raises
    ------
    KnownError
        The suffix is another, or the file cannot be written.
    """
    check_name(file, (".csv", ".json", ".html"))
    write: Callable[[ResultSheet, Iterable[ResultRow], IO[bytes]], Iterator[None]]
    write = {".csv": _csv, ".json": _json, ".html": _html}[file.suffix.lower()]
    beside = file.with_name(f".{file.name}.part")
    try:
        with beside.open("wb") as out:
            yield from write(sheet, rows, out)
        beside.replace(file)
    except OSError as error:
        raise not_written(file, error) from error
    finally:
        beside.unlink(missing_ok=True)


def not_written(file: Path, error: OSError) -> KnownError:
    """Return what to say when a file cannot be written."""
    return KnownError(
        f"{file} could not be written.", f"{error.strerror or error}.", "Check the folder and its free space."
    )


def _encode(text: str) -> bytes:
    # Names of files may hold bytes that are no text.
    return text.encode("utf-8", "surrogateescape")


def _table_row(row: ResultRow, sheet: ResultSheet) -> dict[str, Any]:
    outcome = decision_of(row.similarity, sheet.rule)
    return {
        "rank": row.rank,
        "similarity": round(row.similarity, 6),
        "decision": outcome.value if outcome is not None else None,
        "person": row.person or None,
        "path": row.path,
        "x": round(row.box.x, 1),
        "y": round(row.box.y, 1),
        "width": round(row.box.width, 1),
        "height": round(row.box.height, 1),
        "quality": round(row.quality, 3),
        "taken": row.taken.isoformat() if row.taken is not None else None,
        "face_id": row.face_id,
    }


def _csv(sheet: ResultSheet, rows: Iterable[ResultRow], out: IO[bytes]) -> Iterator[None]:
    # Every row carries the threshold and the model, so that a row that is cut out still says what it means.
    threshold = round(sheet.rule.threshold, 6) if sheet.rule is not None else ""
    head: list[str] = []
    for row in rows:
        values = _table_row(row, sheet) | {"threshold": threshold, "model": sheet.model}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not head:
            head = list(values)
            writer.writerow(head)
        writer.writerow(["" if value is None else value for value in values.values()])
        out.write(_encode(text.getvalue()))
        yield


def _json(sheet: ResultSheet, rows: Iterable[ResultRow], out: IO[bytes]) -> Iterator[None]:
    about = {
        "probe": sheet.probe,
        "searched": sheet.searched,
        "shown": sheet.shown,
        "filters": list(sheet.filters),
        "threshold": sheet.rule.threshold if sheet.rule is not None else None,
        "unsure_from": sheet.rule.unsure_low if sheet.rule is not None else None,
        "meaning": sheet.meaning,
        "model": sheet.model,
        "made": sheet.made.isoformat(timespec="seconds"),
    }
    out.write(json.dumps(about, indent=2)[:-2].encode() + b',\n  "rows": [')
    for number, row in enumerate(rows):
        # Escaped: a name that is no text stays valid JSON.
        out.write((b",\n    " if number else b"\n    ") + json.dumps(_table_row(row, sheet)).encode())
        yield
    out.write(b"\n  ]\n}\n")


def _data_url(crop: Image) -> str:
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _PICTURE_QUALITY)
    )
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode() if done else ""


def _picture(crop: Image | None) -> str:
    return f'<img src="{_data_url(crop)}" alt="">' if crop is not None else '<div class="blank"></div>'


def _shown(text: str) -> str:
    return html.escape(text.encode("utf-8", "replace").decode())


def _html(sheet: ResultSheet, rows: Iterable[ResultRow], out: IO[bytes]) -> Iterator[None]:
    page = (assets_dir() / "contact_sheet.html").read_text("utf-8")
    page = page.replace("{{title}}", _shown(f"Lookalikes of {sheet.probe}"))
    page = page.replace("{{lines}}", "\n".join(f"<p>{_shown(line)}</p>" for line in sheet.lines()))
    before, after = page.replace("{{probe}}", _picture(sheet.crop)).split("{{faces}}")
    out.write(before.encode())
    opened = False
    for words, row in parts_of(rows, sheet.rule):
        if words or not opened:
            close = "</div>\n" if opened else ""
            heading = f"<h2>{words}</h2>" if words else ""
            out.write(f'{close}{heading}<div class="faces">\n'.encode())
            opened = True
        out.write(_card(row, sheet.rule).encode())
        yield
    if opened:
        out.write(b"</div>\n")
    out.write(after.encode())


def _card(row: ResultRow, rule: Rule | None) -> str:
    outcome = decision_of(row.similarity, rule)
    sign, word = _MARKS[outcome] if outcome is not None else ("", "")
    kind = outcome.value.replace(" ", "-") if outcome is not None else ""
    name = _shown(row.person or Path(row.path).name)
    return (
        f'<figure title="{_shown(row.path)}">{_picture(row.crop)}<figcaption><b class="{kind}">'
        f'{format_similarity(row.similarity)} <span title="{word}">{sign}</span></b>'
        f"<span>{name}</span></figcaption></figure>\n"
    )
