"""The window with a camera at 1280x720 and 30 pictures a second: preview, recognition beside it, stalls, memory.

    uv run python tests/benchmarks/live_window.py ../shared/data/video/d9.mp4 [--seconds 20] [--life]

The film stands for the device alone; the program's own feed, window and services do the rest, on the Verify page, with
the person of the film claimed. Prints how many pictures a second were shown and recognised, how long the thread of the
window was away from its events at most (a timer of 2 ms tells), and the resident memory on the way. Drawing goes into
memory (Qt's offscreen platform) unless QT_QPA_PLATFORM says otherwise.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from facegui.cli.bench_machine import resident_memory
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.main_window import MainWindow
from facegui.gui.pages.verify import VerifyPage
from facegui.gui.start import SETTLED_MS
from facegui.services import EnrolSample, Services
from facegui.services import live as live_services
from facegui.settings import Settings
from facegui.sources.camera import CameraFeed
from facegui.sources.devices import VideoSource

RATE = 30
PICTURES = 30
TICK_MS = 2
ALLOWED_MS = 50
LINES = 10
MIB = 1 << 20


class Webcam:
    """A device that sends the pictures of a film in the middle of 1280x720, thirty a second."""

    def __init__(self, film: Path) -> None:
        opened = cv2.VideoCapture(str(film))
        self._pictures = []
        while len(self._pictures) < PICTURES:
            good, picture = opened.read()
            if not good:
                break
            wide = np.full((720, 1280, 3), 120, np.uint8)
            wide[:, 280:1000] = cv2.resize(picture, (720, 720))
            self._pictures.append(wide)
        self._sent, self._next = 0, time.monotonic()
        self._wait = threading.Event()

    def open(self, _source: VideoSource, _height: int) -> Webcam:
        return self

    def read(self) -> tuple[bool, Any]:
        self._next = max(self._next + 1 / RATE, time.monotonic() - 1 / RATE)
        self._wait.wait(max(0.0, self._next - time.monotonic()))
        self._sent += 1
        there_and_back = [*range(len(self._pictures)), *range(len(self._pictures) - 2, 0, -1)]
        return True, self._pictures[there_and_back[self._sent % len(there_and_back)]]

    def grab(self) -> bool:
        return self.read()[0]

    def get(self, _prop: int, /) -> float:
        return 0.0

    def release(self) -> None: ...

    def first(self) -> np.ndarray:
        return cv2.cvtColor(self._pictures[0], cv2.COLOR_BGR2RGB)


class Watch:
    """Counts what happens, and how long the window's thread was away."""

    def __init__(self, page: VerifyPage) -> None:
        self.shown = self.recognised = 0
        self.away: list[float] = []
        self._last = time.perf_counter()
        view = page.probe.camera.view
        real = view.set_live_image

        def set_live_image(*arguments: Any) -> None:
            self.shown += 1
            real(*arguments)

        view.set_live_image = set_live_image  # type: ignore[method-assign]
        page.probe.camera.frameAnalysed.connect(self._analysed)
        self._timer = QTimer(interval=TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _analysed(self, _photo: object) -> None:
        self.recognised += 1

    def _tick(self) -> None:
        now = time.perf_counter()
        self.away.append(1000 * (now - self._last) - TICK_MS)
        self._last = now

    def restart(self) -> None:
        self.shown = self.recognised = 0
        self.away.clear()


def run_for(app: QApplication, seconds: float) -> None:
    timer = QTimer(singleShot=True, interval=round(1000 * seconds))
    timer.timeout.connect(app.quit)
    timer.start()
    app.exec()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--life", action="store_true", help="with the proof of life required")
    options = parser.parse_args()
    app = QApplication([])
    theme.install(app, "light")
    webcam = Webcam(options.film)
    live_services.CameraFeed = partial(CameraFeed, opener=webcam.open)  # type: ignore[misc]
    settings = Settings(liveness="require" if options.life else "off")
    with (
        tempfile.TemporaryDirectory() as folder,
        Services(settings=settings, gallery=Path(folder) / "g.db") as services,
    ):
        os.environ["FACEGUI_HOME"] = folder
        services.warm_up()
        frame = live_services.Frame(webcam.first(), "film", time=0.0)
        person, _ = services.enroll("Dee", [EnrolSample(services.probe(frame)[1], frame)])
        bridge = Bridge()
        window = MainWindow(services, bridge)
        window.resize(1280, 800)
        window.show()
        window.show_page("verify")
        page = window.page
        assert isinstance(page, VerifyPage)
        page.receive(person)
        page.probe.set_kind("camera")
        run_for(app, 2)
        page.probe.camera.open("0", 720)
        watch = Watch(page)
        run_for(app, SETTLED_MS / 1000)
        gc.freeze()  # as the program does, see facegui.gui.start
        memory = []
        longest, late, shown, recognised = 0.0, 0, 0, 0
        for part in range(LINES):
            watch.restart()
            run_for(app, options.seconds / LINES)
            longest = max(longest, *watch.away)
            late += sum(away > ALLOWED_MS for away in watch.away)
            shown, recognised = shown + watch.shown, recognised + watch.recognised
            memory.append(resident_memory() or 0)
            print(
                f"{(part + 1) * options.seconds / LINES:7.0f} s  shown {watch.shown / options.seconds * LINES:5.1f}, "
                f"recognised {watch.recognised / options.seconds * LINES:5.1f} a second, away at most "
                f"{max(watch.away):5.1f} ms, {memory[-1] / MIB:.0f} MiB", flush=True,
            )  # fmt: skip
        print(
            f"together: shown {shown / options.seconds:.1f}, recognised {recognised / options.seconds:.1f} a second; "
            f"the window's thread was away for {longest:.1f} ms at most, {late} times for more than {ALLOWED_MS} ms; "
            f"memory {memory[0] / MIB:.0f} MiB, in the end {memory[-1] / MIB:.0f}, most {max(memory) / MIB:.0f}; "
            f"decision: {page.result.outcome}"
        )
        page.probe.camera.close_feed()
        run_for(app, 1)
        window.close()
        bridge.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
