"""Choose the weight of ``arcface+sface`` from the embeddings of identity-labelled photos.

    uv run facegui embed FOLDER --model arcface+sface --out faces.npz
    uv run python models/choose_weight.py faces.npz

The photos lie as ``.../person/condition/name.jpg``; condition ``frontal`` or ``profile`` (the Celebrities in Frontal
and Profile data set). Every pair of two frontal photos (FF) and every pair of a frontal and a profile photo (FP) is
used. For each weight the table gives the equal error rate and the share of genuine pairs rejected (FNMR) where one
impostor pair in a hundred or a thousand is accepted, all in percent; the last column is the mean of all six, by which
to choose.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from networks import ARCFACE_DIMENSION

WEIGHTS = (0.0, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1.0, 1.2, 1.5, np.inf)
FALSE_MATCH_RATES = (1e-2, 1e-3)


def unit(rows: np.ndarray) -> np.ndarray:
    """Divide each row by its length."""
    unit_rows: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit_rows


def error_rates(genuine: np.ndarray, impostor: np.ndarray) -> list[float]:
    """Return the equal error rate, then the FNMR at each of `FALSE_MATCH_RATES`, all 0..1."""
    impostor = np.sort(impostor)
    genuine = np.sort(genuine)
    missed = np.arange(genuine.size) / genuine.size
    accepted = 1 - np.searchsorted(impostor, genuine, side="left") / impostor.size
    crossing = int(np.argmin(np.abs(missed - accepted)))
    rates = [float(missed[crossing] + accepted[crossing]) / 2]
    for rate in FALSE_MATCH_RATES:
        threshold = np.quantile(impostor, 1 - rate)
        rates.append(float((genuine < threshold).mean()))
    return rates


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("embeddings", type=Path, help="what `facegui embed` wrote: paths and 320-d embeddings")
    options = parser.parse_args()
    with np.load(options.embeddings) as stored:
        paths = [Path(str(path)) for path in stored["path"]]
        embeddings = stored["embedding"].astype(np.float64)
    people = np.array([path.parts[-3] for path in paths])
    profile = np.array([path.parts[-2] == "profile" for path in paths])
    first, second = unit(embeddings[:, :ARCFACE_DIMENSION]), unit(embeddings[:, ARCFACE_DIMENSION:])
    arcface, sface = first @ first.T, second @ second.T
    same = people[:, None] == people[None]
    once = np.triu(np.ones_like(same), 1)
    frontal_pairs = once & ~profile[:, None] & ~profile[None]
    mixed_pairs = once & (profile[:, None] != profile[None])
    counts = [int((pairs & kind).sum()) for pairs in (frontal_pairs, mixed_pairs) for kind in (same, ~same)]
    print("genuine and impostor pairs: FF {:,} {:,}; FP {:,} {:,}".format(*counts))
    print("weight  FF: EER  FNMR@1e-2  @1e-3   FP: EER  FNMR@1e-2  @1e-3    mean")
    for weight in WEIGHTS:
        share = 1.0 if np.isinf(weight) else weight**2 / (1 + weight**2)
        scores = share * arcface + (1 - share) * sface
        rates = [
            100 * rate
            for pairs in (frontal_pairs, mixed_pairs)
            for rate in error_rates(scores[pairs & same], scores[pairs & ~same])
        ]
        cells = "{:8.3f} {:10.2f} {:6.2f} {:9.3f} {:10.2f} {:6.2f}".format(*rates)
        print(f"{weight:6.2f} {cells} {np.mean(rates):8.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
