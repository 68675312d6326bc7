"""The audit: each kind of finding is told where it is and nowhere else, and its mend mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import face, indexed, sample

from facegui.errors import KnownError
from facegui.faces.types import Embedding
from facegui.gallery.clusters import Grouped
from facegui.lookalikes.audit import Finding, Kind, Mend
from facegui.services import Services
from facegui.services.auditing import audit_gallery, cases, dismiss, mend


def near(seed: int, spread: float = 0.3, *, of: int) -> np.ndarray:
    """A face of person `of`; different faces by `seed`."""
    centre = np.random.default_rng(of).normal(size=320)
    made = centre + spread * 18 / np.sqrt(320) * np.random.default_rng(seed + 1000).normal(size=320)
    return (made / np.linalg.norm(made)).astype(np.float32)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with Services(gallery=tmp_path / "gallery.sqlite") as made:
        for of, name in ((1, "Anna"), (2, "Béla")):
            for number in range(4):
                enroll(made, name, near(10 * of + number, of=of))
        yield made


def enroll(services: Services, name: str, vector: np.ndarray, quality: float = 0.8) -> None:
    number = services.gallery.counts().samples + 1
    one = sample(number, f"/{number}.jpg", vector=vector, quality=quality)
    embedded = replace(one.face, embedding=Embedding(vector, services.model.sha256))
    services.gallery.enroll(name, [replace(one, face=embedded)])


def told(services: Services) -> list[tuple[Kind, int]]:
    return [(finding.kind, finding.face_ids[0]) for finding in audit_gallery(services)]


def only(services: Services) -> Finding:
    (finding,) = audit_gallery(services)
    return finding


def test_a_sound_gallery_has_nothing_to_mend(services: Services) -> None:
    assert told(services) == []


def test_a_sample_of_somebody_else_is_moved_to_them(services: Services) -> None:
    enroll(services, "Anna", near(77, of=2))
    finding = only(services)
    assert (finding.kind, finding.face_ids[0], finding.mend) == (Kind.MISPLACED, 9, Mend.MOVE)
    assert finding.own is not None
    assert finding.similarity > 0.5 > finding.own
    mend(services, finding)
    assert told(services) == []
    bela = services.gallery.person_named("Béla")
    assert bela is not None
    assert bela.samples == 5


def test_a_sample_like_nobody_is_removed(services: Services) -> None:
    vectors = services.gallery.template_matrix(services.model.sha256).vectors
    odd = np.random.default_rng(5).normal(size=320)
    odd -= np.linalg.pinv(vectors) @ (vectors @ odd)  # at right angles to all
    away = odd / np.linalg.norm(odd) + 0.05 * near(1, 0.0, of=1)
    enroll(services, "Anna", (away / np.linalg.norm(away)).astype(np.float32))
    finding = only(services)
    assert (finding.kind, finding.face_ids) == (Kind.OUTLIER, (9,))
    mend(services, finding)
    assert told(services) == []


def test_of_two_equal_samples_the_poorer_is_removed(services: Services) -> None:
    vector = near(10, of=1)
    enroll(services, "Anna", vector, quality=0.5)
    finding = only(services)
    assert (finding.kind, finding.face_ids) == (Kind.DUPLICATE, (9, 1))
    mend(services, finding)
    assert told(services) == []


def test_people_with_one_weak_sample_are_named(services: Services) -> None:
    enroll(services, "Cleo", near(3, of=3), quality=0.2)
    enroll(services, "Dora", near(4, of=4), quality=0.9)
    finding = only(services)
    assert (finding.kind, finding.face_ids, finding.mend) == (Kind.WEAK, (9,), Mend.ADD)
    assert cases(services)[0].mends == (), "without photos nothing can be added at once"
    with pytest.raises(KnownError, match="no photo to add"):
        mend(services, finding)


def test_a_weak_sample_is_joined_by_the_best_photos_that_were_confirmed(services: Services) -> None:
    gallery, model = services.gallery, services.model.sha256
    enroll(services, "Cleo", near(3, of=3), quality=0.2)
    gallery.add_photos([
        indexed(f"/cleo/{n}.jpg", replace(face(n), embedding=Embedding(near(30 + n, of=3), model))) for n in range(3)
    ])  # fmt: skip
    ids = [9, *gallery.evidence().face_ids.tolist()[-3:]]
    gallery.store_clusters(model, Grouped(np.array(ids), np.full(4, -2), np.ones(4, np.float32), np.ones(4, bool)), {})
    (cluster,) = (group.id for group in gallery.clusters())
    cleo = gallery.person_named("Cleo")
    assert cleo is not None
    gallery.confirm(cluster, "Cleo", faces=ids[:3])
    (case,) = cases(services)
    assert (case.person, case.mends) == ("Cleo", (Mend.ADD,))
    mend(services, case.finding)
    assert {sample.face_id for sample in gallery.samples(cleo.id)} == set(ids[:3]), "not the one nobody confirmed"
    assert told(services) == []


def test_a_sample_that_the_user_says_is_right_is_not_told_again(services: Services) -> None:
    enroll(services, "Anna", near(77, of=2))
    dismiss(services, only(services))
    assert told(services) == []
    services.gallery.undo_review()
    assert told(services) == [(Kind.MISPLACED, 9)]
    mend(services, only(services), Mend.REMOVE)
    assert told(services) == []


def test_twins_are_told_until_the_user_says_that_they_are_two(services: Services) -> None:
    enroll(services, "Anna's twin", near(80, of=1))
    findings = audit_gallery(services)
    assert Kind.CONFUSED in {finding.kind for finding in findings}
    twins = next(finding for finding in findings if finding.kind is Kind.CONFUSED)
    dismiss(services, twins)
    assert Kind.CONFUSED not in {finding.kind for finding in audit_gallery(services)}
    services.gallery.undo_review()
    mend(services, twins)
    assert told(services) == []


def test_an_empty_gallery_is_sound(tmp_path: Path) -> None:
    with Services(gallery=tmp_path / "empty.sqlite") as made:
        assert audit_gallery(made) == ()
