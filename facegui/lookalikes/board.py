"""The similarity board: who looks like whom among some faces, as a table, a matrix and a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.jobs import Job
from facegui.lookalikes.neighbour_map import FEWEST, neighbour_map

__all__ = ["Board", "BoardItem", "MapKind", "Near", "make_board"]

MapKind = Literal["tsne", "pca", "umap"]

_ORDERED = 600
"""Faces up to which the leaves of the tree are put into the best order; it takes time with the square."""
_SEED = 0


@dataclass(frozen=True, slots=True)
class BoardItem:
    """A photo, or a person, on the board.

    Attributes
    ----------
    face_id : int
        Whose picture stands for it.
    name : str
        File name, or the person's name.
    path : str
        Of the photo; empty for a person.
    person : str
        Who it is, for the colour of the map; empty where nobody knows.
    quality : float
    """

    face_id: int
    name: str
    path: str
    person: str
    quality: float


@dataclass(frozen=True, slots=True)
class Near:
    """One of an item's most similar others: its row and the cosine."""

    row: int
    similarity: float


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """Faces compared all with all.

    Attributes
    ----------
    items : tuple of BoardItem
        In the order of the matrix: similar ones beside each other.
    similarities : ndarray of float32, shape (n, n)
    places : ndarray of float32, shape (n, 2)
        Of the map, 0..1.
    map_kind : str
        How the map was made.
    nearest : tuple of tuple of Near
        The most similar others of each item, best first.
    """

    items: tuple[BoardItem, ...]
    similarities: NDArray[np.float32]
    places: NDArray[np.float32]
    map_kind: MapKind
    nearest: tuple[tuple[Near, ...], ...]


def make_board(
    items: Sequence[BoardItem], vectors: NDArray[np.float32], top: int = 3, map_kind: MapKind = "tsne"
) -> Job[Board]:
    """Return the job that compares faces all with all.

    Parameters
    ----------
    items : sequence of BoardItem
        Two at least.
    vectors : ndarray of float32, shape (n, d)
        Of unit length.
    top : int
        So many of the most similar others of each.
    map_kind : {"tsne", "pca", "umap"}
        How the map is made; few faces are always placed by PCA.

    Yields
    ------
    Progress
        While the map is made by t-SNE.

    Raises
    ------
    KnownError
        There are not two faces, or umap-learn is not installed.
    """
    if len(items) < 2:
        raise KnownError(
            "A board needs at least two faces.",
            f"There {'is one' if items else 'is none'}.",
            "Name a folder with more photos of faces.",
        )
    similarities = np.clip(vectors @ vectors.T, -1.0, 1.0).astype(np.float32)
    order = _order(similarities)
    similarities = np.ascontiguousarray(similarities[np.ix_(order, order)])
    kind: MapKind = map_kind if len(items) >= FEWEST else "pca"
    raw = (yield from neighbour_map(vectors[order])) if kind == "tsne" else _raw_places(vectors[order], kind)
    low, high = raw.min(0), raw.max(0)
    places = ((raw - low) / np.maximum(high - low, 1e-9)).astype(np.float32)
    others = similarities.copy()
    np.fill_diagonal(others, -np.inf)
    best = np.argsort(-others, axis=1, kind="stable")[:, : min(top, len(items) - 1)]
    nearest = tuple(
        tuple(Near(int(other), float(similarities[row, other])) for other in some) for row, some in enumerate(best)
    )
    return Board(tuple(items[row] for row in order.tolist()), similarities, places, kind, nearest)


def _order(similarities: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the leaves of the tree of average linkage, neighbours alike."""
    from scipy.cluster.hierarchy import leaves_list, linkage  # type: ignore[import-untyped]  # late: slow to load
    from scipy.spatial.distance import squareform  # type: ignore[import-untyped]

    distances = np.clip(1.0 - similarities.astype(np.float64), 0.0, 2.0)
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(distances, checks=False), "average", optimal_ordering=len(similarities) <= _ORDERED)
    leaves: NDArray[np.int64] = leaves_list(tree).astype(np.int64)
    return leaves


def _raw_places(vectors: NDArray[np.float32], kind: MapKind) -> NDArray[np.float32]:
    """Return places on a plane by UMAP or PCA."""
    raw: NDArray[np.float32]
    if kind == "umap":
        try:
            from umap import UMAP
        except ImportError as error:
            raise KnownError(
                "A UMAP map needs a package that is not installed.",
                "umap-learn is missing.",
                "Install it (pip install umap-learn), or take --map tsne.",
            ) from error
        raw = UMAP(metric="cosine", n_neighbors=min(15, len(vectors) - 1), random_state=_SEED).fit_transform(vectors)
        return raw
    centred = vectors - vectors.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    raw = centred @ axes[:2].T
    return raw if raw.shape[1] > 1 else np.column_stack([raw, np.zeros(len(raw), np.float32)])
