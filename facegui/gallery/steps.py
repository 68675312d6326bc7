"""Steps of a review as they lie in the database: what each changed, column by column, and how it is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from facegui.errors import KnownError
from facegui.gallery.facerows import now
from facegui.gallery.lanes import Write
from facegui.gallery.schema import Base, ReviewStep

__all__ = ["keep", "take_back"]

_KEPT = 500
"""Steps that can be taken back."""
_MOMENT = "moment"

Values = Mapping[str, Any]


def keep(write: Write, text: str) -> None:
    """Store what a write has changed so far as one step; call it last."""
    write.text = text
    rows = [_stored(image.table, image.key, image.before, image.after) for image in write.images()]
    if not rows:
        return
    made = write.connection.execute(
        insert(ReviewStep).values(time=now(), text=text, rows=rows).returning(ReviewStep.id)
    )
    write.connection.execute(delete(ReviewStep).where(ReviewStep.id <= made.scalar_one() - _KEPT))


def take_back(write: Write) -> KnownError | None:
    """Undo the newest step and delete it; return why it could not be undone."""
    connection = write.connection
    step = connection.execute(select(ReviewStep).order_by(ReviewStep.id.desc()).limit(1)).first()
    if step is None:
        return None
    connection.execute(delete(ReviewStep).where(ReviewStep.id == step.id))
    rows = [(Base.metadata.tables[row["table"]], row["key"], row["before"], row["after"]) for row in step.rows]
    write.text = f"Undone: {step.text}"
    if not all(_is(connection, table, key, after) for table, key, _, after in rows):
        return KnownError(
            f"This can no longer be undone: {step.text}.",
            "What it changed has been changed again since.",
            "Make the change back by hand.",
        )
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    order = {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}
    for table, key, before, after in sorted(rows, key=lambda row: order[row[0].name]):
        write.touched(table.name, [key])
        if before is not None and after is None:
            connection.execute(insert(table).values(_loaded(before)))
        elif before is not None:
            connection.execute(update(table).where(_key(table) == key).values(_loaded(before)))
    # Last, for what hangs on a row that goes would go along.
    for table, key, before, _ in sorted(rows, key=lambda row: -order[row[0].name]):
        if before is None:
            connection.execute(delete(table).where(_key(table) == key))
    write.samples = True
    return None


def _key(table: Table) -> Any:
    return next(iter(table.primary_key.columns))


def _stored(table: str, key: int, before: Values | None, after: Values | None) -> dict[str, Any]:
    if before is not None and after is not None:
        changed = [name for name in before if not _equal(before[name], after[name])]
        before = {name: before[name] for name in changed}
        after = {name: after[name] for name in changed}
    return {"table": table, "key": key, "before": _plain(before), "after": _plain(after)}


def _equal(one: Any, other: Any) -> bool:
    return bool((one == other).all()) if hasattr(one, "all") else bool(one == other)


def _plain(values: Values | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {name: {_MOMENT: item.isoformat()} if isinstance(item, datetime) else item for name, item in values.items()}


def _loaded(values: Values) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(item[_MOMENT]) if isinstance(item, dict) and _MOMENT in item else item
        for name, item in values.items()
    }


def _is(connection: Connection, table: Table, key: int, after: Values | None) -> bool:
    """Tell whether a row is still as the step left it."""
    row = connection.execute(select(table).where(_key(table) == key)).mappings().first()
    if row is None or after is None:
        return row is None and after is None
    return all(_equal(row[name], value) for name, value in _loaded(after).items())
