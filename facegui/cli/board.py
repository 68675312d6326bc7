"""The verb `facegui board`, which is `facegui lookalikes --board` as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.output import shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.faces.types import Image
    from facegui.lookalikes.board import Board
    from facegui.services import Services

    Made = tuple[Board, Mapping[int, Image]]
    """A board, and its faces where they are not in the gallery."""

__all__ = ["BOARD_TOP", "MOST_TOP", "BoardOption", "MapChoice", "MapOption", "OutOption", "make_board"]

BOARD_TOP = 3
MOST_TOP = 12
_SHOWN = 20


class MapChoice(StrEnum):
    """How the map of a board is made."""

    TSNE = "tsne"
    PCA = "pca"
    UMAP = "umap"


BoardOption = Annotated[
    Path | None, typer.Option("--board", metavar="DIR", help="Compare the photos of a folder all with all.")
]
OutOption = Annotated[
    list[Path] | None,
    typer.Option("--out", metavar="FILE", help="Where the board goes: .html, .png or .csv; may be given again."),
]
MapOption = Annotated[MapChoice, typer.Option("--map", help="How the map of the board is made.")]


@verb(app, "board", "Ask")
def board(
    run: Run,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[FOLDER | PHOTO...]", help="A folder, or some photos; or --people.")
    ] = None,
    people: Annotated[bool, typer.Option("--people", help="The enrolled people instead.")] = False,
    person: Annotated[
        list[str] | None,
        typer.Option("--person", metavar="NAME", help="Only this enrolled person; to be given at least twice."),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", min=1, max=MOST_TOP, metavar="K", help="So many of the most similar others of each.")
    ] = BOARD_TOP,
    out: OutOption = None,
    map_kind: MapOption = MapChoice.TSNE,
) -> int:
    """Compare faces all with all: who looks most like whom, into a page, a picture or tables.

    A folder is read first, as far as it is new; of each photo the largest face counts. With photos instead of a folder
    nothing is kept.
    """
    given = paths or []
    names = person or []
    if bool(given) == bool(people or names):
        do = "Name a folder or photos, or --people, or --person for each person."
        raise KnownError("It is not clear what is to be compared.", "", do)
    if people or names:
        words = f"{len(names):,} people" if names else "the enrolled people"
        return _make(run, words, out or [], lambda services: _of_people(run, services, names, top, map_kind))
    if len(given) == 1 and (given[0].is_dir() or not given[0].exists()):
        return make_board(run, given[0], out or [], top, map_kind)
    if folders := [path for path in given if path.is_dir()]:
        raise KnownError("A board is made of one folder or of photos.", f"{folders[0]} is a folder.", "Name one kind.")
    words = f"{len(given):,} photos"
    return _make(run, words, out or [], lambda services: _of_photos(run, services, given, top, map_kind))


def make_board(run: Run, folder: Path, files: list[Path], top: int, map_kind: MapChoice) -> int:
    """Read what is new in a folder, compare its photos all with all, and write the board."""

    def make(services: Services) -> Made:
        from facegui.cli.folders import tell_skipped
        from facegui.services.boards import board_of_folder

        services.warm_up()
        run.show_provider(services)
        tell_skipped(run, run.output.run(services.index([folder]), "Reading photos"))
        run.reembed(services)
        return run.output.run(board_of_folder(services, folder, top=top, map_kind=map_kind.value), "Comparing"), {}

    return _make(run, shown(folder.absolute().name), files, make)


def _of_people(run: Run, services: Services, names: list[str], top: int, map_kind: MapChoice) -> Made:
    from facegui.cli.describing import person_named
    from facegui.services.boards import board_of_people

    chosen = {person_named(services, name).id for name in names} if names else None
    run.reembed(services)
    return run.output.run(board_of_people(services, chosen, top=top, map_kind=map_kind.value), "Comparing"), {}


def _of_photos(run: Run, services: Services, paths: list[Path], top: int, map_kind: MapChoice) -> Made:
    from facegui.services.boards import board_of_photos

    for path in paths:
        if not path.exists():
            raise KnownError(f"There is no file {path}.", "", "Check the name.")
    services.warm_up()
    run.show_provider(services)
    files = [path.absolute() for path in paths]
    made = run.output.run(board_of_photos(services, files, top=top, map_kind=map_kind.value), "Reading photos")
    if len(made[0].items) < len(paths):
        run.output.warn(f"{len(paths) - len(made[0].items)} photos have no face or could not be read.")
    return made


def _make(run: Run, name: str, files: list[Path], make: Callable[[Services], Made]) -> int:
    """Check the files' names, make the board, write it and answer."""
    from facegui.lookalikes.board_files import check_name, write_board
    from facegui.matching.decision import decide
    from facegui.matching.wording import format_similarity

    for file in files:
        check_name(file)
        if not file.absolute().parent.is_dir():
            raise KnownError(f"There is no folder {file.absolute().parent}.", "", "Make it, or choose another place.")
    with run.services() as services:
        board, own = make(services)
        crops = own or services.gallery.crops([item.face_id for item in board.items])
        rule, model = services.rule(), services.model.id
    title = f"Who looks like whom in {name}"
    for file in files:
        write_board(board, crops, rule, file, title)
    rows = [
        {
            "path": item.path or None,
            "person": item.person or None,
            "most_similar": [
                {
                    "path": board.items[near.row].path or None,
                    "person": board.items[near.row].person or None,
                    "similarity": round(near.similarity, 6),
                    "decision": decide(near.similarity, rule).value if rule else None,
                }
                for near in some
            ],
        }
        for item, some in zip(board.items, board.nearest, strict=True)
    ]
    document = {
        "faces": len(rows),
        "map": board.map_kind,
        "model": model,
        "threshold": rule.threshold if rule else None,
        "files": [str(file.absolute()) for file in files],
        "rows": rows,
    }

    def show(console: Console) -> None:
        lines = []
        for item, some in list(zip(board.items, board.nearest, strict=True))[:_SHOWN]:
            near = [f"{shown(board.items[n.row].name)} {format_similarity(n.similarity)}" for n in some]
            lines.append((shown(item.name), *near))
        heads = ["Most similar", *(f"{k}." for k in range(2, len(board.nearest[0]) + 1))]
        console.print(table("Face", *heads, rows=lines))
        if len(rows) > _SHOWN:
            console.print(f"and {len(rows) - _SHOWN:,} more rows.", style="dim")
        for file in files:
            console.print(f"Written: {shown(file.absolute())}")

    run.output.answer(document, show)
    return 0
