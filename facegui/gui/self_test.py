"""The program tries itself: ``facegui-window --self-test FOLDER`` verifies pairs of photos in the real window.

`FOLDER` holds one folder for each pair with two photos in it. The folder's name says what is expected:
``genuine...`` (a match) or anything else (no match). After each answer the window is photographed into
``FOLDER/NAME.png``; at the end ``FOLDER/self-test.json`` tells everything, and the exit status is 0 if all pairs
came out as expected, 1 if one did not, 2 if the program could not start. On standard output the line ``shown``
marks the moment when the window was first drawn, and ``answered NAME`` each answer. It is for whoever builds
packages; the user's own gallery and settings are used, so point ``FACEGUI_HOME`` at an empty folder.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QEvent, QObject, QTimer

from facegui import __version__
from facegui.errors import KnownError
from facegui.gui.pages.verify import VerifyPage
from facegui.gui.start import run_window
from facegui.matching.decision import Outcome
from facegui.services import Services

if TYPE_CHECKING:
    from facegui.gui.main_window import MainWindow

__all__ = ["SelfTest", "main"]

PATIENCE: Final = 120_000
"""Milliseconds until the whole run counts as failed."""


def _say(text: str) -> None:
    # A program without a console has no standard output on Windows.
    if sys.stdout is not None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


class SelfTest(QObject):
    """Hands one pair after the other to the Verify page and notes what the page decides.

    Parameters
    ----------
    folder : Path
        Holds a folder with two photos for each pair.

    Attributes
    ----------
    results : list of dict
        One for each pair that was decided.
    problem : str
        Why the run ended before all pairs were decided; empty otherwise.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._waiting = sorted(item for item in folder.iterdir() if item.is_dir())
        if not self._waiting:
            raise KnownError(f"There is no pair of photos in {folder}.", "", "Make a folder with two photos in it.")
        self._pair: list[Path] = []
        self._name = ""
        self._began = 0.0
        self._shown = False
        self.results: list[dict[str, Any]] = []
        self.problem = ""

    def begin(self, window: MainWindow) -> None:
        """Start as soon as the window is drawn; for `run_window`."""
        self._window = window
        before = sys.excepthook

        def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            before(kind, error, trace)
            self._end(f"{kind.__name__}: {error}")

        sys.excepthook = hook  # until `run_window` puts its own predecessor back
        patience = QTimer(window, singleShot=True)  # ends with the window
        patience.timeout.connect(lambda: self._end("no answer in time"))
        patience.start(PATIENCE)
        handle = window.windowHandle()
        if handle.isExposed():
            self._drawn()
        else:
            handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wait for the window to come onto the screen."""
        if event.type() == QEvent.Type.Expose and not self._shown:
            QTimer.singleShot(0, self, self._drawn)
        return super().eventFilter(watched, event)

    def _drawn(self) -> None:
        if self._shown:
            return
        self._shown = True
        _say("shown")
        self._window.show_page(VerifyPage.name)
        page = self._window.page
        assert isinstance(page, VerifyPage)
        self._page = page
        page.result.scale.outcomeChanged.connect(self._decided)
        self._window.bridge.failed.connect(lambda _owner, error: self._end(str(error)))
        self._next()

    def _next(self) -> None:
        if not self._waiting:
            self._end("")
            return
        folder = self._waiting.pop(0)
        self._name = folder.name
        self._pair = sorted(item for item in folder.iterdir() if item.is_file())
        if len(self._pair) != 2:
            self._end(f"{folder} does not hold two photos")
            return
        self._began = time.perf_counter()
        self._page.open_files(self._pair)

    def _decided(self, outcome: Outcome | None) -> None:
        """Take the answer if it is on this pair: while the photos arrive, one of the last pair may be compared."""
        sources = [Path(self._page.claim.photo.source), Path(self._page.probe.photo.source)]
        if outcome is None or sources != self._pair or self.problem:
            return
        scale, services = self._page.result.scale, self._window.services
        provider = services.provider
        self.results.append({
            "pair": self._name,
            "similarity": scale.similarity,
            "threshold": scale.threshold,
            "outcome": outcome.value,
            "expected": (Outcome.MATCH if self._name.startswith("genuine") else Outcome.NO_MATCH).value,
            "milliseconds": round((time.perf_counter() - self._began) * 1000, 1),
            "model": services.model.id,
            "provider": provider.active if provider is not None else None,
        })  # fmt: skip
        _say(f"answered {self._name}")
        QTimer.singleShot(0, self, self._photograph)

    def _photograph(self) -> None:
        """Photograph what is on the screen, and go on."""
        self._window.repaint()
        picture = self._window.screen().grabWindow(self._window.winId())
        if not picture.save(str(self._folder / f"{self._name}.png")):
            self._end("the window could not be photographed")
            return
        self._next()

    def _end(self, problem: str) -> None:
        self.problem = self.problem or problem
        self._waiting.clear()
        self._window.close()


def main(argv: Sequence[str]) -> int:
    """Run the test on the folder named first; return the exit status."""
    try:
        test = SelfTest(Path(argv[0]).resolve())
        run_window(Services, test.begin)
    except (KnownError, OSError, IndexError) as error:
        _say(f"{error}")
        return 2
    passed = not test.problem and all(one["outcome"] == one["expected"] for one in test.results)
    told = {"version": __version__, "passed": passed, "problem": test.problem, "results": test.results}
    text = json.dumps(told, indent=2)
    (Path(argv[0]) / "self-test.json").write_text(text, encoding="utf-8")
    _say(text)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
