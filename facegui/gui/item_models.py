"""Rows for the grids and lists."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from facegui.matching.wording import format_similarity

__all__ = ["ROW_ROLE", "FaceListModel", "FaceRow", "Rows"]

ROW_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1


@dataclass(frozen=True, slots=True)
class FaceRow:
    """One tile.

    Attributes
    ----------
    key : hashable
        What `Thumbnails` loads the picture by.
    title : str
        First line, for example a person's name or a file's.
    similarity : float or None
    detail : str
        Second line where there is no similarity.
    tip : str
        Shown on hover, for example the whole path.
    person_id : int or None
    """

    key: Hashable
    title: str
    similarity: float | None = None
    detail: str = ""
    tip: str = ""
    person_id: int | None = None


class Rows(Protocol):
    """Rows that may be made when they are asked for; 100,000 of them cost nothing until shown."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> FaceRow: ...


class FaceListModel(QAbstractListModel):
    """A list of `FaceRow`, given as a whole and replaced as a whole."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: Rows | Sequence[FaceRow] = ()

    def set_rows(self, rows: Rows | Sequence[FaceRow]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def row(self, index: int) -> FaceRow | None:
        """Return a row, or None outside the list."""
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index.row()) if index.isValid() else None
        if row is None:
            return None
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip or row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            score = (
                "" if row.similarity is None else self.tr("similarity {0}").format(format_similarity(row.similarity))
            )
            return ", ".join(part for part in (row.title, score, row.detail) if part)
        return None
