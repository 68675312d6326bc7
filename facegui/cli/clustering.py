"""Verbs about the people in photos: cluster."""

from __future__ import annotations

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
        lines = [
            (str(group["id"]), str(len(group["faces"])), group["person"] or _unsure(group["name"]), _photos(group))
            for group in groups[:_SHOWN]
        ]
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


def _photos(group: dict[str, Any]) -> str:
    names = [shown(Path(face["path"]).name) for face in group["faces"]]
    more = f" and {len(names) - _PHOTOS} more" if len(names) > _PHOTOS else ""
    return ", ".join(names[:_PHOTOS]) + more
