"""Verbs that look after the program and its data: doctor, backup, restore, evidence, erase."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.asking import confirm
from facegui.cli.output import many, shown, table

if TYPE_CHECKING:
    from rich.console import Console

PANEL = "Program"


@verb(app, "doctor", PANEL)
def doctor(run: Run) -> int:
    """Look whether everything works here, and say what to do where it does not.

    Exit status 2 when something must be mended.
    """
    from facegui.cli.doctor import Check, Level, examine
    from facegui.jobs import Job, Progress

    def job() -> Job[list[Check]]:
        checks = []
        for check in examine(run):
            checks.append(check)
            yield Progress(len(checks), 0, check.name)
        return checks

    checks = run.output.run(job(), "Looking")
    bad = sum(check.level is Level.BAD for check in checks)

    def show(console: Console) -> None:
        from rich.text import Text

        marks = {Level.GOOD: ("✓", "green"), Level.NOTE: ("·", "yellow"), Level.BAD: ("✕", "bold red")}
        rows = []
        for check in checks:
            text = Text(check.text)
            if check.do:
                text.append(f"\n→ {check.do}", "bold")
            rows.append((Text(*marks[check.level]), check.name, text))
        console.print(table("", "", "", rows=rows))
        console.print()
        problems = "One thing must be mended." if bad == 1 else f"{bad} things must be mended."
        console.print(problems if bad else "Everything that is needed is there and works.")

    run.output.answer({"healthy": not bad, "checks": [asdict(check) for check in checks]}, show)
    return 2 if bad else 0


@verb(app, "backup", PANEL)
def backup(
    run: Run,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> int:
    """Copy the whole gallery into one file; others may go on working meanwhile."""
    with run.services(existing=True) as services:
        made = services.gallery.backup(file, overwrite=overwrite)
        counts = services.gallery.counts()
    size = made.stat().st_size
    text = f"{counts.people:,} people and {counts.faces:,} indexed faces saved in {shown(made)} ({size / 1e6:.1f} MB)"
    document = {"path": made, "bytes": size, "people": counts.people, "samples": counts.samples, "faces": counts.faces}
    run.output.answer(document, lambda console: console.print(text))
    return 0


@verb(app, "restore", PANEL)
def restore(run: Run, file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")]) -> int:
    """Put a backup in the place of the gallery; what was there before is kept beside it."""
    from facegui.gallery.backup import restore as put_back

    target = run.gallery_file()
    kept = put_back(file, target)
    with run.services() as services:
        counts = services.gallery.counts()

    def show(console: Console) -> None:
        console.print(f"{shown(target)} has {counts.people:,} people and {counts.faces:,} indexed faces now.")
        if kept is not None:
            console.print(f"What was there before is kept in {shown(kept)}")

    document = {"path": target, "kept": kept, "people": counts.people, "samples": counts.samples, "faces": counts.faces}
    run.output.answer(document, show)
    return 0


@verb(app, "evidence", PANEL)
def evidence(
    run: Run,
    erase: Annotated[bool, typer.Option("--erase", help="Erase what is too old for good; the decisions stay.")] = False,
    older_than: Annotated[
        int | None,
        typer.Option("--older-than", metavar="DAYS", min=0, help="Too old; 0 is all. Default: as in the settings."),
    ] = None,
) -> int:
    """Say which decisions keep evidence (crops, scores, cues), and erase it."""
    from facegui.errors import KnownError
    from facegui.services.retention import evidence_end

    with run.services(existing=True) as services:
        days = services.settings.evidence_days if older_than is None else older_than
        if erase and older_than is None and not days:
            raise KnownError(
                "Nothing was erased.", "The settings keep evidence without an end.", "Say --older-than DAYS; 0 is all."
            )
        erased = services.gallery.erase_evidence(evidence_end(days)) if erase else 0
        kept = [decision for decision in services.gallery.decisions() if decision.has_evidence]
        limit = services.settings.evidence_days
    oldest = kept[-1].time if kept else None

    def show(console: Console) -> None:
        if erase:
            console.print(f"Evidence of {_decisions(erased)} was erased.")
        since = f", the oldest of {oldest.astimezone():%Y-%m-%d %H:%M}" if oldest is not None else ""
        console.print(f"{_decisions(len(kept)).capitalize()} with evidence{since}.")
        console.print(f"The window erases it after {limit:,} days." if limit else "It is kept until it is erased.")

    run.output.answer({"erased": erased, "kept": len(kept), "oldest": oldest, "days": limit}, show)
    return 0


def _decisions(count: int) -> str:
    return f"{count:,} decision" if count == 1 else f"{count:,} decisions" if count else "no decision"


@verb(app, "erase", PANEL)
def erase(
    run: Run,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Erase everything that facegui remembers of people, for good: gallery, small pictures, search index, log.

    Your photos, settings, models, backups and exports stay.
    """
    from facegui.services.erasing import erase_everything

    with run.services(existing=True) as services:
        gallery = services.gallery
        counts, copies = gallery.counts(), gallery.copies()
        what = (
            f"{many(counts.people, 'person', 'people')} with {many(counts.samples, 'sample', 'samples')}, "
            f"{many(counts.faces, 'face', 'faces')} of {many(counts.photos, 'photo', 'photos')}, "
            f"{_decisions(counts.decisions)}"
        )
        beside = f" and {many(len(copies), 'older copy', 'older copies')} of the gallery" if copies else ""
        confirm(run, yes, f"Erase all of {shown(gallery.file)} for good ({what}{beside})? This cannot be undone.")
        erase_everything(services)
    document = {"path": gallery.file, "copies": copies, **asdict(counts)}
    run.output.answer(document, lambda console: console.print(f"Erased {what}{beside}."))
    return 0
