"""The exact aligned crop, what it is, and how good it is."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from facegui.faces.align import CROP_SIZE
from facegui.faces.types import Face, Image, Landmarks, Quality
from facegui.gui import images, theme
from facegui.gui.widgets.decision_badge import draw_badge, outcome_role, outcome_word
from facegui.gui.widgets.parts import column, label, tool_button
from facegui.gui.widgets.photo_marks import quality_text, reason_advice
from facegui.matching.decision import Outcome

__all__ = ["CropView", "FaceCard", "QualityBar"]

_EMPTY_SHARE = 0.4


class CropView(QWidget):
    """An aligned crop with round corners; an outline of a face while there is none."""

    def __init__(self, parent: QWidget | None = None, *, side: int = 0) -> None:
        super().__init__(parent)
        self._side = side or theme.size("crop")
        self._image: QImage | None = None
        self._outcome: Outcome | None = None
        self._dimmed = False
        self._points: Landmarks | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def set_image(self, image: QImage | Image | None) -> None:
        """Show a crop, or the outline."""
        self._image = image if image is None or isinstance(image, QImage) else images.to_qimage(image)
        self.update()

    @property
    def image(self) -> QImage | None:
        """The crop shown."""
        return self._image

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Frame it in the colour of a decision, with the shape in the corner."""
        self._outcome = outcome
        self.update()

    def set_dimmed(self, dimmed: bool) -> None:
        """Draw it pale."""
        self._dimmed = dimmed
        self.update()

    def set_points(self, points: Landmarks | None) -> None:
        """Mark points of the face, (n, 2) in pixels of the 112x112 crop; None marks none."""
        self._points = points
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        side = min(self.width(), self.height()) - 1
        area = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        radius = theme.size("radius")
        path = QPainterPath()
        path.addRoundedRect(area, radius, radius)
        painter.fillPath(path, theme.color("sunken"))
        if self._image is None:
            length = area.width() * _EMPTY_SHARE
            sign = theme.pixmap("face", "disabled", round(length), self.devicePixelRatioF())
            place = QRectF(area.center().x() - length / 2, area.center().y() - length / 2, length, length)
            painter.drawPixmap(place, sign, QRectF(sign.rect()))
        else:
            painter.setClipPath(path)
            painter.setOpacity(_EMPTY_SHARE if self._dimmed else 1.0)
            painter.drawImage(area, self._image)
            painter.setOpacity(1.0)
            if self._points is not None:
                self._paint_points(painter, area)
            painter.setClipping(False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._outcome is None:
            painter.setPen(QPen(theme.color("border"), theme.size("hairline")))
            painter.drawRoundedRect(area, radius, radius)
            return
        painter.setPen(QPen(theme.color(outcome_role(self._outcome)), theme.size("focus") + 1))
        painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), radius, radius)
        length = theme.size("badge")
        corner = area.bottomRight()
        draw_badge(painter, QRectF(corner.x() - length - 4, corner.y() - length - 4, length, length), self._outcome)

    def _paint_points(self, painter: QPainter, area: QRectF) -> None:
        assert self._points is not None
        painter.setPen(QPen(theme.color("overlay_halo"), theme.size("focus")))
        painter.setBrush(theme.color("overlay"))
        scale, radius = area.width() / CROP_SIZE, theme.size("point") - 0.5
        for x, y in self._points.tolist():
            painter.drawEllipse(area.topLeft() + QPointF(x, y) * scale, radius, radius)


class QualityBar(QWidget):
    """A thin bar, 0 to 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quality: Quality | None = None
        self.setFixedHeight(theme.size("half"))

    def set_quality(self, quality: Quality | None) -> None:
        """Show a quality, or an empty bar."""
        self._quality = quality
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        radius = area.height() / 2
        painter.setBrush(theme.color("sunken"))
        painter.drawRoundedRect(area, radius, radius)
        if self._quality is None:
            return
        area.setWidth(max(area.height(), area.width() * min(1.0, max(0.0, self._quality.score))))
        painter.setBrush(theme.color("unsure" if self._quality.reasons else "match"))
        painter.drawRoundedRect(area, radius, radius)


class FaceCard(QFrame):
    """Crop, caption and quality in a column; may be chosen and removed.

    Signals
    -------
    toggled(bool)
        Chosen or not (only when selectable): click or Space.
    removed
        The cross or Delete (only when removable).
    """

    toggled = Signal(bool)
    removed = Signal()

    def __init__(
        self, parent: QWidget | None = None, *, side: int = 0, selectable: bool = False, removable: bool = False
    ) -> None:
        super().__init__(parent)
        self._selectable, self._removable = selectable, removable
        self._checked = False
        self.crop = CropView(side=side)
        self._caption = label("", "emphasis", wrap=False)
        self._bar = QualityBar()
        self._words = label("", "small", wrap=True)
        self._remove = tool_button("close", self.tr("Remove this sample"), self.removed.emit)
        self._remove.setParent(self)
        self._remove.setVisible(removable)
        policy = self._bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(policy)
        self.setLayout(column(self.crop, self._caption, self._bar, self._words, gap="half", margin="unit"))
        for item in (self._caption, self._bar, self._words):
            item.setFixedWidth(self.crop.sizeHint().width())
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._words.setMinimumHeight(2 * self._words.fontMetrics().lineSpacing())
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if selectable or removable:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_crop(None)

    def set_face(self, face: Face | None, caption: str = "") -> None:
        """Show a face of the chain."""
        self.set_crop(face.crop if face else None, caption, face.quality if face else None)

    def set_crop(self, image: QImage | Image | None, caption: str = "", quality: Quality | None = None) -> None:
        """Show a crop, a caption and, where known, the quality."""
        self.crop.set_image(image)
        self._caption.setText(
            self._caption.fontMetrics().elidedText(caption, Qt.TextElideMode.ElideRight, self._caption.width())
        )
        self._caption.setToolTip(caption)
        self._bar.set_quality(quality)
        self._bar.setVisible(quality is not None)
        words = quality_text(quality) if quality is not None else ""
        self._words.setText(words)
        advice = [reason_advice(reason) for reason in quality.reasons] if quality is not None else []
        self._words.setToolTip("\n".join(dict.fromkeys(advice)))
        theme.set_role(self._words, "warning" if quality is not None and quality.reasons else "small")
        self._words.setFont(theme.font("small"))
        self.setAccessibleName(caption or (self.tr("Face") if image is not None else self.tr("No face yet")))
        self.setAccessibleDescription(words)

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Frame the crop in the colour of a decision."""
        self.crop.set_outcome(outcome)
        self.setAccessibleDescription(", ".join(w for w in (self._words.text(), outcome_word(outcome)) if w))

    @property
    def checked(self) -> bool:
        """Tell whether it is chosen."""
        return self._checked

    def set_checked(self, checked: bool) -> None:
        """Choose it or not, without telling."""
        self._checked = checked
        self.crop.set_dimmed(self._selectable and not checked)
        self.update()

    def _toggle(self) -> None:
        self.set_checked(not self._checked)
        self.toggled.emit(self._checked)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if (
            self._selectable
            and event.button() == Qt.MouseButton.LeftButton
            and self.rect().contains(event.position().toPoint())
        ):
            self._toggle()
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._selectable and event.key() == Qt.Key.Key_Space:
            self._toggle()
        elif self._removable and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = theme.size("badge")
        self._remove.setFixedSize(side, side)
        edge = theme.size("half")
        self._remove.move(self.width() - side - edge, edge)
        self._remove.raise_()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        strong = self._checked or self.hasFocus()
        painter.setPen(
            QPen(theme.color("accent" if strong else "border"), theme.size("focus" if strong else "hairline"))
        )
        painter.setBrush(theme.color("panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), theme.size("radius"), theme.size("radius"))
