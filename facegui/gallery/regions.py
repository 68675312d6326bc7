"""Names that other programs gave to faces, kept beside the faces that lie there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, insert, select

from facegui.faces.types import Box
from facegui.gallery.facerows import overlap
from facegui.gallery.lanes import Lanes
from facegui.gallery.records import Change
from facegui.gallery.schema import Cluster, ClusterFace, Face, NamedRegion, Person, Photo
from facegui.gallery.undoing import chunks

__all__ = ["Regions"]

Named = tuple[str, Box, str]
_LEAST_OVERLAP = 0.2
"""Other programs draw larger or smaller boxes around a face: so much of the union must be shared, and the middle."""


class Regions(Lanes):
    """Storing names found in photos, and telling those that the gallery knows."""

    def store_regions(self, found: Mapping[int, Sequence[Named]]) -> tuple[int, Change]:
        """Replace the named regions of photos; return how many of them lie on a face.

        Parameters
        ----------
        found : mapping of int to sequence
            By photo id: names, boxes in shares of the upright photo, and where they stand.
        """
        matched = 0
        with self._write() as write:
            connection = write.connection
            for some in chunks(found):
                connection.execute(delete(NamedRegion).where(NamedRegion.photo_id.in_(some)))
                faces: dict[int, list[tuple[int, Box]]] = {}
                rows = connection.execute(
                    select(Face.id, Face.photo_id, Face.x, Face.y, Face.width, Face.height, Photo.width, Photo.height)
                    .join(Photo, Photo.id == Face.photo_id)
                    .where(Face.photo_id.in_(some))
                ).all()
                for face, photo, x, y, width, height, across, down in rows:
                    if across and down:
                        box = Box(x / across, y / down, width / across, height / down)
                        faces.setdefault(photo, []).append((face, box))
                values = []
                for photo in some:
                    free = faces.get(photo, [])
                    for name, box, source in found[photo]:
                        here = _face_at(box, free)
                        free = [item for item in free if item[0] != here]
                        matched += here is not None
                        values.append(
                            {"photo_id": photo, "face_id": here, "name": name, "source": source, "x": box.x,
                             "y": box.y, "width": box.width, "height": box.height}
                        )  # fmt: skip
                if values:
                    connection.execute(insert(NamedRegion), values)
                write.photos.update(some)
            write.text = "Read names from photos"
        return matched, write.change

    def known_names(self, photo_ids: Sequence[int]) -> dict[int, list[tuple[str, Box, tuple[int, int]]]]:
        """Return the confirmed names in photos: name, box in shares, and the photo's size, by photo id."""
        query = (
            select(
                Face.photo_id, Person.name, Face.x, Face.y, Face.width, Face.height, Photo.width, Photo.height
            )
            .join(Photo, Photo.id == Face.photo_id)
            .outerjoin(ClusterFace, (ClusterFace.face_id == Face.id) & ClusterFace.placed)
            .outerjoin(Cluster, Cluster.id == ClusterFace.cluster_id)
            .join(Person, Person.id == func.coalesce(Face.person_id, Cluster.person_id))
            .where(Photo.indexed.is_not(None), Photo.width > 0)
            .order_by(Face.id)
        )  # fmt: skip
        names: dict[int, list[tuple[str, Box, tuple[int, int]]]] = {}
        with self._read() as connection:
            for some in chunks(photo_ids):
                for photo, name, x, y, width, height, across, down in connection.execute(
                    query.where(Face.photo_id.in_(some))
                ):
                    box = Box(x / across, y / down, width / across, height / down)
                    names.setdefault(photo, []).append((name, box, (across, down)))
        return names


def _face_at(region: Box, faces: Sequence[tuple[int, Box]]) -> int | None:
    """Return the face that a region is about: the one it overlaps most, with its middle inside."""
    middle_x, middle_y = region.center
    best: tuple[float, int] | None = None
    for face, box in faces:
        inside = box.x <= middle_x <= box.right and box.y <= middle_y <= box.bottom
        share = overlap(region, box)
        if inside and share >= _LEAST_OVERLAP and (best is None or share > best[0]):
            best = share, face
    return best[1] if best else None
