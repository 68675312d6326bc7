"""The verb that puts people into the gallery: enroll."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.compare import Policy, PolicyOption, face_policy
from facegui.cli.output import shown, table
from facegui.cli.watch import CameraOption, seen_by_camera
from facegui.errors import KnownError, reason

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
    photos: Annotated[
        list[Path] | None, typer.Argument(metavar="[PHOTO...]", help="Photos, or folders of them.")
    ] = None,
    policy: PolicyOption = None,
    force: Annotated[bool, typer.Option("--force", help="Save samples that look like somebody else, too.")] = False,
    camera: CameraOption = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, metavar="S", help="Look through the camera for so long at most.")
    ] = 60.0,
    samples: Annotated[
        int, typer.Option("--samples", min=1, max=20, metavar="N", help="So many samples from the camera.")
    ] = 5,
) -> int:
    """Save the faces of a person, one from each photo.

    What is wrong with a sample is said before it is saved: poor quality, nearly the same as another one, unlike the
    others. When one looks like somebody else who is enrolled, nothing is saved without --force.

    With --camera instead of photos, the face in front is looked at until it was seen from the front, the sides, above
    and below, or the time is over; the best and most different pictures are saved.
    """
    from facegui.sources.files import photo_files

    if bool(photos) == (camera is not None):
        raise KnownError(
            "There is nothing to enroll." if camera is None else "Photos and --camera exclude each other.", "",
            "Name at least one photo, or a camera with --camera SRC.",
        )  # fmt: skip
    paths = [path.absolute() for path in photo_files(photos or [])]
    if not paths and camera is None:
        raise KnownError("There is nothing to enroll.", "The folders hold no photos.", "Name at least one photo.")
    with run.services() as services:
        services.warm_up()
        run.show_provider(services)
        if camera is not None:
            seen, skipped = seen_by_camera(run, services, camera, seconds, samples), {"": "No face was seen."}
        else:
            seen, skipped = _faces(run, services, paths, policy)
        if seen and camera is not None:
            skipped = {}
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
        from facegui.services.live_enrol import self_check

        person_id, _ = services.enroll(name, [EnrolSample(item.face, item.frame) for item in seen])
        fit = self_check(services, name, [item.face for item in seen])
        person = services.gallery.person(person_id)
        counts = services.gallery.counts()
    assert person is not None
    document = {
        "person": {"id": person.id, "name": person.name, "sample_count": person.samples},
        "saved": len(seen),
        "samples": [_document(item, check) for item, check in zip(seen, checks, strict=True)],
        "skipped": [{"path": path, "reason": reason} for path, reason in skipped.items()],
        "self_check": asdict(fit),
        "gallery": {"people": counts.people, "samples": counts.samples},
    }

    def show(console: Console) -> None:
        from rich.text import Text

        from facegui.matching.wording import format_similarity

        text = f" {_samples(len(seen))} saved for {person.name}, who has {person.samples:,} now."
        console.print(Text.assemble(("✓", "bold green"), text))
        if len(seen) > 1:
            words = f"  They match each other with {format_similarity(fit.lowest)} and more"
            other = f"; the nearest other person, {fit.nearest}, reaches {format_similarity(fit.nearest_similarity)}."
            console.print(words + (other if fit.nearest else "."))

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
