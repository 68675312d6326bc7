"""What a second opinion costs and what it does to the errors, measured on photos sorted by person.

    uv run python tests/benchmarks/second_opinion.py EMBEDDINGS.npz [--only TEXT] [--plot CURVE.png]

EMBEDDINGS.npz comes from `facegui embed FOLDER --policy largest --out FILE.npz` with a fused model. Who is on a photo
is told by the first folder of its path that differs between photos. Errors: the band is chosen on one half of the
people and judged on the other, both ways round, and the figures are the means. Against a person, the template is made
of the first photos of that person and lowered by their disagreement, as the program does it; its probes are the others.
Times: the networks run here on random crops, two faces for each decision, in turns; the mean cost of a decision is the
fast network's time and the slow one's where it is asked, half of the decisions being of the same person.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from facegui.faces.catalog import Catalog, ModelInfo, Part
from facegui.faces.embed import Embedder
from facegui.faces.session import OnnxNetwork
from facegui.gallery.matrices import template_means
from facegui.matching.opinion_bands import OpinionLimits
from facegui.matching.second_opinion import Trade, part_of, settle, trade_off

LOST = (0.0, 1e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2)
LET_IN = 0.1  # as in the manifest
SAMPLES = (1, 2, 3, 5)
ROUNDS = 60
Scores = tuple[NDArray[np.float64], ...]
Halves = list[tuple[Scores, Scores]]


def people_of(paths: list[str]) -> NDArray[np.int64]:
    parts = [Path(path).parts for path in paths]
    place = next(n for n in range(min(map(len, parts))) if len({part[n] for part in parts}) > 1)
    return np.unique([part[place] for part in parts], return_inverse=True)[1].astype(np.int64)


def of_pairs(fast: NDArray[np.float32], whole: NDArray[np.float32], people: NDArray[np.int64]) -> Scores:
    """Return the fast and the fused scores of all genuine pairs, then of all impostor pairs."""
    first, second = np.triu_indices(len(people), 1)
    same = people[first] == people[second]
    quick, both = ((each @ each.T)[first, second].astype(np.float64) for each in (fast, whole))
    return quick[same], both[same], quick[~same], both[~same]


def of_templates(
    whole: NDArray[np.float32], people: NDArray[np.int64], part: Part, samples: int, shrink: float
) -> Scores:
    """Return the same for templates of some photos each against all the other photos."""
    turn = np.zeros(len(people), np.int64)
    for person in np.unique(people):
        own = np.flatnonzero(people == person)
        turn[own] = np.arange(len(own))
    enrolled = np.flatnonzero(turn < samples)
    enrolled = enrolled[np.argsort(people[enrolled], kind="stable")]
    probes = np.flatnonzero(turn >= samples)
    names, starts = np.unique(people[enrolled], return_index=True)
    weights = np.ones(len(enrolled), np.float32)
    result = []
    for vectors in (part_of(whole, part), whole):
        means, agreement = template_means(vectors[enrolled], weights, starts.astype(np.intp))
        result.append((vectors[probes] @ means.T).astype(np.float64) * agreement**shrink)
    same = people[probes][:, None] == names[None]
    quick, both = result
    return quick[same], both[same], quick[~same], both[~same]


def milliseconds(models: list[ModelInfo]) -> list[float]:
    """Return the time of each network for two faces: medians, all of them by turns."""
    crops = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    runs: list[Callable[[], object]] = []
    for model in models:
        embedder = Embedder(OnnxNetwork(model.file, provider="cpu"), model.sha256)
        runs.append(lambda embedder=embedder: embedder.embed_array(crops))  # type: ignore[misc]
        runs[-1]()
    spent: list[list[float]] = [[] for _ in runs]
    for _ in range(ROUNDS):
        for run, times in zip(runs, spent, strict=True):
            start = perf_counter()
            run()
            times.append((perf_counter() - start) * 1000)
    return [float(np.median(times)) for times in spent]


def mean(trades: list[Trade], name: str) -> float:
    return float(np.mean([getattr(trade, name) for trade in trades]))


def curve(
    ways: Halves, fmr: float, fast: float, slow: float, whole: float, losses: Sequence[float]
) -> list[tuple[str, float, float]]:
    """Print a line for each choice of the band; return name, mean milliseconds and FNMR."""
    limits = [float(np.quantile(known[3], 1 - fmr)) for known, _ in ways]
    alone = [float(np.quantile(known[2], 1 - fmr)) for known, _ in ways]
    points = []
    for title, column, thresholds, cost in (("fast alone", 0, alone, fast), ("fused alone", 1, limits, whole)):
        accepted = np.mean([(new[column + 2] >= t).mean() for (_, new), t in zip(ways, thresholds, strict=True)])
        missed = float(np.mean([(new[column] < t).mean() for (_, new), t in zip(ways, thresholds, strict=True)]))
        print(f"  {title:12s} FMR {accepted:.2e}  FNMR {missed:7.3%}  {cost:5.2f} ms")
        points.append((title, cost, missed))
    for lost in losses:
        trades = [
            trade_off(*new, limit, settle(*known, limit, lost=lost, let_in=LET_IN * fmr))
            for (known, new), limit in zip(ways, limits, strict=True)
        ]
        cost = float(np.mean([trade.cost(fast, slow) for trade in trades]))
        band = trades[0].band
        print(
            f"  lost {lost:<7g} FMR {mean(trades, 'fmr'):.2e}  FNMR {mean(trades, 'fnmr'):7.3%}  {cost:5.2f} ms  "
            f"asked: same {mean(trades, 'asked_genuine'):.1%}, others {mean(trades, 'asked_impostor'):.1%}, "
            f"fast {band.low:.3f} to {band.high:.3f}"
        )
        points.append((f"{lost:g}", cost, mean(trades, "fnmr")))
    return points


def draw(points: list[tuple[str, float, float]], fmr: float, models: list[ModelInfo], file: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    (_, fast, fast_missed), (_, whole, whole_missed), *steps = points
    axes.plot([cost for _, cost, _ in steps], [100 * missed for _, _, missed in steps], "o-", label="in two steps")
    sides = ((models[0], fast, fast_missed, "left"), (models[2], whole, whole_missed, "right"))
    for model, cost, missed, side in sides:
        axes.plot(cost, 100 * missed, "s")
        place = {"xytext": (8 if side == "left" else 0, 8), "textcoords": "offset points", "ha": side}
        axes.annotate(f"{model.id} alone", (cost, 100 * missed), **place)
    axes.margins(y=0.15)
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.set_xlabel("Milliseconds in the networks per decision, mean (half of the decisions: same person)")
    axes.set_ylabel(f"Same person missed, %, at FMR {fmr:g}")
    axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    figure.savefig(file, dpi=150)
    print(f"drawn: {file}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("--only", default="", help="take only photos with this in their path")
    parser.add_argument("--fmr", type=float, default=1e-3)
    parser.add_argument("--plot", type=Path, help="draw the curve for pairs into this file")
    options = parser.parse_args()
    with np.load(options.embeddings) as file:
        taken = [n for n, path in enumerate(file["path"].tolist()) if options.only in path]
        paths = [str(file["path"][n]) for n in taken]
        whole = file["embedding"][taken]
        catalog = Catalog()
        model = catalog.model(str(file["model_id"][0]), "embedder")
    part = model.parts[0]
    people = people_of(paths)
    limits = OpinionLimits(**catalog.tables["second_opinion"])
    shrink = float(catalog.tables["enrolment"]["template_shrink"])
    models = [catalog.model(model.parts[0].model), catalog.model(model.parts[1].model), model]
    fast, slow, both = milliseconds(models)
    print(f"{len(paths):,} photos of {people.max() + 1} people, {model.id}, threshold for FMR {options.fmr:g}")
    print("two faces: " + ", ".join(f"{m.id} {t:.2f} ms" for m, t in zip(models, (fast, slow, both), strict=True)))
    halves = [people % 2 == 0, people % 2 == 1]
    pairs = [of_pairs(part_of(whole[half], part), whole[half], people[half]) for half in halves]
    print("photo against photo")
    points = curve([(pairs[0], pairs[1]), (pairs[1], pairs[0])], options.fmr, fast, slow, both, LOST)
    if options.plot is not None:
        draw(points, options.fmr, models, options.plot)
    for samples in SAMPLES:
        # The bands come from pairs, as in the program.
        new = [of_templates(whole[half], people[half], part, samples, shrink) for half in halves]
        print(f"photo against a person of {samples} sample{'s' if samples > 1 else ''}")
        curve([(pairs[0], new[1]), (pairs[1], new[0])], options.fmr, fast, slow, both, (limits.lost,))
    return 0


if __name__ == "__main__":
    sys.exit(main())
