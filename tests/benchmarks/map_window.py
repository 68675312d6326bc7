"""The map of the Insights page at its full size: how long the window is away from its user. Asserts nothing.

    QT_QPA_PLATFORM=offscreen uv run python tests/benchmarks/map_window.py [--samples 2000] [--people 200]

The samples are noise around a centre for each person. A timer that is due at once again and again sees how long the
thread of the window took no event, while the map is made, when it appears, and under a moving pointer.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from types import SimpleNamespace

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from facegui.gui import theme
from facegui.gui.bridge import Bridge
from facegui.gui.pages.insights_map import MapSection

DIMENSION = 320
MOVES = 60


class Heart:
    """Remembers the longest time between two beats in the thread of the window."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer(interval=0)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest, self._last = max(self.longest, now - self._last), now

    def told(self) -> str:
        """Return the longest pause since the last question, in words."""
        longest, self.longest = self.longest, 0.0
        return f"the window was away for {1000 * longest:.0f} ms at most"


def gallery(samples: int, people: int) -> SimpleNamespace:
    """Return made-up samples: what the map reads of a template matrix."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(people, DIMENSION))
    owners = np.sort(rng.integers(0, people, samples))
    rows = centres[owners] + 0.8 * rng.normal(size=(samples, DIMENSION))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return SimpleNamespace(
        vectors=rows.astype(np.float32),
        person_ids=owners + 1,
        face_ids=np.arange(samples) + 1,
        names={person + 1: f"Person {person + 1}" for person in range(people)},
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--people", type=int, default=200)
    options = parser.parse_args()
    app = QApplication([])
    theme.install(app, "light")
    matrix = gallery(options.samples, options.people)
    services = SimpleNamespace(
        gallery=SimpleNamespace(template_matrix=lambda _model: matrix), model=SimpleNamespace(sha256=""),
        thumbnail=lambda _key: np.full((112, 112, 3), 200, np.uint8),
    )  # fmt: skip
    bridge = Bridge()
    section = MapSection(services, bridge)  # type: ignore[arg-type]
    section.resize(1200, 800)
    section.show()
    app.processEvents()
    gc.freeze()  # as the program does, see facegui.gui.start
    heart = Heart()
    for kind in range(section.kind.count()):
        began = time.perf_counter()
        if kind:
            section.kind.setCurrentIndex(kind)
        else:
            section.activate()
        heart.told()
        while bridge.busy:
            app.processEvents()
        app.processEvents()
        print(f"{section.kind.itemText(kind)}: {time.perf_counter() - began:.1f} s, {heart.told()}", flush=True)
    began = time.perf_counter()
    for move in range(MOVES):
        place = section.view.place(move * options.samples // MOVES)
        app.sendEvent(
            section.view,
            QMouseEvent(
                QEvent.Type.MouseMove, place, QPointF(section.view.mapToGlobal(place)), Qt.MouseButton.NoButton,
                Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            ),
        )  # fmt: skip
        app.processEvents()
    print(f"pointer: {1000 * (time.perf_counter() - began) / MOVES:.0f} ms a move, {heart.told()}")
    bridge.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
