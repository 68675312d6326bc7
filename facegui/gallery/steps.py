"""Steps of a review as they lie in the database: what each changed, column by column, and how it is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from facegui.errors import KnownError
from facegui.gallery.facerows import now
from facegui.gallery.lanes import Write
from facegui.gallery.schema import Base, Cluster, ClusterFace, Embedding, ReviewStep

__all__ = ["give_up", "keep", "take_back"]

_KEPT = 500
"""Steps that can be taken back."""
_MOMENT = "moment"
_MEMBERS = ClusterFace.__tablename__

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
    """Undo the newest step and delete it; return why it could not be undone.

    What a run of the grouping did since with faces that the user placed nowhere does not stand in the way.
    """
    connection = write.connection
    step = _newest(write)
    if step is None:
        return None
    rows = [(Base.metadata.tables[row["table"]], row["key"], row["before"], row["after"]) for row in step.rows]
    write.text = f"Undone: {step.text}"
    if not all(_is(connection, table, key, after) for table, key, _, after in rows):
        return _refused(step.text)
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    order = {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}
    for table, key, before, after in sorted(rows, key=lambda row: order[row[0].name]):
        write.touched(table.name, [key])
        if before is not None and after is None:
            if table.name == _MEMBERS:
                connection.execute(delete(table).where(_key(table) == key))
                _bring_back(connection, key, before["cluster_id"])
            connection.execute(insert(table).values(_loaded(before)))
        elif before is not None:
            connection.execute(update(table).where(_key(table) == key).values(_loaded(before)))
    # Last, for what hangs on a row that goes would go along.
    for table, key, before, _ in sorted(rows, key=lambda row: -order[row[0].name]):
        if before is None:
            connection.execute(delete(table).where(_key(table) == key))
    write.samples = True
    return None


def give_up(write: Write) -> KnownError | None:
    """Forget the newest step, which cannot be taken back; return that in words."""
    step = _newest(write)
    return None if step is None else _refused(step.text)


def _newest(write: Write) -> Row[int, str, list[Any]] | None:
    query = select(ReviewStep.id, ReviewStep.text, ReviewStep.rows).order_by(ReviewStep.id.desc()).limit(1)
    step = write.connection.execute(query).first()
    if step is not None:
        write.connection.execute(delete(ReviewStep).where(ReviewStep.id == step.id))
    return step


def _refused(text: str) -> KnownError:
    return KnownError(
        f"This can no longer be undone: {text}.",
        "What it changed has been changed again since.",
        "Make the change back by hand.",
    )


def _bring_back(connection: Connection, face_id: int, cluster_id: int) -> None:
    """Make a cluster anew that a run has dissolved since."""
    if connection.scalars(select(Cluster.id).where(Cluster.id == cluster_id)).first() is None:
        model = select(Embedding.model_id).where(Embedding.face_id == face_id).limit(1).scalar_subquery()
        connection.execute(insert(Cluster).values(id=cluster_id, model_id=model, created=now()))


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
    if table.name == _MEMBERS and not any(one.get("placed") for one in (row, after) if one is not None):
        return True  # runs of the grouping move such faces
    if row is None or after is None:
        return row is None and after is None
    return all(_equal(row[name], value) for name, value in _loaded(after).items())
