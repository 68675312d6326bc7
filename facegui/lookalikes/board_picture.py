"""A board as one picture, drawn by Matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facegui.faces.types import Image
from facegui.lookalikes.board import Board
from facegui.matching.decision import Rule, decide
from facegui.matching.wording import format_similarity

__all__ = ["draw_board"]

_ROWS = 12
"""Rows of the table that fit; the page has all."""
_FACES = 90
"""Faces up to which the map shows pictures instead of dots."""
_MARKS = {"match": ("✓", "#00796b"), "unsure": ("?", "#8a5a00"), "no match": ("✕", "#b3400e")}
_TEXT, _MUTED = "#1c2230", "#5c6575"
_NAME = 15


def draw_board(
    board: Board, crops: Mapping[int, Image], rule: Rule | None, file: Path, title: str, colours: Mapping[str, str]
) -> None:
    """Draw table, matrix and map side by side into a PNG file."""
    from matplotlib.figure import Figure

    rows = min(_ROWS, len(board.items))
    figure = Figure(figsize=(17, 2.2 + max(7.5, 1.02 * rows)), layout="constrained", dpi=110)
    parts: Any = figure.subfigures(1, 2, width_ratios=[1.05, 1])
    left, right = parts
    figure.suptitle(title, fontsize=16, color=_TEXT, x=0.01, ha="left", weight="bold")
    _draw_table(left, board, crops, rule, rows)
    matrix, plane = right.subplots(2, 1, height_ratios=[1, 1])
    shown = matrix.imshow(board.similarities, cmap="inferno", vmin=-0.1, vmax=1.0, interpolation="nearest")
    matrix.set(xticks=[], yticks=[])
    matrix.set_title(f"All with all, {len(board.items)} faces, alike ones side by side", fontsize=11, color=_TEXT)
    figure.colorbar(shown, ax=matrix, shrink=0.8, label="similarity")
    _draw_map(plane, board, crops, colours)
    figure.savefig(file)


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 8]}…{name[-7:]}"


def _draw_table(figure: Any, board: Board, crops: Mapping[int, Image], rule: Rule | None, rows: int) -> None:
    # The rows whose best match is most similar say most.
    chosen = sorted(range(len(board.items)), key=lambda row: -board.nearest[row][0].similarity)[:rows]
    columns = 1 + len(board.nearest[0])
    cells = figure.subplots(rows, columns, squeeze=False)
    for place, row in enumerate(chosen):
        _draw_face(cells[place][0], crops.get(board.items[row].face_id), _short(board.items[row].name), _TEXT)
        for column, near in enumerate(board.nearest[row], 1):
            mark, colour = _MARKS[decide(near.similarity, rule).value] if rule else ("", _MUTED)
            other = board.items[near.row]
            text = f"{format_similarity(near.similarity)} {mark}\n{_short(other.name)}"
            _draw_face(cells[place][column], crops.get(other.face_id), text, colour)
    more = len(board.items) - rows
    words = f"Most similar; {more} more in the page" if more > 0 else "Most similar"
    figure.suptitle(words, fontsize=11, color=_TEXT)


def _draw_face(axes: Any, crop: Image | None, text: str, colour: str) -> None:
    axes.set_axis_off()
    if crop is not None:
        axes.imshow(crop)
    axes.text(1.08, 0.5, text, transform=axes.transAxes, va="center", fontsize=9, color=colour)


def _draw_map(axes: Any, board: Board, crops: Mapping[int, Image], colours: Mapping[str, str]) -> None:
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    x, y = board.places[:, 0], 1 - board.places[:, 1]
    tints = [colours[item.person] for item in board.items]
    axes.scatter(x, y, c=tints, s=30, edgecolors="white", linewidths=0.6)
    if len(board.items) <= _FACES:
        for place, (item, tint) in enumerate(zip(board.items, tints, strict=True)):
            if item.face_id in crops:
                box = AnnotationBbox(
                    OffsetImage(crops[item.face_id], zoom=0.28), (x[place], y[place]), pad=0.12,
                    bboxprops={"edgecolor": tint, "linewidth": 2},
                )  # fmt: skip
                axes.add_artist(box)
    axes.set(xticks=[], yticks=[], xlim=(-0.06, 1.06), ylim=(-0.06, 1.06))
    kind = {"tsne": "t-SNE", "pca": "PCA", "umap": "UMAP"}[board.map_kind]
    axes.set_title(f"Map ({kind}), coloured by person", fontsize=11, color=_TEXT)
