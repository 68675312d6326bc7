"""The choice of a camera, a video file or a network address, and of the resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QInputDialog, QSizePolicy, QWidget

from facegui.gui import theme
from facegui.gui.bridge import Bridge, Task
from facegui.gui.widgets.parts import tool_button
from facegui.sources.camera import CameraInfo, list_cameras
from facegui.sources.devices import parse_source

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["CameraBar"]

LOOK_MILLISECONDS: Final = 3000
HEIGHTS: Final = (480, 720, 1080)
_FILE: Final = "file…"
_ADDRESS: Final = "address…"
_AGAIN: Final = "again"
_LINES: Final = "lines "


class CameraBar(QWidget):
    """Lists the cameras by name. A camera and a resolution that were chosen are remembered; an address is not.

    With `compact`, the resolutions and the new look for cameras stand in the same list.

    Signals
    -------
    chosen(str, int)
        Source for `CameraView.open`, and height in lines.
    """

    chosen = Signal(str, int)

    def __init__(
        self, services: Services, bridge: Bridge, parent: QWidget | None = None, *,
        find: Callable[[], Sequence[CameraInfo]] = list_cameras, compact: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._compact = compact
        self._services, self._bridge, self._find = services, bridge, find
        self._source = ""
        self._extra: list[tuple[str, str]] = []
        self._cameras: tuple[CameraInfo, ...] = ()
        self._sources = QComboBox()
        self._sources.setAccessibleName(self.tr("Camera"))
        self._sources.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._sources.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._sources.setMinimumContentsLength(theme.size("unit") + theme.size("half"))
        self._sources.activated.connect(self._picked)
        self._heights = QComboBox()
        self._heights.setAccessibleName(self.tr("Resolution"))
        for height in sorted({*HEIGHTS, services.settings.camera_height}):
            self._heights.addItem(self.tr("{0} lines").format(height), height)
        self._heights.setCurrentIndex(self._heights.findData(services.settings.camera_height))
        self._heights.activated.connect(self._height_picked)
        again = tool_button("refresh", self.tr("Look for cameras again"), self.refresh)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.size("unit"))
        layout.addWidget(self._sources, 1)
        for item in (self._heights, again):
            layout.addWidget(item)
            item.setVisible(not compact)
        theme.manager().changed.connect(self._fill)
        self._asked: Task | None = None
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MILLISECONDS)
        self._look.timeout.connect(self._look_again)
        self._fill()

    @property
    def source(self) -> str:
        """The source chosen; empty when there is none."""
        return self._source

    @property
    def height_lines(self) -> int:
        """The resolution chosen."""
        return int(self._heights.currentData())

    def refresh(self, then: Callable[[], object] | None = None) -> None:
        """Look for cameras in the background; `then` is called when the list is there."""

        def done(found: Sequence[CameraInfo]) -> None:
            self._cameras = tuple(found)
            known = {camera.id for camera in found} | {source for source, _name in self._extra}
            if self._source not in known:
                wanted = self._services.settings.camera
                ids = [camera.id for camera in found]
                self._source = wanted if wanted in ids else ids[0] if ids else ""
            self._fill()
            if then is not None:
                then()

        self._bridge.run(self, self._find, done, newest="cameras")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._look.stop()

    def _look_again(self) -> None:
        """Notice cameras that were plugged in or out; the list is left alone while it is open, or unchanged."""

        def done(found: Sequence[CameraInfo]) -> None:
            if tuple(found) == self._cameras or self._sources.view().isVisible():
                return
            self._cameras = tuple(found)
            ids = [camera.id for camera in found]
            self._extra = [entry for entry in self._extra if entry[0] not in ids]
            known = {*ids, *(source for source, _name in self._extra)}
            if not self._source and ids:
                wanted = self._services.settings.camera
                self._source = wanted if wanted in ids else ids[0]
            elif self._source and self._source not in known:
                # The choice is kept: the feed waits for this very camera to come back.
                self._extra.append((self._source, parse_source(self._source).name))
            self._fill()

        if self._asked is None or self._asked.finished:  # where looking takes longer than the interval, it has to end
            self._asked = self._bridge.run(self, self._find, done)

    def choose(self, source: str, name: str = "") -> None:
        """Choose a source: id of a camera, path of a video, address of a stream."""
        if source not in {camera.id for camera in self._cameras} | {known for known, _name in self._extra}:
            self._extra.append((source, name or Path(source).name))
        self._source = source
        self._fill()
        self.chosen.emit(source, self.height_lines)

    def _fill(self) -> None:
        with QSignalBlocker(self._sources):
            self._sources.clear()
            for camera in self._cameras:
                self._sources.addItem(theme.icon("camera", "muted"), camera.name, camera.id)
            for source, name in self._extra:
                self._sources.addItem(theme.icon("video", "muted"), name, source)
            if not self._sources.count():
                self._sources.addItem(theme.icon("camera-off", "muted"), self.tr("No camera found"), "")
            self._sources.insertSeparator(self._sources.count())
            self._sources.addItem(theme.icon("video", "muted"), self.tr("Video file…"), _FILE)
            self._sources.addItem(theme.icon("network", "muted"), self.tr("Network address…"), _ADDRESS)
            if self._compact:
                self._sources.addItem(theme.icon("refresh", "muted"), self.tr("Look for cameras again"), _AGAIN)
                self._sources.insertSeparator(self._sources.count())
                for place in range(self._heights.count()):
                    sign = "check" if place == self._heights.currentIndex() else "dot"
                    shade = "accent" if place == self._heights.currentIndex() else "panel"
                    self._sources.addItem(
                        theme.icon(sign, shade),
                        self._heights.itemText(place),
                        f"{_LINES}{self._heights.itemData(place)}",
                    )
            self._sources.setCurrentIndex(max(0, self._sources.findData(self._source)))

    def _picked(self, index: int) -> None:
        data = str(self._sources.itemData(index) or "")
        if data == _FILE:
            self._ask_file()
        elif data == _ADDRESS:
            self._ask_address()
        elif data == _AGAIN:
            self.refresh()
        elif data.startswith(_LINES):
            self._heights.setCurrentIndex(self._heights.findData(int(data.removeprefix(_LINES))))
            self._height_picked()
            self._fill()
        elif data:
            self._source = data
            if data in {camera.id for camera in self._cameras}:
                self._remember(camera=data)
            self.chosen.emit(data, self.height_lines)
        self._sources.setCurrentIndex(max(0, self._sources.findData(self._source)))

    def _height_picked(self) -> None:
        self._remember(camera_height=self.height_lines)
        if self._source:
            self.chosen.emit(self._source, self.height_lines)

    def _remember(self, **changes: object) -> None:
        self._bridge.run(self, lambda: self._services.change_settings(**changes), lane="write")

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, self.tr("Open a video"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([
            self.tr("Videos ({0})").format("*.mp4 *.mov *.avi *.mkv *.webm *.m4v *.mpg"), self.tr("All files (*)"),
        ])  # fmt: skip
        dialog.fileSelected.connect(self.choose)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _ask_address(self) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle(self.tr("Network address"))
        dialog.setLabelText(self.tr("Address of the stream, for example rtsp://192.168.0.20/stream"))
        dialog.textValueSelected.connect(lambda text: self.choose(text.strip(), _host(text)) if text.strip() else None)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _host(address: str) -> str:
    """Return the address without name and password."""
    scheme, found, rest = address.strip().partition("://")
    if not found:
        return address.strip()
    return f"{scheme}://{rest.rpartition('@')[2] if '@' in rest.split('/')[0] else rest}"
