"""The error-versus-discard table of `facegui evaluate --discard`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facegui.cli.output import table
from facegui.errors import KnownError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from facegui.faces.types import Vector
    from facegui.matching.discard import DiscardCurve
    from facegui.matching.pairs import PairSet

__all__ = ["discard", "show_discard"]


def discard(
    pairs: PairSet, vectors: Sequence[Vector | None], qualities: Sequence[float | None], fmr: float, crops: bool
) -> DiscardCurve:
    """Return the curve for photos of which vectors and qualities are known.

    Raises
    ------
    KnownError
        The photos are aligned crops, in which no face was looked for.
    """
    from facegui.matching.discard import discard_curve
    from facegui.matching.evaluation import pair_scores

    if crops:
        raise KnownError(
            "Aligned crops have no quality.",
            "It is told where a face is found in a photo, and no face is looked for in these.",
            "Leave --discard out, or say --detect to have the faces looked for.",
        )
    scores, _ = pair_scores(pairs, vectors)
    return discard_curve(pairs, scores, qualities, fmr=fmr)


def show_discard(console: Console, curve: DiscardCurve) -> None:
    """Print the table."""
    from facegui.matching.wording import format_rate, format_share, format_similarity

    rows = [
        (
            f"{point.share:.0%}",
            "" if point.quality is None else f"{point.quality:.2f}",
            f"{point.photos:,}",
            f"{point.genuine_pairs:,}",
            format_share(point.fnmr.value),
            f"{format_share(point.fnmr.low).removesuffix(' %')} to {format_share(point.fnmr.high)}",
        )
        for point in curve.points
    ]
    console.print()
    console.print(
        table(
            "Left out", "Quality from", "Photos", "Same-person pairs", "Missed", "95 % interval",
            rows=rows, right=(0, 1, 2, 3, 4, 5),
            title=f"Error versus discard at {format_similarity(curve.threshold, 3)} ({format_rate(curve.fmr)})",
            caption="Photos of lowest quality go first; the threshold stays. Over the first fifth, "
            f"{curve.area:.0%} of the misses that a quality without meaning would leave.",
        )
    )  # fmt: skip
