"""Verbs about training: train prepare, run, export; the only place that imports `facegui.training`, and only there."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegui.cli.app import Run, group, verb
from facegui.cli.output import shown, table
from facegui.errors import KnownError, reason

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.matching.calibration import Calibration
    from facegui.training.export import Exported

__all__ = ["require_torch", "train"]

_SHOWN = 10
_HOW = (
    "Install it: uv sync --extra train, or pip install 'facegui[train]'. The build without CUDA is smaller; "
    "https://pytorch.org says how to get it."
)


def require_torch() -> None:
    """Refuse to go on where PyTorch is missing.

    Raises
    ------
    KnownError
        It is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise KnownError("Training needs PyTorch.", "It is not installed.", _HOW)


def _overview(run: Run) -> int:
    """Say whether training is possible here and in which order the verbs come."""
    there = importlib.util.find_spec("torch") is not None

    def show(console: Console) -> None:
        console.print("PyTorch is installed." if there else f"PyTorch is not installed. {_HOW}")
        console.print("1. facegui train prepare PHOTOS --out CROPS")
        console.print("2. facegui train run CONFIG.toml")
        console.print("3. facegui train export RUN --out PACK")

    run.output.answer({"torch": there}, show)
    return 0


train = group("train", "Train a face embedder of your own (needs PyTorch).", "Train", _overview)


@verb(train, "prepare")
def prepare(
    run: Run,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER|LIST", help="One folder per person, or a list path,person.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="CROPS", help="The folder to make.")],
    first: Annotated[
        str | None, typer.Option("--people", metavar="A:B", help="Only people number A+1 to B, in the order of names.")
    ] = None,
) -> int:
    """Cut aligned faces out of photos, as training takes them; needs no PyTorch.

    The largest face of each photo, found and aligned as at recognition. A run that was broken off goes on where it
    stopped.
    """
    from facegui.cli.labelled import labelled_photos
    from facegui.training.prepare import LIST
    from facegui.training.prepare import prepare as make

    photos = labelled_photos(folder)
    chosen = _people(photos.people, first)
    wanted = [(path, name) for path, name in zip(photos.paths, photos.people, strict=True) if name in chosen]
    with run.services() as services:
        job = make(
            [path for path, _ in wanted], [name for _, name in wanted], out, services.pipeline, services.read, reason
        )
        made = run.output.run(job, "Reading photos")

    def show(console: Console) -> None:
        console.print(f"{made.crops:,} crops of {made.people:,} people are in {shown(out)}")
        if made.skipped:
            console.print(f"{made.skipped:,} photos had been done before.")
        if made.without_face:
            console.print(f"{made.without_face:,} photos have no face.")

    document = {
        "path": out, "people": made.people, "photos": made.photos, "crops": made.crops, "skipped": made.skipped,
        "photos_without_face": made.without_face,
        "unreadable": [{"path": path, "reason": why} for path, why in made.unreadable.items()],
    }  # fmt: skip
    run.output.answer(document, show)
    for path, why in list(made.unreadable.items())[:_SHOWN]:
        run.output.warn(f"{shown(path)}: {why}")
    if len(made.unreadable) > _SHOWN:
        more = len(made.unreadable) - _SHOWN
        run.output.warn(f"and {more:,} more that could not be read; {LIST} in that folder names them")
    return 0


@verb(train, "run")
def run_training(
    run: Run,
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to train, on what, and how.")],
    fresh: Annotated[bool, typer.Option("--fresh", help="Refuse to take up a run that the folder holds.")] = False,
) -> int:
    """Train a network; a run that was broken off is taken up where it stopped.

    On several cards: torchrun --nproc-per-node 4 -m facegui train run CONFIG.toml
    """
    from facegui.training.config import load_config

    wanted = load_config(config)
    require_torch()
    from facegui.training.train import train as job_of

    first = os.environ.get("RANK", "0") == "0"

    def report(row: dict[str, float]) -> None:
        if first and not run.output.as_json:
            run.output.remark("  ".join(_figure(name, value) for name, value in row.items()))

    job = job_of(wanted, fresh=fresh)
    if not first:
        run.output.quiet = True
    made = run.output.run(job, "Training", report)
    if not first:
        return 0

    def show(console: Console) -> None:
        if made.resumed:
            console.print(f"Taken up at step {made.resumed:,}.")
        console.print(f"{made.steps:,} steps, loss {made.loss:.4f}: {shown(made.checkpoint)}")
        for name, report in made.verified.items():
            rows = [(row.label, row.value, row.note) for row in report.rows()]
            console.print(table(f"Held-out pairs: {name}", "", "", rows=rows, whole=(1,)))
        console.print(f"Bring it into the program: facegui train export {shown(wanted.run.out)} --out PACK")

    document = {
        "checkpoint": made.checkpoint, "steps": made.steps, "loss": made.loss, "resumed": made.resumed,
        "unreadable": made.unreadable,
        "verified": {name: report.to_dict() for name, report in made.verified.items()},
    }  # fmt: skip
    run.output.answer(document, show)
    if made.unreadable:
        run.output.warn(f"{made.unreadable:,} times a picture could not be read and was left out.")
    return 0


@verb(train, "export")
def export(
    run: Run,
    trained: Annotated[Path, typer.Argument(metavar="RUN|CHECKPOINT", help="The folder `out` of the configuration.")],
    out: Annotated[Path, typer.Option("--out", metavar="PACK", help="The folder to write the model into.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="ID", help="What to call it. Default: the name of the run.")
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            metavar="FOLDER|LIST",
            help="Photos of named people to calibrate with: a folder with one folder per person, or a list "
            "path,person. Not those of the training.",
        ),
    ] = None,
) -> int:
    """Make a model of the program out of a trained network: ONNX, checked against the network, with its manifest.

    Take it in with `facegui models add PACK`, calibration included; `facegui models use ID` embeds stored faces again.
    """
    require_torch()
    from facegui.cli.pack_faces import calibrates
    from facegui.faces.packs import model_id_for
    from facegui.training.export import export as write

    if pairs is not None and not calibrates(pairs):
        raise KnownError(
            f"{pairs} cannot calibrate a model.",
            "It is a list of pairs: it does not say whether people of different pairs are the same.",
            "Give a folder with one folder per person, or a list path,person.",
        )
    made = write(trained, out, name or model_id_for(Path(trained.resolve().name)))
    calibrated: tuple[Calibration, ...] = ()
    if pairs is not None:
        calibrated = _calibrate(run, made, pairs)
    conditions = [calibration.condition.value for calibration in calibrated]
    document = {
        "path": made.file, "manifest": made.manifest, "id": made.model_id, "sha256": made.sha256,
        "dimension": made.dimension, "parity": made.parity, "step": made.step, "calibrated": conditions,
        "calibrated_on": calibrated[0].source if calibrated else None,
    }  # fmt: skip

    def show(console: Console) -> None:
        console.print(f"{shown(made.file)}: {made.dimension} numbers a face, step {made.step:,}.")
        console.print(f"It computes what the network does, within {made.parity:.1g}.")
        if calibrated:
            console.print(f"Calibrated: {', '.join(conditions)}, on {shown(calibrated[0].source)}.")
        console.print(f"Take it in: facegui models add {shown(made.file)}{'' if calibrated else ' --pairs PHOTOS'}")

    run.output.answer(document, show)
    return 0


def _calibrate(run: Run, made: Exported, pairs: Path) -> tuple[Calibration, ...]:
    """Calibrate what was exported; people that were trained on are told, here and wherever the source is shown."""
    from dataclasses import replace

    from facegui import paths
    from facegui.cli.manifest import write_calibrations
    from facegui.cli.pack_faces import calibrate_with, collect
    from facegui.faces.catalog import Catalog
    from facegui.training.overlap import trained_on

    model = Catalog((paths.models_dir(), made.manifest.parent)).model(made.model_id)
    with run.services() as services:
        photos = run.output.run(collect(services, pairs), "Reading photos")
        settings = services.settings
    known, everyone = trained_on(made.trained_on, photos.paths, photos.people), len(set(photos.people))
    if known is None:
        photos = replace(photos, name=f"{photos.name}; whether these people were trained on is not known")
    elif known:
        photos = replace(photos, name=f"{photos.name}; {len(known):,} of {everyone:,} people were trained on")
        run.output.warn(
            f"{len(known):,} of the {everyone:,} people in {shown(pairs)} were trained on, by their photos or names. "
            "The network knows them, so strangers may be accepted more often than the calibration says. Give others."
        )
    found = run.output.run(calibrate_with(model, photos, settings.provider, settings.threads), "Calibrating")
    write_calibrations(made.manifest, made.model_id, found)
    return found


def _figure(name: str, value: float) -> str:
    return f"{name} {value:,}" if isinstance(value, int) else f"{name} {value:.4g}"


@verb(train, "experiment")
def experiment(
    run: Run,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="sphere, animation, table, angles, maps, sweep, all; or report.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where results and pictures go.")],
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Where mnist.npz and cifar10_jpeg.npz lie.")
    ] = Path(),
    quick: Annotated[bool, typer.Option("--quick", help="Minutes: fewer pictures and epochs, one seed.")] = False,
    readme: Annotated[
        Path | None, typer.Option("--readme", metavar="FILE.md", help="Put the tables between its marks.")
    ] = None,
) -> int:
    """Show what the margins do: digits on a sphere, angles, maps, and tables over several seeds.

    A run that was broken off goes on where it stopped. `report` only prints the tables of what is in --out.
    """
    require_torch()
    from facegui.training.experiments import report, running

    written: tuple[Path, ...] = ()
    if name != "report":
        written = run.output.run(running.run(name, data, out, quick=quick), "Training")
    text = report.tables(out)
    if readme is not None:
        report.rewrite(readme, text)

    def show(console: Console) -> None:
        console.print(text)
        for file in written:
            console.print(f"Written: {shown(file)}")

    run.output.answer({"written": list(written), "tables": text, "quick": quick}, show)
    return 0


def _people(names: tuple[str, ...], part: str | None) -> set[str]:
    everyone = sorted(set(names))
    if part is None:
        return set(everyone)
    start, colon, end = part.partition(":")
    if not colon or not all(text.isdigit() or not text for text in (start, end)):
        raise KnownError(f"{part} is no range of people.", "", "Write 0:100 for the first hundred, 100: for the rest.")
    chosen = set(everyone[int(start or 0) : int(end) if end else None])
    if not chosen:
        raise KnownError(f"Nobody is number {part}.", f"There are {len(everyone)} people.", "Name another range.")
    return chosen
