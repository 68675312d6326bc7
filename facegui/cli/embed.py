"""The verb that writes embeddings into a file: embed."""

from __future__ import annotations

import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facegui.cli.app import Run, app, verb
from facegui.cli.output import shown
from facegui.errors import KnownError

if TYPE_CHECKING:
    from rich.console import Console

    from facegui.services.embedding import AllFaces

_SHOWN = 10


class Which(StrEnum):
    """Which faces of a photo are embedded; the names are those of `FacePolicy`."""

    ALL = "all"
    LARGEST = "largest"
    CENTRAL = "central"
    REFUSE = "refuse"


@verb(app, "embed", "Measure")
def embed(
    run: Run,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Photos and folders of them.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.npz", help="The file to write.")],
    policy: Annotated[
        Which, typer.Option("--policy", metavar="WHICH", help="all, largest, central, or refuse photos with several.")
    ] = Which.ALL,
) -> int:
    """Turn faces into numbers and write them into a NumPy file.

    One row per face: path, face (number in its photo, largest first), box (x, y, width, height) and landmarks in
    pixels of the original, detector_score, quality, embedding (length 1), model_id (sha256 of the model's file).
    Plain arrays, no pickle.
    """
    from facegui.faces.types import FacePolicy
    from facegui.services.embedding import embed_all
    from facegui.sources.files import photo_files

    if out.suffix.lower() != ".npz":
        raise KnownError(f"{out} is no name for the result.", "It is a NumPy archive.", "Let the name end in .npz.")
    if not out.absolute().parent.is_dir():
        raise KnownError(f"{out} cannot be written.", "Its folder does not exist.", "Make the folder first.")
    wanted = list(dict.fromkeys(photo_files(paths)))
    if not wanted:
        raise KnownError("There is nothing to embed.", "The folders hold no photos.", "Name photos or other folders.")
    with run.services() as services:
        services.warm_up()
        run.show_provider(services)
        job = embed_all(wanted, services.read, services.pipeline, FacePolicy(policy.value))
        found = run.output.run(job, "Reading photos")
        model, provider = services.model, services.provider
    if not found.photos:
        raise KnownError("None of the photos could be read.", next(iter(found.unreadable.values())), "Check the paths.")
    _write(out, found, model.sha256, model.dimension)
    document = {
        "path": str(out),
        "photos": found.photos,
        "faces": len(found.faces),
        "photos_without_face": found.without_face,
        "unreadable": [{"path": str(path), "reason": why} for path, why in found.unreadable.items()],
        "model": model.id,
        "model_id": model.sha256,
        "dimension": model.dimension,
        "provider": provider.active if provider else None,
        "seconds": round(found.seconds, 2),
    }

    def show(console: Console) -> None:
        console.print(f"{len(found.faces):,} faces of {found.photos:,} photos written to {shown(out)}")
        if found.without_face:
            console.print(f"{found.without_face:,} photos have no face.")

    run.output.answer(document, show)
    for path, why in list(found.unreadable.items())[:_SHOWN]:
        run.output.warn(f"{shown(path)}: {why}")
    if len(found.unreadable) > _SHOWN:
        run.output.warn(f"and {len(found.unreadable) - _SHOWN:,} more that could not be read; --json names all")
    return 0


def _arrays(found: AllFaces, model_id: str, dimension: int) -> dict[str, Any]:
    """Return the columns of the result; a path keeps bytes that are no text as surrogate escapes."""
    import numpy as np

    faces = found.faces
    boxes = [face.detection.box for face in faces]
    vectors = [face.embedding.vector for face in faces if face.embedding is not None]
    return {
        "path": np.array([str(path) for path in found.paths], np.str_),
        "face": np.array(found.numbers, np.int32),
        "box": np.array([(b.x, b.y, b.width, b.height) for b in boxes], np.float32).reshape(-1, 4),
        "landmarks": np.array([face.detection.landmarks for face in faces], np.float32).reshape(-1, 5, 2),
        "detector_score": np.array([face.detection.score for face in faces], np.float32),
        "quality": np.array([face.quality.score for face in faces], np.float32),
        "embedding": np.array(vectors, np.float32).reshape(-1, dimension),
        "model_id": np.full(len(faces), model_id, "U64"),
    }


def _write(out: Path, found: AllFaces, model_id: str, dimension: int) -> None:
    """Write the arrays; the file appears when it is complete.

    Raises
    ------
    KnownError
        It cannot be written.
    """
    import numpy as np

    try:
        handle, draft = tempfile.mkstemp(dir=out.absolute().parent, prefix=".embed-")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **_arrays(found, model_id, dimension))
            Path(draft).chmod(0o666 & ~_umask())
            Path(draft).replace(out)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise KnownError(
            f"{out} cannot be written.", f"{error.strerror or error}.", "Check the folder and its free space."
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
