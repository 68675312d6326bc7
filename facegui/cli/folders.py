"""Verbs about folders of photos: index, lookalikes."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.board import BOARD_TOP, MOST_TOP, BoardOption, MapChoice, MapOption, make_board
from facegui.cli.compare import FmrOption, PolicyOption, ThresholdOption, check_rate, face_policy
from facegui.cli.output import many, shown, table
from facegui.errors import KnownError
from facegui.paths import plain

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.cli.describing import Seen
    from facegui.lookalikes.indexer import IndexSummary
    from facegui.services import Services
    from facegui.services.fusing import Fused

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
        held = f"{many(counts.faces, 'face', 'faces')} in {many(counts.photos, 'photo', 'photos')}"
        console.print(f"The index holds {held}.")

    run.output.answer(document, show)
    tell_skipped(run, summary)
    return 0


def _watch(run: Run, services: Services, folders: list[Path]) -> None:
    """Follow changes until the user ends it; that is no error."""
    from facegui.lookalikes.indexer import IndexSummary
    from facegui.services.watching import watch_folders

    run.output.remark(f"Watching {many(len(folders), 'folder', 'folders')}. Ctrl+C ends it.")
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
    faces = f"{many(summary.faces, 'face', 'faces')} found"
    if summary.without_face:
        faces += f", {many(summary.without_face, 'photo', 'photos')} without one"
    return f"Photos: {', '.join(parts)}. {faces}. {summary.seconds:.1f} s{rate}."


def tell_skipped(run: Run, summary: IndexSummary) -> None:
    """Say on standard error which files could not be used, and why."""
    if not summary.skipped:
        return
    run.output.warn(f"{many(len(summary.skipped), 'file', 'files')} could not be used:")
    for item in summary.skipped[:_SHOWN_SKIPPED]:
        run.output.warn(f"  {shown(item.path)}: {item.reason}")
    if len(summary.skipped) > _SHOWN_SKIPPED:
        run.output.warn(f"  and {len(summary.skipped) - _SHOWN_SKIPPED:,} more; --json names all.")


@verb(app, "lookalikes", "Ask")
def lookalikes(
    run: Run,
    photos: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PHOTO...]", help="Whose lookalikes; several of one person make one probe."),
    ] = None,
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
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out", metavar="FILE", help="Where the rows go: .csv, .json or .html (with --board: .html, .png or .csv)."
        ),
    ] = None,
    map_kind: MapOption = MapChoice.TSNE,
) -> int:
    """Order the faces of indexed photos by their likeness to one face.

    With --out the rows go into a table (.csv, .json) or a contact sheet (.html), too. With --board: compare the photos
    of a folder all with all, as `facegui board` does.
    """
    if board is not None:
        return make_board(run, board, out or [Path("board.html")], min(top or BOARD_TOP, MOST_TOP), map_kind)
    top = top or TOP
    given = photos or []
    if bool(given) == (person is not None):
        raise KnownError("It is not clear whose lookalikes are wanted.", "", "Name a photo, or --person NAME.")
    check_rate(fmr)
    from facegui.cli.describing import chosen_rule, look, person_named
    from facegui.lookalikes.result_files import ResultSheet, check_name
    from facegui.matching.decision import decide, explain
    from facegui.services.exporting import export_results
    from facegui.services.searching import fused_probe, ranked

    for file in out or []:
        check_name(file, (".csv", ".json", ".html"))

    with run.services(existing=person is not None or not folders) as services:
        services.warm_up()
        run.show_provider(services)
        seen = look(services, str(given[0].absolute()), face_policy(policy)) if len(given) == 1 else None
        fused = _fused(run, services, given) if len(given) > 1 else None
        who = seen.face if seen is not None else None if fused is not None else person_named(services, person or "").id
        if folders:
            tell_skipped(run, run.output.run(services.index(folders), "Reading photos"))
        run.reembed(services)
        if who is None and fused is not None:
            where = [str(plain(folder)) for folder in folders] if folders else None
            query = fused_probe(services, fused.question)
            ranking = ranked(services, query, folders=where, top=top, one_per_photo=one_per_photo)
        elif who is not None:
            ranking = services.lookalikes(who, folders or None, top=top, one_per_photo=one_per_photo)
        _require_faces(ranking.searched, bool(folders))
        ranking = ranking.first(ranking.above(-1.0 if least is None else least))
        hits = ranking.hits(services.gallery)
        names = {known.id: known.name for known in services.gallery.people()}
        rule = chosen_rule(services.calibration, threshold, fmr, services.settings.target_fmr)
        model, provider = services.model, services.provider
        name = person or (f"{len(given)} photos" if fused is not None else given[0].name)
        meaning = explain(float("nan"), rule, services.calibration).meaning
        crop = fused.members[0].face.crop if fused is not None else seen.face.crop if seen is not None else None
        sheet = ResultSheet(name, crop, model.id, rule, meaning, ranking.searched, len(ranking))
        for file in out or []:
            run.output.run(export_results(services, ranking, sheet, file), "Writing")
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
        "probe": _probe_document(seen, fused, person),
        "files": [str(file.absolute()) for file in out or []],
        "rows": rows,
    }

    def show(console: Console) -> None:
        _show_rows(console, rows, ranking.searched, rule)
        for file in out or []:
            console.print(f"Written: {shown(file.absolute())}")

    run.output.answer(document, show)
    return 0


def _fused(run: Run, services: Services, photos: list[Path]) -> Fused:
    """Read several photos of one person, and say on standard error what speaks against them."""
    from facegui.services.fusing import read_photos

    fused = run.output.run(read_photos(services, [photo.absolute() for photo in photos]), "Reading photos")
    for error in fused.failed:
        run.output.warn(str(error))
    for source in fused.without_face:
        run.output.warn(f"No face was found in {shown(source)}.")
    for member in fused.members:
        if member.odd:
            run.output.warn(f"{shown(member.photo.frame.source)} does not look like the others.")
    if not fused.members:
        raise KnownError("No face was found in these photos.", "", "Name some where the face is larger.")
    return fused


def _probe_document(seen: Seen | None, fused: Fused | None, person: str | None) -> dict[str, Any]:
    from facegui.cli.describing import seen_document

    if seen is not None:
        return seen_document(seen)
    if fused is None:
        return {"person": person}
    return {
        "photos": [
            {"path": member.photo.frame.source, "face": member.index, "odd": member.odd} for member in fused.members
        ],
        "least_similarity": round(fused.least, 6),
        "without_face": list(fused.without_face),
    }


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
