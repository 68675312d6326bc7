"""Error rates of the decision over time beside those of single frames.

    uv run python tests/benchmarks/live_decisions.py ../shared/data

Two kinds of sequences:

- the videos of five people: each enrolled with frames of the first third; genuine looks are windows of the rest of
  the same video, impostor looks windows of the four others. They are few people on one day each: what they show is how
  alike the frames of one look are.
- sequences made of CFP's photos: each person enrolled with one or three frontal photos; a look is a row of seven other
  photos of one person (frontal ones, or three frontal and four profiles), or one photo held still. These are many
  people, but photos of different days differ more than frames do.

Rates stand with 95 % intervals (Clopper and Pearson), which take looks as independent although looks at one person are
not: with five people in videos they are far too narrow, and so are those of CFP, though less.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facegui.faces.types import FacePolicy, Outcome
from facegui.matching.decision import Rule, decide
from facegui.matching.fusion import FusionLimits, Moment, fuse
from facegui.matching.intervals import clopper_pearson
from facegui.services import Services
from facegui.services.live import table_of
from facegui.settings import Settings
from facegui.sources.video import frames

PEOPLE = ("d0", "d12", "d3", "d6", "d9")
LOOK_SECONDS = 2.0
STEP_SECONDS = 1.0
"""A look begins so long after the one before."""
PHOTO_SECONDS = 0.2
HELD = 7


@dataclass
class Seen:
    """Faces of a video or of a person's photos: time, quality, vector of each."""

    times: np.ndarray
    quality: np.ndarray
    vectors: np.ndarray
    reasons: list[tuple]

    def part(self, rows: Sequence[int]) -> Seen:
        return Seen(self.times[rows], self.quality[rows], self.vectors[rows], [self.reasons[row] for row in rows])


def seen(services: Services, pictures: Iterator) -> Seen:
    rows = []
    for picture in pictures:
        faces = services.analyse(picture, policy=FacePolicy.LARGEST).faces
        if faces and faces[0].embedding is not None:
            rows.append((picture.time, faces[0].quality.score, faces[0].embedding.vector, faces[0].quality.reasons))
    columns = list(zip(*rows, strict=True))
    return Seen(np.array(columns[0]), np.array(columns[1]), np.array(columns[2]), list(columns[3]))


def template(vectors: np.ndarray, shrink: float) -> np.ndarray:
    """As the gallery makes it: the mean, shortened by the disagreement of the samples."""
    mean = vectors.mean(0)
    agreement = np.linalg.norm(mean)
    return mean / agreement * agreement**shrink


def moments(probe: Seen, claimed: np.ndarray, start: float) -> list[Moment]:
    scores = np.clip(probe.vectors @ claimed, -1, 1).tolist()
    rows = zip(probe.times.tolist(), scores, probe.quality.tolist(), probe.reasons, strict=True)
    return [Moment(when - start, score, weight, why) for when, score, weight, why in rows]


class Table:
    """Counts outcomes of looks and of their single frames."""

    def __init__(self, name: str, rule: Rule, services: Services, limits: FusionLimits) -> None:
        self.name, self.rule, self.calibration, self.limits = name, rule, services.calibration, limits
        self.frames: dict[bool, list[Outcome]] = {True: [], False: []}
        self.looks: dict[bool, list[Outcome]] = {True: [], False: []}
        self.any: dict[bool, list[bool]] = {True: [], False: []}
        self.needed: list[int] = []
        self.within: dict[bool, list[np.ndarray]] = {True: [], False: []}

    def add(self, same: bool, look: list[Moment]) -> None:
        singles = [decide(moment.similarity, self.rule) for moment in look]
        self.frames[same] += singles
        self.any[same].append(Outcome.MATCH in singles)
        self.within[same].append(np.array([moment.similarity for moment in look]))
        for count in range(1, len(look) + 1):
            answer = fuse(look[:count], self.rule, self.calibration, self.limits)
            if answer.outcome is not Outcome.UNSURE:
                self.needed.append(count)
                break
        self.looks[same].append(answer.outcome)

    def show(self) -> None:
        print(f"\n{self.name}")
        for words, table in (("single frames", self.frames), ("decision over time", self.looks)):
            genuine, impostor = table[True], table[False]
            false = sum(outcome is Outcome.MATCH for outcome in impostor)
            missed = sum(outcome is Outcome.NO_MATCH for outcome in genuine)
            unsure = [sum(outcome is Outcome.UNSURE for outcome in group) for group in (genuine, impostor)]
            print(
                f"  {words:19} false match {rate(false, len(impostor))}   false no match {rate(missed, len(genuine))}"
                f"   unsure {unsure[0]} of {len(genuine)} genuine, {unsure[1]} of {len(impostor)} impostor"
            )
        lucky = sum(self.any[False])
        print(f"  {'any frame will do':19} false match {rate(lucky, len(self.any[False]))}")
        for same, words in ((True, "genuine"), (False, "impostor")):
            spread = np.concatenate(self.within[same]).var()
            inside = float(np.mean([look.var(ddof=1) for look in self.within[same] if len(look) > 1]))
            share = 1 - inside / spread
            print(f"  {words}: looks have {share:.2f} of the variance of scores in common; sd {spread**0.5:.3f}")
        if self.needed:
            print(f"  frames until decided: median {np.median(self.needed):.0f}, most {max(self.needed)}")


def rate(events: int, trials: int) -> str:
    interval = clopper_pearson(events, trials)
    return f"{events} of {trials} ({100 * interval.low:.2f} to {100 * interval.high:.2f} %)"


def fading(sequences: list[np.ndarray], step: float) -> float:
    """Seconds after which what is not common to a track has faded to 1/e: from the correlation of neighbours."""
    ones = [np.corrcoef(s[1:], s[:-1])[0, 1] for s in sequences if len(s) > 10]
    return -step / float(np.log(np.median(ones)))


def videos(services: Services, folder: Path, rule: Rule, limits: FusionLimits, shrink: float) -> None:
    clips = {name: seen(services, frames(folder / f"{name}.mp4", every=2)) for name in PEOPLE}
    table = Table(
        f"Videos of {len(PEOPLE)} people, looks of {LOOK_SECONDS:g} s, 3 samples a person", rule, services, limits
    )
    impostors, whole = [], []
    for claimed, clip in clips.items():
        third = len(clip.times) // 3
        own = template(clip.vectors[np.linspace(0, third - 1, 3).astype(int)], shrink)
        for name, other in clips.items():
            probe = other.part(range(third, len(other.times))) if name == claimed else other
            start = float(probe.times[0])
            if name != claimed:
                whole.append(probe.vectors @ own)
                impostors.append(fading([whole[-1]], float(np.median(np.diff(probe.times)))))
            while start + LOOK_SECONDS <= probe.times[-1] + 0.1:
                rows = np.flatnonzero((probe.times >= start) & (probe.times < start + LOOK_SECONDS))
                table.add(name == claimed, moments(probe.part(rows.tolist()), own, start))
                start += STEP_SECONDS
    table.show()
    inside = float(np.mean([one.var() for one in whole]))
    print(f"  impostor scores vary by {inside**0.5:.3f} (sd) within one video")
    print(f"  what is left fades to 1/e in {np.median(impostors):.2f} s (median of {len(impostors)} impostor videos)")


def photos(services: Services, folder: Path, rule: Rule, limits: FusionLimits, shrink: float) -> None:
    people = {}
    for person in sorted(path for path in (folder / "images").iterdir() if path.is_dir()):
        kinds = {}
        for kind in ("frontal", "profile"):
            kinds[kind] = seen(services, (services.read(path) for path in sorted((person / kind).glob("*.jpg"))))
        people[person.name] = kinds
    for samples in (1, 3):
        for words, make in (
            ("seven frontal photos in a row", lambda k: (k["frontal"].part(range(3, 10)),)),
            (
                "three frontal, four profile photos",
                lambda k: (join(k["frontal"].part(range(3, 6)), k["profile"].part(range(4))),),
            ),
            ("one frontal photo held still", lambda k: tuple(k["frontal"].part([row] * HELD) for row in range(3, 10))),
        ):
            table = Table(f"CFP, {len(people)} people, {samples} sample(s) a person: {words}", rule, services, limits)
            for claimed, own in people.items():
                target = template(own["frontal"].vectors[:samples], shrink)
                for name, other in people.items():
                    for probe in make(other):
                        probe.times = np.arange(len(probe.vectors)) * PHOTO_SECONDS
                        table.add(name == claimed, moments(probe, target, 0.0))
            table.show()


def join(one: Seen, other: Seen) -> Seen:
    return Seen(
        np.concatenate([one.times, other.times]), np.concatenate([one.quality, other.quality]),
        np.concatenate([one.vectors, other.vectors]), one.reasons + other.reasons,
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with video/ and cfp-dev/")
    parser.add_argument("--model", default="arcface+sface")
    parser.add_argument("--fmr", type=float, default=1e-3, help="false match rate of the threshold")
    parser.add_argument("--only", choices=("videos", "photos"))
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Services(
            settings=Settings(target_fmr=given.fmr), model=given.model, gallery=Path(folder) / "gallery.db"
        ) as services,
    ):
        rule = services.rule()
        assert rule is not None
        limits = FusionLimits.from_table(table_of(services, "fusion"))
        shrink = float(table_of(services, "enrolment")["template_shrink"])
        print(f"{given.model}: match from {rule.threshold:.3f}, unsure from {rule.unsure_low:.3f}")
        if given.only != "photos":
            videos(services, given.data / "video", rule, limits, shrink)
        if given.only != "videos":
            photos(services, given.data / "cfp-dev", rule, limits, shrink)
    return 0


if __name__ == "__main__":
    sys.exit(main())
