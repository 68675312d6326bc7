"""Pictures of the pages, drawn without a screen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from facegui.errors import KnownError
from facegui.gui.start import run_window

if TYPE_CHECKING:
    from facegui.gui.main_window import MainWindow
    from facegui.services import Services

__all__ = ["draw_pages"]

SIZE: Final = (1440, 900)
CALM_MS: Final = 400
"""A page is drawn when nothing has been at work for so long."""
LOOK_MS: Final = 50
LONGEST_MS: Final = 60_000
"""A page that is still at work then is drawn as it is."""


@contextmanager
def _without_screen() -> Iterator[None]:
    before = os.environ.get("QT_QPA_PLATFORM")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        yield
    finally:
        if before is None:
            del os.environ["QT_QPA_PLATFORM"]
        else:
            os.environ["QT_QPA_PLATFORM"] = before


def draw_pages(
    services_factory: Callable[[], Services],
    files: Mapping[str, Sequence[Path]],
    folder: Path,
    on_page: Callable[[str], None] | None = None,
) -> list[Path]:
    """Draw every page into a PNG file, as the window would show it.

    Parameters
    ----------
    services_factory : callable
        Makes the services; models and gallery are loaded in the background.
    files : mapping
        Photos and folders to open, by the name of the page.
    folder : Path
        Where the pictures go; it exists.
    on_page : callable, optional
        Called with the name of each page before it is drawn.

    Returns
    -------
    list of Path
        In the order of the pages.

    Raises
    ------
    KnownError
        Qt's system libraries are missing, or a picture cannot be written.
    """
    drawn: list[Path] = []
    failed: list[Path] = []
    tours: list[_Tour] = []  # Qt holds the methods of plain objects only weakly

    def shown(window: MainWindow) -> None:
        window.resize(*SIZE)
        tours.append(_Tour(window, files, folder, drawn, failed, on_page))
        tours[0].next_page()

    with _without_screen():
        run_window(services_factory, shown)
    if failed:
        raise KnownError(f"{failed[0]} could not be written.", "", "Check the folder and its free space.")
    return drawn


class _Tour:
    """Goes through the pages: opens the files, waits until all is calm, draws, goes on; closes the window."""

    def __init__(
        self,
        window: MainWindow,
        files: Mapping[str, Sequence[Path]],
        folder: Path,
        drawn: list[Path],
        failed: list[Path],
        on_page: Callable[[str], None] | None,
    ) -> None:
        from PySide6.QtCore import QTimer

        from facegui.gui.pages.table import PAGES

        self._window, self._files, self._folder = window, files, folder
        self._drawn, self._failed, self._on_page = drawn, failed, on_page
        self._names = [page.name for page in PAGES]
        self._calm = self._waited = 0
        self._opened = False
        # What a page waits for may be a timer of its own, so there is no one signal that tells when it is done.
        self._timer = QTimer(window, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)

    def next_page(self) -> None:
        if not self._names:
            self._timer.stop()
            self._window.close()
            return
        name = self._names[0]
        if self._on_page is not None:
            self._on_page(name)
        self._window.show_page(name)
        self._opened = not self._files.get(name)
        self._calm = self._waited = 0
        self._timer.start()

    def _look(self) -> None:
        self._waited += LOOK_MS
        self._calm = 0 if self._window.bridge.busy else self._calm + LOOK_MS
        if self._calm < CALM_MS and self._waited < LONGEST_MS:
            return
        if not self._opened:
            self._opened = True
            self._calm = self._waited = 0
            self._window.page.open_files(list(self._files[self._names[0]]))
            return
        self._timer.stop()
        name = self._names.pop(0)
        file = self._folder / f"{name}.png"
        (self._drawn if self._window.grab().save(str(file)) else self._failed).append(file)
        self.next_page()
