r"""Compute what the published files give for drawn pictures, which the tests compare the bundled files with.

    uv run --no-project --with "opencv-python-headless<5" --with ai-edge-litert \
        python models/make_references.py [--downloads FOLDER]

The published files are run by the programs they were made for: TensorFlow Lite's interpreter and OpenCV. OpenCV has to
be version 4: the engine of version 5 refuses files that list their weights as inputs.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
import sources
from ai_edge_litert.interpreter import Interpreter

TARGET = Path(__file__).resolve().parent.parent / "tests" / "unit" / "data" / "model_references.npz"
YUNET_OUTPUTS = [f"{head}_{stride}" for head in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32)]


def draw_face(size: int, seed: int) -> np.ndarray:
    """Draw a face seen from the front, uint8 (size, size, 3) RGB, simple yet enough for a detector."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    picture = np.broadcast_to(random.uniform(60, 200, 3), (size, size, 3)).copy()
    middle = 0.5 + random.uniform(-0.03, 0.03)
    head = ((x - middle) / 0.36) ** 2 + ((y - 0.55) / 0.46) ** 2
    skin = np.array([215.0, 170.0, 140.0]) * random.uniform(0.6, 1.1)
    shade = 1 - np.abs(x - middle)[..., None]
    picture = np.where(head[..., None] < 1, skin * shade, picture)
    picture[((head < 1.25) & (y < 0.33)) | ((head > 1) & (head < 1.3) & (y < 0.65))] = random.uniform(20, 90, 3)
    for side in (-0.165, 0.165):
        eye_x = x - middle - side
        white = (eye_x / 0.07) ** 2 + ((y - 0.49) / 0.032) ** 2
        picture[white < 1] = 235
        picture[(eye_x**2 + (y - 0.49) ** 2 < 0.03**2) & (white < 1.2)] = 40
        picture[(np.abs(eye_x) < 0.085) & (np.abs(y - 0.415) < 0.013)] = 60
    picture[(np.abs(x - middle) < 0.015) & (y > 0.53) & (y < 0.65)] = skin * 1.12
    picture[((x - middle) / 0.055) ** 2 + ((y - 0.67) / 0.03) ** 2 < 1] = skin * 0.7
    picture[((x - middle) / 0.13) ** 2 + ((y - 0.81) / 0.035) ** 2 < 1] = (170, 70, 75)
    picture[(np.abs(x - middle) < 0.12) & (np.abs(y - 0.81) < 0.006)] = (90, 30, 35)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), size / 90), 0, 255).astype(np.uint8)


def tflite_outputs(data: bytes, pixels: np.ndarray) -> list[np.ndarray]:
    """Run a TFLite file on each picture of a float32 (N, H, W, 3) batch and return its outputs, (N, ...) each."""
    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    (given,), made = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for picture in pixels:
        # The published MobileFaceNet has a fixed batch of two: the picture is given twice.
        interpreter.set_tensor(given["index"], np.repeat(picture[None], given["shape"][0], axis=0))
        interpreter.invoke()
        rows.append([interpreter.get_tensor(item["index"])[0].copy() for item in made])
    return [np.stack(column) for column in zip(*rows, strict=True)]


def opencv_outputs(data: bytes, planes: np.ndarray, source: str, names: list[str]) -> list[np.ndarray]:
    """Run an ONNX file in OpenCV on one float32 (1, 3, H, W) picture."""
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    network.setInput(np.ascontiguousarray(planes), source)
    return [np.asarray(output) for output in network.forward(names)]


def main() -> int:
    """Write the reference file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--downloads", type=Path, help="folder with the packages; fetched into it where missing")
    options = parser.parse_args()
    noise = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    faces = np.stack([draw_face(112, 1), draw_face(112, 2), draw_face(112, 3), noise])
    scene = np.full((160, 256, 3), 120, np.uint8)
    scene[10:122, 12:124] = draw_face(112, 4)
    scene[40:136, 140:236] = draw_face(96, 5)
    large = draw_face(192, 6)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.downloads or Path(temporary)).resolve()
        pixels = (faces.astype(np.float32) - 127.5) / 128
        stored = {"faces": faces, "scene": scene, "large": large}
        (stored["arcface"],) = tflite_outputs(sources.MOBILEFACENET.read(folder), pixels)
        sface = sources.SFACE.read(folder)
        planes = faces.transpose(0, 3, 1, 2).astype(np.float32)
        stored["sface"] = np.concatenate([opencv_outputs(sface, item[None], "data", ["fc1"])[0] for item in planes])
        blue_first = scene[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        yunet = opencv_outputs(sources.YUNET.read(folder), blue_first, "input", YUNET_OUTPUTS)
        stored |= dict(zip(YUNET_OUTPUTS, yunet, strict=True))
        unit = large[None].astype(np.float32) / np.float32(255)
        points, logit = tflite_outputs(sources.FACE_LANDMARK.read(folder), unit)
        stored["points"], stored["presence"] = points.reshape(-1, 468, 3), 1 / (1 + np.exp(-logit.ravel()))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(TARGET, allow_pickle=False, **stored)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes, OpenCV {cv2.__version__}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
