"""Backups taken in use, restored after a check, and people written out as plain files."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from gallery_samples import MODEL, OTHER_MODEL, face, indexed, sample, unit

from facegui.errors import KnownError
from facegui.gallery import upgrade
from facegui.gallery.backup import restore, verify
from facegui.gallery.export import export_people
from facegui.gallery.store import Gallery


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery" / "gallery.sqlite") as opened:
        opened.enroll("Anna", [sample(1), sample(2)])
        yield opened


def test_a_backup_taken_in_use_is_one_whole_file(gallery: Gallery, tmp_path: Path) -> None:
    target = gallery.backup(tmp_path / "kept" / "backup.sqlite")
    gallery.enroll("Béla", [sample(3)])
    assert [entry.name for entry in target.parent.iterdir()] == ["backup.sqlite"]
    assert verify(target) == upgrade.REVISIONS[-1]
    with Gallery.open(target, read_only=True) as kept:
        assert [person.name for person in kept.people()] == ["Anna"]


def test_a_backup_overwrites_only_when_told_to(gallery: Gallery, tmp_path: Path) -> None:
    target = tmp_path / "backup.sqlite"
    target.write_text("something else")
    with pytest.raises(KnownError, match="exists already"):
        gallery.backup(target)
    assert target.read_text() == "something else"
    gallery.backup(target, overwrite=True)
    verify(target)
    with pytest.raises(KnownError, match="gallery itself"):
        gallery.backup(gallery.file, overwrite=True)


def test_a_restored_backup_is_seen_at_once_by_those_who_have_the_gallery_open(gallery: Gallery, tmp_path: Path) -> None:
    backup = gallery.backup(tmp_path / "backup.sqlite")
    gallery.delete_person(1)
    gallery.enroll("Béla", [sample(3)])
    assert gallery.template_matrix(MODEL).names == {2: "Béla"}
    assert not gallery.poll()
    kept = restore(backup, gallery.file)
    assert gallery.poll()
    assert [person.name for person in gallery.people()] == ["Anna"]
    assert gallery.template_matrix(MODEL).names == {1: "Anna"}
    assert gallery.template_matrix(MODEL).vectors.shape[0] == 2
    gallery.enroll("Cleo", [sample(4)])
    assert kept is not None
    with Gallery.open(kept, read_only=True) as before:
        assert [person.name for person in before.people()] == ["Béla"]


def test_a_backup_is_restored_where_nothing_is(gallery: Gallery, tmp_path: Path) -> None:
    backup = gallery.backup(tmp_path / "backup.sqlite")
    assert restore(backup, tmp_path / "new" / "gallery.sqlite") is None
    with Gallery.open(tmp_path / "new" / "gallery.sqlite") as restored:
        assert [person.name for person in restored.people()] == ["Anna"]
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["gallery.sqlite"]


def test_a_damaged_gallery_is_put_aside_for_the_backup(gallery: Gallery, tmp_path: Path) -> None:
    backup = gallery.backup(tmp_path / "backup.sqlite")
    broken = tmp_path / "broken" / "gallery.sqlite"
    broken.parent.mkdir()
    broken.write_bytes(b"not a database at all" * 500)
    kept = restore(backup, broken)
    assert kept is not None
    assert kept.read_bytes().startswith(b"not a database")
    with Gallery.open(broken) as restored:
        assert restored.counts().samples == 2


def test_a_backup_that_is_no_good_changes_nothing(gallery: Gallery, tmp_path: Path) -> None:
    backup = gallery.backup(tmp_path / "backup.sqlite")
    cut, newer, other = tmp_path / "cut.sqlite", tmp_path / "newer.sqlite", tmp_path / "other.sqlite"
    cut.write_bytes(backup.read_bytes()[:-20_000])
    shutil.copy(backup, newer)
    with closing(sqlite3.connect(newer)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num='9999'")
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE person (id)")
    for bad, words in (
        (cut, "damaged"),
        (newer, "newer"),
        (other, "another program"),
        (tmp_path / "missing.sqlite", "no file"),
        (gallery.file, "gallery itself"),
    ):
        with pytest.raises(KnownError, match=words):
            restore(bad, gallery.file)
    assert [person.name for person in gallery.people()] == ["Anna"]
    assert [entry.name for entry in gallery.file.parent.glob("*restore*")] == []


def test_an_old_backup_is_upgraded_while_it_is_restored(
    gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = gallery.backup(tmp_path / "backup.sqlite")
    before = backup.read_bytes()
    scripts = tmp_path / "scripts"
    shutil.copytree(upgrade.SCRIPTS, scripts)
    (scripts / "versions" / "next.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision, down_revision, branch_labels, depends_on = 'next', '{upgrade.REVISIONS[-1]}', None, None\n"
        "def upgrade():\n    op.add_column('photo', sa.Column('stars', sa.Integer(), nullable=True))\n"
    )
    monkeypatch.setattr(upgrade, "SCRIPTS", scripts)
    monkeypatch.setattr(upgrade, "REVISIONS", (*upgrade.REVISIONS, "next"))
    target = tmp_path / "new" / "gallery.sqlite"
    restore(backup, target)
    assert verify(target) == "next"
    assert backup.read_bytes() == before
    assert [entry.name for entry in target.parent.iterdir()] == ["gallery.sqlite"]


def exported(gallery: Gallery, folder: Path, name: str) -> dict[str, object]:
    document: dict[str, object] = json.loads((folder / name / "person.json").read_text(encoding="ascii"))
    return document


def test_an_exported_person_is_complete_and_readable_without_facegui(gallery: Gallery, tmp_path: Path) -> None:
    anna = gallery.people()[0]
    first, second = (one.face_id for one in gallery.samples(anna.id))
    gallery.store_embeddings(OTHER_MODEL, [(second, unit(2, 48))])
    folder = export_people(gallery, [anna.id], tmp_path / "out")
    assert folder == tmp_path / "out"
    document = exported(gallery, folder, "Anna")
    assert (document["format"], document["version"], document["name"]) == ("facegui person", 1, "Anna")
    samples = document["samples"]
    assert isinstance(samples, list)
    assert [one["source"] for one in samples] == ["/photos/1.jpg", "/photos/2.jpg"]
    assert samples[0]["quality"]["score"] == pytest.approx(0.8)
    assert samples[0]["box"] == {"x": 1.5, "y": 20.25, "width": 80.0, "height": 96.0}
    picture = cv2.imread(str(folder / "Anna" / samples[1]["crop"]))
    assert picture is not None
    np.testing.assert_array_equal(picture[:, :, ::-1], face(2).crop)
    with np.load(folder / "Anna" / "embeddings.npz", allow_pickle=False) as vectors:
        np.testing.assert_array_equal(vectors[MODEL], np.stack([unit(1), unit(2)]))
        assert vectors[f"{MODEL}.samples"].tolist() == [0, 1]
        np.testing.assert_array_equal(vectors[OTHER_MODEL], unit(2, 48)[None])
        assert vectors[f"{OTHER_MODEL}.samples"].tolist() == [1]
    assert first != second


def test_several_people_go_into_one_archive(gallery: Gallery, tmp_path: Path) -> None:
    gallery.enroll("a/b:c", [sample(5)])
    gallery.enroll("a?b*c", [sample(6, "/caf\udce9.jpg")])
    gallery.enroll("CON", [sample(7)])
    gallery.enroll("...", [sample(8)])
    ids = [person.id for person in gallery.people()]
    archive = export_people(gallery, ids, tmp_path / "people.zip")
    with zipfile.ZipFile(archive) as zipped:
        folders = {name.split("/")[0] for name in zipped.namelist()}
        assert folders == {"Anna", "a_b_c", "a_b_c (2)", "CON_", "person"}
        documents = [json.loads(zipped.read(f"{folder}/person.json")) for folder in folders]
        assert {document["name"] for document in documents} == {p.name for p in gallery.people()}
        assert any(one["source"] == "/caf\udce9.jpg" for document in documents for one in document["samples"])
    assert [entry.name for entry in tmp_path.glob(".people*")] == []


def test_a_person_without_samples_can_be_exported(gallery: Gallery, tmp_path: Path) -> None:
    gallery.remove_samples([one.face_id for one in gallery.samples(1)])
    folder = export_people(gallery, [1], tmp_path / "out")
    assert exported(gallery, folder, "Anna")["samples"] == []


def test_an_export_never_replaces_anything(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(KnownError, match="exists already"):
        export_people(gallery, [1], tmp_path / "out")
    with pytest.raises(KnownError, match="no longer"):
        export_people(gallery, [1, 77], tmp_path / "other")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KnownError, match="could not be written"):
        export_people(gallery, [1], tmp_path / "file" / "out")
    assert not (tmp_path / "other").exists()


def test_an_indexed_face_that_was_enrolled_is_exported_as_png(gallery: Gallery, tmp_path: Path) -> None:
    (face_id,) = gallery.add_photos([indexed("/9.jpg", face(9))]).faces
    cleo, _ = gallery.enroll_faces("Cleo", [face_id])
    folder = export_people(gallery, [cleo], tmp_path / "out")
    assert (folder / "Cleo" / "sample-0000.png").read_bytes().startswith(b"\x89PNG")
