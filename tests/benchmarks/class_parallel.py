"""Time and memory of a step of the class-parallel head as the classes grow: prints a table, asserts nothing.

    uv run python tests/benchmarks/class_parallel.py [--ranks 2] [--dimension 192] [--share 1.0] [--classes 10000 ...]

One process a rank, gloo, one thread each; a step is forward, backward and SGD with momentum. The memory is the largest
that the process ever took, less what it took before the head was made.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

BATCH = 64
STEPS = 3
KIB = 1024


def largest_memory() -> float:
    """In bytes; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB


def rank_main(options: argparse.Namespace) -> None:
    import torch
    import torch.distributed as dist

    from facegui.training.heads import CentreSGD, ParallelHead
    from facegui.training.margins import arcface

    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{options.meeting}", rank=options.rank, world_size=options.ranks,
        timeout=timedelta(minutes=5),
    )  # fmt: skip
    features = torch.randn(BATCH, options.dimension, requires_grad=True)
    warm = ParallelHead(1000, options.dimension, arcface(), share=options.share)
    warm(features, torch.randint(0, 1000, (BATCH,))).loss.backward()
    before = largest_memory()
    classes = options.classes[0]
    head = ParallelHead(classes, options.dimension, arcface(), share=options.share)
    optimizer = CentreSGD(head.parameters(), 0.1)
    times = []
    for _ in range(STEPS + 1):
        labels = torch.randint(0, classes, (BATCH,))
        dist.barrier()
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = head(features, labels).loss
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    if options.rank == 0:
        held = head.end - head.start
        centres = held * options.dimension * 4
        middle = sorted(times[1:])[STEPS // 2] * 1e3
        print(
            f"{classes:>10,} {options.share:>6.0%} {held:>10,} {centres / 1e6:>10.0f} "
            f"{(largest_memory() - before) / 1e6:>10.0f} {middle:>10.0f} {loss.item():>8.3f}",
            flush=True,
        )
    dist.barrier()
    dist.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--dimension", type=int, default=192)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--classes", type=int, nargs="+", default=[10_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--meeting", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rank is not None:
        rank_main(options)
        return
    print(f"{options.ranks} ranks, {BATCH} faces each, {options.dimension} numbers a face, float32")
    print("   classes  share   per rank  centres MB  memory MB   step ms     loss")
    for classes in options.classes:
        with tempfile.TemporaryDirectory() as folder:
            base = [sys.executable, __file__, "--meeting", str(Path(folder) / "meeting"), "--ranks", str(options.ranks)]
            base += ["--dimension", str(options.dimension), "--share", str(options.share), "--classes", str(classes)]
            environment = os.environ | {"GLOO_SOCKET_IFNAME": os.environ.get("GLOO_SOCKET_IFNAME", "lo")}
            started = [subprocess.Popen([*base, "--rank", str(rank)], env=environment) for rank in range(options.ranks)]
            ends = [process.wait() for process in started]
            if any(ends):
                sys.exit(1)


if __name__ == "__main__":
    main()
