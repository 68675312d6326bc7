"""A camera, a stream or a video file in a photo view: newest frame only, work off the UI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStackedLayout, QWidget

from facegui.faces.types import Frame, Photo
from facegui.gui import images
from facegui.gui.bridge import Bridge
from facegui.gui.widgets.empty_state import EmptyState
from facegui.gui.widgets.parts import card
from facegui.gui.widgets.photo_marks import FaceMark, marks_of
from facegui.gui.widgets.photo_view import PhotoView
from facegui.matching.decision import Outcome
from facegui.services.live import open_feed
from facegui.sources.camera import CameraFeed, FeedState, FeedStatus

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["CameraView"]

_WAIT_SECONDS: Final = 0.25

Grabbed = tuple[int, Frame | None, QImage | None, FeedStatus]
FeedMaker = Callable[[str, int], CameraFeed]


Analyser = Callable[[Frame], Photo]
Marker = Callable[[Photo], tuple[FaceMark, ...]]


class _Holder:
    """Keeps the feed, and closes it without making anybody wait, also when the widget dies."""

    def __init__(self) -> None:
        self.feed: CameraFeed | None = None

    def close(self) -> None:
        feed, self.feed = self.feed, None
        if feed is not None:
            threading.Thread(target=feed.close, name="camera closing").start()


class CameraView(QWidget):
    """Preview and analysis of a live source. The preview may be mirrored; what is analysed never is.

    Signals
    -------
    frameAnalysed(Photo)
        A frame was analysed; at most one analysis runs, always of the newest frame.
    stateChanged(str)
        ``closed``, or a value of `FeedState`: opening, live, lost, failed, ended.
    startWanted
        The button shown while the camera is closed.
    frameShown(QImage)
        The preview has another picture; not mirrored.
    """

    frameAnalysed = Signal(object)
    frameShown = Signal(QImage)
    stateChanged = Signal(str)
    startWanted = Signal()

    def __init__(
        self, services: Services, bridge: Bridge, parent: QWidget | None = None, *, make_feed: FeedMaker | None = None
    ) -> None:
        super().__init__(parent)
        self._services, self._bridge = services, bridge
        self._make_feed = make_feed or (lambda source, height: open_feed(services, source, height=height))
        self._analyser: Analyser | None = None
        self._marker: Marker = marks_of
        self._holder = _Holder()
        self.destroyed.connect(self._holder.close)
        self._sequence = 0
        self._frame: Frame | None = None
        self._latest: Photo | None = None
        self._status = FeedStatus(FeedState.CLOSED)
        self._analysing = True
        self.mirrored = False
        self._analysis_runs = False
        self._closed_words = (self.tr("The camera is off"), "", self.tr("Start the camera"))
        self.view = PhotoView(live=True)
        self._card = EmptyState()
        self._card.activated.connect(self._act)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(card(self._card))
        self._stack.addWidget(self.view)
        self._show_state()

    @property
    def state(self) -> FeedState:
        """What the source is doing."""
        return self._status.state

    @property
    def status(self) -> FeedStatus:
        """State, message, rate and size of the source."""
        return self._status

    @property
    def frame(self) -> Frame | None:
        """The newest frame shown."""
        return self._frame

    @property
    def latest(self) -> Photo | None:
        """The newest frame analysed."""
        return self._latest

    def set_closed_words(self, title: str, text: str, action: str) -> None:
        """Say what is shown while the camera is off."""
        self._closed_words = (title, text, action)
        self._show_state()

    def open(self, source: str, height: int) -> None:
        """Open a source, and close the one before."""
        self.close_feed()
        self._holder.feed = self._make_feed(source, height)
        self._set_status(FeedStatus(FeedState.OPENING))
        self._grab()

    def close_feed(self) -> None:
        """Give the device back; returns at once."""
        self._holder.close()
        self._sequence, self._frame, self._latest = 0, None, None
        self._analysis_runs = False
        self.view.set_image(None)
        self.view.set_outcome(None)
        self._set_status(FeedStatus(FeedState.CLOSED))

    def retry(self) -> None:
        """Try a lost source again at once."""
        if self._holder.feed is not None:
            self._holder.feed.retry()

    def set_analysing(self, analysing: bool) -> None:
        """Analyse frames, or only show them."""
        self._analysing = analysing
        if not analysing:
            self.view.set_marks(())

    def set_analyser(self, analyser: Analyser, marker: Marker) -> None:
        """Analyse frames in another way, and draw what it finds in another way. `analyser` runs off the UI thread."""
        self._analyser, self._marker = analyser, marker

    def set_mirrored(self, mirrored: bool) -> None:
        """Mirror the preview."""
        self.mirrored = mirrored
        self.view.set_mirrored(mirrored)

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Frame the preview in the colour of a decision."""
        self.view.set_outcome(outcome)

    def capture(self, on_photo: Callable[[Photo], None]) -> bool:
        """Analyse the newest frame thoroughly, all faces; False when there is no frame."""
        frame = self._frame
        if frame is None:
            return False
        self._bridge.run(self, lambda: self._services.analyse(frame), on_photo, lane="analyse", newest="capture")
        return True

    def _grab(self) -> None:
        feed, after = self._holder.feed, self._sequence
        if feed is None:
            return

        def work() -> Grabbed:
            got = feed.wait(after, _WAIT_SECONDS)
            if got is None:
                return after, None, None, feed.status
            return got[0], got[1], images.to_qimage(got[1].pixels), feed.status

        def done(grabbed: Grabbed) -> None:
            if feed is self._holder.feed:
                self._arrived(*grabbed)
                self._grab()

        self._bridge.run(self, work, done, lane="live", newest="grab")

    def _arrived(self, sequence: int, frame: Frame | None, image: QImage | None, status: FeedStatus) -> None:
        self._sequence = sequence
        if frame is not None and image is not None:
            self._frame = frame
            self.view.set_live_image(image, (frame.width, frame.height))
            self.frameShown.emit(image)
        elif status.state in (FeedState.LOST, FeedState.FAILED):
            self._frame = self._latest = None
        self._set_status(status)
        if frame is not None and self._analysing and not self._analysis_runs:
            self._analyse(frame)

    def _analyse(self, frame: Frame) -> None:
        feed = self._holder.feed
        analyse = self._analyser or self._services.analyse_live
        self._analysis_runs = True

        def done(photo: Photo) -> None:
            if feed is not self._holder.feed:
                return
            self._analysis_runs = False
            if self._analysing and self._frame is not None:
                self._latest = photo
                self.view.set_marks(self._marker(photo))
                self.frameAnalysed.emit(photo)

        def failed(error: Exception) -> None:
            # The next frame would most likely fail too: stop, and let the page say why.
            if feed is self._holder.feed:
                self._analysing = False
                self._analysis_runs = False
                self._bridge.failed.emit(self, error)

        self._bridge.run(self, lambda: analyse(frame), done, failed, lane="analyse")

    def _set_status(self, status: FeedStatus) -> None:
        before, self._status = self._status, status
        if (before.state, before.warning) != (status.state, status.warning):
            self._show_state()
        if before.state is not status.state:
            self.stateChanged.emit(status.state.value)

    def _act(self) -> None:
        if self.state is FeedState.CLOSED:
            self.startWanted.emit()
        else:
            self.retry()

    def _show_state(self) -> None:
        state, message = self._status.state, self._status.message
        if state is FeedState.LIVE or (state is FeedState.ENDED and self._frame is not None):
            self._stack.setCurrentWidget(self.view)
            self.view.set_caption(message or self._status.warning)
            return
        title, text, action = self._closed_words
        if state is FeedState.OPENING:
            self._card.show_state("camera", self.tr("Opening the camera…"), "")
        elif state is FeedState.CLOSED:
            self._card.show_state("camera", title, text, action)
        else:
            words = self.tr("The camera is gone") if state is FeedState.LOST else self.tr("This source cannot be shown")
            self._card.show_state("camera-off", words, message, self.tr("Try again"), "unsure")
        self._stack.setCurrentIndex(0)
