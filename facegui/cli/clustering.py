"""Verbs about the people in photos: cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.folders import tell_skipped
from facegui.cli.output import shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.services import Services

_SHOWN = 30
_PHOTOS = 3


@verb(app, "cluster", "Gallery")
def cluster(
    run: Run,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDER...]", help="Read what is new here first. Default: only what is indexed."),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Form all groups again; only what you confirmed or refused is kept.")
    ] = False,
    least: Annotated[int, typer.Option("--min", min=2, metavar="N", help="Name groups of at least so many faces.")] = 2,
) -> int:
    """Put the faces of all indexed photos together to people.

    Faces that are together stay together; new ones join them. Two faces of one photo are never one person.
    """
    from facegui.services.people import group_faces

    with run.services(existing=not folders) as services:
        if folders:
            services.warm_up()
            run.show_provider(services)
            tell_skipped(run, run.output.run(services.index(folders), "Reading photos"))
        run.reembed(services)
        summary = run.output.run(group_faces(services, anew=anew), "Grouping faces")
        if not summary.faces:
            raise KnownError(
                "There are no faces to put together.",
                "No folder of photos was read yet.",
                "Name one: `facegui cluster FOLDER`.",
            )
        groups = [_described(services, group) for group in summary.groups if group.faces >= least or group.person]
        document = {
            "faces": summary.faces,
            "groups": groups,
            "alone": summary.alone,
            "seconds": round(summary.seconds, 3),
            "model": services.model.id,
        }

    def show(console: Console) -> None:
        listed = groups[:_SHOWN]
        above = _common_folder(face["path"] for group in listed for face in group["faces"][:_PHOTOS])
        lines = [
            (
                str(group["id"]), str(len(group["faces"])), group["person"] or _unsure(group["name"]),
                _photos(group, above),
            )
            for group in listed
        ]  # fmt: skip
        if lines:
            console.print(f"Photos in {shown(above)}\n", style="dim")
        console.print(table("Group", "Faces", "Who", "Photos", rows=lines, right=(0, 1)))
        if len(groups) > _SHOWN:
            console.print(f"and {len(groups) - _SHOWN:,} smaller groups; --json names all.", style="dim")
        console.print(
            f"{summary.faces:,} faces in {len(summary.groups):,} groups, {summary.alone:,} alone. "
            f"{summary.seconds:.2f} s."
        )

    run.output.answer(document, show)
    return 0


def _described(services: Services, group: Any) -> dict[str, Any]:
    faces = services.gallery.faces(services.gallery.cluster_faces(group.id))
    return {
        "id": group.id,
        "person": group.person,
        "name": group.name,
        "photos": group.photos,
        "faces": [
            {"face_id": face.face_id, "path": face.path, "quality": round(face.quality.score, 3)} for face in faces
        ],
    }


def _unsure(name: str | None) -> str:
    return f"{name}?" if name else ""


def _common_folder(paths: Iterable[str]) -> Path:
    """Return the folder that all of these photos lie in or below."""
    folders = {str(Path(path).parent) for path in paths}
    try:
        return Path(os.path.commonpath(folders)) if folders else Path()
    except ValueError:  # on different drives
        return Path()


def _photos(group: dict[str, Any], above: Path) -> str:
    faces = group["faces"]
    names = [shown(os.path.relpath(face["path"], above) if above.name else face["path"]) for face in faces[:_PHOTOS]]
    more = f" and {len(faces) - _PHOTOS} more" if len(faces) > _PHOTOS else ""
    return ", ".join(names) + more
