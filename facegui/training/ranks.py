"""The processes that train together, and the device of each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from facegui.errors import KnownError

__all__ = ["barrier", "random_state", "ranks", "set_random_state"]

_PATIENCE = timedelta(hours=1)
"""How long a rank waits for the others: the first one verifies and writes alone. If a rank dies, torchrun ends all."""


@contextlib.contextmanager
def ranks(device: str) -> Iterator[tuple[int, int, torch.device]]:
    """Join the other processes that ``torchrun`` started, if it did; give rank, number of ranks and device.

    Raises
    ------
    KnownError
        A graphics card is wanted that is not there, or there are more processes than cards.
    """
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise KnownError(
            "There is no graphics card that PyTorch can use.",
            f"PyTorch {torch.__version__} sees none.",
            'Say device = "cpu" in [run], or install the build of PyTorch for your card.',
        )
    card = cuda and device != "cpu"
    local = int(os.environ.get("LOCAL_RANK", "0"))
    place = torch.device("cuda", local) if card else torch.device("cpu")
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if card:
        if local >= torch.cuda.device_count():
            raise KnownError(
                f"Process {local + 1} of this machine has no graphics card.",
                f"PyTorch sees {torch.cuda.device_count()}.",
                f"Start it with --nproc-per-node {torch.cuda.device_count()}.",
            )
        torch.cuda.set_device(place)
    if count == 1:
        yield 0, 1, place
        return
    if not dist.is_initialized():
        dist.init_process_group("nccl" if card else "gloo", timeout=_PATIENCE, device_id=place if card else None)
    try:
        yield dist.get_rank(), count, place
    finally:
        dist.destroy_process_group()


def barrier() -> None:
    """Wait for the other ranks, if there are any."""
    if dist.is_initialized():
        dist.barrier()


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the state of the random numbers that this rank draws, dropout's above all, by name."""
    found = {"random": torch.get_rng_state()}
    return found | {"random of card": torch.cuda.get_rng_state(device)} if device.type == "cuda" else found


def set_random_state(saved: Mapping[str, Any], device: torch.device) -> None:
    """Go on with the random numbers where `random_state` was asked."""
    torch.set_rng_state(saved["random"])
    if device.type == "cuda" and "random of card" in saved:
        torch.cuda.set_rng_state(saved["random of card"], device)
