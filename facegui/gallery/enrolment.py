"""Changing who is enrolled: every write here can be undone.

A sample and a face of the folder index are one row. Enrolling a face that the index has found in the same photo
gives that row a person instead of adding a second one, so a photo never answers twice as its own lookalike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from facegui.errors import KnownError
from facegui.gallery import undoing
from facegui.gallery.facerows import encode_crop, face_values, model_keys_of, now
from facegui.gallery.lanes import read_stamp
from facegui.gallery.naming import follow_merge, follow_owner, leave_people
from facegui.gallery.people import clean_name, name_key, names_of, require_person
from facegui.gallery.records import Change, NewSample, Undo
from facegui.gallery.rows import (
    decisions_with,
    delete_faces,
    drop_orphan_photos,
    give,
    indexed_face,
    insert_row,
    person_for,
    photo_for,
    set_embedding,
)
from facegui.gallery.schema import Crop, Decision, Face, Person, Photo
from facegui.gallery.tidying import Tidying
from facegui.gallery.undoing import chunks

__all__ = ["Enrolment"]


class Enrolment(Tidying):
    """Writes to people and their samples."""

    def enroll(self, name: str, samples: Sequence[NewSample]) -> tuple[int, Change]:
        """Add samples to the person of that name, who is made when nobody has it yet.

        Parameters
        ----------
        name : str
            Compared without regard to case.
        samples : sequence of NewSample
            At least one, each with an embedding.

        Returns
        -------
        tuple of int and Change
            The person's id and what changed.

        Raises
        ------
        KnownError
            The name is empty, or the gallery cannot be written.
        ValueError
            There is no sample, or one without an embedding.
        """
        name = clean_name(name)
        if not samples or any(sample.face.embedding is None for sample in samples):
            raise ValueError("enrolling needs samples with embeddings")
        moment = now()
        pictures = [encode_crop(sample.face.crop, lossless=True) for sample in samples]
        with self._write(undoable=True) as write:
            person_id = person_for(write, name)
            models = model_keys_of(write.connection, (sample.face for sample in samples))
            for sample, picture in zip(samples, pictures, strict=True):
                values = face_values(sample.face, sample.scale, moment)
                photo_id = photo_for(write, sample)
                known = indexed_face(write, photo_id, sample)
                if known is None:
                    face_id = insert_row(
                        write,
                        Face,
                        {**values, "photo_id": photo_id, "person_id": person_id, "indexed": False},
                    )
                    write.connection.execute(insert(Crop).values(face_id=face_id, picture=picture))
                    write.added("crop", [face_id])
                else:
                    face_id = known
                    write.changing("face", [face_id])
                    write.changing("crop", [face_id])
                    write.connection.execute(
                        update(Face).where(Face.id == face_id).values(**values, person_id=person_id)
                    )
                    write.connection.execute(update(Crop).where(Crop.face_id == face_id).values(picture=picture))
                    follow_owner(write, [face_id], person_id)
                embedding = sample.face.embedding
                assert embedding is not None
                set_embedding(write, face_id, models[embedding.model_id], embedding.vector)
            write.samples = True
            write.text = f"Enrolled {name}"
        return person_id, write.change

    def enroll_faces(self, name: str, face_ids: Sequence[int]) -> tuple[int, Change]:
        """Make faces that are stored already samples of the person of that name, made when there is none.

        Raises
        ------
        KnownError
            The name is empty, or a face is no longer there.
        """
        name = clean_name(name)
        with self._write(undoable=True) as write:
            person_id = person_for(write, name)
            give(write, face_ids, person_id)
            write.text = f"Enrolled {name}"
        return person_id, write.change

    def rename(self, person_id: int, name: str) -> Change:
        """Give a person another name.

        Raises
        ------
        KnownError
            The name is empty or somebody else's.
        """
        name = clean_name(name)
        key = name_key(name)
        with self._write(undoable=True) as write:
            old = require_person(write.connection, person_id)
            taken = write.connection.execute(
                select(Person.name).where(Person.name_key == key, Person.id != person_id)
            ).scalar()
            if taken is not None:
                raise KnownError(
                    f"{taken} is enrolled already.",
                    "Two people cannot have one name.",
                    "Choose another name, or merge the two.",
                )
            write.changing("person", [person_id])
            write.connection.execute(update(Person).where(Person.id == person_id).values(name=name, name_key=key))
            write.samples = True
            write.text = f"Renamed {old.name} to {name}"
        return write.change

    def merge(self, into: int, other: int) -> Change:
        """Give all of `other`'s samples and decisions to `into`, and remove `other`.

        Raises
        ------
        KnownError
            One of them is no longer there.
        ValueError
            Both are the same person.
        """
        if into == other:
            raise ValueError("a person cannot be merged with themselves")
        with self._write(undoable=True) as write:
            connection = write.connection
            kept, gone = require_person(connection, into), require_person(connection, other)
            write.changing("person", [into, other])
            faces = connection.scalars(select(Face.id).where(Face.person_id == other)).all()
            write.changing("face", faces)
            connection.execute(update(Face).where(Face.person_id == other).values(person_id=into))
            naming = or_(Decision.person_id == other, Decision.runner_up_id == other)
            write.changing("decision", connection.scalars(select(Decision.id).where(naming)).all())
            connection.execute(update(Decision).where(Decision.person_id == other).values(person_id=into))
            connection.execute(update(Decision).where(Decision.runner_up_id == other).values(runner_up_id=into))
            # Who was the runner-up is now the same person: nobody was.
            alone = Decision.person_id == Decision.runner_up_id
            write.changing("decision", connection.scalars(select(Decision.id).where(alone)).all())
            connection.execute(update(Decision).where(alone).values(runner_up_id=None, margin=None))
            follow_merge(write, into, other)
            seen = select(func.max(Person.last_seen)).where(Person.id.in_([into, other])).scalar_subquery()
            connection.execute(update(Person).where(Person.id == into).values(last_seen=seen))
            connection.execute(delete(Person).where(Person.id == other))
            write.samples = True
            write.text = f"Merged {gone.name} into {kept.name}"
        return write.change

    def move_sample(self, face_id: int, to_person: int) -> Change:
        """Give one face to another person.

        Raises
        ------
        KnownError
            The face or the person is no longer there.
        """
        with self._write(undoable=True) as write:
            person = require_person(write.connection, to_person)
            give(write, [face_id], to_person)
            write.text = f"Moved a sample to {person.name}"
        return write.change

    def remove_samples(self, face_ids: Iterable[int]) -> Change:
        """Take samples away from their people.

        A face that the folder index found stays in the index without a person; any other is deleted with its crop
        and vectors.
        """
        with self._write(undoable=True) as write:
            connection = write.connection
            rows = [
                row
                for some in chunks(face_ids)
                for row in connection.execute(
                    select(Face.id, Face.person_id, Face.indexed).where(Face.id.in_(some), Face.person_id.is_not(None))
                )
            ]
            people = {row.person_id for row in rows if row.person_id is not None}
            write.people |= people
            kept = [row.id for row in rows if row.indexed]
            write.changing("face", kept)
            for some in chunks(kept):
                connection.execute(update(Face).where(Face.id.in_(some)).values(person_id=None))
            delete_faces(write, [row.id for row in rows if not row.indexed])
            names = ", ".join(sorted(names_of(connection, list(people)).values()))
            count = "a sample" if len(rows) == 1 else f"{len(rows)} samples"
            write.samples = True
            write.text = f"Removed {count} of {names}" if rows else "Nothing to remove"
        self._tidy()
        return write.change

    def delete_person(self, person_id: int) -> Change:
        """Delete a person with everything of theirs.

        That is: their samples with crops and vectors, the decisions that compared somebody with them or used one of
        their photos, and the photos that nothing else needs. Where they were runner-up in somebody else's
        decision, that entry is cleared. A photo in an indexed folder counts as not yet read: the next visit of that
        folder finds its faces anew, as anybody's.
        """
        with self._write(undoable=True) as write:
            connection = write.connection
            person = require_person(connection, person_id)
            write.changing("person", [person_id])
            faces = connection.execute(
                select(Face.id, Face.photo_id, Face.indexed).where(Face.person_id == person_id)
            ).all()
            again = {row.photo_id for row in faces if row.indexed}
            write.changing("photo", again)
            for some in chunks(again):
                connection.execute(update(Photo).where(Photo.id.in_(some)).values(indexed=None))
            paths = delete_faces(write, [row.id for row in faces])
            theirs = [
                *connection.scalars(select(Decision.id).where(Decision.person_id == person_id)),
                *decisions_with(write, paths),
            ]
            write.changing("decision", theirs)
            for some in chunks(theirs):
                connection.execute(delete(Decision).where(Decision.id.in_(some)))
            second = Decision.runner_up_id == person_id
            write.changing("decision", connection.scalars(select(Decision.id).where(second)).all())
            connection.execute(update(Decision).where(second).values(runner_up_id=None))
            leave_people(write, person_id)
            connection.execute(delete(Person).where(Person.id == person_id))
            write.samples = write.deletion = True
            write.text = f"Removed {person.name}"
        self._tidy()
        return write.change

    def undo(self, undo: Undo) -> Change:
        """Take a write back; the rows return with their old ids. The result can be undone in turn.

        Raises
        ------
        KnownError
            Something else has changed the same rows since, or taken the person's name, or another gallery lies in the
            place of the one that was written.
        """
        try:
            with self._write(undoable=True) as write:
                if read_stamp(write.connection)[0] != undo.epoch:
                    raise KnownError("This can no longer be undone.", "The gallery was erased or replaced since.", "")
                for image in undo.rows:
                    if image.before is None:
                        write.changing(image.table, [image.key])
                    else:
                        write.changing(image.table, [image.key]) if image.after else write.added(
                            image.table, [image.key]
                        )
                undoing.restore(write.connection, undo.rows)
                drop_orphan_photos(write, [image.key for image in undo.rows if image.table == "photo"])
                write.samples = write.removed = write.deletion = True
                write.text = f"Undone: {undo.text}"
        except IntegrityError as error:
            raise KnownError(
                "This can no longer be undone.",
                "The name or the photos in it have been used again since.",
                "Rename or remove the newer entry, then try again.",
            ) from error
        self._tidy()
        return write.change
