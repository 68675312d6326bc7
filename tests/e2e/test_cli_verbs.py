"""The command line with real models on the faces that come with installed packages."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facegui import jobs, paths
from facegui.cli import main
from facegui.cli.samples import SampleFolder, make_folder, sample_file
from facegui.services import Services

Ask = Callable[..., tuple[int, dict[str, Any]]]
STEPS = {"decode", "detect", "align", "embed"}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> SampleFolder:
    """A folder of sample photos and their copies, shared by the tests, which leave it as it is."""
    folder = tmp_path_factory.mktemp("samples")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEGUI_HOME", str(folder / "home"))
        with Services() as services:
            return jobs.run(make_folder(services, folder / "photos"))


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a verb with --json and return its status and document."""

    def call(*arguments: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        status = main([*map(str, arguments), "--json"])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return status, document

    return call


@pytest.fixture
def enrolled(samples: SampleFolder, ask: Ask) -> SampleFolder:
    """The samples, with two people in the gallery."""
    assert ask("enroll", "Eileen Collins", samples.file("astronaut"), samples.file("astronaut-rough"))[0] == 0
    assert ask("enroll", "Grace Hopper", samples.file("admiral"))[0] == 0
    return samples


# --- verify ---------------------------------------------------------------------------------------------------


def test_a_second_opinion_says_who_decided(
    enrolled: SampleFolder, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = (enrolled.file("astronaut"), enrolled.file("admiral"))
    status, found = ask("verify", *photos, "--second-opinion")
    assert (status, found["decision"], found["model"]) == (1, "no match", "arcface")
    opinion = found["second_opinion"]
    assert opinion["asked"] is False
    assert opinion["fast_similarity"] == found["similarity"] < opinion["no_match_below"]
    assert opinion["fmr_aimed_at"] == pytest.approx(1e-3, rel=0.1)
    status, found = ask("verify", photos[0], "--person", "Eileen Collins", "--second-opinion")
    assert (status, found["person"]["name"]) == (0, "Eileen Collins")
    assert main(["verify", *map(str, photos), "--second-opinion"]) == 1
    assert "arcface alone decided" in " ".join(capsys.readouterr().out.split())
    assert ask("verify", *photos, "--second-opinion", "--threshold", "0.9")[0] == 2


def test_a_copy_matches_and_the_document_holds_all_that_was_promised(samples: SampleFolder, ask: Ask) -> None:
    left, right = samples.file("astronaut"), samples.file("astronaut-mirrored")
    status, found = ask("verify", left, right)
    assert (status, found["decision"]) == (0, "match")
    assert found["similarity"] > found["threshold"] > found["unsure_from"]
    assert found["fmr_low"] <= found["fmr"] <= found["fmr_high"]
    assert found["fmr"] == pytest.approx(1e-3, rel=0.1)
    assert 0.99 < found["probability"] < 1
    assert (found["model"], found["provider"]) == ("arcface+sface", "CPU")
    assert set(found["milliseconds"]) == STEPS
    assert [face["path"] for face in found["faces"]] == [str(left), str(right)]
    face = found["faces"][0]
    assert set(face["box"]) == {"x", "y", "width", "height"}
    assert len(face["landmarks"]) == 5
    assert 0 <= face["quality"]["score"] <= 1
    assert face["quality"]["reasons"] == []
    assert face["faces_in_photo"] == 1


def test_strangers_do_not_match(samples: SampleFolder, ask: Ask) -> None:
    status, found = ask("verify", samples.file("astronaut"), samples.file("admiral"))
    assert (status, found["decision"]) == (1, "no match")


def test_the_threshold_decides_and_a_rate_may_stand_for_it(samples: SampleFolder, ask: Ask) -> None:
    photos = samples.file("astronaut"), samples.file("admiral")
    usual = ask("verify", *photos)[1]
    similarity = usual["similarity"]
    assert ask("verify", *photos, "--threshold", similarity - 0.01)[0] == 0
    assert ask("verify", *photos, "--threshold", similarity + 0.001)[0] == 3
    found = ask("verify", *photos, "--fmr", "1e-2")[1]
    assert found["fmr"] == pytest.approx(1e-2, rel=0.1)
    assert found["threshold"] < usual["threshold"]
    found = ask("verify", *photos, "--fmr", "1e-4")[1]
    assert found["fmr_supported"] is False
    assert ask("verify", *photos, "--fmr", "1e-4", "--threshold", "0.5")[0] == 2
    assert ask("verify", *photos, "--fmr", "0")[0] == 2


def test_boxes_are_in_pixels_of_the_original_though_a_large_photo_is_reduced(
    samples: SampleFolder, ask: Ask, tmp_path: Path
) -> None:
    small = samples.file("admiral")
    picture = cv2.imread(str(small))
    large = tmp_path / "large.jpg"
    assert cv2.imwrite(str(large), cv2.resize(picture, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC))
    status, found = ask("verify", small, large)
    assert status == 0
    one, other = (face["box"] for face in found["faces"])
    for name in one:
        assert other[name] == pytest.approx(6 * one[name], abs=0.05 * 6 * one["width"])
    points = np.array([face["landmarks"] for face in found["faces"]])
    assert np.abs(points[1] / 6 - points[0]).max() < 0.05 * one["width"]


def test_the_policy_says_which_face_of_a_group_counts(samples: SampleFolder, ask: Ask) -> None:
    group = samples.file("group")
    status, found = ask("verify", group, group)
    assert status == 0
    assert found["faces"][0]["faces_in_photo"] == 6
    largest = found["faces"][0]["box"]
    assert ask("verify", group, group, "--policy", "central")[1]["faces"][0]["box"] != largest
    status, found = ask("verify", group, group, "--policy", "refuse")
    assert status == 2
    assert "6 faces" in found["error"]["what"]


def test_people_read_the_answer_in_words_shape_and_figures(
    samples: SampleFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = [str(samples.file("astronaut")), str(samples.file("admiral"))]
    assert main(["verify", *photos]) == 1
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith("✕ No match  0.")
    for words in ("Match from 0.", ", unsure from 0.", "strangers would score", "95 % interval", "arcface+sface on "):
        assert words in captured.out


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: file.write_bytes(b""), "empty"),
        (lambda file: file.write_text("<html></html>"), "cannot be used"),
        (lambda file: cv2.imwrite(str(file), np.full((200, 200, 3), 255, np.uint8)), "No face found"),
        (lambda file: None, "no such file"),
        (lambda file: file.mkdir(), "folder"),
    ],
)
def test_a_photo_that_cannot_be_used_is_an_error_that_says_so(
    samples: SampleFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, words: str
) -> None:
    file = tmp_path / "photo.jpg"
    make(file)
    assert main(["verify", str(samples.file("astronaut")), str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert "Traceback" not in captured.err


def test_another_model_has_its_own_threshold(samples: SampleFolder, ask: Ask) -> None:
    photos = samples.file("astronaut"), samples.file("astronaut-dark")
    thresholds = set()
    for model in ("arcface", "sface"):
        status, found = ask("verify", *photos, "--model", model)
        assert (status, found["model"]) == (0, model)
        thresholds.add(found["threshold"])
    assert len(thresholds) == 2


# --- the process ----------------------------------------------------------------------------------------------


def facegui(*arguments: str | bytes, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "facegui", *arguments], capture_output=True, cwd=cwd, timeout=120, check=False
    )


def test_a_process_answers_with_json_alone_and_the_status(samples: SampleFolder) -> None:
    result = facegui("verify", str(samples.file("astronaut")), str(samples.file("admiral")), "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["decision"] == "no match"
    assert result.stderr == b""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_with_a_dash_or_bytes_that_are_no_text_work(samples: SampleFolder, tmp_path: Path) -> None:
    shutil.copy(samples.file("astronaut"), tmp_path / "-dash.jpg")
    odd = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    shutil.copy(samples.file("astronaut"), odd)
    result = facegui("verify", "--json", "--", "-dash.jpg", odd, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert os.fsencode(json.loads(result.stdout)["faces"][1]["path"]) == odd
    result = facegui("verify", "--", "-dash.jpg", odd, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "caf\ufffd.jpg" in result.stdout.decode("utf-8")


def test_what_decoders_in_c_print_does_not_reach_the_terminal(samples: SampleFolder, tmp_path: Path) -> None:
    damaged = bytearray(samples.file("astronaut").read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 200] = b"\xff\xd9" + b"\x55" * 198
    file = tmp_path / "damaged.jpg"
    file.write_bytes(damaged)
    result = facegui("verify", "--json", str(samples.file("astronaut")), str(file))
    json.loads(result.stdout)
    assert b"Corrupt JPEG" not in result.stderr


# --- gallery --------------------------------------------------------------------------------------------------


def test_enroll_saves_and_people_lists(enrolled: SampleFolder, ask: Ask) -> None:
    status, found = ask("people")
    assert status == 0
    assert [(p["name"], p["sample_count"]) for p in found["people"]] == [("Eileen Collins", 2), ("Grace Hopper", 1)]
    status, found = ask("people", "show", "eileen collins")
    assert status == 0
    assert [Path(sample["path"]).name for sample in found["samples"]] == ["astronaut.jpg", "astronaut-rough.jpg"]


def test_what_is_wrong_with_a_sample_is_said_before_it_is_saved(
    enrolled: SampleFolder, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    duplicate = str(enrolled.file("admiral"))
    assert main(["enroll", "Grace Hopper", duplicate]) == 0
    assert "Nearly the same as another sample" in capsys.readouterr().err
    status, found = ask("enroll", "Nobody Known", enrolled.file("admiral-dark"))
    assert status == 2
    assert "Grace Hopper" in found["error"]["why"]
    assert "--force" in found["error"]["do"]
    assert [p["name"] for p in ask("people")[1]["people"]] == ["Eileen Collins", "Grace Hopper"]
    status, found = ask("enroll", "Nobody Known", enrolled.file("admiral-dark"), "--force")
    assert (status, found["saved"]) == (0, 1)
    assert found["samples"][0]["warnings"][0]["kind"] == "looks like another"
    assert found["samples"][0]["warnings"][0]["person"] == "Grace Hopper"


def test_one_bad_photo_does_not_stop_the_others(samples: SampleFolder, ask: Ask, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("no picture")
    status, found = ask("enroll", "Ada", samples.file("astronaut"), bad)
    assert (status, found["saved"]) == (0, 1)
    assert [item["path"] for item in found["skipped"]] == [str(bad)]
    assert ask("enroll", "Bob", bad)[0] == 2


def test_a_person_is_verified_and_identified(enrolled: SampleFolder, ask: Ask) -> None:
    status, found = ask("verify", "--person", "grace hopper", enrolled.file("admiral-bright"))
    assert status == 0
    assert found["person"]["name"] == "Grace Hopper"
    assert found["next_best"]["name"] == "Eileen Collins"
    assert found["margin"] == pytest.approx(found["similarity"] - found["next_best"]["similarity"])
    assert ask("verify", "--person", "Grace Hopper", enrolled.file("astronaut"))[0] == 1
    status, found = ask("identify", enrolled.file("astronaut-dark"))
    assert status == 0
    assert found["candidates"][0]["name"] == "Eileen Collins"
    assert [c["decision"] for c in found["candidates"]] == ["match", "no match"]
    assert ask("identify", enrolled.file("person-4"))[0] == 1


def test_a_decision_on_a_person_goes_into_the_history(enrolled: SampleFolder, ask: Ask) -> None:
    probe = enrolled.file("admiral-bright")
    ask("verify", "--person", "Grace Hopper", probe)
    with Services() as services:
        (decision,) = services.gallery.decisions()
    assert (decision.person_name, decision.outcome.value, decision.probe) == ("Grace Hopper", "match", str(probe))


def test_a_name_that_nobody_has_is_answered_with_near_ones(enrolled: SampleFolder, ask: Ask) -> None:
    status, found = ask("verify", "--person", "Grace Hoper", enrolled.file("admiral"))
    assert status == 2
    assert "Did you mean Grace Hopper?" in found["error"]["why"]


def test_another_model_answers_for_people_enrolled_before(enrolled: SampleFolder, ask: Ask) -> None:
    status, found = ask("identify", enrolled.file("admiral-dark"), "--model", "sface")
    assert (status, found["model"]) == (0, "sface")
    assert found["candidates"][0]["name"] == "Grace Hopper"
    status, found = ask("models", "use", "arcface")
    assert (status, found["model"], found["embedded"]) == (0, "arcface", 3)
    assert ask("identify", enrolled.file("admiral-dark"))[1]["model"] == "arcface"
    assert ask("models", "use", "yunet")[0] == 2


def test_people_are_renamed_merged_exported_and_deleted(enrolled: SampleFolder, ask: Ask, tmp_path: Path) -> None:
    assert ask("people", "rename", "Grace Hopper", "Rear Admiral")[1]["name"] == "Rear Admiral"
    assert ask("people", "export", "--out", tmp_path / "out")[0] == 0
    assert (tmp_path / "out" / "Rear Admiral" / "person.json").is_file()
    assert ask("people", "export", "--out", tmp_path / "out")[0] == 2
    assert ask("people", "merge", "Eileen Collins", "Rear Admiral")[0] == 2, "nobody confirmed"
    status, found = ask("people", "merge", "Eileen Collins", "Rear Admiral", "--yes")
    assert (status, found["sample_count"]) == (0, 3)
    assert ask("people", "delete", "Eileen Collins")[0] == 2, "nobody confirmed"
    assert len(ask("people")[1]["people"]) == 1
    assert ask("people", "delete", "Eileen Collins", "--yes")[0] == 0
    assert ask("people")[1]["people"] == []
    assert ask("identify", enrolled.file("admiral"))[0] == 2


def test_a_backup_brings_back_what_was_deleted(enrolled: SampleFolder, ask: Ask, tmp_path: Path) -> None:
    backup = tmp_path / "backup.sqlite"
    assert ask("backup", backup)[1]["people"] == 2
    assert ask("backup", backup)[0] == 2
    assert ask("backup", backup, "--overwrite")[0] == 0
    ask("people", "delete", "Grace Hopper", "--yes")
    status, found = ask("restore", backup)
    assert (status, found["people"]) == (0, 2)
    assert Path(found["kept"]).is_file()
    assert len(ask("people", "--gallery", backup)[1]["people"]) == 2
    assert ask("restore", enrolled.file("admiral"))[0] == 2


# --- folders --------------------------------------------------------------------------------------------------


def test_a_folder_is_indexed_once_and_its_faces_are_ranked(samples: SampleFolder, ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(samples.photos, folder)
    (folder / "text.jpg").write_text("no picture")
    photos = len(list(samples.photos.iterdir()))
    status, found = ask("index", folder)
    assert status == 0
    assert (found["new"], found["unchanged"]) == (photos + 1, 0)
    assert [Path(item["path"]).name for item in found["skipped"]] == ["text.jpg"]
    found = ask("index", folder)[1]
    assert (found["new"], found["changed"], found["faces"]) == (0, 0, 0)
    status, found = ask("lookalikes", folder / "person-1.jpg", "--one-per-photo", "--top", 5)
    assert status == 0
    assert found["searched"] >= photos
    assert [row["rank"] for row in found["rows"]] == [1, 2, 3, 4, 5]
    assert found["rows"][0]["same_file"]
    names = [Path(row["path"]).name for row in found["rows"]]
    assert set(names[:3]) == {"person-1.jpg", "person-1-mirrored.jpg", "group.jpg"}
    similarities = [row["similarity"] for row in found["rows"]]
    assert similarities == sorted(similarities, reverse=True)
    least = ask("lookalikes", folder / "person-1.jpg", "--min", 0.5)[1]["rows"]
    assert all(row["decision"] == "match" for row in least)


def test_lookalikes_read_what_is_new_in_the_folder_first(enrolled: SampleFolder, ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    assert ask("lookalikes", "--person", "Grace Hopper")[0] == 2, "nothing was indexed yet"
    shutil.copy(enrolled.file("admiral-dark"), folder)
    status, found = ask("lookalikes", "--person", "Grace Hopper", "--in", folder)
    assert (status, found["searched"]) == (0, 1)
    shutil.copy(enrolled.file("astronaut-dark"), folder)
    found = ask("lookalikes", "--person", "Grace Hopper", "--in", folder)[1]
    assert [(Path(row["path"]).name, row["decision"]) for row in found["rows"]] == [
        ("admiral-dark.jpg", "match"), ("astronaut-dark.jpg", "no match"),
    ]  # fmt: skip
    assert ask("lookalikes", "--in", folder)[0] == 2
    assert ask("index", tmp_path / "nothing")[0] == 2


# --- embed, evaluate, calibrate ---------------------------------------------------------------------------------


def test_everything_is_erased_only_when_it_is_confirmed(enrolled: SampleFolder, ask: Ask) -> None:
    assert ask("index", enrolled.file("astronaut").parent)[0] == 0
    assert ask("erase")[0] == 2
    assert len(ask("people")[1]["people"]) == 2
    (paths.log_dir() / "facegui.log").write_text("/secret/photo.jpg")
    status, erased = ask("erase", "--yes")
    assert (status, erased["people"], erased["samples"]) == (0, 2, 3)
    assert erased["faces"] > 0
    assert ask("people")[1]["people"] == []
    assert not any(file.stat().st_size for file in paths.log_dir().iterdir())
    assert ask("enroll", "Grace Hopper", enrolled.file("admiral"))[0] == 0


def test_embeddings_are_plain_arrays_with_one_row_per_face(samples: SampleFolder, ask: Ask, tmp_path: Path) -> None:
    out, bad = tmp_path / "faces.npz", tmp_path / "bad.jpg"
    bad.write_text("no picture")
    status, found = ask("embed", samples.file("group"), samples.file("admiral"), bad, "--out", out)
    assert (status, found["photos"], found["faces"]) == (0, 2, 7)
    assert [item["path"] for item in found["unreadable"]] == [str(bad)]
    with np.load(out, allow_pickle=False) as arrays:
        content = {name: arrays[name] for name in arrays}
    assert content["embedding"].shape == (7, 320)
    assert content["embedding"].dtype == np.float32
    assert np.allclose(np.linalg.norm(content["embedding"], axis=1), 1, atol=1e-4)
    assert content["face"].tolist() == [0, 1, 2, 3, 4, 5, 0]
    assert content["path"][6] == str(samples.file("admiral"))
    assert content["box"].shape == (7, 4)
    assert content["landmarks"].shape == (7, 5, 2)
    assert set(content["model_id"].tolist()) == {found["model_id"]}
    assert (content["quality"] >= 0).all()
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]
    assert ask("embed", samples.photos, "--out", tmp_path / "one.npz", "--policy", "largest")[1]["faces"] == len(
        list(samples.photos.iterdir())
    )


def test_embed_fails_only_where_nothing_can_be_read_or_written(samples: SampleFolder, ask: Ask, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("no picture")
    good = samples.file("admiral")
    assert ask("embed", bad, "--out", tmp_path / "a.npz")[0] == 2
    assert ask("embed", good, "--out", tmp_path / "a.csv")[0] == 2
    assert ask("embed", good, "--out", tmp_path / "nothing" / "a.npz")[0] == 2
    assert ask("embed", tmp_path / "nothing", "--out", tmp_path / "a.npz")[0] == 2
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((100, 100, 3), 255, np.uint8))
    status, found = ask("embed", blank, "--out", tmp_path / "a.npz")
    assert (status, found["faces"], found["photos_without_face"]) == (0, 0, 1)
    assert np.load(tmp_path / "a.npz")["embedding"].shape == (0, 320)


def pair_list(samples: SampleFolder, folder: Path) -> Path:
    rows = ["path1,path2,same"]
    for person, other in (("astronaut", "admiral"), ("admiral", "astronaut")):
        for copy in ("half", "dark", "bright", "mirrored"):
            rows.append(f"{person}.jpg,{person}-{copy}.jpg,1")
            rows.append(f"{person}-{copy}.jpg,{other}.jpg,0")
    rows.append("astronaut.jpg,blank.png,1")
    file = folder / "pairs.csv"
    file.write_text("\n".join(rows))
    return file


def test_pairs_are_evaluated_and_a_photo_without_a_face_is_counted(
    samples: SampleFolder, ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "photos"
    shutil.copytree(samples.photos, root)
    cv2.imwrite(str(root / "blank.png"), np.full((100, 100, 3), 255, np.uint8))
    pairs, plot = pair_list(samples, tmp_path), tmp_path / "plot.png"
    status, found = ask("evaluate", pairs, "--root", root, "--plot", plot, "--discard")
    assert (status, found["pairs"], found["failed_pairs"]) == (0, 17, 1)
    assert found["discard"]["points"][0]["fnmr"]["value"] == pytest.approx(1 / 9)
    assert found["discard"]["points"][2]["fnmr"]["value"] == 0
    assert found["photos_without_face"] == ["blank.png"]
    assert found["figures"]["best"]["value"] == pytest.approx(16 / 17)
    assert found["figures_without_failures"]["best"]["value"] == 1
    assert found["false_non_match_count"] == 1
    assert set(found["milliseconds_per_photo"]) == STEPS
    assert cv2.imread(str(plot)) is not None
    assert main(["evaluate", str(pairs), "--root", str(root)]) == 0
    text = capsys.readouterr().out
    for words in ("Photos without a face", "Best accuracy", "EER", "Same person, not accepted", "no face"):
        assert words in text
    status, found = ask("evaluate", pairs, "--root", tmp_path / "elsewhere")
    assert status == 2
    assert "--root" in found["error"]["do"]


def test_a_set_of_insightface_is_evaluated_without_looking_for_faces(
    samples: SampleFolder, ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Services() as services:
        files = [samples.file(name) for name in ("astronaut", "astronaut-rough", "admiral")]
        crops = [services.analyse(file, embed=False).faces[0].crop for file in files]
    astronaut, again, admiral = (
        cv2.imencode(".png", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))[1].tobytes() for crop in crops
    )
    damaged = b"no picture"
    file = tmp_path / "small.bin"
    bins = [astronaut, again, again, admiral, astronaut, damaged]
    file.write_bytes(pickle.dumps((bins, [True, False, True]), 4))
    status, found = ask("evaluate", file)
    assert (status, found["protocol"], found["aligned"], found["pairs"]) == (0, "bin", True, 3)
    assert (found["photos"], found["failed_pairs"], len(found["photos_unreadable"])) == (4, 1, 1)
    assert found["figures"]["auc"] == 0.5
    assert found["figures_without_failures"]["auc"] == 1
    assert found["milliseconds_per_photo"]["detect"] == 0
    assert main(["evaluate", str(file), "--quiet"]) == 0
    assert "no face was looked for" in capsys.readouterr().out
    status, found = ask("evaluate", file, "--discard")
    assert status == 2
    assert "--detect" in found["error"]["do"]


@pytest.fixture
def labelled(samples: SampleFolder, tmp_path: Path) -> Path:
    """The samples in one folder per person."""
    folder = tmp_path / "people"
    for file in samples.photos.iterdir():
        name = file.stem.split("-")
        person = "-".join(name[:2]) if name[0] == "person" else name[0]
        if person != "group":
            (folder / person).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, folder / person)
    return folder


def test_a_calibration_is_derived_and_written_into_a_manifest(labelled: Path, ask: Ask, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.toml"
    shutil.copy(paths.models_dir() / "manifest.toml", manifest)
    before = tomllib.loads(manifest.read_text("utf-8"))
    status, found = ask("calibrate", labelled, "--model", "arcface", "--out", manifest, "--source", "samples")
    assert status == 0
    (made,) = found["calibrations"]
    assert (made["model"], made["condition"], made["people"]) == ("arcface", "frontal", 8)
    assert made["identity_pairs"] == 28
    assert made["smallest_claim"] == pytest.approx(3 / 28)
    assert not any(point["supported"] for point in made["operating_points"])
    after = tomllib.loads(manifest.read_text("utf-8"))
    tables = {table["id"]: table for table in after["model"]}
    assert tables["arcface"]["calibration"]["frontal"]["source"] == "samples"
    for table in before["model"]:
        if table["id"] != "arcface":
            assert tables[table["id"]] == table
    assert str(labelled) not in manifest.read_text("utf-8")


def test_profiles_are_kept_apart(labelled: Path, ask: Ask) -> None:
    for person in labelled.iterdir():
        files = sorted(person.iterdir())
        for turned, file in ((True, files[0]), *((False, file) for file in files[1:])):
            target = person / ("profile" if turned else "frontal")
            target.mkdir(exist_ok=True)
            file.rename(target / file.name)
    status, found = ask("calibrate", labelled, "--model", "arcface")
    assert status == 0
    assert [made["condition"] for made in found["calibrations"]] == ["frontal", "profile"]
    frontal, profile = found["calibrations"]
    assert frontal["photos"] < profile["photos"]


def test_without_write_nothing_is_written_and_a_wrong_target_is_told_before_the_work(
    labelled: Path, capsys: pytest.CaptureFixture[str], ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (paths.models_dir() / "manifest.toml").read_bytes()
    assert main(["calibrate", str(labelled), "--model", "arcface"]) == 0
    text = capsys.readouterr().out
    assert "Nothing was written" in text
    assert "enough to claim" in text
    assert (paths.models_dir() / "manifest.toml").read_bytes() == before
    monkeypatch.setattr("facegui.services.Services.read", lambda *_: pytest.fail("a photo was read"))
    assert ask("calibrate", labelled, "--out", tmp_path / "nothing.toml")[0] == 2


# --- with the developers' own pictures --------------------------------------------------------------------------


def test_real_pairs_at_the_default_threshold(shared_data: Path, ask: Ask) -> None:
    status, found = ask("evaluate", shared_data / "photos" / "pairs.csv")
    assert status == 0
    assert found["photos_without_face"] == []
    at = next(item for item in found["at_thresholds"] if item["target_fmr"] == 1e-3)
    assert at["accuracy"]["value"] == 1.0


def test_sample_photos_are_found_without_importing_their_packages() -> None:
    code = (
        "import sys; from facegui.cli.samples import SAMPLES, sample_file;"
        "print(all(sample_file(n).is_file() for n in SAMPLES), [m for m in ('insightface', 'skimage', 'matplotlib')"
        " if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "True []"
    assert sample_file("group").name == "t1.jpg"
