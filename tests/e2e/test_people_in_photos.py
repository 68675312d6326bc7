"""Photos to people on the command line, with the real models on real photos: cluster, board, audit."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facegui.cli import main
from facegui.matching.agreement import bcubed

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def work(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Four people with five photos each, in folders of their names, read and grouped into a gallery."""
    folder = tmp_path_factory.mktemp("people")
    photos, home = folder / "photos", folder / "home"
    for person in ("001", "002", "003", "004"):
        (photos / person).mkdir(parents=True)
        for name in ("01", "02", "03", "04", "05"):
            source = shared_data / "cfp-dev" / "images" / person / "frontal" / f"{name}.jpg"
            shutil.copy(source, photos / person / f"{name}.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEGUI_HOME", str(home))
        assert main(["cluster", str(photos), "--quiet", "--json"]) == 0
    return photos, home


@pytest.fixture
def ask(work: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    monkeypatch.setenv("FACEGUI_HOME", str(work[1]))

    def call(*arguments: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        status = main([*map(str, arguments), "--json"])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return status, document

    return call


def test_photos_are_put_together_to_people(ask: Ask) -> None:
    status, document = ask("cluster")
    assert status == 0
    assert document["faces"] == 20
    numbers, people = [], []
    for group in document["groups"]:
        for face in group["faces"]:
            numbers.append(group["id"])
            people.append(int(Path(face["path"]).parent.name))
    assert len(numbers) + document["alone"] == 20
    assert bcubed(np.array(numbers), np.array(people))[2] > 0.95


def test_a_second_run_changes_no_group(ask: Ask) -> None:
    before = ask("cluster")[1]["groups"]
    assert ask("cluster")[1]["groups"] == before
    assert {group["id"] for group in ask("cluster", "--anew")[1]["groups"]}


def test_a_board_is_written_as_page_picture_and_tables(ask: Ask, work: tuple[Path, Path], tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("board.html", "board.png", "board.csv")]
    outs = [part for file in files for part in ("--out", file)]
    status, document = ask("board", work[0], "--top", 2, *outs)
    assert status == 0
    assert document["faces"] == 20
    right = [row["person"] == near["person"] for row in document["rows"] for near in row["most_similar"]]
    assert sum(right) >= 38
    page = files[0].read_text("utf-8")
    assert page.count("data:image/jpeg;base64,") == 20
    assert "{{" not in page
    for outside in ("http://", "https://", 'src="//'):
        assert outside not in page.replace("http://www.w3.org/2000/svg", "")
    picture = cv2.imread(str(files[1]))
    assert picture is not None
    assert min(picture.shape[:2]) > 700
    rows = list(csv.DictReader(files[2].read_text("utf-8").splitlines()))
    assert len(rows) == 40
    matrix = list(csv.reader((tmp_path / "board-matrix.csv").read_text("utf-8").splitlines()))
    assert len(matrix) == len(matrix[0]) == 21
    assert float(matrix[3][3]) == pytest.approx(1.0, abs=1e-5)


def test_a_board_of_some_photos_keeps_nothing(ask: Ask, work: tuple[Path, Path], tmp_path: Path) -> None:
    photos = [work[0] / person / f"0{n}.jpg" for person in ("001", "002") for n in (1, 2)]
    status, document = ask("board", *photos, "--top", 1, "--map", "pca", "--gallery", tmp_path / "fresh.sqlite",
                           "--out", tmp_path / "b.html")  # fmt: skip
    assert (status, document["faces"]) == (0, 4)
    for row in document["rows"]:
        assert Path(row["path"]).parent == Path(row["most_similar"][0]["path"]).parent
        assert row["most_similar"][0]["decision"] == "match"
    assert (tmp_path / "b.html").read_text("utf-8").count("data:image/jpeg;base64,") == 4
    assert ask("lookalikes", "--board", work[0], "--top", 1, "--map", "pca", "--out", tmp_path / "c.csv")[0] == 0
    assert ask("board")[0] == 2
    assert ask("board", work[0], "--people")[0] == 2
    assert ask("board", work[0], photos[0])[0] == 2
    assert ask("board", photos[0], tmp_path / "none.jpg")[0] == 2
    assert ask("board", "--people", "--gallery", tmp_path / "fresh.sqlite")[0] == 2, "nobody is enrolled"


def test_several_photos_make_one_probe_and_results_go_into_files(
    ask: Ask, work: tuple[Path, Path], tmp_path: Path
) -> None:
    photos = [work[0] / "001" / f"0{n}.jpg" for n in (1, 2, 3)]
    outs = [part for name in ("x.csv", "x.html", "x.json") for part in ("--out", tmp_path / name)]
    status, document = ask("lookalikes", *photos, "--in", work[0], "--min", 0.3, *outs)
    assert status == 0
    assert all(Path(row["path"]).parent.name == "001" for row in document["rows"])
    assert document["probe"]["least_similarity"] > 0.3
    assert not any(photo["odd"] for photo in document["probe"]["photos"])
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text("utf-8").splitlines()))
    assert [row["path"] for row in rows] == [row["path"] for row in document["rows"]]
    assert (tmp_path / "x.html").read_text("utf-8").count("<figure") == len(rows)
    assert len(json.loads((tmp_path / "x.json").read_text("utf-8"))["rows"]) == len(rows)
    stranger = work[0] / "002" / "01.jpg"
    probe = ask("lookalikes", *photos, stranger, "--in", work[0])[1]["probe"]
    assert [Path(photo["path"]).parent.name for photo in probe["photos"] if photo["odd"]] == ["002"]
    assert ask("lookalikes", photos[0], "--out", tmp_path / "x.doc")[0] == 2


def test_a_board_that_cannot_be_is_refused_before_anything_is_read(ask: Ask, tmp_path: Path) -> None:
    assert ask("lookalikes", "--board", tmp_path, "--out", tmp_path / "board.doc")[0] == 2
    assert ask("lookalikes", "--board", tmp_path, "--out", tmp_path / "nowhere" / "board.html")[0] == 2
    status, document = ask("lookalikes", "--board", tmp_path, "--out", tmp_path / "board.html")
    assert status == 2
    assert "at least two" in document["error"]["what"]


def test_the_audit_finds_a_photo_enrolled_as_somebody_else(ask: Ask, work: tuple[Path, Path]) -> None:
    photos = work[0]
    assert (
        ask("enroll", "One", "--force", *(photos / "001" / f"0{n}.jpg" for n in (1, 2, 3)), photos / "002" / "01.jpg")[
            0
        ]
        == 0
    )
    assert ask("enroll", "Two", "--force", *(photos / "002" / f"0{n}.jpg" for n in (2, 3, 4)))[0] == 0
    status, document = ask("audit")
    assert status == 0
    wrong = [finding for finding in document["findings"] if finding["kind"] == "nearer to another person"]
    assert [(finding["person"], finding["other"]) for finding in wrong] == [("One", "Two")]
    assert wrong[0]["samples"][0]["path"] == str(photos / "002" / "01.jpg")


def test_without_a_gallery_or_faces_the_verbs_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACEGUI_HOME", str(tmp_path / "nobody"))
    for arguments in (["cluster"], ["audit"]):
        assert main(arguments) == 2
        assert "facegui enroll" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["cluster", str(tmp_path / "empty")]) == 2
    assert "no faces" in capsys.readouterr().err
