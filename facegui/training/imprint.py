"""Centres to begin with where the network is good already: everybody's mean embedding, not a random direction.

Random centres would pull a trained network apart before they have found their places (the idea: Qi et al., 2018,
Low-shot learning with imprinted weights).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from facegui.errors import KnownError
from facegui.training.data import Pictures, scaled
from facegui.training.heads import Head
from facegui.training.verifying import embed

__all__ = ["imprint"]

_PICTURES = 20
"""Of each person, at most."""


def imprint(head: Head, network: nn.Module, pictures: Pictures, device: torch.device) -> None:
    """Set the centres that a head holds to the mean embeddings of their people.

    Sub-centres begin at the same place but for a little noise; people without a readable picture keep their centre.
    """
    generator = torch.Generator().manual_seed(0)
    by_label = np.argsort(pictures.labels, kind="stable")  # once: there may be a hundred thousand people
    edges = np.searchsorted(pictures.labels[by_label], np.arange(head.start, head.end + 1))
    with torch.no_grad():
        for label in range(head.start, head.end):
            first, last = edges[label - head.start : label - head.start + 2].tolist()
            crops = []
            for place in by_label[first : min(last, first + _PICTURES)].tolist():
                try:
                    crops.append(scaled(pictures.picture(place)))
                except KnownError:
                    continue
            if crops:
                mean = torch.from_numpy(embed(network, crops, device).mean(0))
                rows = slice((label - head.start) * head.subcentres, (label - head.start + 1) * head.subcentres)
                spread = torch.randn(head.subcentres, len(mean), generator=generator) * 0.01
                head.centres[rows] = (mean + (spread if head.subcentres > 1 else 0)).to(device)
