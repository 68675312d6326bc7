"""The Insights page with the margin lab."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QSlider, QToolButton, QWidget

from facegui.errors import KnownError
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages import insights_lab
from facegui.gui.pages.insights_lab import LabSection
from facegui.gui.pages.margin_lab import MarginLab
from facegui.matching.lab import Frame, Margin, Recorded, Recording, load

CENTRES = np.eye(3, dtype=np.float32)


def frame(epoch: float, spread: float) -> Frame:
    rng = np.random.default_rng(1)
    labels = np.arange(60) % 3
    points = CENTRES[labels] + rng.normal(0, spread, (60, 3)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    shares = np.zeros(90)
    shares[int(spread * 40)] = 1.0
    return Frame(points, CENTRES, epoch, 1.0 if epoch else float("nan"), 0.5, 0.9 + epoch / 100, 5, 90, shares, 0.01)


@pytest.fixture
def recording() -> Recording:
    names = {"softmax": Margin(1.0), "arcface": Margin(16.0, m2=0.5)}
    frames = (frame(0, 0.8), frame(1, 0.3), frame(2, 0.05))
    runs = tuple(Recorded(n, n, m, n != "softmax", 0.99, frames) for n, m in names.items())
    return Recording({"scale": 16.0}, np.arange(60) % 3, runs)


@pytest.fixture
def lab(qtbot, recording: Recording) -> MarginLab:
    made = MarginLab(recording)
    qtbot.addWidget(made)
    made.resize(1150, 650)
    made.show()
    qtbot.waitExposed(made)
    return made


def painted(widget: QWidget) -> QImage:
    return widget.grab().toImage()


def test_it_begins_with_the_end_of_training_and_the_first_caption(lab: MarginLab) -> None:
    assert lab.tour.step == 0
    assert lab.run.name == "arcface"
    assert lab.epochs.value() == lab.epochs.maximum()
    assert lab.sliders.margin == Margin(16.0, m2=0.5)
    assert lab.moment.text() == "epoch 2.0"
    assert "92.0 %" in lab.figures.text()
    assert [lab.chooser.itemData(k) for k in range(lab.chooser.count())] == ["softmax", "arcface"]


def test_six_captions_lead_through_it(qtbot, lab: MarginLab) -> None:
    assert len(lab.tour.captions) == 6
    forward = lab.tour.findChildren(QToolButton)[1]
    seen = []
    for _ in range(5):
        seen.append((lab.tour.caption.title, lab.run.name))
        qtbot.mouseClick(forward, Qt.MouseButton.LeftButton)
    assert not forward.isEnabled()
    assert len({title for title, _ in seen}) == 5
    assert [run for _, run in seen] == ["arcface", "arcface", "softmax", "arcface", "arcface"]
    assert all(len(caption.text) < 260 for caption in lab.tour.captions)


def test_the_fifth_caption_plays_the_epochs_and_they_end(qtbot, lab: MarginLab) -> None:
    lab._timer.setInterval(1)
    lab.tour.go(4)
    assert lab.playing
    assert lab.play.accessibleName() == "Stop"
    qtbot.waitUntil(lambda: not lab.playing)
    assert lab.epochs.value() == lab.epochs.maximum()
    qtbot.mouseClick(lab.play, Qt.MouseButton.LeftButton)
    assert lab.playing
    lab.hide()
    assert not lab.playing


def test_between_two_moments_points_move_on_the_sphere(lab: MarginLab) -> None:
    lab.epochs.setValue(8)
    points = lab.sphere._points
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-5)
    assert lab.moment.text() == "epoch 0.50"
    assert not np.allclose(points, lab.run.frames[0].points)


def test_the_arrow_keys_and_the_mouse_turn_the_sphere(qtbot, lab: MarginLab) -> None:
    before = lab.sphere.turn.copy()
    lab.sphere.setFocus()
    qtbot.keyClick(lab.sphere, Qt.Key.Key_Right)
    # What is in front goes to the right.
    assert (lab.sphere.turn @ before.T @ np.array([0, 0, 1]))[0] > 0.05
    qtbot.keyClick(lab.sphere, Qt.Key.Key_Home)
    np.testing.assert_allclose(lab.sphere.turn, before)
    middle = lab.sphere.rect().center()
    qtbot.mousePress(lab.sphere, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(lab.sphere, middle + QPoint(0, 40))
    qtbot.mouseRelease(lab.sphere, Qt.MouseButton.LeftButton)
    assert (lab.sphere.turn @ before.T @ np.array([0, 0, 1]))[1] < -0.05
    np.testing.assert_allclose(lab.sphere.turn @ lab.sphere.turn.T, np.eye(3), atol=1e-9)


@pytest.mark.parametrize("name", ["scale", "m1", "m2", "m3"])
def test_each_slider_changes_the_curve(qtbot, lab: MarginLab, name: str) -> None:
    slider: QSlider = lab.sliders.sliders[name]
    logits, boundaries = painted(lab.logits), painted(lab.boundaries)
    told = lab.logits.accessibleDescription()
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_PageUp)
    assert painted(lab.logits) != logits
    assert lab.logits.accessibleDescription() != told
    assert (painted(lab.boundaries) != boundaries) == (name != "scale")
    assert ("stay" in lab.sliders.note.text()) == (name != "scale")


def test_a_greater_margin_leaves_less_of_the_sphere(lab: MarginLab) -> None:
    lab.sliders._set(Margin(16.0))
    without = strong(painted(lab.sphere))
    lab.sliders._set(Margin(16.0, m2=0.5))
    assert strong(painted(lab.sphere)) < 0.8 * without


def strong(image: QImage) -> int:
    """Count pixels in the strong colours of regions."""
    pixels = [image.pixelColor(x, y) for x in range(0, image.width(), 4) for y in range(0, image.height(), 4)]
    return sum(colour.saturation() > 60 for colour in pixels)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_paint_every_part(qtbot, qapp, lab: MarginLab, scheme: str) -> None:
    theme.install(qapp, scheme)
    for part in (lab.sphere, lab.logits, lab.boundaries, lab.pairs):
        image = painted(part)
        colours = {QColor(image.pixelColor(x, y)).name() for x in range(0, image.width(), 3) for y in (40, 90, 120)}
        assert len(colours) > 3, part
    theme.install(qapp, "light")


def test_narrow_windows_put_the_plots_below(qtbot, lab: MarginLab) -> None:
    assert lab.logits.mapTo(lab, QPoint()).x() > lab.sphere.mapTo(lab, QPoint()).x() + 100
    lab.resize(830, 500)

    def below() -> bool:
        return lab.logits.mapTo(lab, QPoint()).y() > lab.sphere.mapTo(lab, QPoint()).y() + lab.sphere.height()

    qtbot.waitUntil(below)
    assert lab.sliders.mapTo(lab, QPoint()).x() > lab.sphere.width()


def test_everything_has_a_name_for_the_screen_reader(lab: MarginLab) -> None:
    parts = [lab.sphere, lab.epochs, lab.play, lab.chooser, lab.logits, lab.boundaries, lab.pairs, lab.tour]
    parts += lab.sliders.sliders.values()
    assert all(part.accessibleName() for part in parts)
    assert "epoch 2.0" in lab.sphere.accessibleDescription()
    assert "Threshold" in lab.pairs.accessibleDescription()
    assert all(part.focusPolicy() & Qt.FocusPolicy.TabFocus for part in (lab.sphere, lab.epochs, lab.play))


@pytest.mark.parametrize(
    "margin",
    [Margin(16.0), Margin(m1=1.35), Margin(m2=0.5), Margin(m3=0.35), Margin(64.0, 2.0, 1.0, 0.8)],
    ids=["none", "SphereFace", "ArcFace", "CosFace", "extreme"],
)
def test_the_plane_of_angles_is_coloured_where_the_loss_calls_a_picture_right(lab: MarginLab, margin: Margin) -> None:
    def right(own: float, other: float) -> bool:
        turned = margin.m1 * np.radians(own) + margin.m2
        return bool(turned <= np.pi and np.cos(turned) - margin.m3 > np.cos(np.radians(other)))

    lab.sliders._set(margin)
    image, area = painted(lab.boundaries), lab.boundaries.area()
    assert area.width() == pytest.approx(area.height())
    for a, b in ((7, 165), (21, 111), (35, 75), (51, 75), (81, 99), (120, 165), (160, 172), (75, 35), (62, 50)):
        colour = image.pixelColor(lab.boundaries.at(area, a, b).toPoint())
        seen = "A" if colour.blue() - colour.red() > 10 else "B" if colour.red() - colour.blue() > 10 else ""
        assert seen == ("A" if right(a, b) else "B" if right(b, a) else ""), (a, b, colour.name())


def test_the_captions_frame_what_they_speak_of(lab: MarginLab) -> None:
    for number, caption in enumerate(lab.tour.captions):
        lab.tour.go(number)
        told = {name for name, part in lab._parts.items() if part.property("role") == "told-card"}
        assert told == set(caption.about) & set(lab._parts)
        assert told


def test_the_second_caption_draws_two_angles(lab: MarginLab) -> None:
    assert lab.sphere._pairs == ()
    without = painted(lab.sphere)
    lab.tour.go(1)
    (first, second), (third, fourth) = lab.sphere._pairs
    labels = lab._recording.labels
    assert labels[first] == labels[second]
    assert labels[third] != labels[fourth]
    assert painted(lab.sphere) != without
    lab.tour.go(2)
    assert lab.sphere._pairs == ()


def test_no_picture_is_hidden_when_training_begins(qtbot) -> None:
    shipped = MarginLab(load())
    qtbot.addWidget(shipped)
    for name in ("softmax", "arcface"):
        shipped.show_run(name)
        shipped.epochs.setValue(0)
        assert ((shipped.sphere._points @ shipped.sphere.turn.T)[:, 2] > 0).mean() > 0.99
    shipped.epochs.setValue(24)
    assert shipped.moment.text() == "epoch 0.01"


def test_the_trained_margin_comes_back(qtbot, lab: MarginLab) -> None:
    back = lab.sliders.as_trained
    assert not back.isEnabled()
    for slider in lab.sliders.sliders.values():
        slider.setValue(slider.maximum())
    assert [chip.text() for chip, _ in lab.sliders.presets if chip.isChecked()] == []
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert lab.sliders.margin == lab.run.margin
    assert [chip.text() for chip, _ in lab.sliders.presets if chip.isChecked()] == ["ArcFace"]
    assert not back.isEnabled()


def test_the_wheel_scrolls_and_does_not_move_sliders_by_the_way(qtbot, qapp, lab: MarginLab) -> None:
    lab.resize(830, 500)
    qtbot.waitUntil(lambda: lab._scroller.verticalScrollBar().maximum() > 0)
    for slider in (lab.sliders.sliders["m2"], lab.epochs):
        before = slider.value()
        middle = slider.rect().center()
        turn = QWheelEvent(
            middle.toPointF(), slider.mapToGlobal(middle).toPointF(), QPoint(), QPoint(0, -120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        qapp.sendEvent(slider, turn)
        assert slider.value() == before


def test_long_words_are_not_cut_off_in_a_narrow_window(qtbot, lab: MarginLab) -> None:
    for chip, _ in lab.sliders.presets:
        chip.setText(f"{chip.text()} {chip.text()}")
    lab.resize(830, 500)
    bars = lab._scroller.verticalScrollBar(), lab._scroller.horizontalScrollBar()
    qtbot.waitUntil(lambda: [bar.maximum() > 0 for bar in bars] == [True, False])


def test_the_handles_of_sliders_are_whole(lab: MarginLab) -> None:
    sliders = [lab.epochs, *lab.sliders.sliders.values()]
    assert all(slider.height() >= theme.size("small_icon") + 2 * theme.size("focus") for slider in sliders)


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    made = Bridge()
    yield made
    made.close()


def test_the_page_loads_the_recording_once(qtbot, bridge: Bridge, recording: Recording, monkeypatch) -> None:
    loads: list[int] = []

    def load() -> Recording:
        loads.append(1)
        return recording

    monkeypatch.setattr(insights_lab, "load", load)
    section = LabSection(None, bridge)
    qtbot.addWidget(section)
    section.show()
    section.activate()
    qtbot.waitUntil(lambda: section.lab is not None)
    section.deactivate()
    section.activate()
    assert (section.is_empty, len(loads)) == (False, 1)


def test_a_recording_that_cannot_be_read_is_told_and_tried_again(qtbot, bridge, recording, monkeypatch) -> None:
    def missing() -> Recording:
        raise KnownError("The recorded runs cannot be shown.", "", "Install facegui again.")

    monkeypatch.setattr(insights_lab, "load", missing)
    section = LabSection(None, bridge)
    qtbot.addWidget(section)
    section.show()
    section.activate()
    qtbot.waitUntil(lambda: section.is_empty)
    assert section.error.error is not None
    monkeypatch.setattr(insights_lab, "load", lambda: recording)
    section.empty.activated.emit()
    qtbot.waitUntil(lambda: section.lab is not None)
    assert not section.is_empty


def test_runs_without_a_loss_yet_are_told_without_one(lab: MarginLab) -> None:
    lab.epochs.setValue(0)
    assert "Loss" not in lab.figures.text()
    assert dataclasses.asdict(lab.run.margin)["m2"] == 0.5
