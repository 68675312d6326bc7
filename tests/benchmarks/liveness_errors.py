"""Error rates of the proof of life, in the terms of ISO/IEC 30107-3, on attacks made of photos and videos.

    uv run python tests/benchmarks/liveness_errors.py ../shared/data/video

APCER: share of attack presentations of one kind that are called live. BPCER: share of genuine presentations that are
not called live. Presentations that end undecided are counted as not live, and named. The standard wants each attack
instrument apart and the worst one stated; so it is.

How far this goes: see `attacks.py`. The attacks are computed pictures of prints and screens; the genuine presentations
are clips cut so that they follow the words (`puppet.py`), of four people. The rates tell whether the cues work as
built; they are no estimate of how a real attacker or a real user fares.

Recordings of sessions that had passed are the instrument to beat: each is looped from some place on, through the whole
chain and, because that allows few presentations, as the signs that the chain measured, against many drawn orders; there
the challenge alone decides.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
from attacks import ATTACKS, attack
from puppet import MOVES, RATE, Puppet

from facegui.faces.liveness import CueState, LivenessReport, Verdict
from facegui.faces.liveness_challenge import Challenge, ChallengeLimits, ChallengeState, Signs, draw
from facegui.faces.liveness_check import CueLimits, LivenessCheck, rigid_points
from facegui.faces.liveness_geometry import DepthLimits
from facegui.faces.types import FacePolicy, Frame
from facegui.matching.intervals import clopper_pearson
from facegui.services import Services
from facegui.services.live import table_of
from facegui.settings import Settings
from facegui.sources.video import frames

PEOPLE = ("d0", "d12", "d3", "d6", "d9")
SECONDS = 40.0


@dataclass
class Recording:
    """A session that passed: its pictures, and the signs measured in them."""

    pictures: list[Frame] = field(default_factory=list)
    signs: list[Signs] = field(default_factory=list)


class Bench:
    def __init__(self, services: Services) -> None:
        self.services = services
        self.limits = ChallengeLimits.from_table(table_of(services, "challenge"))
        self.cues = CueLimits.from_table(table_of(services, "liveness"))
        self.depth = DepthLimits.from_table(table_of(services, "depth"))
        self.rigid = rigid_points(services.pipeline.mean_head.shape)

    def check(self, seed: int | None) -> LivenessCheck:
        """A new check; no challenge without a seed."""
        challenge = Challenge(self.limits, Random(seed)) if seed is not None else None
        return LivenessCheck(self.cues, self.depth, self.rigid, challenge)

    def run(
        self,
        check: LivenessCheck,
        pictures: Iterator[Frame],
        told: Callable[[LivenessReport], None] = lambda _: None,
        into: Recording | None = None,
    ) -> LivenessReport | None:
        """Play a presentation to the verdict or its end, and record it."""
        report = None
        for frame in pictures:
            photo = self.services.pipeline.analyse(frame, FacePolicy.LARGEST, embed=False)
            if not photo.faces:
                report = check.lost(frame.time)
            else:
                (face,) = self.services.pipeline.add_dense(frame, photo.faces[:1], mirror=False)
                report = check.add(frame, face)
                if into is not None:
                    into.pictures.append(frame)
                    into.signs.append(Signs.of(face.dense, frame.time))
            told(report)
            if report.verdict is not Verdict.UNDECIDED:
                break
        return report


class Tally:
    """Verdicts and cues of one kind of presentation."""

    def __init__(self) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self.reasons: Counter[str] = Counter()
        self.cues: dict[str, list[tuple[float, CueState]]] = defaultdict(list)

    def add(self, report: LivenessReport | None) -> None:
        self.verdicts[report.verdict if report else Verdict.UNDECIDED] += 1
        if report is None:
            return
        self.reasons[report.reason.split(",")[0].rstrip(".")] += 1
        for cue in report.cues:
            self.cues[cue.kind.value].append((cue.value, cue.state))

    @property
    def total(self) -> int:
        return sum(self.verdicts.values())

    def show(self, name: str, genuine: bool) -> float:
        wrong = self.total - self.verdicts[Verdict.LIVE] if genuine else self.verdicts[Verdict.LIVE]
        interval = clopper_pearson(wrong, self.total)
        undecided = self.verdicts[Verdict.UNDECIDED]
        print(
            f"{name:38} {'BPCER' if genuine else 'APCER'} {wrong} of {self.total}"
            f" ({100 * interval.low:.0f} to {100 * interval.high:.0f} %), {undecided} of them undecided"
        )
        print(f"    ended with: {', '.join(f'{count} x {words}' for words, count in self.reasons.most_common(3))}")
        parts = []
        for kind, values in self.cues.items():
            numbers = [value for value, _ in values if value == value]
            called = sum(state is CueState.ATTACK for _, state in values)
            middle = (
                f"{np.median(numbers):.3g} ({min(numbers):.3g} to {max(numbers):.3g})" if numbers else "not measured"
            )
            parts.append(f"{kind} {middle} calls {called} of {len(values)}")
        print("    " + "; ".join(parts))
        return wrong / max(self.total, 1)


def genuine(bench: Bench, clips: dict[str, list[Frame]], count: int) -> tuple[Tally, list[Recording]]:
    tally, recordings, spent = Tally(), [], []
    for name, (rest, moves) in MOVES.items():
        seed = made = 0
        while made < count:
            seed += 1
            puppet = Puppet(clips[name], rest, moves, lambda: None)
            if not set(draw(bench.limits.actions, Random(seed))) <= puppet.able:
                continue
            made += 1
            newest: list[LivenessReport] = []
            puppet.ask = lambda newest=newest: newest[-1].challenge if newest else None
            recording = Recording()
            report = bench.run(bench.check(seed), puppet.frames(SECONDS, seed), newest.append, recording)
            tally.add(report)
            if report is not None and report.verdict is Verdict.LIVE:
                recordings.append(recording)
                spent.append(recording.signs[-1].seconds)
            else:
                print(f"    {name}, seed {seed}: {report.reason if report is not None else 'no face'}")
    if spent:
        print(f"seconds to the verdict: median {np.median(spent):.1f}, longest {max(spent):.1f}")
    return tally, recordings


def orders(bench: Bench, name: str, recorded: list[list[Signs]], count: int) -> None:
    """Play the signs of recordings against so many drawn challenges each, looped from a drawn place on."""
    passed = [0] * len(recorded)
    for number, recording in enumerate(recorded):
        chance = Random(number)
        length = recording[-1].seconds + 1 / RATE
        for _ in range(count):
            challenge = Challenge(bench.limits, chance)
            start = chance.randrange(len(recording))
            for step in range(round(SECONDS * RATE)):
                rounds, place = divmod(start + step, len(recording))
                signs = recording[place]
                view = challenge.add(replace(signs, seconds=signs.seconds + rounds * length))
                if view.state in (ChallengeState.PASSED, ChallengeState.FAILED):
                    break
            passed[number] += view.state is ChallengeState.PASSED
    total, wrong = count * len(recorded), sum(passed)
    interval = clopper_pearson(wrong, total)
    print(
        f"{name:38} APCER {wrong} of {total} = {100 * wrong / total:.2f} %"
        f" ({100 * interval.low:.2f} to {100 * interval.high:.2f} %; the looks at one recording are alike);"
        f" worst recording {100 * max(passed) / count:.2f} %"
    )


def signs_of(bench: Bench, clip: list[Frame]) -> list[Signs]:
    """Return the signs of every frame in which a face is seen."""
    found = []
    for frame in clip:
        photo = bench.services.pipeline.analyse(frame, FacePolicy.LARGEST, embed=False)
        if photo.faces:
            (face,) = bench.services.pipeline.add_dense(frame, photo.faces[:1], mirror=False)
            assert face.dense is not None
            found.append(Signs.of(face.dense, frame.time))
    return found


def thinned(signs: list[Signs]) -> list[Signs]:
    """Return signs at most as often as a session measures them."""
    kept: list[Signs] = []
    for now in signs:
        if not kept or now.seconds - kept[-1].seconds >= 0.9 / RATE:
            kept.append(now)
    return kept


def pauses(limits: ChallengeLimits, name: str, signs: list[Signs]) -> tuple[int, int]:
    """Tell how often somebody who moves and speaks as they like fails in the first pause, and of how many tries."""
    failed = reached = 0
    for start in range(0, len(signs) - 30, 5):
        challenge = Challenge(limits, Random(start))
        for now in signs[start:]:
            view = challenge.add(now)
            if view.state in (ChallengeState.ASKED, ChallengeState.FAILED):
                reached += 1
                failed += view.state is ChallengeState.FAILED
                break
    print(f"    {name}: {failed} of {reached}")
    return failed, reached


def again(recording: list[Frame], seed: int) -> Iterator[Frame]:
    """Play a recording again and again from some place on, as a camera sees it: with new noise."""
    rng = np.random.default_rng(seed)
    start = int(rng.integers(0, len(recording)))
    for number in range(round(SECONDS * RATE)):
        pixels = recording[(start + number) % len(recording)].pixels.astype(np.int16)
        noisy = np.clip(pixels + rng.integers(-2, 3, pixels.shape, np.int16), 0, 255).astype(np.uint8)
        yield Frame(noisy, "replay", time=number / RATE)


def still(frame: Frame) -> Iterator[Frame]:
    return (Frame(frame.pixels, "photo", time=number / RATE) for number in range(round(SECONDS * RATE)))


def passive(bench: Bench, clips: dict[str, list[Frame]], repeats: int) -> float:
    """Show the cues without a challenge, and the computed attacks; return the worst APCER."""
    tally = Tally()
    for clip in clips.values():
        step = max(1, round(1 / RATE / max(clip[1].time - clip[0].time, 1e-3)))
        for start in range(0, len(clip) - 25 * step, 25 * step):
            tally.add(bench.run(bench.check(None), iter(clip[start : start + 50 * step : step])))
    print("genuine, five people, cues alone, looks of 4 s")
    tally.show("  (without a challenge nothing is live)", True)
    worst = 0.0
    for name, how in ATTACKS.items():
        tally = Tally()
        for number, clip in enumerate(clips.values()):
            for repeat in range(repeats):
                seed = 1000 + 10 * number + repeat
                shown = again(clip[:: 2 if len(clip) > 200 else 1], seed) if how.screen else still(clip[0])
                tally.add(bench.run(bench.check(seed), attack(shown, how, seed=seed)))
        worst = max(worst, tally.show(name, False))
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=Path)
    parser.add_argument("--count", type=int, default=10, help="genuine presentations of each of four people")
    parser.add_argument("--repeats", type=int, default=2, help="presentations of each attack with each person")
    parser.add_argument("--orders", type=int, default=200, help="drawn orders for the signs of each recorded session")
    parser.add_argument("--recorded", action="store_true", help="genuine presentations and their recordings only")
    given = parser.parse_args()
    clips = {name: list(frames(given.videos / f"{name}.mp4")) for name in PEOPLE}
    with TemporaryDirectory() as folder, Services(settings=Settings(), gallery=Path(folder) / "g.sqlite") as services:
        bench = Bench(services)
        tally, recordings = genuine(bench, clips, given.count)
        tally.show("genuine, four people, as asked", True)
        orders(bench, "recorded session, signs alone", [recording.signs for recording in recordings], given.orders)
        free = {name: signs_of(bench, clip) for name, clip in clips.items()}
        orders(bench, "film of no session, signs alone", [thinned(signs) for signs in free.values()], given.orders)
        print("first pause failed by five people who were not asked to hold still")
        ends = [pauses(bench.limits, name, signs) for name, signs in free.items()]
        print(f"    together {sum(failed for failed, _ in ends)} of {sum(reached for _, reached in ends)}")
        worst = 0.0 if given.recorded else passive(bench, clips, given.repeats)
        for name, how in (
            ("recorded session, fed in directly", None),
            ("recorded session on a screen", ATTACKS["screen, replay"]),
        ):
            tally = Tally()
            for number, recording in enumerate(recordings):
                for repeat in range(given.repeats * (2 if how is None else 1)):
                    seed = 5000 + 10 * number + repeat
                    shown = again(recording.pictures, seed)
                    tally.add(bench.run(bench.check(seed), attack(shown, how, seed=seed) if how else shown))
            worst = max(worst, tally.show(name, False))
        print(f"worst instrument: APCER {100 * worst:.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
