"""A pack that tells how its model wants its pixels, whence it comes and what its similarities mean is believed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pack_networks
import pytest

from facegui.cli import main
from facegui.cli.manifest import write_calibrations
from facegui.errors import KnownError
from facegui.faces.catalog import Catalog, file_sha256
from facegui.faces.packs_given import given_with
from facegui.faces.packs_manifest import MANIFEST, add_entry, models_folder
from facegui.matching.derivation import derive
from facegui.services import Services


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A folder with a model and its list, calibrated."""
    folder = tmp_path / "pack"
    folder.mkdir()
    file = pack_networks.save(pack_networks.resnet(), folder / "own.onnx")
    add_entry(folder, {
        "id": "own", "title": "Made here", "role": "embedder", "file": file.name, "sha256": file_sha256(file),
        "licence": "Mine", "source": "facegui train, step 3", "training_data": "7 people", "dimension": 32,
        "colour": "BGR", "mean": [127.5, 127.5, 127.5], "scale": 0.0078125,
    })  # fmt: skip
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((12, 8)).repeat(3, axis=0) + 0.2 * rng.standard_normal((36, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = derive(vectors, np.arange(12).repeat(3), model_id=file_sha256(file), source="12 others", replicates=20)
    write_calibrations(folder / MANIFEST, "own", [found])
    return folder


def add(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["models", "add", *map(str, arguments), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


@pytest.mark.parametrize("by_folder", [True, False])
def test_a_pack_brings_its_way_its_origin_and_its_calibration(
    pack: Path, by_folder: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    added = add(capsys, pack if by_folder else pack / "own.onnx")
    assert (added["id"], added["guessed"], len(added["tried"])) == ("own", False, 1)
    assert added["preprocessing"].startswith("BGR")
    assert [(made["people"], made["source"]) for made in added["calibrated"]] == [(12, "12 others")]
    model = Catalog().model("own")
    assert (model.title, model.licence, model.training_data) == ("Made here", "Mine", "7 people")
    assert model.source == "facegui train, step 3"
    with Services(model="own") as services:  # the calibration is that of the file as it is used now
        assert services.calibration is not None
        assert services.calibration.model_id == model.sha256 != file_sha256(pack / "own.onnx")
        assert services.rule() is not None


def test_pixels_prepared_in_another_way_leave_the_calibration_behind(
    pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    added = add(capsys, pack / "own.onnx", "--colour", "RGB", "--name", "other", "--licence", "Theirs")
    assert added["calibrated"] == []
    assert added["preprocessing"].startswith("RGB")
    assert Catalog().model("other").licence == "Theirs"


def test_a_file_that_its_pack_does_not_describe_is_refused(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack_networks.save(pack_networks.resnet(seed=1), pack / "own.onnx")
    assert main(["models", "add", str(pack)]) == 2
    assert "not the file that its pack describes" in capsys.readouterr().err
    assert list(models_folder().glob("*.onnx")) == []


def test_what_is_no_pack_is_added_as_any_file_or_named(pack: Path, tmp_path: Path) -> None:
    shutil.copy(pack / "own.onnx", pack / "unlisted.onnx")
    assert given_with(pack / "unlisted.onnx") is None
    (tmp_path / MANIFEST).write_text("not a list = of models [")
    shutil.copy(pack / "own.onnx", tmp_path / "alone.onnx")
    assert given_with(tmp_path / "alone.onnx") is None
    with pytest.raises(KnownError, match="no pack with one embedder"):
        given_with(tmp_path)
    text = (pack / MANIFEST).read_text("utf-8")
    (pack / MANIFEST).write_text(text.replace('file = "own.onnx"', 'file = "../pack/own.onnx"'), "utf-8")
    with pytest.raises(KnownError, match="no pack with one embedder"):
        given_with(pack)
    (pack / MANIFEST).write_text(text.replace("scale = 0.0078125", 'scale = "much"'), "utf-8")
    with pytest.raises(KnownError, match="incomplete or damaged"):
        given_with(pack)
