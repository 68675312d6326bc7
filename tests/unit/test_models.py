"""The bundled model files: what they take and give, and that they are what their authors published."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facegui.faces.session import OnnxNetwork

MODELS = Path(__file__).resolve().parents[2] / "models"
REFERENCES = Path(__file__).resolve().parent / "data" / "model_references.npz"
LARGEST_TOTAL = 40_000_000
LEAST_COSINE = 0.9999
MANIFEST = tomllib.loads((MODELS / "manifest.toml").read_text("utf-8"))
ENTRIES: dict[str, dict[str, Any]] = {entry["id"]: entry for entry in MANIFEST["model"]}
EMBEDDERS = [model_id for model_id, entry in ENTRIES.items() if entry["role"] == "embedder"]
STRIDES = (8, 16, 32)

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def references() -> dict[str, NDArray[Any]]:
    """Drawn pictures and what the published files, run by TensorFlow Lite and OpenCV, give for them."""
    with np.load(REFERENCES) as stored:
        return {name: stored[name] for name in stored.files}


@pytest.fixture(scope="module")
def networks() -> dict[str, OnnxNetwork]:
    return {
        model_id: OnnxNetwork(MODELS / entry["file"], provider="cpu", threads=1) for model_id, entry in ENTRIES.items()
    }


def unit(rows: NDArray[Any]) -> Floats:
    result: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


@pytest.mark.parametrize("model_id", ENTRIES)
def test_file_has_the_sha256_of_the_manifest(model_id: str) -> None:
    entry = ENTRIES[model_id]
    assert hashlib.sha256((MODELS / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]


def test_files_are_all_listed_and_small_together() -> None:
    files = sorted(MODELS.glob("*.onnx"))
    assert [file.name for file in files] == sorted(entry["file"] for entry in ENTRIES.values())
    assert sum(file.stat().st_size for file in files) < LARGEST_TOTAL


@pytest.mark.parametrize("model_id", ENTRIES)
def test_manifest_names_licence_source_and_training_data(model_id: str) -> None:
    entry = ENTRIES[model_id]
    for field in ("title", "licence", "source", "authors", "training_data", "notes"):
        assert entry[field].strip(), field
    assert entry["colour"] == "RGB"
    assert entry["file"] in (MODELS / "NOTICE").read_text("utf-8")


def test_default_embedder_exists() -> None:
    assert MANIFEST["default_embedder"] in EMBEDDERS


@pytest.mark.parametrize("model_id", EMBEDDERS)
def test_embedder_takes_uint8_pictures_in_any_number(
    model_id: str, networks: dict[str, OnnxNetwork], references: dict[str, NDArray[Any]]
) -> None:
    faces = references["faces"][:3]
    network = networks[model_id]
    shape, dtype = network.inputs()["input"]
    assert shape[1:] == (112, 112, 3)
    assert dtype == np.uint8
    together = network.run({"input": faces})[0]
    assert together.dtype == np.float32
    assert together.shape == (3, ENTRIES[model_id]["dimension"])
    apart = np.concatenate([network.run({"input": face[None]})[0] for face in faces])
    np.testing.assert_allclose(together, apart, atol=1e-5)


@pytest.mark.parametrize("model_id", EMBEDDERS)
def test_embeddings_have_length_one(
    model_id: str, networks: dict[str, OnnxNetwork], references: dict[str, NDArray[Any]]
) -> None:
    embeddings = networks[model_id].run({"input": references["faces"]})[0]
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("colour", [0, 127, 128, 255])
@pytest.mark.parametrize("model_id", EMBEDDERS)
def test_flat_pictures_give_finite_embeddings(model_id: str, colour: int, networks: dict[str, OnnxNetwork]) -> None:
    embedding = networks[model_id].run({"input": np.full((1, 112, 112, 3), colour, np.uint8)})[0]
    assert np.isfinite(embedding).all()


@pytest.mark.parametrize("model_id", ["arcface", "sface"])
def test_embedder_equals_the_published_file(
    model_id: str, networks: dict[str, OnnxNetwork], references: dict[str, NDArray[Any]]
) -> None:
    embeddings = networks[model_id].run({"input": references["faces"]})[0]
    cosines = (embeddings * unit(references[model_id])).sum(axis=1)
    assert cosines.min() >= LEAST_COSINE


@pytest.mark.parametrize("model_id", ["arcface", "sface"])
def test_colour_order_matters(
    model_id: str, networks: dict[str, OnnxNetwork], references: dict[str, NDArray[Any]]
) -> None:
    faces = references["faces"]
    cosines = (networks[model_id].run({"input": faces[..., ::-1].copy()})[0] * unit(references[model_id])).sum(axis=1)
    assert cosines.max() < LEAST_COSINE


def test_parts_of_the_fused_embedding_are_those_of_its_networks(
    networks: dict[str, OnnxNetwork], references: dict[str, NDArray[Any]]
) -> None:
    entry = ENTRIES["arcface+sface"]
    fused = networks["arcface+sface"].run({"input": references["faces"]})[0]
    assert entry["parts"][-1]["stop"] == entry["dimension"]
    for part in entry["parts"]:
        own = networks[part["model"]].run({"input": references["faces"]})[0]
        np.testing.assert_allclose(unit(fused[:, part["start"] : part["stop"]]), own, atol=1e-5)


def test_fused_cosine_is_the_weighted_mean_of_both(
    networks: dict[str, OnnxNetwork], references: dict[str, NDArray[Any]]
) -> None:
    weight = ENTRIES["arcface+sface"]["weight"]
    similarity = {
        model_id: (embeddings := networks[model_id].run({"input": references["faces"]})[0]) @ embeddings.T
        for model_id in EMBEDDERS
    }
    expected = (weight**2 * similarity["arcface"] + similarity["sface"]) / (1 + weight**2)
    np.testing.assert_allclose(similarity["arcface+sface"], expected, atol=1e-5)


def test_detector_equals_the_published_file(
    networks: dict[str, OnnxNetwork], references: dict[str, NDArray[Any]]
) -> None:
    score, place = networks["yunet"].run({"input": references["scene"][None]})
    published = {
        head: np.concatenate([references[f"{head}_{stride}"] for stride in STRIDES], 1)
        for head in ("cls", "obj", "bbox", "kps")
    }
    np.testing.assert_allclose(score**2, published["cls"] * published["obj"], atol=1e-4)
    np.testing.assert_allclose(place, np.concatenate([published["bbox"], published["kps"]], 2), atol=1e-4)


def test_detector_finds_the_drawn_faces(networks: dict[str, OnnxNetwork], references: dict[str, NDArray[Any]]) -> None:
    score, _ = networks["yunet"].run({"input": references["scene"][None]})
    rows, columns = (side // STRIDES[0] for side in references["scene"].shape[:2])
    found = {int(index) % columns // 16 for index in np.flatnonzero(score[0, : rows * columns, 0] > 0.8)}
    assert found == {0, 1}, "one drawn face lies in the left half, one in the right"


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 160), (320, 256)])
def test_detector_takes_pictures_of_any_size_and_number(
    height: int, width: int, networks: dict[str, OnnxNetwork]
) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    outputs = networks["yunet"].run({"input": pictures})
    single = networks["yunet"].run({"input": pictures[1:]})
    cells = sum(height * width // stride**2 for stride in STRIDES)
    for output, alone, numbers in zip(outputs, single, (1, 14), strict=True):
        assert output.shape == (2, cells, numbers)
        np.testing.assert_allclose(output[1], alone[0], atol=1e-4)
    assert outputs[0].min() >= 0
    assert outputs[0].max() <= 1


def test_landmarks_equal_the_published_file(
    networks: dict[str, OnnxNetwork], references: dict[str, NDArray[Any]]
) -> None:
    large = references["large"]
    points, presence = networks["face_landmark"].run({"input": np.stack([large, large[:, ::-1]])})
    assert points.shape == (2, 468, 3)
    np.testing.assert_allclose(points[:1], references["points"], atol=1e-2)
    np.testing.assert_allclose(presence[:1], references["presence"], atol=1e-4)
