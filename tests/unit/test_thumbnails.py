"""The cache of small pictures of faces: bounded, made again, and without a copy of what was erased."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from gallery_samples import face, indexed, sample

from facegui import paths
from facegui.cli.doctor import _thumbnails
from facegui.faces.align import align
from facegui.faces.types import Box, Face, Image
from facegui.gallery.backup import restore
from facegui.gallery.records import NewSample
from facegui.lookalikes.thumbnail_cache import ThumbnailCache, held
from facegui.services import Services
from facegui.services.thumbnails import better_thumbnail, thumbnail
from facegui.settings import Settings

SIDE = 400


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with Services(gallery=tmp_path / "gallery.sqlite", settings=Settings()) as made:
        yield made


def photo_with_face(path: Path, seed: int) -> Face:
    """Write a photo of smooth patches and return a face in it whose crop was cut out of it."""
    rng = np.random.default_rng(seed)
    pixels = cv2.resize(rng.integers(40, 256, (20, 20, 3), dtype=np.uint8), (SIDE, SIDE))
    assert cv2.imwrite(str(path), pixels[:, :, ::-1])
    plain = face(seed, box=Box(140, 140, 100, 110))
    return Face(plain.detection, align(pixels, plain.detection.landmarks), plain.quality, plain.embedding)


def add(services: Services, folder: Path, *seeds: int) -> list[int]:
    photos = [indexed(str(folder / f"{n}.png"), photo_with_face(folder / f"{n}.png", n)) for n in seeds]
    return sorted(services.gallery.add_photos(photos).faces)


def files() -> list[str]:
    return sorted(path.stem for path in paths.cache_dir().rglob("*.jpg"))


def picture(shade: int) -> Image:
    return np.full((224, 224, 3), shade, np.uint8)


def test_the_crop_stands_in_the_same_place_until_the_photo_was_looked_at(services: Services, tmp_path: Path) -> None:
    (one,) = add(services, tmp_path, 1)
    rough = thumbnail(services, one)
    assert rough is not None
    assert not rough[1]
    better = better_thumbnail(services, one)
    assert better is not None
    assert better.shape == rough[0].shape
    inner = slice(60, 190)
    first, second = (shown[inner, inner].astype(float).ravel() for shown in (rough[0], better))
    assert np.corrcoef(first, second)[0, 1] > 0.97
    kept = thumbnail(services, one)
    assert kept is not None
    assert kept[1]
    assert np.abs(kept[0].astype(int) - better).mean() < 4
    assert files() == [str(one)]
    assert f"1 pictures of faces in the cache, {held().size / 2**20:.1f} of at most 256 MB" in _thumbnails().text


def test_a_photo_that_shows_something_else_by_now_is_not_cut_up(services: Services, tmp_path: Path) -> None:
    (one,) = add(services, tmp_path, 1)
    photo_with_face(tmp_path / "1.png", 2)
    assert better_thumbnail(services, one) is None
    (tmp_path / "1.png").unlink()
    assert better_thumbnail(services, one) is None
    assert files() == []
    assert thumbnail(services, one) is not None


def test_what_lies_outside_the_photo_is_not_black(services: Services, tmp_path: Path) -> None:
    pixels = np.full((110, 110, 3), 200, np.uint8)
    cv2.imwrite(str(tmp_path / "edge.png"), pixels)
    plain = face(3, box=Box(0, 0, 110, 110))
    whole = Face(plain.detection, np.full((112, 112, 3), 200, np.uint8), plain.quality, plain.embedding)
    whole.crop[::7] = 190  # a plain crop has no correlation with anything
    pixels = cv2.resize(whole.crop, (110, 110))
    cv2.imwrite(str(tmp_path / "edge.png"), pixels)
    cut = Face(plain.detection, align(pixels, plain.detection.landmarks), plain.quality, plain.embedding)
    (one,) = services.gallery.add_photos([indexed(str(tmp_path / "edge.png"), cut)]).faces
    better = better_thumbnail(services, one)
    assert better is not None
    assert better.min() > 20


def test_a_damaged_or_deleted_cache_is_made_again(services: Services, tmp_path: Path) -> None:
    one, other = add(services, tmp_path, 1, 2)
    for face_id in (one, other):
        better_thumbnail(services, face_id)
    for path in paths.cache_dir().rglob("*.jpg"):
        path.write_bytes(path.read_bytes()[:10] if path.stem == str(one) else b"")
    for face_id in (one, other):
        rough = thumbnail(services, face_id)
        assert rough is not None
        assert not rough[1]
    assert files() == []
    shutil.rmtree(paths.cache_dir())
    assert better_thumbnail(services, one) is not None
    assert files() == [str(one)]


def test_no_copy_of_an_erased_face_is_left(services: Services, tmp_path: Path) -> None:
    one, other, third = add(services, tmp_path, 1, 2, 3)
    person, _ = services.gallery.enroll_faces("Ada", [other])
    for face_id in (one, other, third):
        better_thumbnail(services, face_id)
    services.gallery.forget_photos([services.gallery.faces([one])[0].photo_id])
    services.gallery.delete_person(person)
    assert str(one) not in files()
    assert str(other) not in files()
    assert str(third) in files()


def test_a_copy_left_by_a_killed_program_goes_at_the_next_start(services: Services, tmp_path: Path) -> None:
    one, other = add(services, tmp_path, 1, 2)
    for face_id in (one, other):
        better_thumbnail(services, face_id)
    gallery = services.gallery
    photo = gallery.faces([one])[0].photo_id
    gallery._listeners.clear()  # as if it were killed between the deletion and what follows from it
    gallery.forget_photos([photo])
    assert str(one) in files()
    with Services(gallery=gallery.file, settings=Settings()) as again:
        assert again.gallery.counts().faces == 1
    assert files() == [str(other)]


def test_another_program_that_makes_a_picture_of_a_face_erased_meanwhile_takes_it_back(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = add(services, tmp_path, 1)
    put = ThumbnailCache.put

    def erased_first(cache: ThumbnailCache, face_id: int, made: Image) -> None:
        with Services(gallery=services.gallery.file, settings=Settings()) as second:
            second.gallery.forget_photos([second.gallery.faces([face_id])[0].photo_id])
        put(cache, face_id, made)

    monkeypatch.setattr(ThumbnailCache, "put", erased_first)
    assert better_thumbnail(services, one) is None
    assert files() == []


def test_a_restored_gallery_never_shows_the_pictures_of_the_one_before(services: Services, tmp_path: Path) -> None:
    backup = services.gallery.backup(tmp_path / "backup.sqlite")
    (one,) = add(services, tmp_path, 1)
    better_thumbnail(services, one)
    restore(backup, services.gallery.file)
    services.gallery.poll()
    assert files() == []
    (again,) = add(services, tmp_path, 2)
    found = thumbnail(services, again)
    assert again == one
    assert found is not None
    assert not found[1]


def test_the_cache_stays_below_its_limit_and_what_was_used_last_stays(tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.sqlite"
    gallery.touch()
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    cache = ThumbnailCache(gallery, "0" * 32, lambda: 2**20)
    for number in range(60):
        cache.put(number, noise)
        for path in paths.cache_dir().rglob(f"{number}.jpg"):
            os.utime(path, (number, number))
        cache.get(0)  # used again and again
    assert held().size <= 2**20
    assert 10 < held().pictures < 40
    assert cache.get(59) is not None
    assert cache.get(0) is not None
    assert cache.get(1) is None
    nothing = ThumbnailCache(gallery, "0" * 32, lambda: 0)
    nothing.put(70, noise)
    assert nothing.get(70) is None


def test_galleries_do_not_see_each_other_and_a_deleted_one_leaves_nothing(tmp_path: Path) -> None:
    caches = []
    for name in "ab":
        (tmp_path / name).touch()
        caches.append(ThumbnailCache(tmp_path / name, name * 32, lambda: 2**20))
        caches[-1].put(1, picture(90 if name == "a" else 200))
    for cache, shade in zip(caches, (90, 200), strict=True):
        kept = cache.get(1)
        assert kept is not None
        assert abs(int(kept.mean()) - shade) <= 2
    (tmp_path / "a").unlink()
    ThumbnailCache(tmp_path / "b", "b" * 32, lambda: 2**20)
    assert caches[0].get(1) is None
    assert caches[1].get(1) is not None


def test_no_pictures_are_kept_where_the_user_wants_none(tmp_path: Path) -> None:
    with Services(gallery=tmp_path / "gallery.sqlite", settings=Settings()) as services:
        (one,) = add(services, tmp_path, 1)
        better_thumbnail(services, one)
        assert files() == [str(one)]
        services.change_settings(thumbnail_megabytes=0)
        found = thumbnail(services, one)
        assert found is not None
        assert not found[1]
        assert files() == []
        assert better_thumbnail(services, one) is not None
        assert files() == []


def test_the_crop_of_a_sample_from_a_camera_is_shown(services: Services) -> None:
    services.gallery.enroll("Ada", [NewSample.of(sample(1).face, services.read_bytes(png(), "Camera 1"))])
    (cover,) = [person.cover_face_id for person in services.gallery.people()]
    assert cover is not None
    assert better_thumbnail(services, cover) is None
    found = thumbnail(services, cover)
    assert found is not None
    assert not found[1]


def png() -> bytes:
    return cv2.imencode(".png", np.zeros((50, 50, 3), np.uint8))[1].tobytes()
