"""From aligned crops to embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facegui.faces.align import CROP_SIZE, mirrored
from facegui.faces.session import Network
from facegui.faces.types import Embedding, Image

__all__ = ["Embedder", "cosine"]


class Embedder:
    """An ArcFace-style network with the preprocessing inside the file.

    Parameters
    ----------
    network : Network
        Takes ``input``, uint8 RGB (n, 112, 112, 3); gives unit vectors, float32 (n, d).
    model_id : str
        sha256 of the file.
    mirror : bool
        Whether the mirror image of each crop is embedded too and the mean taken, which doubles the time.
    """

    def __init__(self, network: Network, model_id: str, *, mirror: bool = False) -> None:
        self._network = network
        self.model_id = model_id
        self._mirror = mirror

    @property
    def batch(self) -> int:
        """How many crops at a time are fastest."""
        return self._network.batch

    @property
    def threads(self) -> int:
        """Threads of the processor that the network may use."""
        return self._network.threads

    def single(self) -> Embedder:
        """Return the embedder for callers that run side by side."""
        return Embedder(self._network.single(), self.model_id, mirror=self._mirror)

    def embed(self, crops: Sequence[Image]) -> list[Embedding]:
        """Embed aligned crops, RGB uint8 (112, 112, 3) each, in batches; the order is kept."""
        if not crops:
            return []
        return [Embedding(vector, self.model_id) for vector in self.embed_array(np.stack(crops))]

    def embed_array(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed crops given as one array.

        Parameters
        ----------
        crops : ndarray of uint8, shape (n, 112, 112, 3)
            RGB.

        Returns
        -------
        ndarray of float32, shape (n, d)
            Rows of unit length.
        """
        if crops.shape[1:] != (CROP_SIZE, CROP_SIZE, 3):
            raise ValueError(f"crops must be (n, {CROP_SIZE}, {CROP_SIZE}, 3), not {crops.shape}")
        vectors = self._run(crops)
        if self._mirror:
            both = vectors + self._run(mirrored(np.ascontiguousarray(crops)))
            vectors = both / np.linalg.norm(both, axis=1, keepdims=True)
        return vectors.astype(np.float32, copy=False)

    def _run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        step = self._network.batch
        parts = [
            self._network.run({"input": np.ascontiguousarray(crops[start : start + step])})[0]
            for start in range(0, len(crops), step)
        ]
        return np.concatenate(parts)


def cosine(left: Embedding, right: Embedding) -> float:
    """Return the cosine similarity, -1..1.

    Raises
    ------
    ValueError
        The embeddings were made by different models.
    """
    if left.model_id != right.model_id:
        raise ValueError("embeddings of different models are never compared")
    return float(np.clip(left.vector @ right.vector, -1.0, 1.0))
