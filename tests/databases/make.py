"""Makes the small gallery that stands for the current version of the schema: run it before the schema changes.

    uv run python tests/databases/make.py

Nothing in it is real: crops are gradients, vectors are noise. Files of older versions are kept as they are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "unit"))

from gallery_samples import OTHER_MODEL, decision, face, indexed, sample, unit  # noqa: E402

from facegui.faces.types import Face, Image  # noqa: E402
from facegui.gallery.connect import copy_database  # noqa: E402
from facegui.gallery.records import DecisionKind, NewSample, Outcome  # noqa: E402
from facegui.gallery.store import Gallery  # noqa: E402
from facegui.gallery.upgrade import REVISIONS  # noqa: E402


def gradient(seed: int) -> Image:
    rows, columns = np.mgrid[0:112, 0:112]
    return np.stack([rows + seed, columns + seed, rows // 2 + columns // 2], 2).astype(np.uint8)


def plain(one: Face, seed: int) -> Face:
    return dataclasses.replace(one, crop=gradient(seed))


def plain_sample(seed: int, source: str) -> NewSample:
    made = sample(seed, source)
    return dataclasses.replace(made, face=plain(made.face, seed))


def fill(gallery: Gallery) -> None:
    """Put two people, an index of three files and two decisions into a new gallery."""
    anna, _ = gallery.enroll("Anna Example", [plain_sample(1, "/photos/a.jpg"), plain_sample(2, "/photos/b.jpg")])
    bela, _ = gallery.enroll("Béla Példa", [plain_sample(3, "camera")])
    gallery.add_photos(
        [
            indexed("/photos/a.jpg", plain(face(1), 1)),
            indexed("/photos/group.jpg", plain(face(5), 5), plain(face(80), 6)),
            indexed("/photos/caf\udce9.jpg", error="It is not a picture."),
        ]
    )
    gallery.store_embeddings(OTHER_MODEL, [(1, unit(1, 48))])
    gallery.record(decision(person_id=anna, runner_up_id=bela, margin=0.3, similarity=0.7))
    gallery.record(
        decision(kind=DecisionKind.VERIFY_PAIR, outcome=Outcome.NO_MATCH, reference="/photos/b.jpg", similarity=0.1)
    )


def main() -> None:
    target = HERE / f"v{REVISIONS[-1]}.sqlite"
    draft = HERE / "draft.sqlite"
    with Gallery.open(draft) as gallery:
        fill(gallery)
    copy_database(draft, target)
    with contextlib.closing(sqlite3.connect(target)) as connection:
        connection.execute("VACUUM")
    target.chmod(0o644)
    for leftover in HERE.glob("draft.sqlite*"):
        leftover.unlink()
    print(target, target.stat().st_size)


if __name__ == "__main__":
    main()
