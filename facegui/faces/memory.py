"""What the C library does with memory that is given back, where it can be told (Linux with glibc)."""

from __future__ import annotations

import contextlib
import ctypes
import sys

__all__ = ["give_large_blocks_back", "hand_back"]

_MMAP_THRESHOLD = -3  # mallopt's number for it
_LARGE = 1 << 20


def give_large_blocks_back() -> None:
    """Let blocks of a megabyte and more go back to the system as soon as they are free, for this process.

    Left alone, glibc raises that limit to 32 MB with the first photos that are freed, and every thread then keeps the
    largest pictures it has seen.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


def hand_back() -> None:
    """Give the system what loading a network left unused: glibc would keep it, up to five times what is needed."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
