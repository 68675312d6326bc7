"""Head pose from the five points and from the landmark network, against photos that are labelled frontal or profile.

    uv run python tests/benchmarks/head_pose.py FOLDER

FOLDER is CFP's or made alike: folders called `frontal` and `profile` hold the photos. For both ways it prints how well
the angle away from the camera tells the two kinds apart (area under the ROC curve), the angles that most photos stay
below or above, and the milliseconds that each way takes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from facegui.faces.detect import overlap
from facegui.faces.pose import head_pose
from facegui.faces.types import FacePolicy
from facegui.services import Services
from facegui.sources.files import photo_files

KINDS = ("frontal", "profile")


def area(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    """Return the share of pairs in which the second is the larger one; a tie counts half."""
    ordered = np.sort(low)
    below = np.searchsorted(ordered, high, "left")
    ties = np.searchsorted(ordered, high, "right") - below
    return float((below + ties / 2).mean() / len(low))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    wanted = parser.parse_args()
    services = Services()
    ways: dict[str, dict[str, list[float]]] = {
        way: {kind: [] for kind in KINDS} for way in ("five points", "468 points", "468 and mirror image")
    }
    spent = dict.fromkeys(ways, 0.0)
    presence: dict[str, list[float]] = {kind: [] for kind in KINDS}
    missed = 0
    for file in photo_files(wanted.folder):
        if file.parent.name not in KINDS:
            continue
        kind = file.parent.name
        frame = services.read(file)
        faces = services.analyse(frame, policy=FacePolicy.LARGEST, embed=False).faces
        missed += not faces
        for face in faces:
            # The detector's own points; those of the chain are the landmark network's.
            seen = services.pipeline.find(frame.pixels, FacePolicy.LARGEST)
            first = max(seen, key=lambda one: overlap(one.box, face.detection.box))
            start = perf_counter()
            yaw, _, _ = head_pose(first.landmarks)
            spent["five points"] += perf_counter() - start
            ways["five points"][kind].append(abs(yaw))
            for way, mirror in (("468 points", False), ("468 and mirror image", True)):
                start = perf_counter()
                (told,) = services.pipeline.add_dense(frame, [face], mirror=mirror)
                spent[way] += perf_counter() - start
                assert told.dense is not None
                ways[way][kind].append(abs(told.dense.yaw))
            presence[kind].append(told.dense.presence)
    count = sum(len(found) for found in ways["five points"].values())
    print(f"{count} faces ({len(presence['frontal'])} frontal, {len(presence['profile'])} profile), {missed} not found")
    print(f"{'yaw from':22}{'AUC':>9}{'frontal, below':>22}{'profile, above':>22}{'ms':>7}")
    print(f"{'':31}{'50 %   95 %   99 %':>22}{'99 %   95 %   50 %':>22}")
    for way, found in ways.items():
        low, high = (np.array(found[kind]) for kind in KINDS)
        frontal = "".join(f"{angle:7.1f}" for angle in np.percentile(low, [50, 95, 99]))
        profile = "".join(f"{angle:7.1f}" for angle in np.percentile(high, [1, 5, 50]))
        print(f"{way:22}{area(low, high):9.5f}{frontal:>22}{profile:>22}{spent[way] / count * 1000:7.2f}")
    for kind in KINDS:
        print(f"presence below 0.5: {np.mean(np.array(presence[kind]) < 0.5):.1%} of {kind} faces")


if __name__ == "__main__":
    main()
