"""How much is done for precision: fast, balanced or best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["LEVELS", "Precision"]

LEVELS = ("fast", "balanced", "best")
"""Names of the levels, quickest first."""


@dataclass(frozen=True, slots=True)
class Precision:
    """One level; the levels are measured, and kept in the manifest.

    A model's thresholds hold at every level (figures in CONTRIBUTING), and embeddings of all levels may be compared.

    Attributes
    ----------
    sizes : tuple of int
        Long sides at which a picture is searched when all its faces are wanted, in pixels.
    consensus : bool
        Whether its mirror image is searched too and all these views decide together.
    mirror_points : bool
        Whether the landmark network looks at the mirror image of a face too.
    mirror_embedding : bool
        Whether the mirror image of the crop is embedded too and the mean taken.
    view_share : float
        Share of the views, the most confident ones, whose mean is the confidence of a face, 0..1.
    view_overlap : float
        Boxes of different views are of one face from this intersection over union on, 0..1.
    """

    sizes: tuple[int, ...]
    consensus: bool
    mirror_points: bool
    mirror_embedding: bool
    view_share: float = 1.0
    view_overlap: float = 1.0

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Precision:
        """Read one of the manifest's ``[precision]`` tables; KeyError when something is missing."""
        consensus = bool(table["consensus"])
        return cls(
            sizes=tuple(int(size) for size in table["sizes"]),
            consensus=consensus,
            mirror_points=bool(table["mirror_points"]),
            mirror_embedding=bool(table["mirror_embedding"]),
            view_share=float(table["view_share"]) if consensus else 1.0,
            view_overlap=float(table["view_overlap"]) if consensus else 1.0,
        )
