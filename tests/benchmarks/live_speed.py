"""How many frames a second a live session takes, and how well faces keep their identity.

    uv run python tests/benchmarks/live_speed.py ../shared/data/video

Nobody has marked who is who in `crowd` and `stage`, so identity is judged by the embeddings: a switch is a track whose
neighbouring close looks at good quality are less alike than strangers mostly are; a broken track is a later one whose
mean is as alike to an ended one as the threshold for 1 in 1,000.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from facegui.faces.liveness import LivenessMode
from facegui.faces.types import Frame
from facegui.services import Services
from facegui.services.live import LiveSession
from facegui.settings import Settings
from facegui.sources.video import frames

_WARM = 3
_GOOD = 0.6
_STRANGERS = 0.1


def at_720(pictures: Iterator[Frame]) -> Iterator[Frame]:
    """A square clip in the middle of a webcam's picture."""
    for frame in pictures:
        wide = np.full((720, 1280, 3), 120, np.uint8)
        wide[:, 280:1000] = cv2.resize(frame.pixels, (720, 720))
        yield Frame(wide, frame.source, time=frame.time)


def run(services: Services, name: str, pictures: list[Frame], mode: LivenessMode) -> None:
    session, spent = LiveSession(services, liveness=mode), []
    looks: dict[int, list[np.ndarray]] = {}
    life: dict[int, tuple[float, float]] = {}
    for frame in pictures:
        view = session.step(frame)
        spent.append(view.milliseconds)
        for shown in view.faces:
            track, face = shown.track, shown.track.face
            life[track.id] = track.first, track.last
            if track.fresh and face is not None and face.embedding is not None and face.quality.score >= _GOOD:
                looks.setdefault(track.id, []).append(face.embedding.vector)
    taken = spent[_WARM:]
    print(
        f"{name:44} {len(taken)} frames, ms median {np.median(taken):.1f}, p95 {np.percentile(taken, 95):.1f}:"
        f" {1000 / np.mean(taken):.0f} a second"
    )
    switches = sum(float(one @ other) < _STRANGERS for seen in looks.values() for one, other in pairwise(seen))
    rule = services.rule()
    means = {key: np.mean(seen, 0) / np.linalg.norm(np.mean(seen, 0)) for key, seen in looks.items() if len(seen) > 2}
    broken = sum(
        life[one][1] < life[other][0] and float(means[one] @ means[other]) >= (rule.threshold if rule else 1.0)
        for one in means
        for other in means
    )
    print(f"{'':44} {len(life)} tracks, {len(means)} with good looks; {switches} switches, {broken} broken tracks")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Services(settings=Settings(provider="cpu"), gallery=Path(folder) / "gallery.db") as services,
    ):
        services.warm_up()
        face = list(at_720(frames(given.videos / "d9.mp4", every=6)))[:60]
        run(services, "one face, 1280x720", face, LivenessMode.OFF)
        run(services, "one face, 1280x720, proof of life required", face, LivenessMode.REQUIRE)
        run(services, "stage, 640x360", list(frames(given.videos / "stage.mp4", every=2)), LivenessMode.OFF)
        run(services, "crowd, 1920x1080", list(frames(given.videos / "crowd.mp4", every=2)), LivenessMode.OFF)
    return 0


if __name__ == "__main__":
    sys.exit(main())
