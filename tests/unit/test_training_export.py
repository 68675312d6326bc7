"""From photos to a model in the program: prepare, train, export, add, use; and the bundled embedder as a start."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: training is not tested")

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import training_faces  # noqa: E402

from facegui.cli import main  # noqa: E402
from facegui.errors import KnownError  # noqa: E402
from facegui.faces.catalog import Catalog, file_sha256  # noqa: E402
from facegui.faces.session import OnnxNetwork  # noqa: E402
from facegui.training import checkpoints, export  # noqa: E402
from facegui.training.backbones import BACKBONES, backbone  # noqa: E402
from facegui.training.heads import Head  # noqa: E402
from facegui.training.imprint import imprint  # noqa: E402
from facegui.training.margins import arcface  # noqa: E402
from facegui.training.verifying import embed  # noqa: E402
from tests.faces import astronaut, group, hopper  # noqa: E402

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # what is computed here is small: threads would only wait for each other
    yield
    torch.set_num_threads(before)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def call(*arguments: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        status = main([*map(str, arguments), "--json"])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return status, document

    return call


def checkpoint(folder: Path, name: str, dimension: int, network: Any) -> Path:
    """Save a network as a run would."""
    config = {
        "network": {"name": name, "dimension": dimension, "dropout": 0.0},
        "margin": {"scale": 64.0, "m1": 1.0, "m2": 0.5, "m3": 0.0},
        "data": {"train": "/somewhere/crops"},
    }
    state = {"network": network.state_dict(), "average": {}, "config": config, "classes": 7}
    return checkpoints.save(folder, 3, state, Head(7, dimension, arcface()).shard(), 0, 1)


def test_from_photos_to_a_decision_by_a_network_of_ones_own(tmp_path: Path, ask: Ask) -> None:
    """The whole way, on the faces that installed packages carry: an enrolled person is embedded again and found."""
    photos = tmp_path / "photos"
    for name, file in (("Eileen", astronaut()), ("Grace", hopper()), ("Team", group())):
        (photos / name).mkdir(parents=True)
        for copy in range(2):
            shutil.copy(file, photos / name / f"{copy}{file.suffix}")
    assert ask("enroll", "Eileen Collins", astronaut())[0] == 0
    status, made = ask("train", "prepare", photos, "--out", tmp_path / "crops")
    assert (status, made["people"], made["crops"]) == (0, 3, 6)
    file = training_faces.config(tmp_path / "own", tmp_path / "crops", network="mobilefacenet", epochs=1)
    file.write_text(file.read_text().replace("batch = 8", "batch = 3").replace("dropout = 0.2", "dropout = 0.0"))
    status, trained = ask("train", "run", file)
    assert (status, trained["steps"]) == (0, 2)
    status, pack = ask("train", "export", tmp_path / "own" / "run", "--out", tmp_path / "pack", "--name", "mine")
    assert status == 0
    assert pack["parity"] <= 1e-4
    manifest = Catalog((Catalog().model("arcface").file.parent, tmp_path / "pack"))
    listed = manifest.model("mine", "embedder")
    assert (listed.sha256, listed.dimension) == (file_sha256(Path(pack["path"])), 16)
    manifest.verify(listed)
    status, added = ask("models", "add", tmp_path / "pack")
    assert (status, added["id"], added["dimension"], added["guessed"]) == (0, "mine", 16, False)
    assert (added["licence"], Catalog().model("mine").training_data) == ("Your own", "3 people of crops")
    status, used = ask("models", "use", "mine")
    assert (status, used["embedded"]) == (0, 1)
    status, answer = ask("verify", astronaut(), astronaut())
    assert answer["similarity"] == pytest.approx(1.0, abs=1e-5)
    assert answer["decision"] == "unsure"  # it is not calibrated, and says so
    _, found = ask("identify", astronaut())
    assert "Eileen Collins" in json.dumps(found)


def test_the_bundled_embedder_is_the_same_network_and_comes_back_as_a_model(tmp_path: Path) -> None:
    network = backbone("bundled:arcface", 192)
    exported = export.export(checkpoint(tmp_path, "bundled:arcface", 192, network), tmp_path / "pack", "again")
    assert exported.parity <= 1e-4
    pixels = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    bundled = OnnxNetwork(Catalog().model("arcface", "embedder").file, provider="cpu")
    again = OnnxNetwork(exported.file, provider="cpu")
    expected = bundled.run({"input": pixels})[0]
    np.testing.assert_allclose(again.run({"input": pixels})[0], expected, atol=1e-4)
    np.testing.assert_allclose(embed(network, list(pixels), torch.device("cpu")), expected, atol=1e-4)


def test_what_was_trained_on_keeps_the_licence_and_the_past_of_what_it_was(tmp_path: Path) -> None:
    place = checkpoint(tmp_path, "bundled:arcface", 192, backbone("bundled:arcface", 192))
    for name in ("one", "two", "one"):  # a pack may hold several; a model that is written again is listed once
        export.export(place, tmp_path / "pack", name)
    catalog, before = Catalog((Catalog().model("arcface").file.parent, tmp_path / "pack")), Catalog().model("arcface")
    assert [model.id for model in catalog.models() if not model.bundled] == ["two", "one"]
    for name in ("one", "two"):
        assert catalog.model(name).licence == f"{before.licence}; your own changes"
        assert catalog.model(name).training_data == f"{before.training_data}; then 7 people of crops"


@pytest.mark.parametrize("name", ["../away", "two words", "arcface"])
def test_a_name_that_could_not_be_taken_in_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(KnownError, match=r"cannot be the name|already"):
        export.export(tmp_path, tmp_path / "pack", name)
    assert not (tmp_path / "pack").exists()


@pytest.mark.parametrize("weight", [float("nan"), 0.0])
def test_a_network_that_gives_no_embeddings_is_not_passed_off(tmp_path: Path, weight: float) -> None:
    network = backbone("mobilefacenet", 16)
    for parameter in network.parameters():
        parameter.data.fill_(weight)
    place = checkpoint(tmp_path, "mobilefacenet", 16, network)
    with pytest.raises(KnownError, match="gives no embeddings"):
        export.export(place, tmp_path / "pack", "net")
    assert list((tmp_path / "pack").iterdir()) == []


def test_the_averaged_weights_are_exported_where_there_are_such(tmp_path: Path) -> None:
    average, last = backbone("mobilefacenet", 16), backbone("mobilefacenet", 16)
    place = checkpoint(tmp_path, "mobilefacenet", 16, last)
    saved = torch.load(place / "network.pt", weights_only=True)
    torch.save(saved | {"average": average.state_dict()}, place / "network.pt")
    exported = export.export(place, tmp_path / "pack", "net")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    found = OnnxNetwork(exported.file, provider="cpu").run({"input": pixels})[0]
    np.testing.assert_allclose(found, embed(average, list(pixels), torch.device("cpu")), atol=1e-4)
    assert np.abs(found - embed(last, list(pixels), torch.device("cpu"))).max() > 1e-2


def test_a_calibration_says_how_many_of_its_people_were_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    from facegui.cli import pack_faces
    from facegui.matching.derivation import derive

    photos, others = tmp_path / "photos", tmp_path / "others"
    for folder, names in ((photos, ("Eileen", "Grace")), (others, ("Grace", "Nobody yet"))):
        for name, file in zip(names, (astronaut(), hopper()), strict=True):
            (folder / name).mkdir(parents=True)
            for copy in range(2):
                shutil.copy(file, folder / name / f"{copy}{file.suffix}")
    assert ask("train", "prepare", photos, "--out", tmp_path / "crops")[0] == 0
    layers = torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(48, 16)
    monkeypatch.setitem(BACKBONES, "small", lambda d, _: torch.nn.Sequential(*layers))
    place = checkpoint(tmp_path / "run", "small", 16, backbone("small", 16))
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((12, 8)).repeat(3, axis=0) + 0.2 * rng.standard_normal((36, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def enough(model: Any, photos: Any, *_: Any) -> Iterator[Any]:  # two people are too few to calibrate with
        yield from ()
        who = np.arange(12).repeat(3)
        return (derive(vectors, who, model_id=model.sha256, source=photos.name, replicates=10),)

    monkeypatch.setattr(pack_faces, "calibrate_with", enough)
    saved = torch.load(place / "network.pt", weights_only=True)
    shutil.copytree(place, tmp_path / "before" / place.name)  # a training on Eileen and Grace, to be gone on from
    saved["config"]["data"]["train"] = str(tmp_path / "crops")
    torch.save(saved, tmp_path / "before" / place.name / "network.pt")
    (tmp_path / "new" / "Nobody yet").mkdir(parents=True)
    (tmp_path / "new" / "Nobody yet" / "0.png").touch()
    for source, start, pairs, words in (
        ("crops", "", photos, "photos; 2 of 2 people were trained on"),
        ("crops", "", others, "others; 1 of 2 people were trained on"),
        ("new", "before", others, "others; 2 of 2 people were trained on"),
        ("new", "lost", others, "others; whether these people were trained on is not known"),
    ):
        saved["config"]["data"]["train"] = str(tmp_path / source)
        saved["config"]["network"]["start"] = start and str(tmp_path / start)
        torch.save(saved, place / "network.pt")
        status, made = ask("train", "export", tmp_path / "run", "--out", tmp_path / "pack", "--pairs", pairs)
        assert (status, made["calibrated_on"]) == (0, words)
    assert words in (tmp_path / "pack" / "manifest.toml").read_text("utf-8")


def test_the_bundled_embedder_can_be_trained_by_gradient_descent() -> None:
    """As the file spells its PReLUs, with factors up to 20,000, the gradient would be a hundred times as long."""
    network = backbone("bundled:arcface", 192)
    pixels = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    one, other = torch.nn.functional.normalize(network(pixels))
    (one @ other).backward()
    trained = [p for p in network.parameters() if p.requires_grad]
    assert len(trained) > 100
    assert sum(float(p.grad.square().sum()) for p in trained) ** 0.5 < 300
    assert all(0.005 < float(p.detach().abs().max()) < 300 for p in trained if p.ndim == 4)


def test_the_average_of_the_weights_is_what_is_exported() -> None:
    network, averaged = backbone("mobilefacenet", 16), backbone("mobilefacenet", 16)
    config = {"network": {"name": "mobilefacenet", "dimension": 16, "dropout": 0.0}}
    saved = {"config": config, "network": network.state_dict(), "average": averaged.state_dict()}
    for wanted, average in ((averaged, averaged.state_dict()), (network, {})):
        found = export.network_of(saved | {"average": average}).state_dict()
        assert all(torch.equal(found[name], values) for name, values in wanted.state_dict().items())


@pytest.mark.parametrize("name", ["iresnet18"])
def test_the_exported_file_takes_any_number_of_faces_and_gives_unit_vectors(tmp_path: Path, name: str) -> None:
    network = backbone(name, 32)
    for module in network.modules():  # statistics as after training, not the fresh 0 and 1
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    exported = export.export(checkpoint(tmp_path, name, 32, network), tmp_path / "pack", "net")
    assert exported.parity <= 1e-4
    session = OnnxNetwork(exported.file, provider="cpu")
    for count in (1, 5):
        found = session.run({"input": np.full((count, 112, 112, 3), 90, np.uint8)})[0]
        assert found.shape == (count, 32)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_list_of_pairs_is_refused_for_calibration_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does not say whether people of different pairs are the same; taken for strangers, they raise thresholds."""
    listed = tmp_path / "pairs.csv"
    listed.write_text("path1,path2,same\na.jpg,b.jpg,1\nc.jpg,d.jpg,0\n")
    given = ["train", "export", str(tmp_path / "run"), "--out", str(tmp_path / "pack"), "--pairs", str(listed)]
    assert main(given) == 2
    assert "cannot calibrate" in capsys.readouterr().err
    assert not (tmp_path / "pack").exists()


def test_a_file_that_computes_something_else_is_not_passed_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        BACKBONES, "plain", lambda d, _: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(d))
    )
    network = backbone("plain", 16)
    network(torch.zeros(1, 3, 112, 112))
    place = checkpoint(tmp_path, "plain", 16, network)
    write = export._write

    def wrong(deployed: Any, file: Path) -> None:
        with torch.no_grad():
            write(deployed, file)
            deployed.network[1].bias.add_(torch.randn(16))

    monkeypatch.setattr(export, "_write", wrong)
    with pytest.raises(KnownError, match="does not compute what the network does"):
        export.export(place, tmp_path / "pack", "net")
    assert list((tmp_path / "pack").iterdir()) == []  # nor does it lie there for somebody to take in


def test_imprinted_centres_are_everybodys_mean_embedding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from facegui.training.data import Folders

    faces = Folders(training_faces.make(tmp_path / "faces", 3, 4))
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten())
    head = Head(3, 48, arcface(), subcentres=2)
    imprint(head, network, faces, torch.device("cpu"))
    vectors = embed(network, [faces.picture(n) for n in range(12)], torch.device("cpu"))
    for person in range(3):
        mean = vectors[faces.labels == person].mean(0)
        for row in head.centres[2 * person : 2 * person + 2].detach().numpy():
            assert mean @ row / np.linalg.norm(mean) / np.linalg.norm(row) > 0.99
    assert not torch.equal(head.centres[0], head.centres[1])


@pytest.mark.parametrize(("dimension", "dropout", "words"), [(512, 0.0, "192 numbers"), (192, 0.1, "no dropout")])
def test_a_bundled_network_is_taken_as_it_is(dimension: int, dropout: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        backbone("bundled:arcface", dimension, dropout)


def test_without_pytorch_the_verbs_explain_themselves_and_say_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "torch" else real(name, *a))
    for verb in ("run", "export", "prepare"):
        assert main(["train", verb, "--help"]) == 0
    capsys.readouterr()
    assert main(["train"]) == 0
    assert "not installed" in capsys.readouterr().out
    file = training_faces.config(tmp_path, tmp_path)
    for arguments in (["run", str(file)], ["export", str(tmp_path), "--out", str(tmp_path)]):
        assert main(["train", *arguments]) == 2
        assert "Install it" in capsys.readouterr().err
