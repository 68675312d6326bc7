"""Pictures of invented people for tests of training: everybody has colours and stripes of their own, with noise."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def make(folder: Path, people: int, photos: int, seed: int = 0, size: int = 112) -> Path:
    """Write a folder with one folder per person."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    for person in range(people):
        place = folder / f"person-{person:02d}"
        place.mkdir(parents=True)
        colour, wave = rng.uniform(40, 215, 3), rng.uniform(2, 9, 2)
        for photo in range(photos):
            stripes = np.sin(6.28 * (wave[0] * x + wave[1] * y + rng.uniform(-0.1, 0.1)))
            picture = colour + 40 * stripes[..., None] + rng.normal(0, 20, (size, size, 3))
            cv2.imwrite(str(place / f"{photo}.png"), np.clip(picture, 0, 255).astype(np.uint8))
    return folder


CONFIG = """
[data]
train = "{train}"
verify = "{verify}"
batch = 8

[network]
name = "{network}"
dimension = 16
dropout = 0.2

[margin]
scale = 16.0
m2 = 0.3

[optimizer]
rate = 0.05
epochs = {epochs}
warmup = 0.5
schedule = "cosine"
average = 0.5

[augment]
colour = 0.5
blur = 0.5
occlusion = 0.5

[run]
out = "{out}"
log_every = 1
device = "cpu"
"""


def config(folder: Path, train: Path, verify: Path | str = "", network: str = "tiny", epochs: float = 2.0) -> Path:
    """Write a configuration and return the file; the run goes into `folder/run`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = CONFIG.format(train=train, verify=verify, network=network, epochs=epochs, out=folder / "run")
    (folder / "config.toml").write_text(text)
    return folder / "config.toml"
