"""InsightFace's packs: found, unpacked, understood by InsightFace's own package, and added."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pack_networks
import pytest
from pack_server import serving

from facegui import jobs
from facegui.errors import KnownError
from facegui.faces.catalog import Catalog
from facegui.faces.packs import Added, disguised, remove_model
from facegui.faces.packs_insightface import open_pack, pack_address
from facegui.faces.packs_manifest import entries, models_folder
from facegui.faces.packs_zoo import LICENCE, PACKS, Pack, add_pack, downloads_folder, kept_detectors, pack_of
from facegui.faces.session import OnnxNetwork

CROPS = np.random.default_rng(4).integers(0, 256, (3, 112, 112, 3), np.uint8)
FACES = disguised(list(CROPS))
PACK = Pack("testpack")

THEIRS = """
import sys
import numpy as np
from insightface.model_zoo import get_model
model = get_model(sys.argv[1], providers=["CPUExecutionProvider"])
crops = np.load(sys.argv[2])
vectors = np.concatenate([model.get_feat(np.ascontiguousarray(crop[..., ::-1])) for crop in crops])
np.save(sys.argv[3], vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
"""


def archive(folder: Path, files: dict[str, bytes], around: str = "") -> Path:
    file = folder / "testpack.zip"
    file.write_bytes(pack_networks.zipped(files, around))
    return file


def add(source: str | Path, **how: object) -> Added:
    return jobs.run(add_pack(PACK, FACES, source=str(source), threads=1, **how))  # type: ignore[arg-type]


def test_a_pack_comes_over_a_broken_connection_and_answers_as_insightface_does(tmp_path: Path) -> None:
    files = pack_networks.pack()
    content = pack_networks.zipped(files)
    with serving(content) as served:
        served.cuts = [len(content) // 3, 0, 0]
        with pytest.raises(KnownError, match="are kept"):
            add(served.url("testpack.zip"), sha256=hashlib.sha256(content).hexdigest())
        added = add(served.url("testpack.zip"), sha256=hashlib.sha256(content).hexdigest())
        assert served.asked[-1][1] == f"bytes={len(content) // 3}-"
    model = added.model
    assert (model.id, model.title, model.dimension, model.licence) == ("testpack", "InsightFace testpack", 64, LICENCE)
    assert model.source == "InsightFace model zoo, testpack.zip, w600k_small.onnx"
    assert "WebFace600K" in model.training_data
    assert added.way == "RGB, (pixel - 127.5) / 127.5"
    assert not added.guessed
    assert added.original_sha256 == hashlib.sha256(files["w600k_small.onnx"]).hexdigest()
    Catalog().verify(model)
    (entry,) = entries(models_folder())
    assert entry["pack_sha256"] == hashlib.sha256(content).hexdigest()
    assert kept_detectors()["testpack"].read_bytes() == files["det_small.onnx"]
    assert list(downloads_folder().iterdir()) == []

    (tmp_path / "theirs.onnx").write_bytes(files["w600k_small.onnx"])
    np.save(tmp_path / "crops.npy", CROPS)
    command = [sys.executable, "-W", "ignore", "-c", THEIRS, "theirs.onnx", "crops.npy", "vectors.npy"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    ours = OnnxNetwork(model.file, provider="cpu", threads=1).run({"input": CROPS})[0]
    assert np.einsum("ij,ij->i", ours, np.load(tmp_path / "vectors.npy")).min() > 0.99999

    remove_model("testpack")
    assert not (models_folder() / entry["detector_file"]).exists()
    assert kept_detectors() == {}
    assert not model.file.exists()


def test_a_folder_around_the_files_does_not_matter_and_the_zip_file_stays(tmp_path: Path) -> None:
    file = archive(tmp_path, pack_networks.pack(), "testpack/")
    assert add(file, name="mine").model.id == "mine"
    assert file.exists()
    assert [entry.get("pack") for entry in entries(models_folder())] == ["testpack"]


def test_a_pack_that_lists_its_networks_is_read_by_its_list(tmp_path: Path) -> None:
    files = pack_networks.pack()
    recogniser = files.pop("w600k_small.onnx")
    manifest = {
        "manifest_version": 2, "model_id": "testpack", "license": "MODEL.LICENSE",
        "tasks": {
            "recognition": {
                "file": "parts/face.onnx", "sha256": hashlib.sha256(recogniser).hexdigest(),
                "preprocessing": {"mean": 127.5, "std": 128.0}, "embedding_dimension": 64,
            },
            "detection": {"file": "det_small.onnx"},
        },
    }  # fmt: skip
    files |= {
        "parts/face.onnx": recogniser,
        "manifest.json": json.dumps(manifest).encode(),
        "MODEL.LICENSE": b"no commerce",
    }
    found = jobs.run(open_pack(archive(tmp_path, files), tmp_path / "out"))
    assert found.file == tmp_path / "out" / "parts" / "face.onnx"
    assert (found.mean, found.deviation) == (127.5, 128.0)
    assert found.detector == tmp_path / "out" / "det_small.onnx"

    files["parts/face.onnx"] = recogniser[:-1] + b"x"
    with pytest.raises(KnownError, match="damaged"):
        jobs.run(open_pack(archive(tmp_path, files), tmp_path / "again"))


def test_a_pack_without_a_recogniser_is_refused(tmp_path: Path) -> None:
    files = pack_networks.pack()
    del files["w600k_small.onnx"]
    with pytest.raises(KnownError, match="no network in it that tells people apart"):
        add(archive(tmp_path, files))
    assert entries(models_folder()) == []


@pytest.mark.parametrize(
    "content",
    [b"<html>", pack_networks.zipped({"a.txt": b"x"}), pack_networks.zipped({"a.onnx": b"x"})],
    ids=["no zip", "no networks", "broken network"],
)
def test_a_damaged_pack_is_refused_and_a_download_of_it_thrown_away(content: bytes, tmp_path: Path) -> None:
    with serving(content) as served, pytest.raises(KnownError, match="damaged, or no pack"):
        add(served.url("testpack.zip"))
    assert list(downloads_folder().iterdir()) == []


def test_a_zip_cut_in_the_middle_of_a_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(pack_networks.zipped(pack_networks.pack()))
    content[2000:2100] = bytes(100)
    file = tmp_path / "testpack.zip"
    file.write_bytes(content)
    with pytest.raises(KnownError, match="damaged, or no pack"):
        add(file)


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    files = pack_networks.pack() | {"../outside.onnx": b"x", "/absolute.onnx": b"x", "c:\\windows.onnx": b"x"}
    found = jobs.run(open_pack(archive(tmp_path, files), tmp_path / "deep" / "out"))
    assert found.files == ("2d106det.onnx", "det_small.onnx", "genderage.onnx", "w600k_small.onnx")
    assert not list(tmp_path.rglob("outside.onnx"))
    assert not list(tmp_path.rglob("*windows.onnx"))


def test_another_file_than_the_known_pack_is_refused(tmp_path: Path) -> None:
    file = archive(tmp_path, pack_networks.pack())
    with pytest.raises(KnownError, match="not the file that was expected"):
        jobs.run(add_pack(pack_of("buffalo_l"), FACES, source=str(file)))
    with pytest.raises(KnownError, match="cannot be read"):
        add(tmp_path / "gone.zip")


def test_a_taken_name_is_said_before_anything_is_fetched() -> None:
    with pytest.raises(KnownError, match="already"):
        add("http://127.0.0.1:9/testpack.zip", name="arcface")


def test_the_address_of_a_pack_is_insightfaces_own() -> None:
    assert jobs.run(pack_address("buffalo_l")).startswith("https://github.com/deepinsight/insightface/releases/")
    assert jobs.run(pack_address("buffalo_l")).endswith("/buffalo_l.zip")


def test_packs_are_known_by_name_and_others_are_not_excluded() -> None:
    assert {"buffalo_l", "antelopev2"} <= set(PACKS)
    assert all(len(pack.sha256) == 64 and pack.size > 1e7 and pack.words for pack in PACKS.values())
    assert pack_of("raccoon_l") == Pack("raccoon_l")
    for name in ("../x", "a b", "x/y", ""):
        with pytest.raises(KnownError, match="no pack called"):
            pack_of(name)
