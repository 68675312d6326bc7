"""The camera as the source of samples: look, press Space, turn a little, press Space again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QStackedLayout, QWidget

from facegui.faces.types import Photo
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.enroll_guided import GuidedPanel
from facegui.gui.pages.enroll_parts import FaceDetails
from facegui.gui.pages.enroll_reading import Sample, without_pixels
from facegui.gui.widgets.camera_bar import CameraBar
from facegui.gui.widgets.camera_view import CameraView
from facegui.gui.widgets.parts import button, card, column, label, row
from facegui.sources.camera import FeedState

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["CameraPane"]

RECENT_SECONDS: Final = 0.8
"""A picture taken is the best of those analysed in this time before the key was pressed."""
RECENT_PICTURES: Final = 8


class CameraPane(QWidget):
    """Live preview with the aligned crop beside it, and a button that takes the picture.

    Signals
    -------
    chosen(Sample)
        A picture was taken.
    looked_at(object)
        The newest photo analysed, or None.
    dropped(int)
        The guide let the picture of this number go.
    """

    chosen = Signal(object)
    looked_at = Signal(object)
    dropped = Signal(int)

    def __init__(
        self, services: Services, bridge: Bridge, numbers: Callable[[], int], camera: CameraView | None = None
    ) -> None:
        super().__init__()
        self._services, self._bridge, self._next = services, bridge, numbers
        self._recent: deque[tuple[float, Photo]] = deque(maxlen=RECENT_PICTURES)
        self._taken = 0
        self._wanted = False
        self._mirrored = False
        self.camera = camera or CameraView(services, bridge)
        self.camera.frameAnalysed.connect(self._analysed)
        self.camera.stateChanged.connect(self._state_changed)
        self.camera.startWanted.connect(self.start)
        self.guided = GuidedPanel(services, bridge, numbers, self.camera)
        self.guided.chosen.connect(self.chosen)
        self.guided.dropped.connect(self.dropped)
        self.guided.ended.connect(self._guide_ended)
        self.guided.checked.connect(self._say_check)
        self.guide_button = button(self.tr("Guide me"), self.guide, icon="face",
                                   tip=self.tr("Be led through five poses; each is taken by itself"))  # fmt: skip
        self.tools = QWidget()
        self.tools.setLayout(row(None, self.guide_button))
        self.bar = CameraBar(services, bridge)
        self.bar.chosen.connect(self._open)
        self.details = FaceDetails()
        self.take_button = button(self.tr("Take"), self.take, role="primary", icon="capture",
                                  tip=self.tr("Take the picture (Space)"))  # fmt: skip
        self.hint = label("", wrap=True)
        side = card(self.hint, None)
        side.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        side_layout = side.layout()
        assert side_layout is not None
        side_layout.addWidget(self.take_button)
        foot = row(self.details, side)
        foot.setStretch(0, 6)
        foot.setStretch(1, 4)
        by_hand, holder = QWidget(), QWidget()
        by_hand.setLayout(foot)
        self._foot = QStackedLayout(holder)
        self._foot.addWidget(by_hand)
        self._foot.addWidget(self.guided)
        holder.setFixedHeight(self.details.crop.sizeHint().height() + 2 * theme.size("unit"))
        layout = column(self.bar, self.camera, holder)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self._state_changed(self.camera.state.value)

    # --- the camera ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Look for cameras and open the one that was chosen last."""
        self._wanted = True
        self.bar.refresh(self._found)

    def _found(self) -> None:
        if not self._wanted:
            return
        if self.bar.source:
            self._open(self.bar.source, self.bar.height_lines)
        else:
            self.camera.set_closed_words(
                self.tr("No camera found"),
                self.tr("Plug one in, or choose a video file or a network address above."), self.tr("Look again"),
            )  # fmt: skip

    def _open(self, source: str, height: int) -> None:
        self._wanted = True
        self.guided.stop()
        # A film is shown as it is; a mirror is expected only of a camera.
        self._mirrored = self._services.settings.mirror_preview and not Path(source).is_file()
        self.camera.set_mirrored(self._mirrored)
        self.camera.set_analysing(True)
        self.camera.open(source, height)

    def stop(self) -> None:
        """Give the camera back."""
        self._wanted = False
        self._recent.clear()
        self.guided.stop()
        self.camera.close_feed()

    def _state_changed(self, _state: str) -> None:
        live = self.camera.state is FeedState.LIVE
        self.take_button.setEnabled(live or self.camera.frame is not None)
        self.guide_button.setEnabled(live and not self.guided.active)
        if not live:
            self._recent.clear()
            self.details.set_face(None, self.tr("Aligned face"), self.tr("The face appears here, as it is compared."))
        self._say_hint()

    # --- the guide ----------------------------------------------------------------------------------------

    def guide(self) -> None:
        """Lead the person through the poses."""
        self._foot.setCurrentIndex(1)
        self.guide_button.setEnabled(False)
        self.guided.begin(mirrored=self._mirrored)

    def _guide_ended(self) -> None:
        self._recent.clear()
        self._foot.setCurrentIndex(0)
        self.guide_button.setEnabled(self.camera.state is FeedState.LIVE)
        self._say_hint()
        self.take_button.setFocus()

    def _say_check(self, text: str) -> None:
        self.hint.setText(text)
        self.hint.setToolTip(text)

    # --- taking -------------------------------------------------------------------------------------------

    def _analysed(self, photo: Photo) -> None:
        self._recent.append((time.monotonic(), photo))
        self._show(photo)

    def _show(self, photo: Photo) -> None:
        face = photo.faces[0] if photo.faces else None
        empty = self.tr("No face found. Look towards the camera.")
        self.details.set_face(face, self.tr("Aligned face"), empty)
        self.looked_at.emit(photo)

    def take(self) -> None:
        """Take the best of the newest pictures as a sample."""
        if self.guided.active:
            return
        now = time.monotonic()
        fresh = [photo for when, photo in self._recent if now - when <= RECENT_SECONDS and photo.faces]
        if fresh:
            self._take(max(fresh, key=lambda photo: photo.faces[0].quality.score))
        elif not self.camera.capture(self._take):
            self.hint.setText(self.tr("There is no picture yet."))

    def _take(self, photo: Photo) -> None:
        if not photo.faces:
            self.hint.setText(self.tr("No face found. Look towards the camera, then take it again."))
            return
        self._recent.clear()
        self._taken += 1
        name = self.tr("Picture {0}").format(self._taken)
        self.chosen.emit(Sample(self._next(), name, photo.faces[0], without_pixels(photo.frame)))
        self._say_hint()

    def restart(self) -> None:
        """Begin to count anew, for the next person."""
        self._taken = 0
        self._say_hint()

    def _say_hint(self) -> None:
        steps = (
            self.tr("Look straight at the camera and press Space."),
            self.tr("Taken. Turn your head a little to one side, then press Space again."),
            self.tr("Taken. Now a little to the other side."),
            self.tr("Taken. Lift your chin a little."),
            self.tr("Taken. Once more in another light, or with glasses if you wear them."),
            self.tr("Taken. That is a good set. Save it, or take more."),
        )
        self.hint.setText(steps[min(self._taken, len(steps) - 1)] if self.take_button.isEnabled() else "")
