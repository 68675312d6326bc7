"""Synthetic faces for the tests of the gallery: noise with the right shapes, no real people."""

from __future__ import annotations

import hashlib

import numpy as np

from facegui.faces.types import Box, Detection, Embedding, Face, Quality, QualityReason
from facegui.gallery.records import DecisionKind, IndexedPhoto, NewDecision, NewSample, Outcome

MODEL = hashlib.sha256(b"a model").hexdigest()
OTHER_MODEL = hashlib.sha256(b"another model").hexdigest()
DIMENSION = 32


def unit(seed: int, dimension: int = DIMENSION) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


def face(
    seed: int,
    *,
    box: Box | None = None,
    quality: float = 0.8,
    model: str | None = MODEL,
    vector: np.ndarray | None = None,
) -> Face:
    rng = np.random.default_rng(seed)
    box = box or Box(float(seed % 97) + 0.5, 20.25, 80.0, 96.0)
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
    landmarks = (points * [box.width, box.height] + [box.x, box.y]).astype(np.float32)
    reasons = (QualityReason.BLURRED,) if quality < 0.5 else ()
    return Face(
        Detection(box, landmarks, 0.9),
        rng.integers(0, 256, (112, 112, 3), dtype=np.uint8),
        Quality(quality, reasons, 40.0, 12.5, 128.0, 50.0, -3.0, 4.0, 1.5, 1.0),
        None if model is None else Embedding(unit(seed) if vector is None else vector, model),
    )


def sample(seed: int, source: str | None = None, **options: object) -> NewSample:
    return NewSample(
        face(seed, **options),  # type: ignore[arg-type]
        source or f"/photos/{seed}.jpg",
        original_size=(640, 480),
        content_hash=hashlib.sha256(str(seed).encode()).hexdigest(),
        size=1000 + seed,
        mtime_ns=seed,
    )


def indexed(path: str, *faces: Face, error: str | None = None, stamp: int = 1) -> IndexedPhoto:
    content = hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()
    return IndexedPhoto(path, 5000, stamp, content, 640, 480, faces=faces, error=error)


def decision(**changes: object) -> NewDecision:
    values: dict[str, object] = {
        "kind": DecisionKind.VERIFY_PERSON,
        "outcome": Outcome.MATCH,
        "probe": "/photos/probe.jpg",
        "similarity": 0.71,
        "threshold": 0.4,
        "target_fmr": 1e-3,
        "model_id": MODEL,
        "provider": "CPUExecutionProvider",
    }
    return NewDecision(**{**values, **changes})  # type: ignore[arg-type]
