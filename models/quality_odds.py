"""Fit the quality of a face: the chance that it is found to match a good photo of the same person.

    uv run python models/quality_odds.py FOLDER

FOLDER has one folder per person, with folders called `frontal` and `profile` inside, as CFP. Every photo is compared
with all other frontal photos of its person, at the threshold that the calibration of the default model gives for 1 in
1,000. What is tried is fitted to nine tenths of the people and judged on the others, ten times: the deviance (mean
negative log-likelihood of a comparison; lower is better) says whether a measure adds anything. The numbers of the first
line belong into `[quality_odds]` of the manifest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegui.faces.types import Face, FacePolicy
from facegui.matching.decision import rule_for
from facegui.services import Services
from facegui.sources.files import photo_files

Floats = NDArray[np.float64]
FOLDS = 10
ROUNDS = 30
FMR = 1e-3
TRIED = (
    ("confidence",),
    ("confidence", "eye distance"),
    ("confidence", "sharpness"),
    ("confidence", "brightness"),
    ("confidence", "contrast"),
    ("confidence", "yaw"),
    ("confidence", "pitch"),
    ("confidence", "points apart"),
    ("confidence", "mirror image"),
    ("eye distance", "sharpness", "brightness", "contrast", "yaw", "pitch"),
    ("confidence", "eye distance", "sharpness", "brightness", "contrast", "yaw", "pitch"),
)


def fit(measures: Floats, matched: Floats, compared: Floats) -> Floats:
    """Return intercept and slopes of a logistic regression (iteratively reweighted least squares)."""
    table = np.column_stack([np.ones(len(measures)), measures])
    slopes = np.zeros(table.shape[1])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-table @ slopes))
        weight = compared * chance * (1 - chance) + 1e-9
        slopes = slopes + np.linalg.solve((table * weight[:, None]).T @ table, table.T @ (matched - compared * chance))
    return slopes


def deviance(measures: Floats, matched: Floats, compared: Floats, people: NDArray[np.int64]) -> float:
    """Return the mean negative log-likelihood of a comparison, each person judged by a fit to others."""
    fold = np.random.default_rng(0).permutation(people.max() + 1)[people] % FOLDS
    chance = np.empty(len(measures))
    for number in range(FOLDS):
        slopes = fit(measures[fold != number], matched[fold != number], compared[fold != number])
        held = fold == number
        chance[held] = 1 / (1 + np.exp(-slopes[0] - measures[held] @ slopes[1:]))
    wrong = compared - matched
    return float(-(matched * np.log(chance) + wrong * np.log(1 - chance)).sum() / compared.sum())


def measures_of(face: Face) -> dict[str, float]:
    """Return what may predict the matches of a face."""
    assert face.dense is not None
    assert face.dense.disagreement is not None
    quality = face.quality
    sure = min(max(face.detection.score, 0.02), 0.98)
    height = float(np.ptp(face.dense.points[:, 1]))
    apart = float(np.linalg.norm(face.dense.five - face.detection.landmarks, axis=1).mean()) / height
    return {
        "confidence": float(np.log(sure / (1 - sure))),
        "eye distance": float(np.log(min(quality.eye_distance, 60.0))),
        "sharpness": min(quality.sharpness, 0.6),
        "brightness": quality.brightness,
        "contrast": quality.contrast,
        "yaw": abs(quality.yaw),
        "pitch": abs(quality.pitch),
        "points apart": min(apart, 0.2),
        "mirror image": min(face.dense.disagreement, 0.08),
    }


def main() -> None:
    """Print the fits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    wanted = parser.parse_args()
    services = Services()
    rule = rule_for(services.calibration, FMR)
    assert rule is not None
    vectors, names, frontal, rows = [], [], [], []
    for file in photo_files(wanted.folder):
        photo = services.pipeline.analyse(services.read(file), FacePolicy.LARGEST)
        for face in photo.faces:
            assert face.embedding is not None
            vectors.append(face.embedding.vector)
            names.append(file.parent.parent.name)
            frontal.append(file.parent.name == "frontal")
            rows.append(measures_of(face))
    people = np.unique(names, return_inverse=True)[1].astype(np.int64)
    same = (people[:, None] == people) & np.array(frontal)
    np.fill_diagonal(same, False)
    table = np.stack(vectors)
    matched = ((table @ table.T >= rule.threshold) & same).sum(1).astype(np.float64)
    compared = same.sum(1).astype(np.float64)
    print(
        f"{len(rows):,} faces of {people.max() + 1} people; {matched.sum() / compared.sum():.1%} of comparisons match"
    )
    for tried in TRIED:
        measures = np.array([[row[name] for name in tried] for row in rows])
        spread = measures.std(0)
        scaled = (measures - measures.mean(0)) / spread
        found = deviance(scaled, matched, compared, people)
        slopes = fit(scaled, matched, compared)
        slopes[1:] /= spread
        slopes[0] -= float(slopes[1:] @ measures.mean(0))
        print(f"{found:.4f}  {' '.join(f'{slope:.3g}' for slope in slopes.tolist()):60}  {', '.join(tried)}")


if __name__ == "__main__":
    main()
