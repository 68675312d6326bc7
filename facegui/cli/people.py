"""Verbs about the people of the gallery: people list, show, rename, merge, delete, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, group, verb
from facegui.cli.asking import confirm
from facegui.cli.output import shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from facegui.gallery.records import PersonRecord

Name = Annotated[str, typer.Argument(metavar="NAME")]


def _document(person: PersonRecord) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "sample_count": person.samples,
        "created": person.created,
        "last_seen": person.last_seen,
    }


def _day(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else "never"


def list_people(run: Run) -> int:
    """List everybody enrolled."""
    with run.services(existing=True) as services:
        people = services.gallery.people()

    def show(console: Console) -> None:
        if not people:
            console.print("Nobody is enrolled. Add somebody with `facegui enroll NAME PHOTO`.")
            return
        rows = [(p.name, f"{p.samples:,}", _day(p.created), _day(p.last_seen)) for p in people]
        console.print(table("Name", "Samples", "Enrolled", "Last seen", rows=rows, right=(1,)))

    run.output.answer({"people": [_document(person) for person in people]}, show)
    return 0


people = group("people", "The people of the gallery. Without a verb: list them.", "Gallery", list_people)
verb(people, "list")(list_people)


@verb(people, "show")
def show_person(run: Run, name: Name) -> int:
    """Show a person's samples."""
    from facegui.cli.describing import person_named

    with run.services(existing=True) as services:
        person = person_named(services, name)
        samples = services.gallery.samples(person.id)
    document = _document(person) | {
        "samples": [
            {
                "face_id": sample.face_id,
                "path": sample.photo_path,
                "box": {n: round(getattr(sample.box, n), 1) for n in ("x", "y", "width", "height")},
                "quality": {"score": sample.quality.score, "reasons": [r.value for r in sample.quality.reasons]},
                "added": sample.added,
            }
            for sample in samples
        ]
    }

    def show(console: Console) -> None:
        console.print(f"{person.name}, enrolled {_day(person.created)}, last seen {_day(person.last_seen)}")
        rows = [
            (
                shown(sample.photo_path),
                f"{sample.box.width:.0f} px",
                f"{sample.quality.score:.2f}",
                ", ".join(reason.value for reason in sample.quality.reasons) or "good",
            )
            for sample in samples
        ]
        console.print(table("Sample from", "Face", "Quality", "Remarks", rows=rows, right=(1, 2)))

    run.output.answer(document, show)
    return 0


@verb(people, "rename")
def rename(run: Run, name: Name, new: Annotated[str, typer.Argument(metavar="NEW-NAME")]) -> int:
    """Give a person another name."""
    from facegui.cli.describing import person_named

    with run.services(existing=True) as services:
        person = person_named(services, name)
        change = services.gallery.rename(person.id, new)
        renamed = services.gallery.person(person.id)
    assert renamed is not None
    run.output.answer(_document(renamed), lambda console: console.print(f"{change.text}."))
    return 0


@verb(people, "merge")
def merge(
    run: Run,
    into: Annotated[str, typer.Argument(metavar="NAME", help="Who stays.")],
    others: Annotated[list[str], typer.Argument(metavar="OTHER...", help="Who becomes part of them.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Make several entries one person: the first keeps name, samples and history of all."""
    from facegui.cli.describing import person_named

    with run.services(existing=True) as services:
        kept = person_named(services, into)
        found = [person_named(services, other) for other in others]
        if kept.id in {person.id for person in found}:
            raise KnownError(f"{kept.name} cannot be merged with themselves.", "", "Name another person.")
        names = ", ".join(person.name for person in found)
        confirm(run, yes, f"Merge {names} into {kept.name}? This cannot be taken back here.")
        for person_id in dict.fromkeys(person.id for person in found):
            services.gallery.merge(kept.id, person_id)
        merged = services.gallery.person(kept.id)
    assert merged is not None
    text = f"Merged {names} into {merged.name}, who has {merged.samples:,} samples now."
    run.output.answer(_document(merged), lambda console: console.print(text))
    return 0


@verb(people, "delete")
def delete(
    run: Run,
    names: Annotated[list[str], typer.Argument(metavar="NAME...")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> int:
    """Delete people with everything of theirs: samples, vectors, decisions."""
    from facegui.cli.describing import person_named

    with run.services(existing=True) as services:
        found = {person.id: person for person in (person_named(services, name) for name in names)}
        text = ", ".join(person.name for person in found.values())
        samples = sum(person.samples for person in found.values())
        confirm(run, yes, f"Delete {text} with {samples:,} samples? This cannot be taken back here.")
        for person_id in found:
            services.gallery.delete_person(person_id)
    document = {"deleted": [_document(person) for person in found.values()]}
    run.output.answer(document, lambda console: console.print(f"Deleted {text}."))
    return 0


@verb(people, "export")
def export(
    run: Run,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Default: everybody.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER|FILE.zip", help="Must not exist yet.")] = Path("people"),
) -> int:
    """Write people as plain files: names, samples as PNG, vectors, sources."""
    from facegui.cli.describing import person_named
    from facegui.gallery.export import export_people

    with run.services(existing=True) as services:
        gallery = services.gallery
        found = [person_named(services, name) for name in names] if names else gallery.people()
        if not found:
            raise KnownError("There is nobody to export.", "Nobody is enrolled.", "")
        target = export_people(gallery, list(dict.fromkeys(person.id for person in found)), out)
    text = f"{len(found):,} {'person' if len(found) == 1 else 'people'} written to {shown(target)}"
    document = {"path": str(target), "people": [_document(person) for person in found]}
    run.output.answer(document, lambda console: console.print(text))
    return 0
