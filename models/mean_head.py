"""Derive the mean head, `mean_head.csv`, from photos: the shape that head poses are measured against.

    uv run python models/mean_head.py FOLDER

The landmark network looks at every face of the folder that looks at the camera. Their 468 points, each face together
with its mirror image, are laid over one another by rotation, scaling and shift, and averaged (generalised Procrustes
analysis, Gower 1975), left and right made alike; the pitch of the mean over all faces is zero. The file holds one line
for each point: x to the right of the picture, y down, z away from the camera, in millimetres at 63 mm between the eyes,
origin between the eyes; the number of the point on the other side of the face; and how much the point moves from face
to face and with the expression (standard deviation in millimetres), which says how little it counts in a fit.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from face_landmark import POINTS
from numpy.typing import NDArray

from facegui.faces.catalog import Catalog
from facegui.faces.dense import DenseFinder, DenseLimits
from facegui.faces.dense_shape import INNER_CORNERS, OUTER_CORNERS, MeanHead, rigid_fit
from facegui.faces.detect import DetectorLimits, YuNet
from facegui.faces.pipeline import select
from facegui.faces.pose import head_pose
from facegui.faces.session import OnnxNetwork
from facegui.faces.types import FacePolicy
from facegui.sources.files import photo_files, read_photo

EYE_DISTANCE = 63.0
FRONTAL = 10.0
LEAST_SCORE = 0.6
ROUNDS = 8
Shape = NDArray[np.float64]


def eye_distance(points: Shape) -> float:
    """Return the distance of the middles of the eyes."""
    middles = (points[list(OUTER_CORNERS)] + points[list(INNER_CORNERS)]) / 2
    return float(np.linalg.norm(middles[0] - middles[1]))


def mirror_numbers(shapes: Shape, mirrored: Shape) -> NDArray[np.int64]:
    """Return the number of each point's counterpart on the other side of the face.

    Parameters
    ----------
    shapes, mirrored : ndarray, shape (n, 468, 3)
        The same faces from the picture and from its mirror image turned back.
    """
    here, there = shapes.mean(0), mirrored.mean(0)
    apart = np.linalg.norm((here - here.mean(0))[:, None] - (there - there.mean(0))[None], axis=2)
    numbers: NDArray[np.int64] = (apart + apart.T).argmin(1)
    if not np.array_equal(numbers[numbers], np.arange(POINTS)):
        raise SystemExit("Points and mirror image do not pair up: too few faces that look at the camera.")
    return numbers


def mean_shape(shapes: Shape, mirror: NDArray[np.int64]) -> tuple[Shape, NDArray[np.float64]]:
    """Return the symmetric mean of shapes laid over one another, and the deviation of each point."""
    mean = shapes.mean(0)  # upright as the squares are: the mean face neither nods nor looks up
    even = np.ones(POINTS)
    for _ in range(ROUNDS):
        mean = mean * (EYE_DISTANCE / eye_distance(mean))
        laid = np.array([rigid_fit(shape, mean, even).undo(shape) for shape in shapes])
        mean = laid.mean(0)
        mean = (mean + mean[mirror] * [-1.0, 1.0, 1.0]) / 2
    middle = mean[[*OUTER_CORNERS, *INNER_CORNERS]].mean(0)
    return mean - middle, np.sqrt(((laid - mean) ** 2).sum(2).mean(0))


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("mean_head.csv"))
    wanted = parser.parse_args()
    catalog = Catalog()
    detector, landmarks = (
        OnnxNetwork(catalog.models(role)[0].file, provider="cpu") for role in ("detector", "landmarks")
    )
    search, limits = YuNet(detector), DetectorLimits(LEAST_SCORE, float(catalog.tables["detection"]["iou"]))
    unknown = MeanHead(np.zeros((POINTS, 3)), np.arange(POINTS), np.ones(POINTS))
    finder = DenseFinder(landmarks, DenseLimits.from_table(catalog.tables["dense"]), unknown)
    straight, turned_back = [], []
    for file in photo_files(wanted.folder):
        frame = read_photo(file)
        found = search.detect(frame.pixels, int(catalog.tables["search"]["quick"]), limits)
        for face in select(found, frame, FacePolicy.LARGEST):
            if abs(head_pose(face.landmarks)[0]) > FRONTAL:
                continue
            here, there = finder.pair(frame.pixels, face)
            straight.append(here)
            turned_back.append(there)
    shapes, mirrored = np.array(straight, np.float64), np.array(turned_back, np.float64)
    mirror = mirror_numbers(shapes, mirrored)
    mean, deviation = mean_shape((shapes + mirrored[:, mirror]) / 2, mirror)
    rows = [
        f"{x:.2f},{y:.2f},{z:.2f},{other},{moves:.2f}"
        for (x, y, z), other, moves in zip(mean, mirror, deviation, strict=True)
    ]
    wanted.out.write_text("\n".join(["x,y,z,mirror,deviation", *rows]) + "\n", encoding="utf-8")
    print(f"{wanted.out}: {len(shapes)} faces")


if __name__ == "__main__":
    main()
