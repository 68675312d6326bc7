"""People enrolled through the window, with real models: from photos, and with a film as the camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from facegui.gui.main_window import MainWindow
from facegui.gui.pages.enroll import EnrollPage
from facegui.gui.widgets.photo_view import PhotoView
from facegui.services import EnrolSample, Services
from tests import faces

WAIT = 30_000


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The astronaut three times, each time seen a little otherwise; a wall; a file that was cut off."""
    folder = tmp_path_factory.mktemp("pictures")
    original = cv2.imread(str(faces.astronaut()))
    height, width = original.shape[:2]
    found = {"first": faces.astronaut(), "hopper": faces.hopper(), "group": faces.group()}
    for name, angle, zoom, light in (("second", 14, 0.9, 0.6), ("third", -14, 0.7, 1.2)):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, zoom)
        picture = cv2.convertScaleAbs(cv2.warpAffine(original, turn, (width, height)), alpha=light)
        found[name] = folder / f"{name}.jpg"
        cv2.imwrite(str(found[name]), picture, [cv2.IMWRITE_JPEG_QUALITY, 30])
    found["wall"] = folder / "wall.png"
    cv2.imwrite(str(found["wall"]), np.full((300, 400, 3), 200, np.uint8))
    found["damaged"] = folder / "damaged.jpg"
    found["damaged"].write_bytes(found["second"].read_bytes()[:40])
    return found


@pytest.fixture
def page(qtbot, window: MainWindow, services: Services) -> Iterator[EnrollPage]:
    window.show_page("enroll")
    assert isinstance(window.page, EnrollPage)
    yield window.page
    window.page.deactivate()
    for person in services.gallery.people():
        services.gallery.delete_person(person.id)


def enroll(services: Services, name: str, path: Path) -> int:
    photo, face = services.probe(path)
    return services.enroll(name, [EnrolSample(face, photo.frame)])[0]


def drop(target: PhotoView, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(target.rect().center()), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    target.dropEvent(event)  # Qt delivers no drop without a drag of the system's own


def drop_and_wait(qtbot, page: EnrollPage, *paths: Path) -> None:
    before = len(page.photos.list.lines)
    drop(page.photos.view, *paths)
    qtbot.waitUntil(lambda: len(page.photos.list.lines) == before + len(paths), timeout=WAIT)
    qtbot.waitUntil(lambda: not page.photos.reading and page.saving.checked, timeout=WAIT)


def save_as(qtbot, page: EnrollPage, name: str) -> None:
    page.tray.name.setFocus()
    QTest.keyClicks(page.tray.name, name)
    qtbot.waitUntil(lambda: page.saving.checked, timeout=WAIT)
    with qtbot.waitSignal(page.undo_offered, timeout=WAIT):
        QTest.keyClick(page.tray.name, Qt.Key.Key_Return)


def warnings(page: EnrollPage) -> str:
    return "; ".join(page.tray.warnings.texts)


def press(qtbot, page: EnrollPage, words: str) -> None:
    def found() -> list[QAbstractButton]:
        return [b for b in page.findChildren(QAbstractButton) if b.text() == words and b.isVisible()]

    qtbot.waitUntil(lambda: bool(found()), timeout=WAIT)
    found()[0].click()


def test_a_person_is_enrolled_from_several_photos(qtbot, window, page, services, pictures) -> None:
    drop_and_wait(qtbot, page, pictures["first"], pictures["second"], pictures["third"])
    assert page.photos.view.has_image
    shown = [card.sample.face.crop for card in page.tray.cards]
    assert len(shown) == 3
    assert warnings(page) == ""
    save_as(qtbot, page, "Eileen")

    (person,) = services.gallery.people()
    assert (person.name, person.samples) == ("Eileen", 3)
    stored = services.gallery.samples(person.id)
    assert [Path(sample.photo_path).name for sample in stored] == ["astronaut.png", "second.jpg", "third.jpg"]
    assert all(np.array_equal(sample.crop, crop) for sample, crop in zip(stored, shown, strict=True))
    assert page.tray.labels()[2].text() == "Eileen now has 3 samples."
    qtbot.waitUntil(lambda: "1 person, 3 samples" in window.strip._counts.text(), timeout=WAIT)

    window.strip.undo()
    qtbot.waitUntil(lambda: services.gallery.people() == [], timeout=WAIT)


def test_a_photo_without_a_face_and_a_damaged_one_say_so(qtbot, page, pictures) -> None:
    drop_and_wait(qtbot, page, pictures["wall"], pictures["damaged"])
    wall, damaged = page.photos.list.lines
    assert (wall.detail, wall.bad) == ("No face found", True)
    assert damaged.bad
    assert damaged.detail
    assert "No face found" in page.photos.view.accessibleName()
    assert page.tray.samples == ()
    assert not page.primary_action.isEnabled()


def test_a_face_of_a_group_is_chosen_by_click(qtbot, page, services, pictures) -> None:
    drop_and_wait(qtbot, page, pictures["group"])
    view = page.photos.view
    assert len(view.marks) == faces.GROUP_SIZE
    wanted = (view.selected + 3) % faces.GROUP_SIZE
    QTest.mouseClick(
        view, Qt.MouseButton.LeftButton, pos=view.viewport().rect(view.marks[wanted].box).center().toPoint()
    )
    (sample,) = page.tray.samples
    assert sample.face.detection.box == view.marks[wanted].box
    save_as(qtbot, page, "Somebody")
    (person,) = services.gallery.people()
    (stored,) = services.gallery.samples(person.id)
    assert np.array_equal(stored.crop, sample.face.crop)


def test_a_sample_that_repeats_another_is_warned_of_before_saving(qtbot, page, services, pictures) -> None:
    enroll(services, "Eileen", pictures["first"])
    page.refresh()
    drop_and_wait(qtbot, page, pictures["first"], pictures["second"])
    QTest.keyClicks(page.tray.name, "Eileen")
    qtbot.waitUntil(lambda: page.saving.checked and bool(page.tray.warnings.texts), timeout=WAIT)
    assert warnings(page).startswith("Sample 1 nearly repeats another (")
    press(qtbot, page, "Leave out")
    assert [sample.title for sample in page.tray.samples] == ["second.jpg"]
    qtbot.waitUntil(lambda: page.saving.checked and warnings(page) == "", timeout=WAIT)
    assert len(services.gallery.samples(services.gallery.people()[0].id)) == 1


def test_a_sample_that_looks_like_somebody_else_names_them_before_saving(qtbot, page, services, pictures) -> None:
    enroll(services, "Eileen", pictures["first"])
    enroll(services, "Grace", pictures["hopper"])
    page.refresh()
    drop_and_wait(qtbot, page, pictures["second"])
    assert "looks like Eileen" in warnings(page)
    press(qtbot, page, "Show")
    press(qtbot, page, "Add to Eileen")
    qtbot.waitUntil(lambda: page.saving.checked and warnings(page) == "", timeout=WAIT)
    with qtbot.waitSignal(page.undo_offered, timeout=WAIT):
        page.saving.save()
    assert {person.name: person.samples for person in services.gallery.people()} == {"Eileen": 2, "Grace": 1}


def test_samples_of_two_people_are_noticed(qtbot, page, pictures) -> None:
    drop_and_wait(qtbot, page, pictures["first"], pictures["hopper"])
    assert "2 samples are unlike others" in warnings(page)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut, moving and turning a little before the camera."""
    target = tmp_path_factory.mktemp("film") / "astronaut.avi"
    original = cv2.imread(str(faces.astronaut()))
    height, width = original.shape[:2]
    writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*"MJPG"), 10, (width, height))
    for step in range(20):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), step - 10, 1.0)
        writer.write(cv2.warpAffine(original, turn, (width, height)))
    writer.release()
    return target


def take(qtbot, page: EnrollPage, wanted: int) -> None:
    """Look until a face was seen, then press Space; so often as samples are wanted."""
    for count in range(1, wanted + 1):
        with qtbot.waitSignal(page.camera.looked_at, timeout=WAIT, check_params_cb=lambda photo: bool(photo.faces)):
            pass
        QTest.keyClick(page.camera.take_button, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda count=count: len(page.tray.samples) == count, timeout=WAIT)


def enrolled_from(qtbot, page: EnrollPage, services: Services, source: Path) -> int:
    page.camera_mode.click()
    page.camera.bar.choose(str(source))
    take(qtbot, page, 2)
    assert page.camera.hint.text().startswith("Taken.")
    shown = [card.sample.face.crop for card in page.tray.cards]
    save_as(qtbot, page, "Film")
    (person,) = services.gallery.people()
    stored = services.gallery.samples(person.id)
    assert all(np.array_equal(sample.crop, crop) for sample, crop in zip(stored, shown, strict=True))
    page.photo_mode.click()
    qtbot.waitUntil(lambda: page.camera.camera.frame is None, timeout=WAIT)
    return person.id


def test_a_person_is_enrolled_with_a_film_as_the_camera(qtbot, page, services, film, pictures) -> None:
    person_id = enrolled_from(qtbot, page, services, film)
    _photo, face = services.probe(pictures["second"])
    (candidate,) = services.identify(face)
    rule = services.rule()
    assert rule is not None
    assert candidate.person_id == person_id
    assert candidate.similarity >= rule.threshold


def test_a_real_face_before_the_camera_is_enrolled(qtbot, page, services, shared_data) -> None:
    person_id = enrolled_from(qtbot, page, services, shared_data / "video" / "d9.mp4")
    assert services.gallery.person(person_id).samples == 2


def test_real_photos_of_two_people_are_told_apart(qtbot, page, services, shared_data) -> None:
    portraits = shared_data / "portraits"
    drop_and_wait(qtbot, page, portraits / "obama.jpg", portraits / "obama-1080p.jpg")
    save_as(qtbot, page, "Barack")
    drop_and_wait(qtbot, page, portraits / "biden.jpg")
    assert "looks like" not in warnings(page)
    drop_and_wait(qtbot, page, portraits / "obama2.jpg")
    assert "Sample 2 looks like Barack" in warnings(page)
