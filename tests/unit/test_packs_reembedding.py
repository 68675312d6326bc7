"""Another model embeds everything anew from the stored crops, also after a kill; vectors of two models never meet."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pack_networks
import pytest
from gallery_samples import face, indexed, sample

from facegui import jobs
from facegui.faces.embed import Embedder
from facegui.faces.packs import add_model, disguised
from facegui.faces.session import OnnxNetwork
from facegui.gallery.store import Gallery
from facegui.services import REEMBED_BATCH, EnrolSample, Services
from tests.faces import astronaut, hopper

PEOPLE = 30
PHOTOS = 60
WAYS = {"colour": "RGB", "mean": (127.5,) * 3, "scale": (1 / 128,) * 3}
NOBODY = disguised([])

# The child says how far it is, and waits for a line before each further batch.
REEMBED = """
import sys
from facegui.jobs import Progress
from facegui.services import Services
with Services(gallery=sys.argv[1], model="one") as services:
    for event in services.reembed():
        print(event.done, event.total, flush=True)
        sys.stdin.readline()
"""


@pytest.fixture
def models(tmp_path: Path) -> tuple[str, str]:
    """Two added models of the same dimension; their sha256."""
    found = []
    for number, name in enumerate(("one", "two")):
        file = pack_networks.save(pack_networks.resnet(seed=number), tmp_path / f"{name}.onnx")
        found.append(jobs.run(add_model(file, NOBODY, threads=1, **WAYS)).model.sha256)  # type: ignore[arg-type]
    return found[0], found[1]


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A gallery with enrolled and indexed faces that only an older model has embedded."""
    file = tmp_path / "gallery.sqlite"
    with Gallery.open(file) as gallery:
        for number in range(PEOPLE):
            gallery.enroll(f"Person {number}", [sample(number)])
        gallery.add_photos([indexed(f"/{number}.jpg", face(1000 + number)) for number in range(PHOTOS)])
    return file


def right(gallery: Gallery, model: str) -> None:
    """Every stored vector of a model is what that model makes of the stored crop."""
    from facegui.faces.catalog import Catalog

    info = Catalog().model(model)
    embedder = Embedder(OnnxNetwork(info.file, provider="cpu", threads=1), model)
    for matrix in (gallery.template_matrix(model), gallery.face_matrix(model)):
        ids = matrix.face_ids.tolist()
        if not ids:
            continue
        crops = gallery.crops(ids)
        made = np.stack([each.vector for each in embedder.embed([crops[key] for key in ids])])
        np.testing.assert_allclose(matrix.vectors, made, atol=1e-5)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_is_taken_up_where_it_was_and_nothing_is_mixed_meanwhile(
    filled: Path, models: tuple[str, str]
) -> None:
    command = [sys.executable, "-c", REEMBED, str(filled)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().split() == [str(REEMBED_BATCH), str(PEOPLE + PHOTOS)]
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline().split()[0] == str(2 * REEMBED_BATCH)
        process.send_signal(signal.SIGKILL)
    one, two = models
    left = PEOPLE + PHOTOS - 2 * REEMBED_BATCH
    with Services(gallery=filled, model="one") as services:
        gallery = services.gallery
        assert gallery.pending_count(one) == left
        assert gallery.pending_count(two) == PEOPLE + PHOTOS
        # What is there may be asked already; what is missing is not made up from another model's vectors.
        found = services.identify(face(3, model=None), top=PEOPLE)
        assert len(found) == len(gallery.template_matrix(one).vectors) > 0
        assert services.lookalikes(face(3, model=None)).searched == len(gallery.face_matrix(one).vectors)
        events: list[int] = []
        assert jobs.run(services.reembed(), lambda event: events.append(event.total)) == left
        assert set(events) == {left}
        assert gallery.pending_count(one) == 0
        right(gallery, one)
        assert len(services.identify(face(3, model=None), top=PEOPLE)) == PEOPLE
        assert services.lookalikes(face(3, model=None)).searched == PHOTOS
        services.use_model("two")
        assert services.identify(face(3, model=None)) == ()
        assert services.lookalikes(face(3, model=None)).searched == 0
        jobs.run(services.reembed())
        right(gallery, two)
        services.use_model("one")
        right(gallery, one)


def test_cancelling_keeps_what_was_embedded(filled: Path, models: tuple[str, str]) -> None:
    with Services(gallery=filled, model="two") as services:
        job = services.reembed()
        next(job)
        job.close()
        assert services.gallery.pending_count(models[1]) == PEOPLE + PHOTOS - REEMBED_BATCH


def test_a_face_that_was_embedded_by_another_model_is_embedded_again(models: tuple[str, str], filled: Path) -> None:
    with Services(gallery=filled, model="two") as services:
        photo, _ = services.probe(astronaut())
        assert photo.faces[0].embedding is not None
        assert photo.faces[0].embedding.model_id == models[1]
        services.use_model("one")
        old, new = photo.faces[0], services.probe(astronaut())[1]
        comparison = services.compare(old, new)
        assert comparison.model.id == "one"
        assert comparison.similarity == pytest.approx(1.0, abs=1e-4)
        change = services.enroll("Eileen Collins", [EnrolSample(old, photo.frame)])[1]
        assert set(services.gallery.embeddings(change.faces)) == {models[0]}


def test_a_switch_in_the_middle_of_a_comparison_mixes_nothing(
    models: tuple[str, str], filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Services(gallery=filled, model="one") as services:
        frame = services.read(hopper())
        probe = services.analyse(frame).faces[0]
        person, _ = services.enroll("Grace Hopper", [EnrolSample(probe, frame)])
        services.use_model("two")
        jobs.run(services.reembed())
        services.use_model("one")
        read = services.gallery.template_matrix

        def switching(model_id: str):  # type: ignore[no-untyped-def]
            services.use_model("two")
            return read(model_id)

        monkeypatch.setattr(services.gallery, "template_matrix", switching)
        comparison = services.compare_person(person, probe)
        assert services.model.id == "two"
        assert comparison.model.id == "one"
        assert comparison.similarity == pytest.approx(1.0, abs=1e-4)


def test_a_folder_that_was_indexed_by_another_model_is_embedded_without_being_read_again(
    models: tuple[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in (astronaut(), hopper()):
        (folder / path.name).write_bytes(path.read_bytes())
    with Services(gallery=tmp_path / "index.sqlite", model="one") as services:
        assert jobs.run(services.index([folder])).new == 2
        services.use_model("two")
        probe = services.analyse(astronaut()).faces[0]
        assert services.lookalikes(probe).searched == 0
        summary = jobs.run(services.index([folder]))
        assert (summary.new, summary.changed, summary.unchanged) == (0, 0, 2)
        assert services.lookalikes(probe).searched == 2
        right(services.gallery, models[1])
        assert len(services.gallery.face_matrix(models[0]).vectors) == 2
