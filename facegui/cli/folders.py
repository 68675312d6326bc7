"""Verbs about folders of photos: index, lookalikes."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.board import BOARD_TOP, MOST_TOP, BoardOption, MapChoice, MapOption, OutOption, make_board
from facegui.cli.compare import FmrOption, PolicyOption, ThresholdOption, check_rate, face_policy
from facegui.cli.output import shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.lookalikes.indexer import IndexSummary
    from facegui.services import Services

TOP = 20
_SHOWN_SKIPPED = 10


@verb(app, "index", "Gallery")
def index(
    run: Run,
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...")],
    retry: Annotated[bool, typer.Option("--retry", help="Try files again that could not be used before.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on reading what is new or changes, until Ctrl+C.")] = False,
) -> int:
    """Read folders of photos into the gallery, for lookalikes; only what is new or changed is read.

    It can be broken off (Ctrl+C) and goes on where it was.
    """
    with run.services() as services:
        services.warm_up()
        run.show_provider(services)
        summary = run.output.run(services.index(folders, retry_skipped=retry), "Reading photos")
        counts = services.gallery.counts()
        if watch:
            _watch(run, services, folders)
    document = asdict(summary) | {"index": {"photos": counts.photos, "faces": counts.faces}}

    def show(console: Console) -> None:
        console.print(_summary(summary))
        console.print(f"The index holds {counts.faces:,} faces in {counts.photos:,} photos.")

    run.output.answer(document, show)
    tell_skipped(run, summary)
    return 0


def _watch(run: Run, services: Services, folders: list[Path]) -> None:
    """Follow changes until the user ends it; that is no error."""
    from facegui.lookalikes.indexer import IndexSummary
    from facegui.services.watching import watch_folders

    run.output.remark(f"Watching {len(folders)} folders. Ctrl+C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        run.output.run(
            watch_folders(services, folders),
            "Watching",
            lambda done: run.output.remark(_summary(done)) if isinstance(done, IndexSummary) else None,
        )


def _summary(summary: IndexSummary) -> str:
    read = summary.new + summary.changed
    rate = f", {read / summary.seconds:.1f} photos per second" if read and summary.seconds else ""
    parts = [f"{summary.new:,} new", f"{summary.changed:,} changed", f"{summary.unchanged:,} unchanged"]
    if summary.moved:
        parts.append(f"{summary.moved:,} moved")
    if summary.removed:
        parts.append(f"{summary.removed:,} gone")
    faces = f"{summary.faces:,} faces found"
    if summary.without_face:
        faces += f", {summary.without_face:,} photos without one"
    return f"Photos: {', '.join(parts)}. {faces}. {summary.seconds:.1f} s{rate}."


def tell_skipped(run: Run, summary: IndexSummary) -> None:
    """Say on standard error which files could not be used, and why."""
    if not summary.skipped:
        return
    run.output.warn(f"{len(summary.skipped):,} files could not be used:")
    for item in summary.skipped[:_SHOWN_SKIPPED]:
        run.output.warn(f"  {shown(item.path)}: {item.reason}")
    if len(summary.skipped) > _SHOWN_SKIPPED:
        run.output.warn(f"  and {len(summary.skipped) - _SHOWN_SKIPPED:,} more; --json names all.")


@verb(app, "lookalikes", "Ask")
def lookalikes(
    run: Run,
    photo: Annotated[Path | None, typer.Argument(metavar="[PHOTO]", help="Whose lookalikes; or --person.")] = None,
    person: Annotated[str | None, typer.Option("--person", metavar="NAME", help="An enrolled person instead.")] = None,
    folders: Annotated[
        list[Path] | None,
        typer.Option("--in", metavar="FOLDER", help="Look here, after reading what is new. Default: all indexed."),
    ] = None,
    top: Annotated[
        int | None, typer.Option("--top", min=1, metavar="K", help=f"So many faces; {TOP}, on a board {BOARD_TOP}.")
    ] = None,
    one_per_photo: Annotated[bool, typer.Option("--one-per-photo", help="Only the best face of each photo.")] = False,
    least: Annotated[
        float | None,
        typer.Option("--min", metavar="SIMILARITY", min=-1, max=1, help="Only faces at least so similar."),
    ] = None,
    threshold: ThresholdOption = None,
    fmr: FmrOption = None,
    policy: PolicyOption = None,
    board: BoardOption = None,
    out: OutOption = None,
    map_kind: MapOption = MapChoice.TSNE,
) -> int:
    """Order the faces of indexed photos by their likeness to one face.

    With --board: compare the photos of a folder all with all, into a page, a picture or a table.
    """
    if board is not None:
        return make_board(run, board, out or [Path("board.html")], min(top or BOARD_TOP, MOST_TOP), map_kind)
    if out:
        raise KnownError("--out belongs to --board.", "", "Name the folder: --board DIR --out board.html.")
    top = top or TOP
    if (photo is None) == (person is None):
        raise KnownError("It is not clear whose lookalikes are wanted.", "", "Name a photo, or --person NAME.")
    check_rate(fmr)
    from facegui.cli.describing import chosen_rule, look, person_named, seen_document
    from facegui.matching.decision import decide

    with run.services(existing=person is not None or not folders) as services:
        services.warm_up()
        run.show_provider(services)
        seen = look(services, str(photo.absolute()), face_policy(policy)) if photo is not None else None
        probe = seen.face if seen is not None else person_named(services, person or "").id
        if folders:
            tell_skipped(run, run.output.run(services.index(folders), "Reading photos"))
        run.reembed(services)
        ranking = services.lookalikes(probe, folders or None, top=top, one_per_photo=one_per_photo)
        _require_faces(ranking.searched, bool(folders))
        hits = [hit for hit in ranking.hits(services.gallery) if least is None or hit.similarity >= least]
        names = {known.id: known.name for known in services.gallery.people()}
        rule = chosen_rule(services.calibration, threshold, fmr, services.settings.target_fmr)
        model, provider = services.model, services.provider
    rows = [
        {
            "rank": hit.rank + 1,
            "similarity": round(hit.similarity, 6),
            "decision": decide(hit.similarity, rule).value,
            "person": names.get(hit.person_id) if hit.person_id is not None else None,
            "path": hit.path,
            "box": {n: round(getattr(hit.box, n), 1) for n in ("x", "y", "width", "height")},
            "face_id": hit.face_id,
            "same_file": seen is not None and hit.path == seen.path,
        }
        for hit in hits
    ]
    document = {
        "searched": ranking.searched,
        "threshold": rule.threshold if rule else None,
        "unsure_from": rule.unsure_low if rule else None,
        "model": model.id,
        "provider": provider.active if provider else None,
        "probe": seen_document(seen) if seen is not None else {"person": person},
        "rows": rows,
    }

    def show(console: Console) -> None:
        _show_rows(console, rows, ranking.searched, rule)

    run.output.answer(document, show)
    return 0


def _require_faces(searched: int, in_folders: bool) -> None:
    if searched:
        return
    if in_folders:
        raise KnownError(
            "There is nothing to compare with.", "No face was found in these folders.", "Name another one."
        )
    raise KnownError(
        "There is nothing to compare with.",
        "No folder of photos was read yet.",
        "Say --in FOLDER, or read one with `facegui index FOLDER`.",
    )


def _show_rows(console: Console, rows: list[dict[str, Any]], searched: int, rule: Any) -> None:
    from facegui.cli.describing import mark, similarity_text
    from facegui.faces.types import Outcome
    from facegui.matching.wording import format_similarity

    lines = [
        (
            str(row["rank"]),
            similarity_text(row["similarity"], rule),
            mark(Outcome(row["decision"])),
            row["person"] or "",
            shown(row["path"]) + (" (the photo itself)" if row["same_file"] else ""),
        )
        for row in rows
    ]
    console.print(table("", "Similarity", "", "Person", "Photo", rows=lines, right=(0, 1)))
    at = f" Match from {format_similarity(rule.threshold)}." if rule else " The model is not calibrated."
    console.print(f"{searched:,} faces compared.{at}", style="dim")
