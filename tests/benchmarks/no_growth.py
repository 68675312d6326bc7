"""Does the program grow? Many frames and photos through one process, and its memory on the way.

    uv run python tests/benchmarks/no_growth.py PHOTOS VIDEO [--frames 20000] [--photos 5000] [--live] [--model arcface]

PHOTOS is a folder, whose photos are shuffled, VIDEO a video file or a folder of them; both are gone through again and
again. Prints the resident memory now and then, and exits with 1 if at the end of a part it is more than 5 % above what
it was after that part's warm-up, or if it was above --most at any time. Each size of picture that is new takes memory
of its own, so the warm-up is one round: the videos once before anything is counted, the photos once, and a tenth of
the way at least.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from facegui.cli.bench_machine import peak_memory, resident_memory
from facegui.faces.stages import analyse_photos
from facegui.faces.types import Frame
from facegui.services import Services
from facegui.services.live import LiveSession
from facegui.settings import Settings
from facegui.sources import video as videos_of
from facegui.sources.files import photo_files

ALLOWED = 0.05
WARM_UP = 0.1
RATE = 30
LINES = 20
MIB = 1 << 20


def watched(what: str, steps: Iterator[int], total: int, warm_up: int = 0) -> bool:
    """Go through the steps, print the memory now and then, and tell whether it stayed flat after the warm-up."""
    start = perf_counter()
    after_warm_up: list[int] = []
    for done in steps:
        if done % max(1, total // LINES) and done != total:
            continue
        now = resident_memory() or 0
        if done >= max(WARM_UP * total, warm_up):
            after_warm_up.append(now)
        rate = done / (perf_counter() - start)
        print(f"{what} {done:7,d} of {total:,}  {now / MIB:8.1f} MiB  {rate:6.1f} a second", flush=True)
    growth = after_warm_up[-1] / after_warm_up[0] - 1
    print(f"{what}: {growth:+.1%} since the warm-up, between {min(after_warm_up) / MIB:.1f} and "
          f"{max(after_warm_up) / MIB:.1f} MiB\n", flush=True)  # fmt: skip
    return growth <= ALLOWED


def frames(videos: list[Path], total: int, act: Callable[[Frame], object]) -> Iterator[int]:
    """Let `act` see so many frames of videos."""
    endless = (frame for video in itertools.cycle(videos) for frame in videos_of.frames(video))
    for done, frame in enumerate(itertools.islice(endless, total), 1):
        act(frame)
        yield done


def photos(services: Services, found: list[Path], total: int) -> Iterator[int]:
    """Analyse so many photos, all faces of each."""
    random.Random(0).shuffle(found)  # or the large ones would come together, and long after the warm-up
    paths = itertools.islice(itertools.cycle(found), total)
    for done, _ in enumerate(analyse_photos(services.pipeline, paths, services.read), 1):
        yield done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--photos", type=int, default=5_000)
    parser.add_argument("--live", action="store_true", help="frames go through one live session, as on the Verify page")
    parser.add_argument("--model", default="arcface+sface")
    parser.add_argument("--most", type=int, default=700, help="MB that it may take at any time")
    options = parser.parse_args()
    videos = [options.video] if options.video.is_file() else sorted(options.video.glob("*.mp4"))
    if resident_memory() is None:
        print("This system does not tell how much memory a process has.")
        return 2
    with Services(settings=Settings(), model=options.model) as services:
        services.warm_up()
        act = LiveSession(services).step if options.live else services.analyse_live
        clock = itertools.count()
        timed = lambda frame: act(replace(frame, time=next(clock) / RATE))  # noqa: E731
        for video in videos:
            for frame in videos_of.frames(video):
                timed(frame)
        flat = watched("frames", frames(videos, options.frames, timed), options.frames)
        found = list(photo_files(options.folder)) if options.photos else []
        if found:
            flat &= watched(
                "photos", photos(services, found, options.photos), options.photos, min(len(found), options.photos)
            )
    peak = peak_memory() or 0
    print(f"most at any time: {peak / MIB:.1f} MiB ({peak / 1e6:.0f} MB)")
    return 0 if flat and peak <= options.most * 1e6 else 1


if __name__ == "__main__":
    sys.exit(main())
