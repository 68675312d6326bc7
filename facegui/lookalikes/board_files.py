"""Boards as files: a page that needs nothing beside itself, a picture, and tables."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facegui.errors import KnownError
from facegui.faces.types import Image
from facegui.lookalikes.board import Board
from facegui.matching.decision import Rule, decide
from facegui.paths import assets_dir

__all__ = ["COLOURS", "RAMP", "check_name", "colours_of", "write_board"]

# Ten hues that the colour-blind can tell, after Okabe and Ito, then lighter and darker ones of them.
COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8c6d1f", "#6a51a3", "#31695a", "#a63603",
    "#7a7a7a", "#c51b7d",
)  # fmt: skip
# From unlike to alike, dark to light, as in assets/board.html.
RAMP = ((13, 8, 65), (71, 15, 107), (140, 41, 99), (205, 71, 70), (240, 120, 50), (250, 180, 70), (252, 235, 160))
_NOBODY = "#9aa0a8"
_PICTURE_QUALITY = 85


def check_name(file: Path) -> None:
    """Refuse a file whose suffix says nothing, before anything is computed.

    Raises
    ------
    KnownError
    """
    if file.suffix.lower() not in (".html", ".png", ".csv"):
        raise KnownError(
            f"A board cannot be written to {file.name}.",
            "Its name does not end in .html, .png or .csv.",
            "Choose one of these.",
        )


def write_board(board: Board, crops: Mapping[int, Image], rule: Rule | None, file: Path, title: str) -> None:
    """Write a board; the suffix of the file says how.

    Parameters
    ----------
    board : Board
    crops : mapping of int to Image
        Aligned faces by face id.
    rule : Rule or None
        Threshold and unsure band, for the marks.
    file : Path
        ``.html`` for a page, ``.png`` for a picture, ``.csv`` for the table of the nearest; a ``-matrix.csv`` with
        all similarities is written beside the last.
    title : str

    Raises
    ------
    KnownError
        The suffix is another, or the file cannot be written.
    """
    check_name(file)
    write = {".html": _html, ".png": _png, ".csv": _csv}[file.suffix.lower()]
    try:
        write(board, crops, rule, file, title)
    except OSError as error:
        raise KnownError(
            f"{file} could not be written.",
            f"{error.strerror or error}.",
            "Check the folder and its free space.",
        ) from error


def colours_of(board: Board) -> dict[str, str]:
    """Return a colour for each person of a board, those with most photos first; grey for nobody."""
    people = [item.person for item in board.items if item.person]
    ranked = sorted(set(people), key=lambda person: (-people.count(person), person))
    return {person: COLOURS[number % len(COLOURS)] for number, person in enumerate(ranked)} | {"": _NOBODY}


def _decision(similarity: float, rule: Rule | None) -> str:
    return decide(similarity, rule).value if rule else ""


def _encoded(crop: Image | None) -> str:
    if crop is None:
        return ""
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _PICTURE_QUALITY)
    )
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode() if done else ""


def _html(board: Board, crops: Mapping[int, Image], rule: Rule | None, file: Path, title: str) -> None:
    colours = colours_of(board)
    data = {
        "items": [
            {
                "name": item.name, "path": item.path, "person": item.person, "colour": colours[item.person],
                "picture": _encoded(crops.get(item.face_id)),
            }
            for item in board.items
        ],
        "scores": np.rint(board.similarities * 1000).astype(int).tolist(),
        "places": np.round(board.places, 4).tolist(),
        "nearest": [
            [[near.row, round(near.similarity, 4), _decision(near.similarity, rule)] for near in some]
            for some in board.nearest
        ],
        "map": {"tsne": "t-SNE", "pca": "PCA", "umap": "UMAP"}[board.map_kind],
        "threshold": rule.threshold if rule else None,
        "unsure": rule.unsure_low if rule else None,
    }  # fmt: skip
    page = (assets_dir() / "board.html").read_text("utf-8")
    # In a script, "</" would end it whatever stands around it.
    payload = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    file.write_text(page.replace("{{title}}", html.escape(title)).replace("{{data}}", payload), "utf-8")


def _csv(board: Board, crops: Mapping[int, Image], rule: Rule | None, file: Path, title: str) -> None:
    del crops, title
    rows: list[list[Any]] = [["photo", "person", "rank", "similar_photo", "similar_person", "similarity", "decision"]]
    for item, some in zip(board.items, board.nearest, strict=True):
        for rank, near in enumerate(some, 1):
            other = board.items[near.row]
            decision = _decision(near.similarity, rule)
            rows.append(
                [item.path or item.name, item.person, rank, other.path or other.name, other.person,
                 f"{near.similarity:.6f}", decision]
            )  # fmt: skip
    names = [item.path or item.name for item in board.items]
    matrix: list[list[Any]] = [["", *names]]
    matrix += [[name, *(f"{value:.6f}" for value in row)] for name, row in zip(names, board.similarities, strict=True)]
    for target, table in ((file, rows), (file.with_name(f"{file.stem}-matrix.csv"), matrix)):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(table)
        # Names of files may hold bytes that are no text.
        target.write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))


def _png(board: Board, crops: Mapping[int, Image], rule: Rule | None, file: Path, title: str) -> None:
    from facegui.lookalikes.board_picture import draw_board

    draw_board(board, crops, rule, file, title, colours_of(board))
