"""Models from elsewhere on the command line: from the file or the download to a decision, and out again."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facegui import paths
from facegui.cli import main
from facegui.cli.samples import sample_file
from facegui.faces.catalog import Catalog

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

import pack_networks
from pack_server import serving

Ask = Callable[..., tuple[int, dict[str, Any]]]
AS_GIVEN = ("--colour", "rgb", "--mean", "127.5", "--scale", "1/128")


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def call(*arguments: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        status = main([*map(str, arguments), "--json"])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return status, document

    return call


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return pack_networks.save(pack_networks.resnet(), tmp_path / "small.onnx")


def listed(ask: Ask) -> dict[str, dict[str, Any]]:
    return {model["id"]: model for model in ask("models", "list")[1]["models"]}


def test_an_added_model_answers_and_says_that_it_is_not_calibrated(ask: Ask, network: Path) -> None:
    photo = sample_file("astronaut")
    assert ask("enroll", "Eileen Collins", photo)[0] == 0
    status, added = ask("models", "add", network, "--licence", "MIT", *AS_GIVEN)
    assert status == 0
    assert (added["id"], added["dimension"], added["guessed"], added["calibrated"]) == ("small", 32, False, [])
    assert added["preprocessing"] == "RGB, (pixel - 127.5) / 128"
    entry = listed(ask)["small"]
    assert (entry["licence"], entry["calibrated"], entry["bundled"]) == ("MIT", [], False)
    assert entry["source"] == "Added from small.onnx"
    assert entry["bytes"] > 0
    assert ask("models", "verify", "small")[0] == 0

    status, used = ask("models", "use", "small")
    assert (status, used["embedded"], used["calibrated"]) == (0, 1, False)
    status, found = ask("verify", "--person", "Eileen Collins", photo)
    assert (status, found["decision"], found["model"]) == (3, "unsure", "small")
    assert found["threshold"] is None
    assert found["similarity"] == pytest.approx(1.0, abs=1e-4)
    status, error = ask("models", "remove", "small")
    assert status == 2
    assert "in use" in error["error"]["why"]
    assert ask("models", "use", "arcface+sface")[1]["embedded"] == 0
    assert ask("models", "remove", "small")[1]["removed"]
    assert "small" not in listed(ask)
    assert not (paths.data_dir() / "models" / "small.onnx").exists()
    assert ask("verify", "--person", "Eileen Collins", photo)[0] == 0


def test_without_photos_the_guess_is_called_one(ask: Ask, network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", str(network)]) == 0
    said = capsys.readouterr()
    assert "a guess" in said.out
    assert "is a guess. Give photos of people whose names are known with --pairs" in said.err
    assert "It is not calibrated" in said.err


def test_photos_of_known_people_find_the_preprocessing_and_calibrate(
    ask: Ask, tmp_path: Path, shared_data: Path
) -> None:
    people = tmp_path / "people"
    for person in sorted((shared_data / "cfp-dev" / "images").iterdir())[:8]:
        target = people / person.name
        target.mkdir(parents=True)
        for file in sorted((person / "frontal").iterdir())[:3]:
            (target / file.name).write_bytes(file.read_bytes())
    (people / "001" / "broken.jpg").write_bytes(b"no photo")
    file = pack_networks.save(pack_networks.disguised("arcface", colour="BGR"), tmp_path / "foreign.onnx")
    status, added = ask("models", "add", file, "--pairs", people, "--name", "theirs")
    assert status == 0
    assert added["preprocessing"] == "BGR, (pixel - 127.5) / 127.5"
    assert (added["guessed"], added["faces"], added["people"]) == (False, 24, 8)
    (calibration,) = added["calibrated"]
    assert (calibration["condition"], calibration["people"], calibration["photos"]) == ("frontal", 8, 24)
    model = Catalog().model("theirs")
    assert set(model.calibrations) == {"frontal"}
    assert model.calibrations["frontal"]["model_id"] == model.sha256
    photo = sample_file("astronaut")
    status, found = ask("verify", photo, photo, "--model", "theirs")
    assert (status, found["decision"]) == (0, "match")
    assert found["threshold"] == pytest.approx(calibration["thresholds"]["0.001"], abs=0.01)


def test_a_list_of_pairs_finds_the_preprocessing_but_does_not_calibrate(
    ask: Ask, tmp_path: Path, shared_data: Path
) -> None:
    images = shared_data / "cfp-dev" / "images"
    people = [sorted((person / "frontal").iterdir())[:2] for person in sorted(images.iterdir())[:6]]
    rows = [f"{one},{two},1" for one, two in people]
    rows += [f"{people[n][0]},{people[n - 1][0]},0" for n in range(6)]
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("\n".join(["path1,path2,same", *rows]), "utf-8")
    file = pack_networks.save(pack_networks.disguised("arcface", colour="BGR"), tmp_path / "foreign.onnx")
    status, added = ask("models", "add", file, "--pairs", pairs)
    assert status == 0
    assert added["preprocessing"] == "BGR, (pixel - 127.5) / 127.5"
    assert added["people"] == 6
    assert added["calibrated"] == []


@pytest.mark.parametrize(
    "arguments",
    [("gone.onnx",), ("small.onnx", "--colour", "GBR"), ("small.onnx", "--mean", "x"), ("small.onnx", "--name", "a b"),
     ("small.onnx", "--pairs", "gone"), ("small.onnx", "--name", "arcface")],
)  # fmt: skip
def test_what_cannot_be_done_is_status_2_with_what_to_do(
    arguments: tuple[str, ...], ask: Ask, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(network.parent)
    status, answer = ask("models", "add", *arguments)
    assert status == 2
    assert answer["error"]["what"]
    assert answer["error"]["do"]


def test_a_pack_is_downloaded_once_its_licence_is_accepted(ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    content = pack_networks.zipped(pack_networks.pack())
    digest = hashlib.sha256(content).hexdigest()
    with serving(content) as served:
        wanted = ("models", "download", "testpack", "--from", served.url("testpack.zip"), "--sha256", digest)
        status, answer = ask(*wanted)
        assert status == 2
        assert "licence was not accepted" in answer["error"]["why"]
        assert "non-commercial research only" in answer["error"]["why"]
        assert "--accept-licence" in answer["error"]["do"]
        assert not served.asked

        served.cuts = [20_000]
        status, added = ask(*wanted, "--accept-licence")
        assert status == 0
        assert [wanted for _, wanted in served.asked] == ["", "bytes=20000-"]
    assert added["id"] == "testpack"
    assert added["licence"] == "InsightFace: non-commercial research only"
    assert listed(ask)["testpack"]["source"] == "InsightFace model zoo, testpack.zip, w600k_small.onnx"
    photo = sample_file("admiral")
    assert ask("verify", photo, photo, "--model", "testpack")[1]["decision"] == "unsure"
    assert main(["models", "download", "testpack", "--accept-licence"]) == 2
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 2), ("", 2)])
def test_at_a_terminal_the_licence_is_shown_and_asked_for(
    answer: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    archive = tmp_path / "testpack.zip"
    archive.write_bytes(pack_networks.zipped(pack_networks.pack()))
    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    assert main(["models", "download", "testpack", "--from", str(archive), "--quiet"]) == status
    said = capsys.readouterr().err
    assert "non-commercial research only" in said
    assert said.index("non-commercial") < said.index("Do you accept this licence?")
    assert archive.exists()


def test_without_a_network_a_download_says_what_to_do(ask: Ask) -> None:
    status, answer = ask("models", "download", "testpack", "--from", "http://127.0.0.1:9/a.zip", "--accept-licence")
    assert status == 2
    assert "cannot be reached" in answer["error"]["why"]
    assert "--from testpack.zip" in answer["error"]["do"]
