"""Painted photos whose "faces" are squares of a colour, and a chain that finds them: fast, and known in advance."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from facegui.faces.types import Box, Detection, Embedding, Face, FacePolicy, Frame, Photo, Quality, QualityReason
from facegui.matching.calibration import Calibration
from facegui.services import Services
from facegui.settings import Settings

SIDE, MARK, STEP = 100, 200, 10
DIMENSION = 64
POINTS = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], np.float32)


def paint(path: Path, *people: tuple[int, int], width: int = 640, height: int = 300) -> Path:
    """Write a PNG with a square for each (person, variation); persons and variations are 1 to 24."""
    picture = np.full((height, width, 3), 90, np.uint8)
    for number, (person, variation) in enumerate(people):
        x = 20 + number * (SIDE + 20)
        picture[40 : 40 + SIDE, x : x + SIDE] = (person * STEP, variation * STEP, MARK)
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    path.write_bytes(data.tobytes())
    return path


def vector(person: int, variation: int) -> np.ndarray:
    """Pictures of one person have cosines near 0.8, of two people near 0."""
    own = np.random.default_rng(person).normal(size=DIMENSION)
    other = np.random.default_rng(1000 * person + variation).normal(size=DIMENSION)
    mixed = own / np.linalg.norm(own) + 0.5 * other / np.linalg.norm(other)
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


def quality(reasons: tuple[QualityReason, ...] = ()) -> Quality:
    return Quality(0.4 if reasons else 0.9, reasons, 40, 0.8, 0.5, 0.4, 0, 0, 0, 1)


class PaintedPipeline:
    """Finds painted squares. `gate` holds it up before a photo until it is set."""

    threads = 1

    def __init__(self, model_id: str) -> None:
        self.embedder = SimpleNamespace(model_id=model_id, embed=self._embed, batch=1)
        self.runs = 0
        self.gate = threading.Event()
        self.gate.set()

    def single(self) -> PaintedPipeline:
        return self

    def analyse(self, frame: Frame, policy: FacePolicy = FacePolicy.ALL, *, embed: bool = True) -> Photo:
        assert self.gate.wait(20)
        self.runs += 1
        faces = []
        for x in range(20, frame.width - SIDE, SIDE + 20):
            color = frame.pixels[40 + SIDE // 2, x + SIDE // 2]
            if color[2] == MARK:
                shift = np.array([x, 40], np.float32)
                found = Detection(Box(x, 40, SIDE, SIDE), POINTS + shift, 0.9)
                crop = np.full((112, 112, 3), color, np.uint8)
                faces.append(Face(found, crop, quality((QualityReason.TURNED,) if color[1] == 24 * STEP else ())))
        return Photo(frame, tuple(self.embed(faces) if embed else faces))

    def add_dense(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
        return list(faces)

    def embed(self, faces: Sequence[Face]) -> list[Face]:
        made = self._embed([one.crop for one in faces])
        return [replace(one, embedding=embedding) for one, embedding in zip(faces, made, strict=True)]

    def _embed(self, crops: Sequence[np.ndarray]) -> list[Embedding]:
        colors = [np.rint(crop[56, 56] / STEP).astype(int).tolist() for crop in crops]
        return [Embedding(vector(color[0], color[1]), self.embedder.model_id) for color in colors]


def painted_services(gallery: Path, calibration: Calibration, *, read_only: bool = False) -> Services:
    """The services, with the painted chain in place of the networks."""
    made = Services(settings=Settings(), gallery=gallery, read_only=read_only)
    made._pipeline = PaintedPipeline(made.model.sha256)  # type: ignore[assignment]
    made._calibrations = {"frontal": calibration}
    return made
