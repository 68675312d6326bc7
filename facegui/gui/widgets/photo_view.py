"""A photo or a camera picture, with its faces, fitted into its place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QTransform,
)
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from facegui.faces.types import Photo
from facegui.gui import images, theme
from facegui.gui.widgets.decision_badge import outcome_word
from facegui.gui.widgets.drop_overlay import dropped_from
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.photo_marks import FaceMark, Viewport, draw_frame, draw_marks, marks_of
from facegui.matching.decision import Outcome

__all__ = ["PhotoView"]


class PhotoView(QWidget):
    """Shows one picture. Faces are chosen by click or with the arrow keys.

    Signals
    -------
    faceSelected(int)
        The user chose a face.
    faceActivated(int)
        Double click on a face, or Enter.
    dropped(Dropped)
        Files or a picture were dropped here.
    action
        The button of the empty state.
    """

    faceSelected = Signal(int)
    faceActivated = Signal(int)
    dropped = Signal(object)
    action = Signal()

    def __init__(self, parent: QWidget | None = None, *, live: bool = False) -> None:
        """With `live`, pictures change often and are scaled fast instead of finely."""
        super().__init__(parent)
        self._live = live
        self._image: QImage | None = None
        self._scaled: QImage | None = None
        self._frame = (1, 1)
        self._marks: tuple[FaceMark, ...] = ()
        self._selected = -1
        self._outcome: Outcome | None = None
        self._mirrored = False
        self._caption = ""
        self._drag = False
        self._hovered = -1
        self.setMouseTracking(True)
        self._empty = EmptyState("photo")
        self._empty.activated.connect(self.action)
        layout = QVBoxLayout(self)
        layout.addWidget(self._empty)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAcceptDrops(True)
        self._describe()

    def sizeHint(self) -> QSize:
        side = theme.size("inspector")
        return QSize(side, side)

    def minimumSizeHint(self) -> QSize:
        side = theme.size("tile") + 3 * theme.size("unit")
        return QSize(side, side)

    def set_empty(self, drawing: str, title: str, text: str, action: str = "") -> None:
        """Say what is shown while there is no picture, and show it."""
        self._empty.show_state(drawing, title, text, action)
        self.set_image(None)

    def set_image(self, image: QImage | None, frame_size: tuple[int, int] | None = None) -> None:
        """Show a picture without faces, or nothing.

        Parameters
        ----------
        frame_size : tuple of int or None
            Width and height of the frame that marks refer to, where the picture was made smaller.
        """
        self._image = image if image is not None and not image.isNull() else None
        self._scaled = None
        if self._image is not None:
            self._frame = frame_size or (self._image.width(), self._image.height())
        self.set_marks(())
        self._empty.setVisible(self._image is None)

    def set_photo(self, photo: Photo, image: QImage | None = None) -> None:
        """Show a photo with its faces, the largest chosen; `image` spares making one in the UI thread."""
        self.set_image(image or images.to_qimage(photo.frame.pixels), (photo.frame.width, photo.frame.height))
        self.set_marks(marks_of(photo))

    def set_live_image(self, image: QImage, frame_size: tuple[int, int]) -> None:
        """Show the next picture of a camera and keep the marks."""
        self._image, self._scaled, self._frame = image, None, frame_size
        self._empty.hide()
        self.update()

    def set_marks(self, marks: Sequence[FaceMark], selected: int = 0) -> None:
        """Draw these faces over the picture."""
        self._marks = tuple(marks)
        self._selected = min(selected, len(self._marks) - 1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if self._marks else Qt.FocusPolicy.NoFocus)
        self._describe()
        self.update()

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Frame the picture in the colour of a decision, with its shape in the corner."""
        if outcome is not self._outcome:
            self._outcome = outcome
            self._describe()
            self.update()

    def set_mirrored(self, mirrored: bool) -> None:
        """Show the picture and its marks as a mirror does."""
        self._mirrored, self._scaled = mirrored, None
        self.update()

    def set_caption(self, text: str) -> None:
        """Write a line at the foot of the picture."""
        self._caption = text
        self._describe()
        self.update()

    @property
    def marks(self) -> tuple[FaceMark, ...]:
        """The faces drawn."""
        return self._marks

    @property
    def selected(self) -> int:
        """Number of the chosen face; -1 without faces."""
        return self._selected

    @property
    def has_image(self) -> bool:
        """Tell whether a picture is shown."""
        return self._image is not None

    def select(self, index: int) -> None:
        """Choose a face without telling."""
        if 0 <= index < len(self._marks):
            self._selected = index
            self._describe()
            self.update()

    def viewport(self) -> Viewport:
        """Return where the picture lies in this widget."""
        width, height = self._frame
        edge = theme.size("half")
        room = QRectF(self.rect()).adjusted(edge, edge, -edge, -edge)
        scale = min(room.width() / width, room.height() / height)
        size = (width * scale, height * scale)
        target = QRectF(room.center().x() - size[0] / 2, room.center().y() - size[1] / 2, size[0], size[1])
        return Viewport(target, width, height, self._mirrored)

    def _describe(self) -> None:
        if self._image is None:
            self.setAccessibleName(self._empty.accessibleName())
            return
        count = len(self._marks)
        words = [self.tr("Photo"), self.tr("1 face") if count == 1 else self.tr("{0} faces").format(count)]
        if count > 1:
            words.append(self.tr("face {0} chosen").format(self._selected + 1))
        if 0 <= self._selected < count and self._marks[self._selected].bad:
            words.append(self._marks[self._selected].bad)
        words += [outcome_word(self._outcome), self._caption]
        self.setAccessibleName(", ".join(word for word in words if word))

    def _picture(self, target: QRectF, ratio: float) -> QImage:
        """Return the picture at the size in which it is shown, mirrored where wanted."""
        assert self._image is not None
        wanted = QSize(max(1, round(target.width() * ratio)), max(1, round(target.height() * ratio)))
        if self._scaled is None or self._scaled.size() != wanted:
            mode = (
                Qt.TransformationMode.FastTransformation if self._live else Qt.TransformationMode.SmoothTransformation
            )
            source = self._image
            if self._live and source.width() > wanted.width():
                mode = Qt.TransformationMode.SmoothTransformation
            if self._mirrored:
                source = source.transformed(QTransform.fromScale(-1.0, 1.0))
            self._scaled = source.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
            self._scaled.setDevicePixelRatio(1.0)
        return self._scaled

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = theme.size("radius")
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setBrush(theme.color("sunken" if self._image is not None else "panel"))
        if self._image is None:
            style = Qt.PenStyle.DashLine if not self._drag else Qt.PenStyle.SolidLine
            painter.setPen(QPen(theme.color("accent" if self._drag else "border_strong"),
                                theme.size("focus") if self._drag else theme.size("hairline"), style))  # fmt: skip
        else:
            painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(area, radius, radius)
        if self._image is None:
            return
        view = self.viewport()
        clip = QPainterPath()
        clip.addRoundedRect(view.target, radius, radius)
        painter.save()
        painter.setClipPath(clip)
        ratio = self.devicePixelRatioF()
        painter.drawImage(view.target, self._picture(view.target, ratio))
        painter.restore()
        draw_marks(painter, view, self._marks, self._selected, self._hovered, self.hasFocus())
        draw_frame(painter, view.target, self._outcome, self._caption, highlighted=self._drag)

    def _face_at(self, position: QPointF) -> int:
        view = self.viewport()
        inside = [i for i, mark in enumerate(self._marks) if view.rect(mark.box).contains(position)]
        return min(inside, key=lambda i: self._marks[i].box.area) if inside else -1

    def _choose(self, index: int) -> None:
        if index != self._selected:
            self.select(index)
            self.faceSelected.emit(index)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._face_at(event.position()) if self._image is not None else -1
        if found >= 0:
            self._choose(found)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._face_at(event.position()) if self._image is not None else -1
        if found != self._hovered:
            self._hovered = found
            self.update()
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()
        super().leaveEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        found = self._face_at(event.position()) if self._image is not None else -1
        if found >= 0:
            self.faceActivated.emit(found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        count = len(self._marks)
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if count and key in steps:
            order = sorted(range(count), key=lambda i: self.viewport().rect(self._marks[i].box).center().x())
            self._choose(order[(order.index(self._selected) + steps[key]) % count])
        elif count and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.faceActivated.emit(self._selected)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
        super().focusOutEvent(event)

    def _set_drag(self, on: bool) -> None:
        self._drag = on
        self.update()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
            self._set_drag(True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._set_drag(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._set_drag(False)
        found = dropped_from(event.mimeData())
        if found is not None:
            event.acceptProposedAction()
            self.dropped.emit(found)
