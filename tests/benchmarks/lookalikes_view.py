"""The Lookalikes page with very many faces: how soon it answers, how smoothly it scrolls. Asserts nothing.

    QT_QPA_PLATFORM=offscreen uv run python tests/benchmarks/lookalikes_view.py [--faces 100000] [--gallery FILE]

The faces are noise around a thousand centres; half of the photos have a date. `--gallery` keeps the generated gallery
from one run to the next. Stalls are the longest time in which the UI thread took no event: a timer that is due at once
again and again, each millisecond, sees them.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from facegui.faces.types import Box, Detection, Embedding, Face, Quality
from facegui.gallery.records import IndexedPhoto
from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.lookalikes import LookalikesPage
from facegui.gui.pages.lookalikes_probe import Probe
from facegui.gui.pages.lookalikes_rows import Part
from facegui.services import Services
from facegui.settings import Settings

BATCH = 500
DIMENSION = 320
CENTRES = 1000
POINTS = np.array([[38, 52], [74, 52], [56, 72], [42, 92], [71, 92]], np.float32)


def faces(count: int, model: str) -> list[IndexedPhoto]:
    """Make photos with one face each; the pictures are a hundred smooth patterns."""
    rng = np.random.default_rng(0)
    crops = [np.repeat(np.repeat(rng.integers(0, 256, (14, 14, 3), dtype=np.uint8), 8, 0), 8, 1) for _ in range(100)]
    centres = rng.normal(size=(CENTRES, DIMENSION))
    made = []
    for n in range(count):
        vector = centres[n % CENTRES] + 0.8 * rng.normal(size=DIMENSION)
        vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        quality = Quality(float(rng.uniform(0.2, 1)), (), 40.0, 12.5, 128.0, 50.0, -3.0, 4.0, 1.5, 1.0)
        side = float(rng.uniform(30, 600))
        face = Face(Detection(Box(10, 10, side, side), POINTS, 0.9), crops[n % 100], quality, Embedding(vector, model))
        taken = datetime(2000, 1, 1) + timedelta(hours=2 * n) if n % 2 else None
        made.append(
            IndexedPhoto(
                f"/photos/{n // 1000:04d}/IMG_{n:07d}.jpg",
                3_000_000 + n,
                1_700_000_000_000_000_000 + n,
                hashlib.sha256(str(n).encode()).hexdigest(),
                4000,
                3000,
                taken,
                (face,),
            )
        )
    return made


class Heart:
    """Beats each millisecond while the UI thread is free; remembers the longest pause."""

    def __init__(self, app: QApplication) -> None:
        self._app = app
        # Not at every turn: a thread that never rests takes the interpreter away from those that are measured.
        self._timer = QTimer(interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start()
        self.longest = 0.0
        self._last = time.perf_counter()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def wait(self, until: Callable[[], bool], seconds: float = 120) -> float:
        """Take events until something is so; return how long that took."""
        self.longest, self._last = 0.0, time.perf_counter()
        start = time.perf_counter()
        while not until():
            self._app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            if time.perf_counter() - start > seconds:
                raise TimeoutError
        return time.perf_counter() - start


def say(what: str, *parts: str) -> None:
    print(f"{what:44s} " + "   ".join(parts), flush=True)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:7.1f} ms"


def run(app: QApplication, services: Services, count: int) -> None:
    bridge = Bridge()
    page = LookalikesPage(services, bridge)
    page.search.index.start = lambda *_args, **_options: None  # type: ignore[method-assign]  # no such folders here
    page.resize(1100, 700)
    page.show()
    heart = Heart(app)
    heart.wait(lambda: not bridge.busy)
    gc.collect()
    gc.freeze()  # as the window does once it has settled: a look through all objects would take 80 ms again and again
    page.top.folders.set_folders([Path("/photos")])
    one = faces(1, services.model.sha256)[0].faces[0]
    start = time.perf_counter()
    page.activate()
    heart.wait(lambda: not bridge.busy)
    say(
        "prepared while the page is opened",
        f"took {ms(time.perf_counter() - start)}",
        f"longest stall {ms(heart.longest)}",
    )
    for words in ("first search", "second search"):
        page.results.clear()
        page._use_probe(Probe(one, "probe"))
        took = heart.wait(lambda: len(page.results.rows) == count and not bridge.busy)
        say(words, f"answer {ms(took)}", f"longest stall {ms(heart.longest)}")
    filters = page.results.filters
    worst = 0.0

    def timed(words: str, act: Callable[[], object]) -> None:
        nonlocal worst
        heart.wait(lambda: not bridge.busy)
        start = time.perf_counter()
        act()
        page.results.grid.viewport().repaint()
        took = time.perf_counter() - start
        heart.wait(lambda: not bridge.busy)
        worst = max(worst, took, heart.longest)
        say(words, f"answer {ms(took)}", f"{len(page.results.rows):,} faces", f"stall after it {ms(heart.longest)}")

    timed("threshold moved", lambda: filters.threshold.spin.setValue(0.2))
    for step in range(20):
        worst_before = worst
        start = time.perf_counter()
        filters.threshold.canvas.thresholdMoved.emit(0.1 + step / 100)
        page.results.grid.viewport().repaint()
        worst = max(worst_before, time.perf_counter() - start)
    say("threshold dragged, 20 steps", f"worst of all so far {ms(worst)}")
    timed("only lookalikes", lambda: filters.show_part(Part.LOOKALIKES))
    timed("only the same person", lambda: filters.show_part(Part.SAME))
    timed("all", lambda: filters.show_part(Part.ALL))
    timed("quality from 50 %", lambda: filters.quality.set_value(0.5))
    timed("and faces from 100 pixels", lambda: filters.face_size.set_value(100))
    timed("and a year", lambda: filters.date.set_range(date(2005, 1, 1), date(2005, 12, 31)))
    timed("and a folder", lambda: filters.folder.choose("/photos/0022"))
    timed("cleared", filters.clear)
    timed("one per photo", lambda: filters.one_per.choose("photo"))
    timed("one per person", lambda: filters.one_per.choose("person"))
    timed("cleared again", filters.clear)
    say("worst answer or stall while filtering", ms(worst))
    scroll(app, page, heart, bridge)
    page.close()
    bridge.close()


def scroll(app: QApplication, page: LookalikesPage, heart: Heart, bridge: Bridge) -> None:
    """Turn the wheel four hundred times, then jump to a hundred places, while thumbnails are loaded."""
    grid, viewport = page.results.grid, page.results.grid.viewport()
    heart.wait(lambda: not bridge.busy)
    place = QPointF(viewport.rect().center())
    for words, moves in (("wheel turned 400 times", 400), ("dragged to 100 places", 100)):
        frames = []
        longest = 0.0
        for number in range(moves):
            start = time.perf_counter()
            if moves == 400:
                event = QWheelEvent(
                    place, viewport.mapToGlobal(place), QPoint(0, 0), QPoint(0, -120), Qt.MouseButton.NoButton,
                    Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
                )  # fmt: skip
                app.sendEvent(viewport, event)
            else:
                bar = grid.verticalScrollBar()
                bar.setValue(bar.maximum() * ((number * 37) % 100) // 100)
            viewport.repaint()
            frames.append(time.perf_counter() - start)
            end = time.perf_counter() + 0.016
            heart.wait(lambda end=end: time.perf_counter() >= end)  # type: ignore[misc]
            longest = max(longest, heart.longest)
        took = np.array(frames)
        say(words, f"frame median {ms(float(np.median(took)))}", f"95 % {ms(float(np.percentile(took, 95)))}",
            f"worst {ms(float(took.max()))}", f"longest stall between {ms(longest)}")  # fmt: skip
    say("thumbnails after the last jump", ms(heart.wait(lambda: not bridge.busy)))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--faces", type=int, default=100_000)
    arguments.add_argument("--gallery", type=Path, help="where the generated gallery is kept")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = chosen.gallery or Path(folder) / "gallery.sqlite"
        os.environ["FACEGUI_HOME"] = f"{file}.home"  # its search index is kept with it
        app = QApplication(sys.argv[:1])
        theme.install(app, "light")
        with Services(gallery=file, settings=Settings(provider="cpu")) as services:
            have = services.gallery.counts().faces
            if have != chosen.faces:
                if have:
                    raise SystemExit(f"{file} holds {have:,} faces, not {chosen.faces:,}.")
                batch = faces(chosen.faces, services.model.sha256)
                for start in range(0, len(batch), BATCH):
                    services.gallery.add_photos(batch[start : start + BATCH])
        with Services(gallery=file, settings=Settings(provider="cpu")) as services:
            run(app, services, chosen.faces)


if __name__ == "__main__":
    main()
