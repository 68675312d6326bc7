"""The tables of the experiments as Markdown, and the part of the README that is made from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facegui.errors import KnownError
from facegui.matching.lab import load
from facegui.training.experiments import sphere, sweep, table
from facegui.training.experiments.keeping import Result, kept
from facegui.training.experiments.losses import LOSSES

__all__ = ["PUBLISHED", "rewrite", "tables"]

PUBLISHED = {
    ("mnist", "softmax"): (97, 96), ("mnist", "arcface"): (97, 97),
    ("cifar10", "softmax"): (72, 63), ("cifar10", "arcface"): (77, 80),
}  # fmt: skip
"""Train and test accuracy in per cent of a published student project with which ours is compared."""

BEGIN, END = "<!-- experiments: begin -->", "<!-- experiments: end -->"
_SETS = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
_TITLES = {item.name: item.title.partition(",")[0] for item in LOSSES}


def tables(out: Path) -> str:
    """Return the tables of what is in a folder of results.

    Raises
    ------
    KnownError
        There is nothing.
    """
    parts = []
    if (out / sphere.FILE).is_file():
        parts.append(_of_spheres(out))
    if rows := _whole(kept(out / table.FILE)):
        parts.append(_of_sets(rows))
    if rows := _whole(kept(out / sweep.FILE)):
        parts.append(_of_sweep(rows))
    if not parts:
        raise KnownError(f"{out} holds no results.", "", "Run an experiment first, with --out.")
    return "\n\n".join(parts)


def _whole(rows: list[Result]) -> list[Result]:
    """Leave out a quick run's results beside those on more pictures."""
    most: dict[str, int] = {}
    for row in rows:
        most[row.set] = max(most.get(row.set, 0), row.pictures)
    return [row for row in rows if row.pictures == most[row.set]]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _mean(values: list[float], digits: int, factor: float = 1.0) -> str:
    each = np.array(values) * factor
    spread = f" ± {each.std(ddof=1):.{digits}f}" if len(each) > 1 else ""
    return f"{each.mean():.{digits}f}{spread}"


def _of_spheres(out: Path) -> str:
    found = load(out / sphere.FILE)
    rows = []
    for run in found.runs:
        last = run.frames[-1]
        rows.append((
            run.title, f"{last.loss:.3f}", f"{run.train_accuracy * 100:.2f} %", f"{last.test_accuracy * 100:.2f} %",
            f"{last.within:.1f}°", f"{last.between:.1f}°", f"{last.pair_eer * 100:.2f} %",
        ))  # fmt: skip
    about = found.about
    words = (
        f"MNIST on a sphere of three dimensions, {about['pictures']:,} pictures, {about['epochs']} epochs, "
        f"s = {about['scale']:.0f}, one seed:"
    )
    head = ("loss", "training loss", "train", "test", "within a class", "to the nearest other", "EER of pairs")
    return f"{words}\n\n{_table(head, rows)}"


def _of_sets(rows: list[Result]) -> str:
    made = []
    for entry in table.ENTRIES:
        mine = table.rows_of(entry, rows)
        if not mine:
            continue
        published = PUBLISHED.get((entry.set, entry.loss))
        made.append((
            _SETS[entry.set], _words(entry, mine[0].m2), f"{published[0]} / {published[1]} %" if published else "",
            f"{_mean([row.train_accuracy for row in mine], 2, 100)} %",
            f"{_mean([row.test_accuracy for row in mine], 2, 100)} %", _mean([row.final_loss for row in mine], 3),
            f"{_mean([row.within for row in mine], 1)}°", f"{_mean([row.between for row in mine], 1)}°",
            f"{_mean([row.pair_eer for row in mine], 2, 100)} %", str(len(mine)),
            f"{mine[0].pictures:,} × {mine[0].epochs}",
        ))  # fmt: skip
    head = (
        "set", "loss", "student, train / test", "train", "test", "training loss", "within a class",
        "to the nearest other", "EER of pairs", "seeds", "pictures × epochs",
    )  # fmt: skip
    words = (
        f"The same network with each loss, {table.DIMENSION} numbers, s = {table.SCALE:.0f}; mean ± deviation. "
        "CIFAR-10's large network takes 72 instead of 4 million multiply-adds a picture; its gradients are cut to a "
        f"norm of {table.CLIP:g}:"
    )
    return f"{words}\n\n{_table(head, made)}"


def _words(entry: table.Entry, m2: float) -> str:
    words = _TITLES[entry.loss] + (f", m2 = {m2:g}" if entry.loss == "arcface" else "")
    return words + (", growing" if entry.grown else "") + ("; large network" if entry.large else "")


def _of_sweep(rows: list[Result]) -> str:
    # A sweep that was broken off has more seeds of some margins than of others: they would not compare.
    common = set.intersection(*({row.seed for row in rows if row.m2 == m2} for m2 in {row.m2 for row in rows}))
    rows = [row for row in rows if row.seed in common] or rows
    made = []
    for m2 in sorted({row.m2 for row in rows}):
        mine = [row for row in rows if row.m2 == m2]
        made.append((
            f"{m2:g}", f"{_mean([row.test_accuracy for row in mine], 2, 100)} %",
            f"{_mean([row.within for row in mine], 1)}°", f"{_mean([row.between for row in mine], 1)}°",
            f"{_mean([row.pair_eer for row in mine], 2, 100)} %",
        ))  # fmt: skip
    first = rows[0]
    seeds = len({row.seed for row in rows})
    words = (
        f"ArcFace's m2 on MNIST, three dimensions, {first.pictures:,} pictures, {first.epochs} epochs, "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}:"
    )
    return f"{words}\n\n{_table(('m2', 'test', 'within a class', 'to the nearest other', 'EER of pairs'), made)}"


def rewrite(readme: Path, text: str) -> None:
    """Put the tables between the marks of a README.

    Raises
    ------
    KnownError
        It cannot be read or written, or lacks the marks.
    """
    try:
        whole = readme.read_text("utf-8")
        before, begin, rest = whole.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise KnownError(f"{readme} lacks the marks.", "", f"Write {BEGIN} and {END} where the tables go.")
        readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")
    except OSError as error:
        raise KnownError(
            f"{readme} was not changed.", f"{error.strerror or error}.", "Check that you may write it."
        ) from error
