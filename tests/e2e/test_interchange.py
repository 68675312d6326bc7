"""Names, people and embeddings in and out on the command line, with a real model on real photos."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facegui.cli import main
from facegui.faces.types import Box
from facegui.jobs import run
from facegui.services import Services
from facegui.settings import Settings
from facegui.sources.regions import Region, read_regions, write_sidecar

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(shared_data: Path, tmp_path: Path) -> Path:
    """Two people, two photos each, with a folder for each."""
    for person in ("001", "002"):
        (tmp_path / "photos" / f"P_{person}").mkdir(parents=True)
        for name in ("01", "02"):
            source = shared_data / "cfp-dev" / "images" / person / "frontal" / f"{name}.jpg"
            shutil.copy(source, tmp_path / "photos" / f"P_{person}" / f"{name}.jpg")
    return tmp_path / "photos"


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def call(*arguments: object) -> dict[str, Any]:
        capsys.readouterr()
        status = main([*map(str, arguments), "--model", "arcface", "--json"])
        said = capsys.readouterr()
        assert status == 0, said
        document: dict[str, Any] = json.loads(said.out)
        return document

    return call


def test_names_from_sidecars_are_suggested_and_confirmed_ones_written_back(ask: Ask, folder: Path) -> None:
    everywhere = [Region("Vera Example", Box(0.0, 0.0, 1.0, 1.0), "sidecar")]
    write_sidecar(folder / "P_001" / "01.jpg", everywhere, (100, 100))
    found = ask("import", "names", folder)
    assert (found["regions"], found["names"]) == (1, ["Vera Example"])
    assert found["matched"] == 1
    groups = ask("cluster")["groups"]
    named = [group for group in groups if group["name"]]
    assert [group["name"] for group in named] == ["Vera Example"]
    assert {Path(face["path"]).parent.name for face in named[0]["faces"]} == {"P_001"}
    made = ask("import", "people", folder)
    assert made["samples"] == {"P 001": 2, "P 002": 2}
    done = ask("export", "names", folder)
    assert done["names"] == 4
    assert [region.name for region in read_regions(folder / "P_002" / "02.jpg")] == ["P 002"]
    assert ask("import", "names", folder)["matched"] == 4


def test_embeddings_go_out_as_tables_and_come_back(ask: Ask, folder: Path, tmp_path: Path) -> None:
    ask("index", folder)
    for name in ("faces.npz", "faces.csv"):
        assert ask("export", "embeddings", tmp_path / name)["faces"] == 4
    with np.load(tmp_path / "faces.npz", allow_pickle=False) as data:
        vectors = data["embedding"]
    rows = list(csv.DictReader((tmp_path / "faces.csv").read_text("utf-8").splitlines()))
    np.testing.assert_allclose([float(rows[2][f"e{n}"]) for n in range(192)], vectors[2], rtol=1e-6)
    for name in ("faces.npz", "faces.csv"):
        assert ask("import", "embeddings", tmp_path / name)["taken"] == 4
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    assert main(["import", "embeddings", str(tmp_path / "broken.npz")]) == 2


def test_several_processes_read_what_one_reads(folder: Path, tmp_path: Path) -> None:
    for number in range(20):
        shutil.copy(folder / "P_001" / "01.jpg", folder / f"copy {number:02d}.jpg")
    (folder / "broken.jpg").write_bytes(b"no picture")
    found = []
    for processes in (1, 2):
        settings = Settings(threads=1, provider="cpu", index_processes=processes)
        with Services(settings=settings, gallery=tmp_path / f"{processes}.sqlite", model="arcface") as services:
            summary = run(services.index([folder]))
            assert (summary.new, len(summary.skipped)) == (25, 1)
            matrix = services.gallery.face_matrix(services.model.sha256)
            records = services.gallery.faces(matrix.face_ids.tolist())
            order = np.argsort([record.path for record in records], kind="stable")
            found.append(matrix.vectors[order])
            (folder / "copy 00.jpg").rename(folder / "moved.jpg")
            summary = run(services.index([folder]))
            assert (summary.new, summary.moved, summary.unchanged) == (0, 1, 24)
            (folder / "moved.jpg").rename(folder / "copy 00.jpg")
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)
