"""The processes that train together, and the device of each."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch
import torch.distributed as dist

from facegui.errors import KnownError

__all__ = ["barrier", "ranks"]


@contextlib.contextmanager
def ranks(device: str) -> Iterator[tuple[int, int, torch.device]]:
    """Join the other processes that ``torchrun`` started, if it did; give rank, number of ranks and device.

    Raises
    ------
    KnownError
        A graphics card is wanted that is not there.
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
        torch.cuda.set_device(place)
    if count == 1:
        yield 0, 1, place
        return
    if not dist.is_initialized():
        dist.init_process_group("nccl" if card else "gloo")
    try:
        yield dist.get_rank(), count, place
    finally:
        dist.destroy_process_group()


def barrier() -> None:
    """Wait for the other ranks, if there are any."""
    if dist.is_initialized():
        dist.barrier()
