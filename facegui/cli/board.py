"""The board of `facegui lookalikes --board`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegui.cli.output import shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.cli.app import Run

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


def make_board(run: Run, folder: Path, files: list[Path], top: int, map_kind: MapChoice) -> int:
    """Read what is new in a folder, compare its photos all with all, and write the board."""
    from facegui.lookalikes.board_files import check_name, write_board
    from facegui.matching.decision import decide
    from facegui.matching.wording import format_similarity
    from facegui.services.boards import board_of_folder

    for file in files:
        check_name(file)
        if not file.absolute().parent.is_dir():
            raise KnownError(f"There is no folder {file.absolute().parent}.", "", "Make it, or choose another place.")
    with run.services() as services:
        services.warm_up()
        run.show_provider(services)
        from facegui.cli.folders import tell_skipped

        tell_skipped(run, run.output.run(services.index([folder]), "Reading photos"))
        run.reembed(services)
        board = run.output.run(board_of_folder(services, folder, top=top, map_kind=map_kind.value), "Comparing")
        crops = services.gallery.crops([item.face_id for item in board.items])
        rule, model = services.rule(), services.model.id
    title = f"Who looks like whom in {shown(folder.absolute().name)}"
    for file in files:
        write_board(board, crops, rule, file, title)
    rows = [
        {
            "path": item.path,
            "person": item.person or None,
            "most_similar": [
                {
                    "path": board.items[near.row].path,
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
        console.print(table("Photo", *heads, rows=lines))
        if len(rows) > _SHOWN:
            console.print(f"and {len(rows) - _SHOWN:,} more rows.", style="dim")
        for file in files:
            console.print(f"Written: {shown(file.absolute())}")

    run.output.answer(document, show)
    return 0
