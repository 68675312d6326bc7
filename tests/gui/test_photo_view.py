from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage
from PySide6.QtTest import QTest

from facegui.faces.types import QualityReason
from facegui.gui import images
from facegui.gui.widgets.face_card import FaceCard
from facegui.gui.widgets.photo_marks import quality_text, reason_advice, reason_text
from facegui.gui.widgets.photo_view import PhotoView
from facegui.matching.decision import Outcome


@pytest.fixture
def view(qtbot) -> PhotoView:
    view = PhotoView()
    qtbot.addWidget(view)
    view.resize(408, 308)
    with qtbot.waitExposed(view):
        view.show()
    return view


def click(view: PhotoView, face: int, double: bool = False) -> None:
    place = view.viewport().rect(view.marks[face].box).center().toPoint()
    act = QTest.mouseDClick if double else QTest.mouseClick
    act(view, Qt.MouseButton.LeftButton, pos=place)


def test_the_largest_face_is_chosen_first_and_a_click_chooses_another(qtbot, view: PhotoView, photo) -> None:
    view.set_photo(photo(3))
    assert view.selected == 0
    with qtbot.waitSignal(view.faceSelected) as told:
        click(view, 2)
    assert told.args == [2]
    assert view.selected == 2
    assert view.accessibleName() == "Photo, 3 faces, face 3 chosen"


def test_arrows_choose_from_left_to_right_and_enter_confirms(qtbot, view: PhotoView, photo) -> None:
    view.set_photo(photo(3))
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.selected == 1
    QTest.keyClick(view, Qt.Key.Key_Left)
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert view.selected == 2
    with qtbot.waitSignal(view.faceActivated) as told:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert told.args == [2]


def test_a_mirrored_picture_has_mirrored_marks(view: PhotoView, photo) -> None:
    view.set_photo(photo(2))
    straight = [view.viewport().rect(mark.box) for mark in view.marks]
    view.set_mirrored(True)
    mirrored = [view.viewport().rect(mark.box) for mark in view.marks]
    middle = view.viewport().target.center().x()
    for one, other in zip(straight, mirrored, strict=True):
        assert one.center().x() - middle == pytest.approx(middle - other.center().x())
        assert one.size() == other.size()
    click(view, 1)
    assert view.selected == 1
    point = view.viewport().point(0, 0)
    assert point.x() == pytest.approx(view.viewport().target.right())


def test_mirroring_turns_the_pixels_too(view: PhotoView, pixel) -> None:
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[:, :200] = (200, 0, 0)
    view.set_image(images.to_qimage(pixels))
    target = view.viewport().target
    left, right = target.left() + 60, target.right() - 60
    assert pixel(view, left, 150).red() > 150
    view.set_mirrored(True)
    assert pixel(view, left, 150).red() < 50
    assert pixel(view, right, 150).red() > 150


def test_marks_refer_to_the_frame_when_the_picture_shown_is_smaller(view: PhotoView, photo) -> None:
    found = photo(1)
    view.set_photo(found)
    full = view.viewport().rect(view.marks[0].box)
    view.set_photo(found, QImage(100, 75, QImage.Format.Format_RGB888))
    assert view.viewport().rect(view.marks[0].box) == full


def test_a_bad_face_says_why(view: PhotoView, photo, face) -> None:
    from dataclasses import replace

    view.set_photo(replace(photo(1), faces=(face(10, (QualityReason.BLURRED, QualityReason.DARK)),)))
    assert view.marks[0].bad == "blurred"
    assert "blurred" in view.accessibleName()


def test_the_frame_takes_the_decisions_colour(view: PhotoView, photo, pixel) -> None:
    from facegui.gui import theme

    view.set_photo(photo(1))
    view.set_outcome(Outcome.NO_MATCH)
    target = view.viewport().target
    assert pixel(view, target.center().x(), target.bottom() - 2) == theme.color("no_match")
    assert view.accessibleName().endswith("No match")


def test_files_dropped_on_it_are_told(qtbot, view: PhotoView) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/somewhere/a photo.jpg"), QUrl("https://example.org/b.jpg")])
    event = QDropEvent(
        QPointF(9, 9), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    with qtbot.waitSignal(view.dropped) as told:
        view.dropEvent(event)
    assert told.args[0].paths == (Path("/somewhere/a photo.jpg"),)


def test_an_empty_view_offers_its_action_and_cannot_take_the_focus(qtbot, view: PhotoView, photo) -> None:
    view.set_photo(photo(1))
    view.set_empty("photo", "Drop a photo here", "Or paste one.", "Open a photo")
    assert not view.has_image
    assert view.selected == -1
    assert view.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert view.accessibleName() == "Drop a photo here"
    with qtbot.waitSignal(view.action):
        QTest.mouseClick(view._empty._action, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("size", [(60, 60), (408, 308), (1600, 200)])
def test_it_paints_at_any_size(view: PhotoView, photo, size: tuple[int, int]) -> None:
    view.set_photo(photo(3))
    view.set_caption("a rather long name of a file.jpg")
    view.resize(*size)
    view.grab()


def test_pictures_go_to_arrays_and_back() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (31, 17, 3), np.uint8)
    assert np.array_equal(images.to_array(images.to_qimage(pixels)), pixels)
    assert np.array_equal(images.to_array(images.to_qimage(pixels[:, ::2])), pixels[:, ::2])


def test_transparency_lies_on_white() -> None:
    image = QImage(3, 2, QImage.Format.Format_ARGB32)
    image.fill(QColor(10, 20, 30, 0))
    image.setPixelColor(1, 0, QColor(10, 20, 30, 255))
    pixels = images.to_array(image)
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 1].tolist() == [10, 20, 30]
    assert images.frame_from(image, "clipboard").original_size == (3, 2)


def test_every_reason_has_words_and_advice() -> None:
    assert all(reason_text(reason) and reason_advice(reason).endswith(".") for reason in QualityReason)


def test_a_card_shows_the_reasons_and_can_be_chosen_and_removed(qtbot, face) -> None:
    card = FaceCard(selectable=True, removable=True)
    qtbot.addWidget(card)
    bad = face(0, (QualityReason.TURNED,))
    card.set_face(bad, "Ada")
    card.show()
    assert quality_text(bad.quality) == "turned away"
    assert card.accessibleName() == "Ada"
    assert card.accessibleDescription() == "turned away"
    with qtbot.waitSignal(card.toggled) as told:
        QTest.keyClick(card, Qt.Key.Key_Space)
    assert told.args == [True]
    with qtbot.waitSignal(card.toggled):
        QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    assert not card.checked
    with qtbot.waitSignal(card.removed):
        QTest.keyClick(card, Qt.Key.Key_Delete)
    card.set_outcome(Outcome.MATCH)
    assert "Match" in card.accessibleDescription()
    card.grab()
