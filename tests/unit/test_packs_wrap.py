"""Networks of every form are understood, and give the same numbers in the form that all embedders have here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pack_networks
import pytest

from facegui.errors import KnownError
from facegui.faces import packs_form
from facegui.faces.examine import examine
from facegui.faces.packs import TryFaces, disguised
from facegui.faces.packs_proposal import Preprocessing
from facegui.faces.packs_wrap import resizing
from facegui.faces.session import OnnxNetwork

SCALE = 1 / 127.5


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    rng = np.random.default_rng(5)
    coarse = rng.uniform(0, 255, (6, 14, 14, 3)).repeat(8, axis=1).repeat(8, axis=2)
    return np.clip(coarse + rng.normal(0, 12, (6, 112, 112, 3)), 0, 255).astype(np.uint8)


def look(model: Any, folder: Path, crops: np.ndarray, **known: Any) -> tuple[dict[str, Any], Path]:
    """Examine a model in this process, and return what was found and the file that was written."""
    faces: TryFaces = disguised(list(crops))
    stored, out = folder / "faces.npz", folder / "out.onnx"
    np.savez(stored, crops=faces.crops)
    arguments = {
        "file": str(pack_networks.save(model, folder / "net.onnx")), "out": str(out), "faces": str(stored),
        "people": list(faces.people), "known": False, "threads": 1,
        "colour": "BGR", "mean": [127.5] * 3, "scale": [SCALE] * 3,
    }  # fmt: skip
    return examine(arguments | known, lambda *_: None), out


def expected(folder: Path, form: dict[str, Any], crops: np.ndarray, output: str = "features") -> np.ndarray:
    """What the network itself gives for crops that are prepared by hand."""
    pixels = crops.astype(np.float64)
    height, width = form["height"], form["width"]
    side = max(height, width)
    if (height, width) != (112, 112):
        rows, columns = resizing(side, height).astype(float), resizing(side, width).astype(float)
        pixels = np.stack(
            [np.stack([rows @ plane @ columns.T for plane in crop.transpose(2, 0, 1)], -1) for crop in pixels]
        )
    pixels = pixels[..., ::-1]
    pixels = np.floor(pixels + 0.5) if form["kind"] == "uint8" else (pixels - 127.5) * SCALE
    if form["layout"] == "NCHW":
        pixels = pixels.transpose(0, 3, 1, 2)
    network = OnnxNetwork(folder / "net.onnx", provider="cpu", threads=1)
    fed = np.ascontiguousarray(pixels.astype(form["kind"]))
    shape = network.inputs()["data"][0]
    step = shape[0] if isinstance(shape[0], int) else len(fed)
    names = [item.name for item in onnx.load(folder / "net.onnx").graph.output]
    rows = [network.run({"data": fed[i : i + step]})[names.index(output)] for i in range(0, len(fed), step)]
    features = np.concatenate(rows).astype(np.float64).reshape(len(fed), -1)
    return features / np.linalg.norm(features, axis=1, keepdims=True)


FORMS = {
    "plain": {},
    "rows of pixels first": {"layout": "NHWC"},
    "halves": {"kind": "float16"},
    "whole numbers": {"kind": "uint8"},
    "larger": {"size": (128, 128)},
    "smaller whole numbers": {"size": (96, 96), "kind": "uint8", "layout": "NHWC"},
    "not square": {"size": (112, 96)},
    "one face at a time, by declaration": {"batch": 1},
    "one face at a time, built in": {"batch": 1, "fixed": True},
    "one face at a time, built in, old": {"batch": 1, "fixed": True, "opset": 8},
    "two at a time, by declaration": {"batch": 2},
    "old, weights as inputs": {"weights_as_inputs": True, "opset": 7},
    "new": {"opset": 21},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_network_of_any_form_gives_the_same_numbers_here(
    form: dict[str, Any], tmp_path: Path, crops: np.ndarray
) -> None:
    found, file = look(pack_networks.resnet(**form), tmp_path, crops)
    network = OnnxNetwork(file, provider="cpu", threads=1)
    shape, dtype = network.inputs()["input"]
    assert dtype == np.uint8
    assert shape[1:] == (112, 112, 3)
    assert not isinstance(shape[0], int)
    wanted = expected(tmp_path, found["form"], crops)
    for faces in (crops, crops[:1], crops[:3]):
        (made,) = network.run({"input": faces})
        assert made.dtype == np.float32
        assert made.shape == (len(faces), 32)
        np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
        least = 0.9999 if form.get("kind") == "float16" else 0.999999
        assert np.einsum("ij,ij->i", made.astype(float), wanted[: len(faces)]).min() > least
    assert found["loop"] == bool(form.get("fixed"))
    assert found["dimension"] == 32


def test_the_same_file_gives_the_same_bytes_again(tmp_path: Path, crops: np.ndarray) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(look(pack_networks.resnet(), tmp_path / name, crops)[1].read_bytes())
    assert made[0] == made[1]


def test_one_embedding_among_smaller_outputs_is_found(tmp_path: Path, crops: np.ndarray) -> None:
    model = pack_networks.resnet()
    model.graph.node.append(onnx.helper.make_node("ReduceMax", ["features"], ["strength"], axes=[1], keepdims=1))
    model.graph.output.insert(0, onnx.helper.make_tensor_value_info("strength", onnx.TensorProto.FLOAT, ["N", 1]))
    found, file = look(model, tmp_path, crops)
    made = OnnxNetwork(file, provider="cpu", threads=1).run({"input": crops})[0]
    assert np.einsum("ij,ij->i", made, expected(tmp_path, found["form"], crops)).min() > 0.99999


def test_weights_in_a_second_file_are_taken_along(tmp_path: Path, crops: np.ndarray) -> None:
    model = pack_networks.resnet()
    whole, _ = look(model, tmp_path, crops)
    (tmp_path / "split").mkdir()
    split = tmp_path / "split" / "net.onnx"
    onnx.save(model, split, save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    loaded = packs_form.load(split)
    assert packs_form.describe(loaded, "net.onnx").target == "features"
    found, file = look(loaded, tmp_path / "split", crops)
    assert found["way"] == whole["way"]
    made = OnnxNetwork(file, provider="cpu", threads=1).run({"input": crops})[0]
    assert np.einsum("ij,ij->i", made, expected(tmp_path, whole["form"], crops)).min() > 0.99999
    onnx.save(model, split, save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    (tmp_path / "split" / "net.onnx.data").unlink()
    with pytest.raises(KnownError, match="another file"):
        packs_form.load(split)


def constant(dimension: int = 32, classes: int = 0) -> Any:
    """A network that gives the same numbers for everybody, plus noise where `classes` asks for it."""
    model = pack_networks.resnet(dimension=dimension)
    kind = "RandomNormalLike" if classes else "Identity"
    model.graph.node.append(onnx.helper.make_node(kind, ["features"], ["noise"]))
    model.graph.output[0].name = "noise"
    return model


REFUSED = {
    "two outputs": (lambda: pack_networks.resnet(outputs=2), "2 outputs"),
    "few numbers": (lambda: pack_networks.resnet(dimension=4), "at least 16 numbers"),
    "two faces at a time": (lambda: pack_networks.resnet(batch=2, fixed=True), "2 faces at a time"),
    "chance": (lambda: constant(classes=1), "chance"),
}


@pytest.mark.parametrize(("make", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_embedder_is_refused_with_the_reason(make: Any, why: str, tmp_path: Path, crops: np.ndarray) -> None:
    with pytest.raises(KnownError, match=why) as error:
        look(make(), tmp_path, crops)
    assert error.value.do


def test_the_bundled_detector_and_landmarks_are_refused(tmp_path: Path, crops: np.ndarray) -> None:
    from facegui.faces.catalog import Catalog

    for model in (*Catalog().models("detector"), *Catalog().models("landmarks")):
        with pytest.raises(KnownError, match="cannot be used as a model"):
            look(onnx.load(model.file), tmp_path, crops)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x08\x07" * 40, b"PK\x03\x04"])
def test_what_is_no_onnx_file_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(content)
    with pytest.raises(KnownError, match="not an ONNX file"):
        packs_form.load(file)


def test_a_file_cut_short_is_refused(tmp_path: Path, crops: np.ndarray) -> None:
    whole = pack_networks.resnet().SerializeToString()
    file = tmp_path / "cut.onnx"
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(KnownError, match="not an ONNX file"):
        packs_form.load(file)


@pytest.mark.parametrize(("size", "length"), [(112, 112), (160, 160), (96, 96), (112, 96), (28, 28)])
def test_resizing_keeps_light_and_place(size: int, length: int) -> None:
    matrix = resizing(size, length)
    assert matrix.shape == (length, 112)
    assert matrix.min() >= 0
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-6)
    # A ramp stays a ramp: its value at each pixel is where the pixel's centre lies in the crop, to a tenth of a pixel.
    centres = (np.arange(length) + (size - length) / 2 + 0.5) * 112 / size - 0.5
    inner = slice(2, -2)
    np.testing.assert_allclose((matrix @ np.arange(112))[inner], centres[inner], atol=0.1)


def test_preprocessing_says_itself_in_the_words_of_its_authors() -> None:
    assert str(Preprocessing("RGB", (127.5,) * 3, (1 / 128,) * 3)) == "RGB, (pixel - 127.5) / 128"
    assert str(Preprocessing("BGR", (0.0,) * 3, (1 / 255,) * 3)) == "BGR, pixel / 255"
    assert str(Preprocessing("RGB", (0.0,) * 3, (1.0,) * 3)) == "RGB, pixels as they are"
