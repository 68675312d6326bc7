"""Four ranks for the test of heads: run as a program, they compare shared heads with the head of one process."""

from __future__ import annotations

import json
import multiprocessing
import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from facegui.training import shared_softmax
from facegui.training.heads import CentreSGD, Head, ParallelHead
from facegui.training.margins import arcface, combined, softmax

RANKS = 4
D = 6
CASES = {
    "arcface": (arcface(0.5, 16), 11, 1),
    "sub-centres": (arcface(0.5, 16), 7, 3),
    "combined": (combined(1.1, 0.2, 0.1, 16), 9, 1),
    "softmax": (softmax(), 10, 1),
    "fewer classes than ranks": (arcface(0.5, 16), 3, 1),
    "no face of the first rank has a class": (arcface(0.5, 16), 9, 1),
}


def batch(classes: int, ranks: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    features = torch.randn(5 * ranks, D, generator=generator)
    labels = torch.randint(-1, classes, (5 * ranks,), generator=generator)
    return features, labels


def apart(found: torch.Tensor, expected: torch.Tensor, whole: torch.Tensor) -> float:
    """The largest difference, relative where gradients are above 1: those of short centres are."""
    return ((found - expected).abs().max() / whole.abs().max().clamp_min(1)).item()


def compare(case: str, group: object, rank: int, ranks: int) -> dict[str, float]:
    margin, classes, subcentres = CASES[case]
    features, labels = batch(classes, ranks)
    if "no face" in case:
        labels[:5] = -1
    whole = Head(classes, D, margin, subcentres, seed=3)
    everything = features.clone().requires_grad_()
    expected = whole(everything, labels)
    expected.loss.backward()
    head = ParallelHead(classes, D, margin, subcentres, seed=3, group=group)
    own = slice(rank * 5, rank * 5 + 5)
    mine = features[own].clone().requires_grad_()
    found = head(mine, labels[own])
    found.loss.backward()
    rows = slice(head.start * subcentres, head.end * subcentres)
    worst = {
        "loss": abs(found.loss.item() - expected.loss.item()),
        "features": apart(mine.grad, everything.grad[own], everything.grad),
        "start": (head.centres - whole.centres[rows]).abs().sum().item(),
        "correct": abs(int(found.correct) - int(expected.correct)) + abs(int(found.counted) - int(expected.counted)),
    }
    if head.end > head.start:
        worst["centres"] = apart(head.centres.grad, whole.centres.grad[rows], whole.centres.grad)
        if head.bias is not None:
            worst["bias"] = apart(head.bias.grad, whole.bias.grad[head.start : head.end], whole.bias.grad)
    return worst


def partial(rank: int, ranks: int) -> dict[str, object]:
    """With a share, the classes of the batch take part, and centres that do not are left alone."""
    classes, margin = 200, arcface(0.5, 16)
    head = ParallelHead(classes, D, margin, seed=3, share=0.2)
    before = head.centres.detach().clone()
    features, labels = batch(classes, ranks)
    own = slice(rank * 5, rank * 5 + 5)
    mine = features[own].clone().requires_grad_()
    head(mine, labels[own]).loss.backward()
    touched = set((head.centres.grad.coalesce().indices()[0] + head.start).tolist())
    CentreSGD(head.parameters(), 0.1, weight_decay=0.01).step()
    moved = set(((head.centres.detach() != before).any(1).nonzero().squeeze(1) + head.start).tolist())
    head.eval()
    exact = head(features[own], labels[own]).loss.item()
    return {
        "touched": sorted(touched),
        "moved": sorted(moved),
        "present": sorted({int(y) for y in labels if head.start <= int(y) < head.end}),
        "held": head.end - head.start,
        "gradient": bool(torch.isfinite(mine.grad).all() and mine.grad.abs().sum() > 0),
        "whole": exact,
        "alone": Head(classes, D, margin, seed=3)(features, labels).loss.item(),
    }


def save_and_load(group: object, rank: int, folder: Path) -> float:
    """A head saved by four ranks, loaded by two; the momentum with it. Returns the largest difference."""
    head = ParallelHead(10, D, arcface(0.5, 16), 2, seed=1)
    torch.save(head.shard(), folder / f"head-{rank}.pt")
    dist.barrier()
    worst = 0.0
    if group is not None:
        parts = [torch.load(folder / f"head-{i}.pt", weights_only=True) for i in range(4)]
        two = ParallelHead(10, D, arcface(0.5, 16), 2, seed=99, group=group)
        two.load_shards(parts)
        one = Head(10, D, arcface(0.5, 16), 2, seed=1)
        worst = (two.centres - one.centres[two.start * 2 : two.end * 2]).abs().max().item()
    return worst


def work(folder: Path, rank: int) -> None:
    """Be one rank; they meet over gloo on this machine."""
    torch.set_num_threads(1)
    shared_softmax._CLASSES_AT_ONCE = 3  # several blocks of classes on every rank
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=RANKS, timeout=timedelta(seconds=60)
    )
    groups = {1: dist.new_group([0]), 2: dist.new_group([0, 1]), 4: dist.new_group([0, 1, 2, 3])}
    results: dict[str, object] = {}
    for ranks, group in groups.items():
        if rank < ranks:
            results[str(ranks)] = {case: compare(case, group, rank, ranks) for case in CASES}
    results["partial"] = partial(rank, RANKS)
    results["reloaded"] = save_and_load(groups[2] if rank < 2 else None, rank, folder)
    dist.barrier()
    (folder / f"result-{rank}.json").write_text(json.dumps(results))
    dist.destroy_process_group()


def main() -> int:
    """Start the ranks; where the system can, as copies of this process, so that PyTorch is loaded only once."""
    copies = "fork" in multiprocessing.get_all_start_methods()
    if copies:
        CentreSGD([torch.zeros(1, requires_grad=True)], 0.1)  # loads what optimizers load when first made
    context = multiprocessing.get_context("fork" if copies else "spawn")
    started = [context.Process(target=work, args=(Path(sys.argv[1]), rank)) for rank in range(RANKS)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    return max(abs(process.exitcode or 0) for process in started)


if __name__ == "__main__":
    sys.exit(main())
