"""The verb that puts people into the gallery: enroll."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.compare import Policy, PolicyOption, face_policy
from facegui.cli.output import reason, shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.cli.describing import Seen
    from facegui.matching.enrolment import SampleCheck
    from facegui.services import Services

PANEL = "Gallery"


@verb(app, "enroll", PANEL)
def enroll(
    run: Run,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose photos they are; known people get more samples.")],
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos, or folders of them.")],
    policy: PolicyOption = None,
    force: Annotated[bool, typer.Option("--force", help="Save samples that look like somebody else, too.")] = False,
) -> int:
    """Save the faces of a person, one from each photo.

    What is wrong with a sample is said before it is saved: poor quality, nearly the same as another one, unlike the
    others. When one looks like somebody else who is enrolled, nothing is saved without --force.
    """
    from facegui.sources.files import photo_files

    paths = [path.absolute() for path in photo_files(photos)]
    if not paths:
        raise KnownError("There is nothing to enroll.", "The folders hold no photos.", "Name at least one photo.")
    with run.services() as services:
        services.warm_up()
        run.show_provider(services)
        seen, skipped = _faces(run, services, paths, policy)
        if not seen:
            raise KnownError(
                f"Nothing was saved for {name}.",
                next(iter(skipped.values())),
                "Give a photo in which the face is large and turned to the camera.",
            )
        run.reembed(services)
        checks = services.check_samples(name, [item.face for item in seen])
        _warn(run, seen, skipped, checks)
        doubtful = [check for check in checks if _looks_like(check)]
        if doubtful and not force:
            who = sorted({other for check in doubtful for other in _looks_like(check)})
            raise KnownError(
                f"Nothing was saved for {name}.",
                f"{len(doubtful)} of {len(seen)} samples look like somebody enrolled already: {', '.join(who)}.",
                "Leave those photos out, enroll them under that name, or say --force if they are two people.",
            )
        from facegui.services import EnrolSample

        person_id, _ = services.enroll(name, [EnrolSample(item.face, item.frame) for item in seen])
        person = services.gallery.person(person_id)
        counts = services.gallery.counts()
    assert person is not None
    document = {
        "person": {"id": person.id, "name": person.name, "sample_count": person.samples},
        "saved": len(seen),
        "samples": [_document(item, check) for item, check in zip(seen, checks, strict=True)],
        "skipped": [{"path": path, "reason": reason} for path, reason in skipped.items()],
        "gallery": {"people": counts.people, "samples": counts.samples},
    }

    def show(console: Console) -> None:
        from rich.text import Text

        text = f" {_samples(len(seen))} saved for {person.name}, who has {person.samples:,} now."
        console.print(Text.assemble(("✓", "bold green"), text))

    run.output.answer(document, show)
    return 0


def _faces(run: Run, services: Services, paths: list[Path], policy: Policy | None) -> tuple[list[Seen], dict[str, str]]:
    """Return the faces found, and the photos that cannot be used with the reason."""
    from facegui.cli.describing import look
    from facegui.jobs import Job, Progress

    skipped: dict[str, str] = {}

    def job() -> Job[list[Seen]]:
        found = []
        for done, path in enumerate(paths, 1):
            try:
                found.append(look(services, str(path), face_policy(policy)))
            except KnownError as error:
                skipped[str(path)] = reason(error, path)
            yield Progress(done, len(paths), path.name)
        return found

    return run.output.run(job(), "Reading photos"), skipped


def _looks_like(check: SampleCheck) -> list[str]:
    from facegui.matching.enrolment import WarningKind

    return [w.person_name or "somebody" for w in check.warnings if w.kind is WarningKind.LOOKS_LIKE_ANOTHER]


def _samples(count: int) -> str:
    return "One sample" if count == 1 else f"{count:,} samples"


def _warn(run: Run, seen: list[Seen], skipped: dict[str, str], checks: tuple[SampleCheck, ...]) -> None:
    rows: list[tuple[Any, ...]] = []
    for item, check in zip(seen, checks, strict=True):
        remarks = [warning.text for warning in check.warnings]
        if item.faces_in_photo > 1:
            remarks.append(f"One of {item.faces_in_photo} faces in the photo.")
        rows += [(shown(Path(item.path).name), remark) for remark in remarks]
    rows += [(shown(Path(path).name), reason) for path, reason in skipped.items()]
    if rows and not run.output.quiet:
        run.output.console(error=True).print(table("Photo", "Note", rows=rows))


def _document(item: Seen, check: SampleCheck) -> dict[str, Any]:
    from facegui.cli.describing import seen_document

    warnings = [
        {"kind": w.kind.value, "text": w.text, "similarity": w.similarity, "person": w.person_name}
        for w in check.warnings
    ]
    return {**seen_document(item), "warnings": warnings}
