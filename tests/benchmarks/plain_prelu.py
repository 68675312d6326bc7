"""The bundled embedders beside the same networks with plain PRelu: what the rewriting of the activations gains.

    uv run --group models python tests/benchmarks/plain_prelu.py

The originals are fetched as `models/build_models.py` fetches them. Milliseconds per face at batches of one for each
thread; the two forms take turns.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

MODELS = Path(__file__).resolve().parents[2] / "models"
sys.path.insert(0, str(MODELS))

import build_models  # noqa: E402 - from the folder above
import networks  # noqa: E402

from facegui.faces.session import OnnxNetwork  # noqa: E402

ROUNDS = 40
EMBEDDERS = ("arcface", "sface", "arcface+sface")


def milliseconds(forms: dict[str, OnnxNetwork]) -> dict[str, float]:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    spent: dict[str, list[float]] = {name: [] for name in forms}
    for network in forms.values():
        network.run({"input": pixels})
    for _ in range(ROUNDS):
        for name, network in forms.items():
            start = perf_counter()
            network.run({"input": pixels})
            spent[name].append((perf_counter() - start) * 1000 / len(pixels))
    return {name: float(np.median(values)) for name, values in spent.items()}


def main() -> int:
    networks.rewrite_prelu = lambda network: None  # leave PRelu as it is
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print(f"{'':14s} {'bundled':>8s} {'plain':>8s} {'ratio':>6s}")
        for model in EMBEDDERS:
            file = folder / f"{model}.onnx"
            file.write_bytes(build_models.BUILDERS[model](folder))
            forms = {
                "bundled": OnnxNetwork(build_models.file_of(model), provider="cpu"),
                "plain": OnnxNetwork(file, provider="cpu"),
            }
            found = milliseconds(forms)
            print(f"{model:14s} {found['bundled']:8.2f} {found['plain']:8.2f} {found['plain'] / found['bundled']:6.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
