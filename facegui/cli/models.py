"""Verbs about the models: models list, verify, use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, group, verb
from facegui.cli.output import shown, table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.faces.catalog import ModelInfo

_MEGA = 1e6


def list_models(run: Run) -> int:
    """List the models, with licence, size and calibration."""
    with run.services() as services:
        models, used = services.models(), services.model.id

    def show(console: Console) -> None:
        rows = [
            (
                "●" if model.id == used else "",
                model.id,
                model.role,
                str(model.dimension or ""),
                f"{model.size_bytes / _MEGA:.1f} MB" if model.size_bytes else "missing",
                ("yes" if model.calibrated else "no") if model.role == "embedder" else "",
                "bundled" if model.bundled else "added",
                model.licence,
            )
            for model in models
        ]
        columns = ("", "Id", "Role", "Numbers", "Size", "Calibrated", "Source", "Licence")
        console.print(table(*columns, rows=rows, right=(3, 4), caption="● in use"))

    run.output.answer({"models": [_document(model, used) for model in models], "in_use": used}, show)
    return 0


def _document(model: ModelInfo, used: str) -> dict[str, Any]:
    return {
        "id": model.id,
        "title": model.title,
        "role": model.role,
        "in_use": model.id == used,
        "dimension": model.dimension or None,
        "path": model.file,
        "bytes": model.size_bytes,
        "sha256": model.sha256,
        "calibrated": sorted(model.calibrations),
        "licence": model.licence,
        "source": model.source,
        "training_data": model.training_data,
        "bundled": model.bundled,
        "notes": model.notes,
    }


models = group("models", "The networks. Without a verb: list them.", "Program", list_models)
verb(models, "list")(list_models)


@verb(models, "verify")
def verify_models(
    run: Run,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Default: all.")] = None,
) -> int:
    """Check that the files of the models are what the manifest says."""
    from facegui.faces.catalog import Catalog

    catalog = Catalog()
    wanted = [catalog.model(model_id, _any_role(catalog, model_id)) for model_id in ids] if ids else catalog.models()
    results: list[dict[str, Any]] = []
    for model in wanted:
        try:
            catalog.verify(model)
        except KnownError as error:
            results.append({"id": model.id, "good": False, "why": error.why, "do": error.do, "what": error.what})
        else:
            results.append({"id": model.id, "good": True})
    bad = [result for result in results if not result["good"]]

    def show(console: Console) -> None:
        from rich.text import Text

        good, wrong = Text("✓ as it should be", style="green"), Text("✕ damaged or missing", style="bold red")
        rows = [
            (model.id, good if result["good"] else wrong, shown(model.file))
            for model, result in zip(wanted, results, strict=True)
        ]
        console.print(table("Id", "", "File", rows=rows))
        for result in bad:
            console.print(f"{result['what']} {result['why']} {result['do']}")

    run.output.answer({"models": results, "good": not bad}, show)
    return 2 if bad else 0


def _any_role(catalog: Any, model_id: str) -> str | None:
    return next((model.role for model in catalog.models() if model_id in (model.id, model.sha256)), None)


@verb(models, "use")
def use(run: Run, model_id: Annotated[str, typer.Argument(metavar="ID")]) -> int:
    """Use another embedder from now on; stored faces are embedded again, from their crops."""
    with run.services() as services:
        before = services.model.id
        services.change_settings(model=services.catalog.model(model_id, "embedder").id)
        used = services.model
        made = 0
        if run.has_gallery():
            made = run.output.run(services.reembed(), "Embedding stored faces")
        calibrated = services.calibration is not None

    def show(console: Console) -> None:
        console.print(f"{used.title} ({used.id}) is used from now on.")
        if made:
            console.print(f"{made:,} stored faces were embedded by it.")

    document = {"model": used.id, "before": before, "embedded": made, "calibrated": calibrated}
    run.output.answer(document, show)
    if not calibrated:
        run.output.warn("It is not calibrated, so every answer is unsure. See `facegui calibrate --help`.")
    return 0
