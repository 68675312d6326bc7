"""Verbs that bring models in and take them out: models add, download, remove."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, verb
from facegui.cli.models import models
from facegui.cli.output import shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.cli.pack_faces import PairPhotos
    from facegui.faces.packs import Added, TryFaces
    from facegui.faces.packs_zoo import Pack
    from facegui.jobs import Job
    from facegui.matching.calibration import Calibration
    from facegui.services import Services
    from facegui.settings import Settings

_MEGA = 1e6
_SHOWN_WAYS = 5

NameOption = Annotated[
    str | None, typer.Option("--name", metavar="ID", help="What to call it. Default: the name of the file or pack.")
]
PairsOption = Annotated[
    Path | None,
    typer.Option(
        "--pairs",
        metavar="FOLDER|LIST",
        help="Photos of people whose names are known: a folder with one folder per person, or a list path,person "
        "(they also calibrate the model), or a list of pairs path1,path2,same (they do not).",
    ),
]


@verb(models, "add")
def add(
    run: Run,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.onnx|PACK", help="One picture in, one embedding out; or a folder of `facegui train export`."
        ),
    ],
    name: NameOption = None,
    colour: Annotated[
        str | None, typer.Option("--colour", metavar="RGB|BGR", help="Order of the colours. Default: tried.")
    ] = None,
    mean: Annotated[
        str | None,
        typer.Option("--mean", metavar="M", help="(pixel - M) * S is what the network sees. Default: tried."),
    ] = None,
    scale: Annotated[str | None, typer.Option("--scale", metavar="S", help="See --mean; 1/128 will do.")] = None,
    pairs: PairsOption = None,
    licence: Annotated[str, typer.Option("--licence", metavar="TEXT", help="What its licence is, in words.")] = "",
) -> int:
    """Add a face embedder from an ONNX file; it is looked at in a process of its own.

    Of a pack that `facegui train export` made, colours, licence and calibration are taken over. Otherwise colour order
    and scaling are found by trying the usual ones on the photos of --pairs; without them it is a guess, and says so.
    Use the model afterwards with `facegui models use ID`.
    """
    from facegui.cli.pack_given import Asked, asked
    from facegui.faces.packs import Origin, add_model
    from facegui.faces.packs_proposal import numbers

    order = colour.upper() if colour else None
    if order not in (None, "RGB", "BGR"):
        raise KnownError(f"{colour} is no order of colours.", "", "Say RGB or BGR.")
    triples = [numbers(text) if text is not None else None for text in (mean, scale)]
    how = asked(Asked(file, name, order, triples[0], triples[1], Origin(licence=licence)))
    with run.services() as services:
        photos, faces = _faces(run, services, pairs)
        job = add_model(
            how.file, faces, name=how.name, colour=how.colour, mean=how.mean, scale=how.scale,
            origin=how.origin, threads=services.settings.threads,
        )  # fmt: skip
        return _finish(run, services, job, photos, "Examining the model", how.calibrations)


@verb(models, "add-liveness")
def add_liveness(
    run: Run,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE.onnx]", help="The add-on's file. Without it, it is downloaded.")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept-licence", metavar="", help="You have read the licence and keep to it.")
    ] = False,
) -> int:
    """Add InsightFace's passive liveness network, through its package; its licence is shown first.

    Its answer is one more cue beside the others wherever the proof of life is measured.
    """
    from facegui.faces.liveness_model import LICENCE, add_liveness_model

    run.output.remark(LICENCE)
    if not accept:
        raise KnownError(
            "The liveness add-on was not added.", "Its licence was not accepted.",
            "If you accept it, say --accept-licence.",
        )  # fmt: skip
    name = run.output.run(add_liveness_model(file), "Getting the liveness add-on")
    run.output.answer({"id": name, "role": "liveness"}, lambda console: console.print(f"✓ {name} was added."))
    return 0


@verb(models, "download")
def download(
    run: Run,
    pack: Annotated[str, typer.Argument(metavar="PACK", help="buffalo_l, antelopev2, buffalo_m, buffalo_s ...")],
    accept: Annotated[
        bool, typer.Option("--accept-licence", metavar="", help="You have read the licence and keep to it.")
    ] = False,
    source: Annotated[
        str | None, typer.Option("--from", metavar="URL|ZIP", help="Another address, or the pack's zip file.")
    ] = None,
    sha256: Annotated[str | None, typer.Option("--sha256", metavar="HEX", help="What the zip must hash to.")] = None,
    name: NameOption = None,
    pairs: PairsOption = None,
) -> int:
    """Get a model pack from InsightFace's model zoo; its licence is shown first.

    A download that breaks off goes on where it stopped when the verb is given again.
    """
    from facegui.faces.packs_zoo import add_pack, pack_of

    wanted = pack_of(pack)
    _require_licence(run, wanted, accept)
    with run.services() as services:
        photos, faces = _faces(run, services, pairs)
        job = add_pack(
            wanted, faces, source=source, sha256=sha256, name=name, threads=services.settings.threads
        )  # fmt: skip
        return _finish(run, services, job, photos, f"Getting {pack}")


def _require_licence(run: Run, pack: Pack, accepted: bool) -> None:
    """Show the licence, and ask where somebody is there to answer."""
    from facegui.faces.packs_zoo import LICENCE_ADDRESS, LICENCE_TEXT

    terms = f"{LICENCE_TEXT} {LICENCE_ADDRESS}"
    if accepted:
        run.output.remark(f"{_about(pack)}\n{terms}")
        return
    if sys.stdin.isatty() and not run.output.as_json:
        run.output.console(error=True).print(f"{_about(pack)}\n{terms}")
        if typer.confirm("Do you accept this licence?", default=False, err=True):
            return
    raise KnownError(
        f"{pack.name} was not downloaded.",
        f"Its licence was not accepted. {terms}",
        "If you accept it, say --accept-licence.",
    )


def _about(pack: Pack) -> str:
    size = f", {pack.size / _MEGA:.0f} MB" if pack.size else ""
    return f"{pack.name}{f': {pack.words}' if pack.words else ''}{size}."


def _faces(run: Run, services: Services, pairs: Path | None) -> tuple[PairPhotos | None, TryFaces]:
    from facegui.cli.pack_faces import collect, sample_faces

    if pairs is None:
        return None, run.output.run(sample_faces(services), "Reading sample photos")
    photos = run.output.run(collect(services, pairs), "Reading photos")
    for place, why in photos.unreadable.items():
        run.output.warn(f"{shown(photos.paths[place])}: {why}")
    return photos, photos.faces


def _finish(
    run: Run,
    services: Services,
    job: Job[Added],
    photos: PairPhotos | None,
    title: str,
    given: tuple[Calibration, ...] = (),
) -> int:
    """Run the job, calibrate the model where that is possible, and say how it went."""
    from facegui.cli.pack_given import take_calibrations

    added = run.output.run(job, title)
    calibrations: tuple[Calibration, ...] = ()
    if photos is not None and photos.by_name:
        calibrations = _calibrate(run, services.settings, added, photos)
    if not calibrations:
        calibrations = take_calibrations(added, given)
    document = _document(added, calibrations)

    def show(console: Console) -> None:
        model = added.model
        console.print(
            f"{model.id} was added: {model.dimension} numbers per face, {model.size_bytes / _MEGA:.1f} MB, "
            f"{added.milliseconds:.1f} ms per face here."
        )
        console.print(f"{model.notes}")
        console.print(f"Licence: {model.licence}. sha256 {model.sha256[:12]}…")
        if added.tried:
            _show_ways(console, added)
        for calibration in calibrations:
            _show_calibration(console, calibration)
        console.print(f"Use it: facegui models use {model.id}")

    run.output.answer(document, show)
    if added.guessed:
        run.output.warn(
            "How the network wants its pixels is a guess. Give photos of people whose names are known with --pairs, or "
            "say --colour, --mean and --scale as its author does."
        )
    if not calibrations:
        run.output.warn(
            f"It is not calibrated, so every answer will be unsure: facegui calibrate FOLDER --model {added.model.id} "
            "--write"
        )
    return 0


def _calibrate(run: Run, settings: Settings, added: Added, photos: PairPhotos) -> tuple[Calibration, ...]:
    from facegui.cli.manifest import write_calibrations
    from facegui.cli.pack_faces import calibrate_with

    model = added.model
    try:
        found = run.output.run(calibrate_with(model, photos, settings.provider, settings.threads), "Calibrating")
    except KnownError as error:
        run.output.warn(str(error))
        return ()
    write_calibrations(model.file.parent / "manifest.toml", model.id, found)
    return found


def _document(added: Added, calibrations: tuple[Calibration, ...]) -> dict[str, Any]:
    model = added.model
    return {
        "id": model.id,
        "sha256": model.sha256,
        "original_sha256": added.original_sha256,
        "path": model.file,
        "bytes": model.size_bytes,
        "dimension": model.dimension,
        "licence": model.licence,
        "source": model.source,
        "preprocessing": added.way,
        "guessed": added.guessed,
        "clear": added.clear,
        "tried": [dict(way) for way in added.tried],
        "faces": added.faces,
        "people": added.people,
        "original": dict(added.form),
        "milliseconds": added.milliseconds,
        "calibrated": [
            {
                "condition": calibration.condition.value,
                "people": calibration.people,
                "photos": calibration.photos,
                "source": calibration.source,
                "smallest_claim": calibration.smallest_claim,
                "thresholds": {str(point.fmr): point.threshold for point in calibration.operating_points},
            }
            for calibration in calibrations
        ],
    }


def _show_ways(console: Console, added: Added) -> None:
    rows = [
        (
            "●" if way["way"] == added.way else "",
            str(way["way"]),
            "none" if way["separation"] is None else f"{way['separation']:.2f}",
        )
        for way in added.tried[:_SHOWN_WAYS]
    ]
    what = f"{added.faces} faces of {added.people} people"
    caption = (
        f"● taken. Separation: distance of the similarities of one person's photos from those of strangers, on {what}."
    )
    console.print(table("", "Way to prepare the pixels", "Separation", rows=rows, right=(2,), caption=caption))


def _show_calibration(console: Console, calibration: Calibration) -> None:
    from facegui.matching.wording import format_limit, format_rate, format_similarity

    points = ", ".join(
        f"{format_rate(point.fmr)}: {format_similarity(point.threshold, 3)}" for point in calibration.operating_points
    )
    console.print(
        f"Calibrated, {calibration.condition.value}, on {calibration.people:,} people ({shown(calibration.source)}): "
        f"{points}. Enough to claim {format_limit(calibration.smallest_claim)} and nothing rarer."
    )


@verb(models, "remove")
def remove(run: Run, model_id: Annotated[str, typer.Argument(metavar="ID")]) -> int:
    """Remove a model that was added, with its file and its calibration.

    What it embedded stays in the gallery, where nothing asks for it any more.
    """
    from facegui.faces.packs import remove_model
    from facegui.settings import load

    settings, _ = load()
    with run.services() as services:
        wanted = next((m for m in services.models() if model_id in (m.id, m.sha256)), None)
    if wanted is not None and wanted.id == settings.model:
        raise KnownError(
            f"{wanted.id} was not removed.", "It is the model in use.", "Use another one first: facegui models use ID"
        )
    entry = remove_model(model_id)
    text = f"{entry['id']} was removed."
    run.output.answer(
        {"id": entry["id"], "sha256": entry["sha256"], "removed": True}, lambda console: console.print(shown(text))
    )
    return 0
