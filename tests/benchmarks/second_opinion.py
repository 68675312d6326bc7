"""What a second opinion costs and what it does to the errors: a curve, measured on photos sorted by person.

    uv run python tests/benchmarks/second_opinion.py EMBEDDINGS.npz [--only TEXT] [--fmr 1e-3] [--fast 4.3 --slow 12.3]

EMBEDDINGS.npz comes from `facegui embed FOLDER --policy largest --out FILE.npz` with a fused model. Who is on a photo
is told by the first folder of its path that differs between photos. The band is chosen on one half of the people and
judged on the other, both ways round; the figures are the means. Milliseconds are those of the two networks, from
`facegui benchmark`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegui.faces.catalog import Catalog
from facegui.matching.second_opinion import Trade, part_of, settle, trade_off

ALLOWANCES = ((0.0, 0.0), (1e-4, 1e-5), (5e-4, 5e-5), (1e-3, 1e-4), (2e-3, 2e-4), (5e-3, 5e-4))
Scores = tuple[NDArray[np.float64], ...]


def people_of(paths: list[str]) -> NDArray[np.int64]:
    parts = [Path(path).parts for path in paths]
    place = next(n for n in range(min(map(len, parts))) if len({part[n] for part in parts}) > 1)
    return np.unique([part[place] for part in parts], return_inverse=True)[1].astype(np.int64)


def scores(fast: NDArray[np.float32], whole: NDArray[np.float32], people: NDArray[np.int64]) -> Scores:
    """Return the fast and the fused scores of all genuine pairs, then of all impostor pairs."""
    first, second = np.triu_indices(len(people), 1)
    same = people[first] == people[second]
    quick, both = ((each @ each.T)[first, second].astype(np.float64) for each in (fast, whole))
    return quick[same], both[same], quick[~same], both[~same]


def mean(trades: list[Trade], name: str) -> float:
    return float(np.mean([getattr(trade, name) for trade in trades]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("--only", default="", help="take only photos with this in their path")
    parser.add_argument("--fmr", type=float, default=1e-3)
    parser.add_argument("--fast", type=float, default=4.3, help="milliseconds of the fast network")
    parser.add_argument("--slow", type=float, default=12.3, help="milliseconds of the other one")
    options = parser.parse_args()
    with np.load(options.embeddings) as file:
        taken = [n for n, path in enumerate(file["path"].tolist()) if options.only in path]
        paths = [str(file["path"][n]) for n in taken]
        whole = file["embedding"][taken]
        model = Catalog().model(str(file["model_id"][0]), "embedder")
    fast = part_of(whole, model.parts[0])
    people = people_of(paths)
    print(f"{len(paths):,} photos of {people.max() + 1} people, {model.id}, threshold for FMR {options.fmr:g}")
    halves = [scores(fast[half], whole[half], people[half]) for half in (people % 2 == 0, people % 2 == 1)]
    ways = [(halves[0], halves[1]), (halves[1], halves[0])]
    limits = [float(np.quantile(known[3], 1 - options.fmr)) for known, _ in ways]
    alone = [float(np.quantile(known[2], 1 - options.fmr)) for known, _ in ways]
    for title, column, thresholds in (("fast alone", 0, alone), ("fused alone", 1, limits)):
        fmr = np.mean([(new[column + 2] >= t).mean() for (_, new), t in zip(ways, thresholds, strict=True)])
        fnmr = np.mean([(new[column] < t).mean() for (_, new), t in zip(ways, thresholds, strict=True)])
        cost = options.fast + (options.slow if column else 0)
        print(f"{title:22s} FMR {fmr:.2e}  FNMR {fnmr:.3%}  {cost:6.2f} ms")
    for lost, let_in in ALLOWANCES:
        trades = [
            trade_off(*new, limit, settle(*known, limit, lost=lost, let_in=let_in))
            for (known, new), limit in zip(ways, limits, strict=True)
        ]
        costs = [np.mean([trade.cost(options.fast, options.slow, share) for trade in trades]) for share in (0.5, 0.0)]
        band = trades[0].band
        print(
            f"lost {lost:.0e} in {let_in:.0e}   FMR {mean(trades, 'fmr'):.2e}  FNMR {mean(trades, 'fnmr'):.3%}  "
            f"{costs[0]:6.2f} ms ({costs[1]:.2f} among strangers only)  asked: genuine "
            f"{mean(trades, 'asked_genuine'):.1%}, impostor {mean(trades, 'asked_impostor'):.1%}, "
            f"at fast scores of {band.low:.3f} to {band.high:.3f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
