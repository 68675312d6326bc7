"""Faces on a plane by t-SNE: neighbours stay neighbours.

scikit-learn computes it (van der Maaten and Hinton, 2008), in a process of its own: it cannot be interrupted, and while
it builds its trees no other thread of the same process runs.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.apart import Tell, run_apart
from facegui.jobs import Job

__all__ = ["FEWEST", "neighbour_map"]

FEWEST = 10
"""Rows below which neighbourhoods mean nothing."""

_COMPONENTS = 30  # neighbours are the same, and the search for them is faster
_PERPLEXITY = 30.0
_STEPS = 500  # half of the usual: 7 instead of 14 s for 2,000 rows on two cores
_SEED = 0


def neighbour_map(vectors: NDArray[np.float32]) -> Job[NDArray[np.float32]]:
    """Lay vectors of unit length out on a plane; the same ones give the same map.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, d)
        `FEWEST` at least.

    Yields
    ------
    Progress
        Several times a second, without a number. Closing the generator ends the work at once.

    Returns
    -------
    ndarray of float32, shape (n, 2)

    Raises
    ------
    KnownError
        The process was ended from outside.
    """
    centred = vectors.astype(np.float64) - vectors.mean(0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    rows = (left[:, :_COMPONENTS] * lengths[:_COMPONENTS]).astype(np.float32)
    found = yield from run_apart(
        _lay_out, {"rows": _text(rows), "count": len(rows)}, what="The map was not drawn.",
        do="Nothing else was affected. Try again, or choose the map by PCA.",
    )  # fmt: skip
    return _numbers(found["places"], len(rows))


def _lay_out(arguments: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Run in the process of its own."""
    from sklearn.manifold import TSNE

    count = int(arguments["count"])
    tell(0, 0, "")
    made_by = TSNE(
        init="pca", perplexity=min(_PERPLEXITY, (count - 1) / 3), max_iter=_STEPS, random_state=_SEED
    )  # fmt: skip
    return {"places": _text(made_by.fit_transform(_numbers(arguments["rows"], count)).astype(np.float32))}


def _text(rows: NDArray[np.float32]) -> str:
    # Numbers written out in JSON would take fifty times as long, and hold up all threads meanwhile.
    return b64encode(np.ascontiguousarray(rows).tobytes()).decode("ascii")


def _numbers(text: str, count: int) -> NDArray[np.float32]:
    return np.frombuffer(b64decode(text), np.float32).reshape(count, -1)
