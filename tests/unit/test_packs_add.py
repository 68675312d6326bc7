"""Models from elsewhere are added, listed and removed; what goes wrong leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pack_networks
import pytest

from facegui import jobs, paths
from facegui.errors import KnownError
from facegui.faces.catalog import Catalog, file_sha256
from facegui.faces.embed import Embedder
from facegui.faces.packs import Added, Origin, TryFaces, add_model, disguised, model_id_for, remove_model
from facegui.faces.packs_manifest import MANIFEST, add_entry, draft, entries, models_folder, remove_entry
from facegui.faces.session import OnnxNetwork
from facegui.services import Services
from facegui.settings import Settings, save

CROPS = np.random.default_rng(2).integers(0, 256, (2, 112, 112, 3), np.uint8)
FACES = disguised(list(CROPS))
KNOWN: dict[str, Any] = {"colour": "RGB", "mean": (127.5,) * 3, "scale": (1 / 128,) * 3}


def made(file: Path, **form: Any) -> Path:
    return pack_networks.save(pack_networks.resnet(**form), file)


def add(file: Path, faces: TryFaces = FACES, **how: Any) -> Added:
    return jobs.run(add_model(file, faces, threads=1, **(KNOWN | how)))


def test_an_added_model_is_a_model_like_the_others(tmp_path: Path) -> None:
    file = made(tmp_path / "My Network (v2).onnx")
    added = add(file, origin=Origin(licence="MIT"))
    model = Catalog().model("my-network-v2", "embedder")
    assert model == added.model
    assert (model.dimension, model.licence, model.bundled, model.calibrated) == (32, "MIT", False, False)
    assert model.input_size == (112, 112)
    assert model.source == "Added from My Network (v2).onnx"
    Catalog().verify(model)
    assert model.file.parent == paths.data_dir() / "models"
    assert model.sha256 == file_sha256(model.file)
    assert added.original_sha256 == file_sha256(file)
    (entry,) = entries(models_folder())
    assert entry["original_sha256"] == added.original_sha256
    assert entry["original_mean"] == [127.5] * 3
    vectors = Embedder(OnnxNetwork(model.file, provider="cpu", threads=1), model.sha256).embed(list(CROPS))
    assert {vector.model_id for vector in vectors} == {model.sha256}
    assert [each.name for each in sorted(models_folder().iterdir())] == [".lock", MANIFEST, "my-network-v2.onnx"]


def test_the_program_runs_with_it_and_says_that_it_is_not_calibrated(tmp_path: Path) -> None:
    add(made(tmp_path / "small.onnx"))
    with Services(model="small") as services:
        assert services.model.id == "small"
        assert services.calibration is None
        assert services.rule() is None
        assert services.time_model("small") > 0
        assert services.warm_up().active


def test_what_was_found_by_trying_without_photos_is_called_a_guess(tmp_path: Path) -> None:
    tried = add(made(tmp_path / "a.onnx", seed=1), colour=None, mean=None, scale=None)
    assert tried.guessed
    assert tried.tried
    assert "a guess" in tried.model.notes
    untried = add(made(tmp_path / "b.onnx", seed=2), disguised([]), colour=None, mean=None, scale=None)
    assert untried.guessed
    assert not untried.tried
    assert untried.way == "RGB, (pixel - 127.5) / 127.5"
    assert "untried: a guess" in untried.model.notes
    given = add(made(tmp_path / "c.onnx", seed=3))
    assert not given.guessed
    assert "guess" not in given.model.notes


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", ".x", "x" * 65, "ä"])
def test_names_that_no_file_should_have_are_refused(name: str, tmp_path: Path) -> None:
    if not name:
        assert model_id_for(Path("???.onnx")) == "model"
        return
    with pytest.raises(KnownError, match="cannot be the name"):
        add(made(tmp_path / "a.onnx"), name=name)


@pytest.mark.parametrize("name", ["arcface", "ArcFace", "yunet"])
def test_the_names_of_the_bundled_models_are_taken(name: str, tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="already"):
        add(made(tmp_path / "a.onnx"), name=name)


def test_the_same_model_is_not_added_twice(tmp_path: Path) -> None:
    add(made(tmp_path / "a.onnx"))
    with pytest.raises(KnownError, match="here already, as a"):
        add(made(tmp_path / "b.onnx"))
    with pytest.raises(KnownError, match="models remove a"):
        add(made(tmp_path / "a.onnx", seed=9))
    other = add(made(tmp_path / "b.onnx"), colour="BGR")
    assert other.model.sha256 != Catalog().model("a").sha256
    assert other.original_sha256 == file_sha256(tmp_path / "b.onnx")


def test_removing_takes_the_file_and_the_entry_and_leaves_the_others(tmp_path: Path) -> None:
    for number, name in enumerate("abc"):
        add(made(tmp_path / f"{name}.onnx", seed=number))
    text = (models_folder() / MANIFEST).read_text("utf-8")
    remove_model("b")
    assert [entry["id"] for entry in entries(models_folder())] == ["a", "c"]
    assert not (models_folder() / "b.onnx").exists()
    assert (models_folder() / "c.onnx").exists()
    add(tmp_path / "b.onnx")
    remove_model(Catalog().model("a").sha256)
    remove_model("c")
    assert (models_folder() / MANIFEST).read_text("utf-8").count("[[model]]") == 1
    assert text.count("[[model]]") == 3
    with pytest.raises(KnownError, match="no added model called c"):
        remove_model("c")
    with pytest.raises(KnownError, match="belongs to facegui"):
        remove_model("arcface")


def test_an_entry_that_names_a_file_elsewhere_deletes_nothing_there(tmp_path: Path) -> None:
    precious = tmp_path / "precious.onnx"
    precious.write_bytes(b"mine")
    folder = models_folder()
    add_entry(folder, {"id": "x", "role": "embedder", "file": f"../../../{precious.name}", "sha256": "0"})
    remove_model("x")
    assert precious.read_bytes() == b"mine"


def test_calibrations_written_into_the_list_go_with_their_model(tmp_path: Path) -> None:
    from facegui.cli.manifest import write_calibrations
    from facegui.matching.derivation import derive

    one = add(made(tmp_path / "a.onnx")).model
    add(made(tmp_path / "b.onnx", seed=1))
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((12, 8)).repeat(3, axis=0) + 0.2 * rng.standard_normal((36, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made_of = derive(vectors, np.arange(12).repeat(3), model_id=one.sha256, source="test", replicates=50)
    write_calibrations(models_folder() / MANIFEST, "a", [made_of])
    assert Catalog().model("a").calibrated
    with Services(model="a") as services:
        assert services.calibration == made_of
    remove_model("a")
    assert not Catalog().model("b").calibrated
    assert "calibration" not in (models_folder() / MANIFEST).read_text("utf-8")


def test_a_refused_file_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.onnx"
    file.write_bytes(b"<html>not found</html>")
    with pytest.raises(KnownError, match="not an ONNX file"):
        add(file)
    with pytest.raises(KnownError, match="was not found"):
        add(tmp_path / "gone.onnx")
    assert list(models_folder().iterdir()) == []


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    job = add_model(made(tmp_path / "a.onnx"), FACES, threads=1, **KNOWN)
    next(job)
    job.close()
    assert list(models_folder().iterdir()) == []


KILLED = """
import sys, threading
from facegui.faces.packs_manifest import draft, models_folder
with draft(models_folder()) as place:
    (place / "half.onnx").write_bytes(b"half")
    print(place, flush=True)
    threading.Event().wait()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_what_a_killed_run_left_is_cleared_and_what_another_works_on_is_not() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        with draft(models_folder()):
            assert (left / "half.onnx").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left.exists()
    with draft(models_folder()):
        assert not left.exists()


def test_models_added_at_once_are_all_listed() -> None:
    folder = models_folder()
    from facegui.faces.packs_manifest import changing

    def one(number: int) -> None:
        with changing(folder):
            add_entry(
                folder, {"id": f"m{number}", "role": "embedder", "file": f"m{number}.onnx", "sha256": str(number)}
            )

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry["id"] for entry in entries(folder)) == [f"m{number}" for number in range(8)]


def test_what_stands_in_the_list_comes_back_as_it_was() -> None:
    folder = models_folder()
    entry = {
        "id": "a", "title": 'A "quoted" \\ name\twith\nlines ä', "role": "embedder", "file": "a.onnx", "sha256": "1",
        "numbers": [1, 2.5, -0.0078125], "empty": "", "yes": True,
    }  # fmt: skip
    add_entry(folder, entry)
    assert entries(folder) == [entry]
    with pytest.raises(KnownError, match="already"):
        add_entry(folder, entry)
    assert tomllib.loads((folder / MANIFEST).read_text("utf-8"))["format"] == 1


def test_a_list_that_was_edited_by_hand_is_not_destroyed() -> None:
    folder = models_folder()
    strange = 'model = [{id = "a", role = "embedder", file = "a.onnx", sha256 = "1"}]\n'
    (folder / MANIFEST).write_text(strange, "utf-8")
    with pytest.raises(KnownError, match="unusual way"):
        remove_entry(folder, "a")
    assert (folder / MANIFEST).read_text("utf-8") == strange
    (folder / MANIFEST).write_text("[[model]\n", "utf-8")
    with pytest.raises(KnownError, match="cannot be read"):
        add_entry(folder, {"id": "b"})


def test_a_model_in_use_that_was_deleted_by_hand_does_not_lock_the_program() -> None:
    save(replace(Settings(), model="gone"))
    with Services() as services:
        assert services.model.id == Settings().model
        assert services.ignored_settings == ("model",)
    with pytest.raises(KnownError, match="no model called gone"):
        Services(model="gone")
