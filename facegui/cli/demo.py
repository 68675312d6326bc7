"""The verb that shows the whole program at work: demo."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.output import shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.cli.demonstration import Demonstration
    from facegui.gui.main_window import MainWindow
    from facegui.services import Services


@verb(app, "demo", "Start here")
def demo(
    run: Run,
    no_window: Annotated[
        bool, typer.Option("--no-window", help="Only the answers: neither open the window nor draw its pages.")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Work in this folder and keep what is made.")
    ] = None,
) -> int:
    """Do the main job end to end on sample faces: enroll, verify, identify, find lookalikes.

    The photos come with installed packages. Afterwards the window opens on them; without a screen its pages are
    drawn into PNG files. Your own gallery and settings are not touched.
    """
    from facegui.gui.start import has_screen

    screen = not no_window and has_screen()
    with _workplace(keep) as folder, _own_home(folder):

        def services() -> Services:
            from facegui.services import Services

            return Services(gallery=run.gallery or folder / "gallery.sqlite", model=run.model)

        from facegui.cli.demonstration import demonstrate

        run.prepare()
        with services() as opened:
            found = run.output.run(demonstrate(opened, folder / "photos"), "Working")
            run.show_provider(opened)
        document = _document(found, folder)
        if screen or no_window:
            gone = " (removed when the window is closed)" if screen and keep is None else ""
            run.output.answer(document, lambda console: _show(console, found, f"{shown(folder)}{gone}"))
            if screen:
                _open_window(run, services, found)
                if keep is None:
                    shutil.rmtree(folder, ignore_errors=True)
            return 0
        pictures, problem = _draw(run, services, found, folder)
        document["pictures"] = pictures
        document["pictures_problem"] = problem

        def show(console: Console) -> None:
            _show(console, found, shown(folder))
            _show_pictures(console, pictures, problem)

        run.output.answer(document, show)
    return 0


@contextlib.contextmanager
def _workplace(keep: Path | None) -> Iterator[Path]:
    """Give the folder to work in, empty or new.

    Raises
    ------
    KnownError
        It is not empty, or cannot be made.
    """
    if keep is None:
        yield Path(tempfile.mkdtemp(prefix="facegui-demo-"))
        return
    folder = keep.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        used = any(folder.iterdir())
    except OSError as error:
        raise KnownError(f"{folder} cannot be used.", f"{error.strerror or error}.", "Name another folder.") from error
    if used:
        raise KnownError(f"{folder} is not empty.", "", "Name a new folder, so that nothing of yours is mixed in.")
    yield folder


@contextlib.contextmanager
def _own_home(folder: Path) -> Iterator[None]:
    """Keep settings, logs and the window's state of the demonstration apart from the user's own."""
    before = os.environ.get("FACEGUI_HOME")
    os.environ["FACEGUI_HOME"] = str(folder / "home")
    try:
        yield
    finally:
        if before is None:
            del os.environ["FACEGUI_HOME"]
        else:
            os.environ["FACEGUI_HOME"] = before


def _document(found: Demonstration, folder: Path) -> dict[str, Any]:
    return {
        "folder": folder,
        "photos": found.folder.photos,
        "enrolled": found.enrolled,
        "answers": [
            {
                "question": answer.question,
                "decision": answer.outcome.value,
                "who": answer.words or None,
                "similarity": round(answer.similarity, 6),
                "expected": answer.expected.value,
            }
            for answer in found.answers
        ],
        "lookalikes": {
            "probe": found.probe,
            "searched": found.searched,
            "rows": [{"similarity": round(hit.similarity, 6), "path": hit.path} for hit in found.hits],
        },
        "threshold": found.rule.threshold if found.rule else None,
        "model": found.model,
        "provider": found.provider.active,
        "pictures": [],
        "pictures_problem": None,
    }


def _show(console: Console, found: Demonstration, where: str) -> None:
    from rich.text import Text

    from facegui.cli.demonstration import CAPTION
    from facegui.cli.describing import mark, similarity_text
    from facegui.faces.types import Outcome
    from facegui.matching.decision import decide
    from facegui.matching.wording import format_similarity

    enrolled = ", ".join(found.enrolled)
    console.print(f"Enrolled: {enrolled}.")
    console.print()
    rows = []
    for answer in found.answers:
        said = mark(answer.outcome).append(f"  {answer.words}" if answer.words else "", "default")
        if answer.outcome not in (answer.expected, Outcome.UNSURE):
            said.append(f"  (expected: {answer.expected.value})", "bold red")
        rows.append((answer.question, similarity_text(answer.similarity, found.rule), said))
    console.print(table("Question", "Similarity", "Answer", rows=rows, right=(1,)))
    console.print()
    lines = [
        (similarity_text(hit.similarity, found.rule), mark(decide(hit.similarity, found.rule)), Path(hit.path).name)
        for hit in found.hits
    ]
    title = f"Who looks like {found.probe.name}? The first {len(lines)} of {found.searched} faces"
    console.print(title, style="bold")
    console.print(table("Similarity", "", "Photo", rows=lines, right=(0,)))
    console.print()
    threshold = f"Match from {format_similarity(found.rule.threshold)}. " if found.rule else ""
    console.print(Text(f"{threshold}{CAPTION}", style="dim"))
    console.print(f"{found.model} on {found.provider.active} ({found.provider.device})", style="dim")
    console.print(f"Photos and gallery: {where}")


def _files(found: Demonstration) -> dict[str, list[Path]]:
    """Return what each page is shown with."""
    folder = found.folder
    return {
        "verify": [folder.file("astronaut"), folder.file("astronaut-mirrored")],
        "enroll": [folder.file("group")],
        "lookalikes": [found.probe, folder.photos],
    }


def _open_window(run: Run, services: Callable[[], Services], found: Demonstration) -> None:
    """Open the window on the demonstration; where it cannot open, say why: the answers are there already."""
    from facegui.gui.start import run_window

    def opened(window: MainWindow) -> None:
        window.show_page("verify")
        window.page.open_files(_files(found)["verify"])

    try:
        run.output.remark("The window opens; close it to end the demonstration.")
        run_window(services, opened)
    except (KnownError, ImportError) as error:
        run.output.warn(_why(error))


def _draw(
    run: Run, services: Callable[[], Services], found: Demonstration, folder: Path
) -> tuple[list[Path], str | None]:
    """Draw the pages; return the pictures, or why there are none."""
    target = folder / "pages"
    target.mkdir(exist_ok=True)
    try:
        from facegui.gui.pictures import draw_pages

        run.output.remark("There is no screen here, so the window's pages are drawn into files.", "dim")
        return draw_pages(services, _files(found), target), None
    except (KnownError, ImportError) as error:
        return [], _why(error)


def _why(error: KnownError | ImportError) -> str:
    if isinstance(error, KnownError):
        return str(error)
    return f"The window cannot open. {error}. Install what is missing: pip install PySide6"


def _show_pictures(console: Console, pictures: list[Path], problem: str | None) -> None:
    if problem is not None:
        console.print(f"No pictures of the window were drawn. {problem}")
        return
    console.print("The pages of the window, drawn without a screen:")
    for picture in pictures:
        console.print(f"  {shown(picture)}")
