"""Would 8 bits do? An embedder quantised to int8 (QDQ, calibrated on crops) beside itself: time and accuracy.

    uv run python tests/benchmarks/eight_bits.py FOLDER [--model arcface] [--crops 128]

FOLDER is laid out as for precision.py. The network is quantised by ONNX Runtime's own tool: convolutions and matrix
products, weights per channel.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from precision import missed, on_list

from facegui.faces.embed import Embedder
from facegui.faces.session import OnnxNetwork
from facegui.faces.stages import analyse_photos
from facegui.faces.types import FacePolicy
from facegui.services import Services
from facegui.settings import Settings


def quantised(file: Path, crops: np.ndarray, folder: Path) -> Path:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter(crops)

        def get_next(self) -> dict[str, np.ndarray] | None:
            crop = next(self._left, None)
            return None if crop is None else {"input": crop[None]}

    prepared, out = folder / "prepared.onnx", folder / "int8.onnx"
    quant_pre_process(str(file), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(out),
        Reader(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "MatMul", "Gemm"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return out


def milliseconds(network: OnnxNetwork, crops: np.ndarray) -> float:
    batch = crops[: network.batch]
    network.run({"input": batch})
    spent = []
    for _ in range(60):
        start = perf_counter()
        network.run({"input": batch})
        spent.append((perf_counter() - start) * 1000 / len(batch))
    return float(np.median(spent))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="arcface")
    parser.add_argument("--crops", type=int, default=128, help="crops to calibrate on")
    options = parser.parse_args()
    folder = options.folder.resolve()
    photos = sorted((folder / "images").rglob("*.jpg"))
    with Services(settings=Settings(), model=options.model) as services:
        model = services.model
        done = analyse_photos(services.pipeline, photos, services.read, FacePolicy.LARGEST, embed=False)
        kept = [(path, face.crop) for path, one in zip(photos, done, strict=True) for face in one.result().faces]
    crops = np.stack([crop for _, crop in kept])
    places = {path.relative_to(folder).as_posix(): place for place, (path, _) in enumerate(kept)}
    frontal = np.array([path.parts[-2] == "frontal" for path, _ in kept])
    people = np.array([path.parts[-3] for path, _ in kept])[frontal]
    same, upper = people[:, None] == people, np.triu(np.ones((len(people), len(people)), np.bool_), 1)
    with tempfile.TemporaryDirectory() as made:
        chosen = np.random.default_rng(0).choice(len(crops), options.crops, replace=False)
        files = {"32 bits": model.file, "8 bits": quantised(model.file, crops[chosen], Path(made))}
        plain = None
        print(
            f"{options.model:14s} {'FF':>7s} {'FP':>7s} {'FF missed':>9s} {'least cosine':>12s} {'ms':>6s} {'MB':>6s}"
        )
        for name, file in files.items():
            network = OnnxNetwork(file, provider="cpu")
            vectors = Embedder(network, name).embed_array(crops)
            plain = vectors if plain is None else plain
            scores = (vectors[frontal] @ vectors[frontal].T).astype(np.float64)
            lists = [on_list(folder / f"pairs_{kind}.csv", places, vectors.astype(np.float64)) for kind in ("FF", "FP")]
            print(
                f"{name:14s} {100 * lists[0]:7.2f} {100 * lists[1]:7.2f} "
                f"{100 * missed(scores[upper & same], scores[upper & ~same]):9.2f} "
                f"{(vectors * plain).sum(1).min():12.4f} {milliseconds(network, crops):6.2f} "
                f"{file.stat().st_size / 1e6:6.1f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
