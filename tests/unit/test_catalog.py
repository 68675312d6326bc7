from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from facegui import paths
from facegui.errors import KnownError
from facegui.faces.catalog import Catalog
from facegui.matching.tables import from_table


def test_the_bundled_models_are_found_by_id_and_by_sha256() -> None:
    catalog = Catalog()
    for name in ("arcface", "sface", "arcface+sface"):
        model = catalog.model(name, "embedder")
        assert catalog.model(model.sha256) is model
        assert model.bundled
        assert model.licence
        assert model.training_data
    assert [model.id for model in catalog.models("detector")] == ["yunet"]


def test_the_default_model_is_a_bundled_embedder() -> None:
    from facegui.settings import Settings

    assert Catalog().model(Settings().model, "embedder").dimension == 320


def test_every_bundled_embedder_is_calibrated_for_its_own_file() -> None:
    for model in Catalog().models("embedder"):
        assert set(model.calibrations) == {"frontal", "profile"}
        for table in model.calibrations.values():
            assert from_table(table).model_id == model.sha256


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(KnownError, match=r"arcface\+sface"):
        Catalog().model("resnet100")


def test_bundled_files_are_what_the_manifest_says() -> None:
    catalog = Catalog()
    for model in catalog.models():
        catalog.verify(model)


def test_a_damaged_file_is_recognised(tmp_path: Path) -> None:
    catalog = Catalog()
    model = catalog.model("arcface")
    copy = tmp_path / "arcface.onnx"
    copy.write_bytes(model.file.read_bytes()[:-1])
    with pytest.raises(KnownError, match="damaged"):
        catalog.verify(replace(model, file=copy))
    copy.unlink()
    with pytest.raises(KnownError, match="cannot be read"):
        catalog.verify(replace(model, file=copy))


def test_a_broken_list_of_own_models_says_which_file_to_delete() -> None:
    folder = paths.data_dir() / "models"
    folder.mkdir(parents=True)
    (folder / "manifest.toml").write_text("[[model]]\nid = 3\n", "utf-8")
    with pytest.raises(KnownError, match="Delete that file"):
        Catalog()
