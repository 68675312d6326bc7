"""The verb audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegui.cli.app import Run, app, verb
from facegui.cli.output import shown, table

if TYPE_CHECKING:
    from rich.console import Console


@verb(app, "audit", "Gallery")
def audit(run: Run) -> int:
    """Look through the enrolled people for samples that may be wrong and people who are hard to tell apart.

    Told are: samples nearer to another person than to their own, samples unlike their person's others, samples that are
    nearly the same, people with one weak sample, and pairs of people whom the model confuses. Nothing is changed.
    """
    from facegui.matching.wording import format_similarity
    from facegui.services.auditing import audit_gallery

    with run.services(existing=True) as services:
        run.reembed(services)
        findings = audit_gallery(services)
        names = {person.id: person.name for person in services.gallery.people()}
        wanted = {face for finding in findings for face in finding.face_ids}
        paths = {record.face_id: record.path for record in services.gallery.faces(sorted(wanted))}
        model = services.model.id
    rows = [
        {
            "kind": finding.kind.value,
            "person": names.get(finding.person_id),
            "other": names.get(finding.other_id) if finding.other_id is not None else None,
            "similarity": round(finding.similarity, 6),
            "own_similarity": round(finding.own, 6) if finding.own is not None else None,
            "samples": [{"face_id": face, "path": paths.get(face)} for face in finding.face_ids],
            "mend": finding.mend.value,
        }
        for finding in findings
    ]
    document = {"people": len(names), "findings": rows, "model": model}

    def show(console: Console) -> None:
        if not rows:
            console.print(f"Nothing to mend among {len(names):,} people.")
            return
        lines = [
            (
                str(row["kind"]),
                str(row["person"]),
                str(row["other"] or ""),
                format_similarity(finding.similarity),
                shown(paths.get(finding.face_ids[0], "")),
                str(row["mend"]),
            )
            for row, finding in zip(rows, findings, strict=True)
        ]
        heads = ("What", "Person", "Other", "Score", "Sample", "Mend")
        console.print(table(*heads, rows=lines, right=(3,)))
        console.print(f"{len(rows):,} to look at among {len(names):,} people.", style="dim")

    run.output.answer(document, show)
    return 0
