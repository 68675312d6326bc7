"""Verbs that measure: evaluate, calibrate."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.output import shown, table

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.faces.catalog import ModelInfo
    from facegui.matching.baseline import Change
    from facegui.matching.calibration import Calibration
    from facegui.matching.report import Miss, Report

PANEL = "Measure"
_SHOWN_MISSES = 5
_SHOWN_PROBLEMS = 5
_ALLOWED_FALL = 5e-4


class Protocol(StrEnum):
    """What pairs can be read from; the values are `facegui.matching.protocols.KINDS`."""

    CSV = "csv"
    LFW = "lfw"
    CFP_FF = "cfp-ff"
    CFP_FP = "cfp-fp"
    AGEDB = "agedb"
    CALFW = "calfw"
    CPLFW = "cplfw"
    BIN = "bin"
    FOLDERS = "folders"


@verb(app, "evaluate", PANEL)
def evaluate(
    run: Run,
    pairs: Annotated[
        Path,
        typer.Argument(
            metavar="PAIRS",
            help="A CSV list with the header path1,path2,same; the list, or the folder with it, of LFW, CFP, "
            "AgeDB-30, CALFW or CPLFW; a .bin set of InsightFace; or a folder with one folder per person.",
        ),
    ],
    protocol: Annotated[
        Protocol | None, typer.Option("--protocol", metavar="|".join(Protocol), help="What it is. Default: found out.")
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root", metavar="DIR", help="Where the paths start. Default: at the list, or in a folder below."
        ),
    ] = None,
    aligned: Annotated[
        bool | None,
        typer.Option(
            "--aligned/--detect",
            help="The photos are aligned crops, or faces are looked for in them. Default: as the protocol has them.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE.png|.html", help="Draw scores, ROC and DET; .html: the whole report."),
    ] = None,
    discard: Annotated[
        bool, typer.Option("--discard", help="Tell how the misses fall when photos of low quality are left out.")
    ] = False,
    misses: Annotated[
        int, typer.Option("--misses", metavar="N", min=0, help="So many wrong pairs of each kind.")
    ] = _SHOWN_MISSES,
    compare: Annotated[
        Path | None, typer.Option("--compare", metavar="FILE.json", help="Exit status 1 if a figure of it has fallen.")
    ] = None,
    save_baseline: Annotated[
        Path | None, typer.Option("--save-baseline", metavar="FILE.json", help="Keep the figures for --compare.")
    ] = None,
    allow: Annotated[
        float, typer.Option("--allow", metavar="SHARE", min=0.0, max=1.0, help="A smaller fall is none.")
    ] = _ALLOWED_FALL,
) -> int:
    """Measure a model on pairs of photos: accuracy, ROC, error rates, each with its interval.

    A photo in which no face is found counts as a non-match; it is never left out without a word.
    """
    from dataclasses import asdict

    from facegui.cli import discarding
    from facegui.matching import baseline
    from facegui.matching.plots import plot as draw
    from facegui.matching.protocols import open_protocol
    from facegui.services.reports import evaluate as measured

    before = baseline.load(compare) if compare is not None else None
    opened = open_protocol(pairs, protocol.value if protocol else None, root)
    listed = opened.pairs
    with run.services() as services:
        services.warm_up()
        run.show_provider(services)
        done = run.output.run(measured(services, opened, aligned), "Reading photos")
        model, provider, fmr = services.model.id, services.provider, services.settings.target_fmr
    report, found, crops = done.report, done.found, done.aligned
    vectors = found.vectors[done.model.sha256]
    curve = discarding.discard(listed, vectors, found.qualities, fmr, crops) if discard else None
    current = baseline.of_report(report, listed, model)
    changes = baseline.changes(before, current, allow) if before is not None else []
    if save_baseline is not None:
        baseline.save(current, save_baseline)
    unreadable = {shown(path): reason for path, reason in done.unreadable.items()}
    if plot is not None:
        draw(report, plot, curve, model, unreadable)
    milliseconds = {name: round(value, 2) for name, value in asdict(found.timings).items()}
    document = report.to_dict() | {
        "protocol": opened.kind,
        "aligned": crops,
        "photos_left_out": list(opened.unnamed),
        "photos_without_crop": opened.without_crop,
        "model": model,
        "provider": provider.active if provider else None,
        "photos_unreadable": unreadable,
        "milliseconds_per_photo": milliseconds,
        "seconds": round(found.seconds, 2),
    }
    if curve is not None:
        document["discard"] = curve.to_dict()
    if before is not None:
        document["baseline"] = {"model": before.model, "changes": [asdict(change) for change in changes]}

    def show(console: Console) -> None:
        rows = [(row.label, row.value, row.note) for row in report.rows()]
        times = "  ".join(f"{name} {value:.1f}" for name, value in milliseconds.items())
        rows.append(("Milliseconds per photo", f"{found.timings.total:.1f}", times))
        how = "; aligned crops, no face was looked for" if crops else ""
        console.print(
            f"{report.name or 'Pairs'} ({opened.kind}{how}), {model} on {provider.active if provider else 'nothing'}\n"
        )
        console.print(table("", "", "", rows=rows, whole=(1,)))
        if curve is not None:
            discarding.show_discard(console, curve)
        _show_misses(console, report, misses)
        if plot is not None:
            console.print(f"\nDrawn: {shown(plot)}")
        if before is not None:
            _show_changes(console, before.model, changes)

    run.output.answer(document, show)
    if opened.unnamed:
        run.output.warn(f"{len(opened.unnamed):,} photos lie in nobody's folder and were left out.")
    if opened.without_crop:
        run.output.warn(
            f"{opened.without_crop:,} photos had no face when these crops were made. They count nowhere here."
        )
    _tell_problems(run, unreadable)
    return 1 if any(change.fell for change in changes) else 0


def _show_changes(console: Console, model: str, changes: list[Change]) -> None:
    rows = [
        (
            change.figure, f"{change.before:.5f}", "missing" if change.now is None else f"{change.now:.5f}",
            "fell" if change.fell else "",
        )
        for change in changes
    ]  # fmt: skip
    console.print()
    console.print(table(f"Against the baseline ({model})", "before", "now", "", rows=rows, right=(1, 2)))
    fallen = sum(change.fell for change in changes)
    console.print("Nothing has fallen." if not fallen else f"{fallen} of {len(changes)} figures have fallen.")


def _tell_problems(run: Run, problems: dict[str, str]) -> None:
    for path, reason in list(problems.items())[:_SHOWN_PROBLEMS]:
        run.output.warn(f"{path}: {reason}")
    if len(problems) > _SHOWN_PROBLEMS:
        run.output.warn(f"and {len(problems) - _SHOWN_PROBLEMS:,} more that could not be read")


def _show_misses(console: Console, report: Report, count: int) -> None:
    from facegui.matching.wording import format_similarity

    kinds: tuple[tuple[str, int, tuple[Miss, ...]], ...] = (
        ("Different people, accepted", report.false_match_count, report.false_matches),
        ("Same person, not accepted", report.false_non_match_count, report.false_non_matches),
    )
    for title, total, found in kinds:
        if not total or not count:
            continue
        at = format_similarity(report.miss_threshold, 3)
        rows = [
            (
                "no face" if miss.score is None else format_similarity(miss.score, 3),
                shown(miss.path1),
                shown(miss.path2),
            )
            for miss in found[:count]
        ]
        console.print(f"\n{title} at {at}: {total:,}", style="bold")
        console.print(table("", "", "", rows=rows, right=(0,)))


@verb(app, "calibrate", PANEL)
def calibrate(
    run: Run,
    photos: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|LIST",
            help="A folder with one folder per person (inside it, folders called frontal and profile say how the "
            "face is turned), or a CSV list with the header path,person and, if wanted, condition.",
        ),
    ],
    source: Annotated[
        str, typer.Option("--source", metavar="TEXT", help="What these photos are, in words. Default: the name.")
    ] = "",
    root: Annotated[Path | None, typer.Option("--root", metavar="DIR", help="Where the paths of a list start.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="MANIFEST", help="Write the result into this manifest.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the result into the manifest of the model.")] = False,
) -> int:
    """Find out what the similarities of a model mean, from photos of people whose names are known.

    Thresholds, unsure band and probabilities come from here; faces turned to the side are kept apart.
    Without --model, all embedders are calibrated. Nothing is written without --write or --out.
    """
    from dataclasses import asdict

    from facegui.cli.calibrating import calibrate_models
    from facegui.cli.labelled import labelled_photos
    from facegui.cli.manifest import write_calibrations
    from facegui.cli.opinion import show_bands
    from facegui.matching.tables import to_table

    listed = labelled_photos(photos, root)
    with run.services() as services:
        models = [services.model] if run.model else list(services.catalog.models("embedder"))
        targets = {m.id: out or (m.file.parent / "manifest.toml" if write else None) for m in models}
        for model_id, target in targets.items():
            if target is not None:
                write_calibrations(target, model_id, (), dry=True)
        found = run.output.run(calibrate_models(services, models, listed, source or listed.name), "Calibrating")
        run.show_provider(services)
    for model, calibrations in found.calibrations:
        target = targets[model.id]
        if target is not None:
            write_calibrations(target, model.id, calibrations, found.bands.get(model.id, ()))
            run.output.remark(f"Written into {shown(target)}: {model.id}")
    document = {
        "photos": len(listed.paths),
        "unnamed": [str(path) for path in listed.unnamed],
        "unreadable": found.unreadable,
        "seconds": round(found.seconds, 2),
        "calibrations": [
            {"model": model.id, "smallest_claim": calibration.smallest_claim, **to_table(calibration)}
            for model, calibrations in found.calibrations
            for calibration in calibrations
        ],
        "second_opinion": {model: [asdict(point) for point in points] for model, points in found.bands.items()},
    }

    def show(console: Console) -> None:
        for model, calibrations in found.calibrations:
            for calibration in calibrations:
                _show_calibration(console, model, calibration)
                console.print()
            show_bands(console, model, found.bands.get(model.id, ()))
        if not (out or write):
            console.print("Nothing was written; --write keeps the result.")

    run.output.answer(document, show)
    if listed.unnamed:
        run.output.warn(f"{len(listed.unnamed):,} photos lie in nobody's folder and were left out.")
    _tell_problems(run, {shown(path): reason for path, reason in found.unreadable.items()})
    return 0


def _show_calibration(console: Console, model: ModelInfo, calibration: Calibration) -> None:
    from facegui.matching.wording import format_limit, format_rate, format_share, format_similarity

    rows: list[tuple[Any, ...]] = [
        (
            format_rate(point.fmr),
            format_similarity(point.threshold, 3),
            f"{format_similarity(point.threshold_low, 3)} to {format_similarity(point.threshold_high, 3)}",
            f"{format_share(point.fmr_low, 3).removesuffix(' %')} to {format_share(point.fmr_high, 3)}",
            format_share(point.fnmr),
            "" if point.supported else "extrapolated",
        )
        for point in calibration.operating_points
    ]
    people = f"{calibration.people:,} people on {calibration.photos:,} photos"
    failed = f", {calibration.failures:,} more without a face" if calibration.failures else ""
    caption = (
        f"{people}{failed}: {calibration.genuine_pairs:,} pairs of one person, {calibration.impostor_pairs:,} of "
        f"strangers. These are {calibration.identity_pairs:,} independent pairs of people, enough to claim "
        f"{format_limit(calibration.smallest_claim)} and nothing rarer (rule of three)."
    )
    columns = ("Strangers accepted", "Threshold", "95 % interval", "True rate, 95 %", "Same person missed", "")
    title = f"{model.id}, {calibration.condition.value}"
    console.print(table(*columns, rows=rows, right=(1, 2, 3, 4), title=title, caption=caption))
