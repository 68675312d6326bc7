"""The faces drawn over a photo: boxes, five points, the reason why one is bad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from facegui.faces.types import Box, Landmarks, Photo, Quality, QualityReason
from facegui.gui import theme
from facegui.gui.widgets.decision_badge import draw_badge, outcome_role
from facegui.matching.decision import Outcome

__all__ = [
    "FaceMark",
    "Viewport",
    "draw_frame",
    "draw_marks",
    "marks_of",
    "quality_text",
    "reason_advice",
    "reason_text",
]

_DIM: Final = 0.45
_PILL_SHARE: Final = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class FaceMark:
    """A face over a photo, in pixels of the photo's frame.

    Attributes
    ----------
    box : Box
    landmarks : Landmarks or None
    caption : str
        Written at the box, for example a name.
    bad : str
        Why the face is of no use; a bad face is dimmed and this is written on it.
    outcome : Outcome or None
        Colours the box.
    """

    box: Box
    landmarks: Landmarks | None = None
    caption: str = ""
    bad: str = ""
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Viewport:
    """Where the photo lies in the widget: target rectangle, size of the frame, mirrored or not."""

    target: QRectF
    width: int
    height: int
    mirrored: bool = False

    def rect(self, box: Box) -> QRectF:
        """Return a box in widget coordinates."""
        scale_x, scale_y = self.target.width() / self.width, self.target.height() / self.height
        left = self.width - box.right if self.mirrored else box.x
        return QRectF(
            self.target.left() + left * scale_x, self.target.top() + box.y * scale_y,
            box.width * scale_x, box.height * scale_y,
        )  # fmt: skip

    def point(self, x: float, y: float) -> QPointF:
        """Return a point in widget coordinates."""
        across = self.width - x if self.mirrored else x
        return QPointF(
            self.target.left() + across * self.target.width() / self.width,
            self.target.top() + y * self.target.height() / self.height,
        )


def reason_text(reason: QualityReason) -> str:
    """Return a quality reason in the user's language."""
    translate = QCoreApplication.translate
    return {
        QualityReason.TOO_SMALL: translate("Quality", "too small"),
        QualityReason.EYES_TOO_NEAR: translate("Quality", "eyes too near each other"),
        QualityReason.BLURRED: translate("Quality", "blurred"),
        QualityReason.DARK: translate("Quality", "dark"),
        QualityReason.OVEREXPOSED: translate("Quality", "over-exposed"),
        QualityReason.TURNED: translate("Quality", "turned away"),
        QualityReason.PARTLY_OUTSIDE: translate("Quality", "partly outside"),
        QualityReason.UNCLEAR: translate("Quality", "hard to make out"),
        QualityReason.COVERED: translate("Quality", "partly covered"),
        QualityReason.EYES_CLOSED: translate("Quality", "eyes closed"),
        QualityReason.MOUTH_OPEN: translate("Quality", "mouth open"),
    }.get(reason, str(reason))


def reason_advice(reason: QualityReason) -> str:
    """Return what to do about a quality reason, one short sentence."""
    translate = QCoreApplication.translate
    return {
        QualityReason.TOO_SMALL: translate("Quality", "Come closer, or use a larger photo."),
        QualityReason.EYES_TOO_NEAR: translate("Quality", "Come closer, or use a larger photo."),
        QualityReason.BLURRED: translate("Quality", "Hold still, or use a sharper photo."),
        QualityReason.DARK: translate("Quality", "Put more light on the face."),
        QualityReason.OVEREXPOSED: translate("Quality", "Put less light on the face."),
        QualityReason.TURNED: translate("Quality", "Look towards the camera."),
        QualityReason.PARTLY_OUTSIDE: translate("Quality", "Move so that the whole face is in the picture."),
        QualityReason.UNCLEAR: translate("Quality", "Show the whole face to the camera, in even light."),
        QualityReason.COVERED: translate("Quality", "Take off what covers the face."),
        QualityReason.EYES_CLOSED: translate("Quality", "Keep the eyes open."),
        QualityReason.MOUTH_OPEN: translate("Quality", "Close the mouth."),
    }.get(reason, "")


def quality_text(quality: Quality) -> str:
    """Return the quality in words: the reasons, or ``good``."""
    if quality.reasons:
        return ", ".join(reason_text(reason) for reason in quality.reasons)
    return QCoreApplication.translate("Quality", "good quality")


def marks_of(photo: Photo) -> tuple[FaceMark, ...]:
    """Return marks of all faces of a photo; one with quality reasons says the worst of them."""
    return tuple(
        FaceMark(
            face.detection.box, face.detection.landmarks,
            bad=reason_text(face.quality.reasons[0]) if face.quality.reasons else "",
        )
        for face in photo.faces
    )  # fmt: skip


def _pill_area(painter: QPainter, bounds: QRectF, at: QRectF, text: str) -> QRectF:
    """Return where a text goes: at the foot of a box, kept inside the photo."""
    half = theme.size("half")
    width = painter.fontMetrics().horizontalAdvance(text) + 3 * half
    height = painter.fontMetrics().height() + half
    left = min(max(at.center().x() - width / 2, bounds.left()), max(bounds.left(), bounds.right() - width))
    top = at.bottom() + half
    if top + height > bounds.bottom():
        top = max(bounds.top(), min(at.bottom(), bounds.bottom()) - height - half)
    return QRectF(left, top, min(width, bounds.width()), height)


def _draw_pills(painter: QPainter, view: Viewport, marks: tuple[FaceMark, ...], first: list[int]) -> None:
    """Write words on dark pills: those of `first` always, others where the box is large enough and room is left."""
    painter.setFont(theme.font("small", bold=True))
    taken: list[QRectF] = []
    for index in [*first, *(i for i in range(len(marks)) if i not in first)]:
        text, box = marks[index].bad or marks[index].caption, view.rect(marks[index].box)
        if not text:
            continue
        area = _pill_area(painter, view.target, box, text)
        crowded = area.width() > _PILL_SHARE * box.width() or any(area.intersects(other) for other in taken)
        if crowded and index not in first:
            continue
        taken.append(area)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("overlay_back"))
        painter.drawRoundedRect(area, theme.size("small_radius"), theme.size("small_radius"))
        painter.setPen(theme.color("overlay"))
        room = int(area.width() - theme.size("half"))
        words = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)


def draw_marks(
    painter: QPainter, view: Viewport, marks: tuple[FaceMark, ...], selected: int, hovered: int, focused: bool
) -> None:
    """Draw all marks; the selected one is strong, the others thin."""
    painter.save()
    painter.setClipRect(view.target)
    radius = theme.size("small_radius")
    for index, mark in enumerate(marks):
        area = view.rect(mark.box)
        chosen = index == selected
        weight = theme.size("focus") + (1 if chosen and focused else 0) if chosen else theme.size("hairline")
        if mark.bad:
            veil = QColor(theme.color("overlay_back"))
            veil.setAlphaF(_DIM)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(veil)
            painter.drawRoundedRect(area, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("overlay_halo"), weight + theme.size("focus")))
        painter.drawRoundedRect(area, radius, radius)
        line = theme.color(outcome_role(mark.outcome)) if mark.outcome is not None else theme.color("overlay")
        style = Qt.PenStyle.DashLine if mark.bad else Qt.PenStyle.SolidLine
        painter.setPen(QPen(line, weight, style))
        painter.drawRoundedRect(area, radius, radius)
        if mark.landmarks is not None and (chosen or len(marks) == 1):
            _draw_points(painter, view, mark.landmarks, area)
    # The pointed-at and the chosen face come first.
    _draw_pills(painter, view, marks, [i for i in dict.fromkeys((hovered, selected)) if 0 <= i < len(marks)])
    painter.restore()


def _draw_points(painter: QPainter, view: Viewport, landmarks: Landmarks, area: QRectF) -> None:
    radius = max(1.5, min(float(theme.size("half")), area.width() / (2.5 * theme.size("unit"))) * 0.75)
    painter.setBrush(theme.color("overlay"))
    painter.setPen(QPen(theme.color("overlay_halo"), theme.size("hairline")))
    for x, y in landmarks.tolist():
        painter.drawEllipse(view.point(x, y), radius, radius)


def draw_frame(
    painter: QPainter, target: QRectF, outcome: Outcome | None, caption: str, *, highlighted: bool = False
) -> None:
    """Draw around a photo: a line of words at its foot, the border and the shape of a decision."""
    unit, half, radius = theme.size("unit"), theme.size("half"), theme.size("radius")
    if caption:
        painter.save()
        painter.setFont(theme.font("small"))
        height = painter.fontMetrics().height() + unit
        strip = QRectF(target.left(), target.bottom() - height, target.width(), height)
        path = QPainterPath()
        path.addRoundedRect(target, radius, radius)
        painter.setClipPath(path)
        painter.fillRect(strip, theme.color("overlay_back"))
        painter.setPen(theme.color("overlay"))
        room = int(strip.width() - 2 * unit)
        words = painter.fontMetrics().elidedText(caption, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(strip.adjusted(0, 0, 0, -half / 2), Qt.AlignmentFlag.AlignCenter, words)
        painter.restore()
    if outcome is not None or highlighted:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color(outcome_role(outcome) if outcome is not None else "accent"), half))
        inset = half / 2
        painter.drawRoundedRect(target.adjusted(inset, inset, -inset, -inset), radius, radius)
    if outcome is not None:
        place = QRectF(target.left() + 1.5 * unit, target.top() + 1.5 * unit, 4 * unit, 4 * unit)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("panel"))
        painter.drawRoundedRect(place.adjusted(-half, -half, half, half), radius, radius)
        draw_badge(painter, place, outcome)
