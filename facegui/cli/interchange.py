"""Verbs that take names, people and embeddings from other programs and give them away: import, export."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegui.cli.app import Run, group, verb
from facegui.cli.output import many, shown
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 10

Folders = Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Indexed folders of photos.")]


def _ask_what(run: Run) -> int:
    del run
    raise KnownError("It is not said what.", "", "See `facegui import --help` and `facegui export --help`.")


importing = group("import", "Take names, people and embeddings from other programs.", "Gallery", _ask_what)
exporting = group("export", "Give names and embeddings to other programs.", "Gallery", _ask_what)


@verb(importing, "names")
def names_in(run: Run, folders: Folders) -> int:
    """Read the names that digiKam, Lightroom, Picasa and others gave to faces, from photos and sidecars.

    The names are suggestions until you confirm them: `facegui cluster` shows them with a question mark.
    """
    from facegui.cli.folders import tell_skipped
    from facegui.services.interchange import import_names

    with run.services() as services:
        services.warm_up()
        tell_skipped(run, run.output.run(services.index(folders), "Reading photos"))
        found = run.output.run(import_names(services, folders), "Reading names")

    def show(console: Console) -> None:
        console.print(
            f"{many(found.regions, 'named region', 'named regions')} in {many(found.photos, 'photo', 'photos')}, "
            f"{found.matched:,} of them on a face that was found; {many(len(found.names), 'name', 'names')}."
        )
        for name in found.names[:_SHOWN]:
            console.print(f"  {name}")

    run.output.answer(asdict(found), show)
    return 0


@verb(importing, "people")
def people_in(
    run: Run, folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="NAME/photo.jpg, or NAME.jpg.")]
) -> int:
    """Enroll a folder of people, as face_recognition and DeepFace keep them: a folder of photos for each name."""
    from facegui.services.interchange import import_people

    with run.services() as services:
        services.warm_up()
        run.show_provider(services)
        made = run.output.run(import_people(services, folder), "Enrolling")
    if not made.samples:
        raise KnownError("Nobody was enrolled.", "No photo shows a face.", "Look at the photos.")

    def show(console: Console) -> None:
        console.print(f"{sum(made.samples.values()):,} samples of {len(made.samples):,} people enrolled.")

    left_out = [{"path": path, "reason": why} for path, why in made.left_out]
    run.output.answer({"samples": made.samples, "left_out": left_out}, show)
    for path, why in made.left_out[:_SHOWN]:
        run.output.warn(f"{shown(path)}: {why}")
    return 0


@verb(importing, "embeddings")
def embeddings_in(
    run: Run, file: Annotated[Path, typer.Argument(metavar="FILE", help="A table, .npz or .csv.")]
) -> int:
    """Take vectors of indexed faces from a table, made on a faster machine for example."""
    from facegui.services.interchange import import_embeddings

    with run.services(existing=True) as services:
        taken = import_embeddings(services, file)

    def show(console: Console) -> None:
        console.print(f"{taken:,} vectors taken.")

    run.output.answer({"taken": taken}, show)
    return 0


@verb(exporting, "names")
def names_out(run: Run, folders: Folders) -> int:
    """Write the names that you confirmed into sidecars (photo.jpg.xmp), for digiKam and others.

    Photos are left alone. What else a sidecar holds is kept; its face regions are replaced.
    """
    from facegui.services.interchange import write_names

    with run.services(existing=True) as services:
        done = run.output.run(write_names(services, folders), "Writing names")

    def show(console: Console) -> None:
        console.print(
            f"{many(done.names, 'name', 'names')} written into {many(len(done.sidecars), 'sidecar', 'sidecars')}."
        )

    run.output.answer(asdict(done), show)
    for problem in done.failed[:_SHOWN]:
        run.output.warn(problem)
    return 0


@verb(exporting, "embeddings")
def embeddings_out(
    run: Run,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The table to write, .npz or .csv.")],
    folders: Annotated[list[Path] | None, typer.Option("--in", metavar="FOLDER", help="Only photos in here.")] = None,
) -> int:
    """Write the vectors of the indexed faces into a table, without reading a photo again."""
    from facegui.services.interchange import export_embeddings

    with run.services(existing=True) as services:
        count = export_embeddings(services, file, folders)

    def show(console: Console) -> None:
        console.print(f"{count:,} faces written to {shown(file)}")

    run.output.answer({"path": str(file), "faces": count}, show)
    return 0
