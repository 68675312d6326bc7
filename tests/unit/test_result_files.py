"""Rankings as tables and contact sheets."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery_samples import face, indexed, unit

from facegui.errors import KnownError
from facegui.faces.types import Box, Embedding
from facegui.lookalikes import result_files
from facegui.lookalikes.result_files import ResultRow, ResultSheet, write_rows
from facegui.matching.decision import Rule
from facegui.services import Services, exporting
from facegui.services.browsing import browse
from facegui.services.exporting import export_results

SHEET = ResultSheet(
    "<Ada>.jpg", np.full((112, 112, 3), 90, np.uint8), "arcface", Rule(0.4, 0.3), "About 1 in 1,000 strangers would.",
    4, 4, ("Quality from 50 %",),
)  # fmt: skip


def row(rank: int, similarity: float, path: str = "") -> ResultRow:
    crop = np.full((112, 112, 3), 10 * rank, np.uint8)
    return ResultRow(rank, similarity, path or f"/a/{rank}.jpg", "", Box(1, 2, 30, 40), 0.8, None, rank, crop)


ROWS = [row(1, 0.9), row(2, 0.4), row(3, 0.35, "/a/b & <c>.jpg"), row(4, 0.1, "/a/\udcff.jpg")]


def written(file: Path, rows: list[ResultRow] = ROWS, sheet: ResultSheet = SHEET) -> bytes:
    for _ in write_rows(sheet, rows, file):
        pass
    return file.read_bytes()


def test_a_table_says_in_each_row_what_it_means(tmp_path: Path) -> None:
    text = written(tmp_path / "x.csv").decode("utf-8", "surrogateescape")
    table = list(csv.DictReader(text.splitlines()))
    assert [one["decision"] for one in table] == ["match", "match", "unsure", "no match"]
    assert {(one["threshold"], one["model"]) for one in table} == {("0.4", "arcface")}
    assert table[3]["path"] == "/a/\udcff.jpg", "a name that is no text comes out byte for byte"
    assert (table[0]["similarity"], table[0]["width"]) == ("0.9", "30")


def test_a_document_has_the_meaning_once_and_all_rows(tmp_path: Path) -> None:
    found = json.loads(written(tmp_path / "x.json"))
    assert found["threshold"] == 0.4
    assert found["meaning"] == SHEET.meaning
    assert found["filters"] == ["Quality from 50 %"]
    assert [one["rank"] for one in found["rows"]] == [1, 2, 3, 4]
    assert json.loads(written(tmp_path / "none.json", []))["rows"] == []


def test_a_contact_sheet_carries_its_pictures_the_line_and_the_sentence(tmp_path: Path) -> None:
    page = written(tmp_path / "x.html").decode()
    assert page.count("data:image/jpeg;base64,") == 5, "four faces and the probe"
    assert page.index("Probably the same person") < page.index("2.jpg") < page.index("<h2>Lookalikes</h2>")
    assert page.index("<h2>Lookalikes</h2>") < page.index("b &amp; &lt;c&gt;.jpg")
    assert "&lt;Ada&gt;.jpg" in page
    assert "<c>" not in page
    assert "Match from 0.40. About 1 in 1,000 strangers would. Model: arcface." in page
    assert "Filters: Quality from 50 %." in page
    assert "{{" not in page
    assert page.count("<div") == page.count("</div>")


def test_without_a_calibration_there_is_neither_line_nor_decision(tmp_path: Path) -> None:
    page = written(tmp_path / "x.html", sheet=replace(SHEET, rule=None)).decode()
    assert "<h2>" not in page
    assert "Match" not in page
    assert page.count("<figure") == 4


def test_what_is_broken_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("old")
    under_way = write_rows(SHEET, ROWS, file)
    next(under_way)
    under_way.close()
    assert file.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["x.csv"]


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match=r"x\.doc"):
        written(tmp_path / "x.doc")
    with pytest.raises(KnownError, match="could not be written"):
        written(tmp_path / "nowhere" / "x.csv")


def test_the_rows_of_a_ranking_are_read_from_the_gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_AT_ONCE", 7)
    monkeypatch.setattr(exporting, "SHEET_MOST", 10)
    with Services(gallery=tmp_path / "gallery.sqlite") as services:
        model = services.model.sha256
        one = face(1, model=None)
        services.gallery.add_photos(
            [indexed(f"/a/{n}.jpg", replace(one, embedding=Embedding(unit(n, 320), model))) for n in range(20)]
        )
        services.gallery.enroll_faces("Anna", [8])
        sieve = browse(services, replace(one, embedding=Embedding(unit(7, 320), model)))
        sheet = replace(SHEET, shown=20)
        for suffix, count in ((".csv", 20), (".html", 10)):
            file = tmp_path / f"x{suffix}"
            events = list(export_results(services, sieve.ranking, sheet, file))
            assert events[-1].done == events[-1].total == count  # type: ignore[union-attr]
        table = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
        assert (table[0]["person"], table[0]["path"], table[0]["similarity"]) == ("Anna", "/a/7.jpg", "1.0")
        page = (tmp_path / "x.html").read_text()
        assert page.count("<figure") == 10
        assert "Here are the 10 most similar; a table (CSV, JSON) has all." in page
    assert result_files.SHEET_MOST > 100
