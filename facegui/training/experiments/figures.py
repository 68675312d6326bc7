"""The pictures of the experiments, drawn from their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegui.matching.lab import Frame, Margin, Recorded, Recording, load, target_cosine
from facegui.training.experiments import sphere, sweep, tsne
from facegui.training.experiments.drawing import ACCENT, COLOURS, INK, MUTED, canvas, palette, save, stretch, style
from facegui.training.experiments.keeping import Result, kept

__all__ = ["draw_angles", "draw_animation", "draw_maps", "draw_spheres", "draw_sweep"]

_NAMES = {
    "mnist": tuple("0123456789"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
_TILT = (-25.0, 40.0)
_BEHIND = 0.13  # opacity of what lies behind the sphere
_COLUMNS = 3
_STEPS = 3  # pictures of the animation between two recorded moments
_TURN = 1.5  # degrees from one picture to the next
_PAUSE = 8  # pictures at its end
_PICTURES_A_SECOND = 10
_LEAST = 0.01  # per cent, where the axis of an error ends
_GROWING = ("#B9BFC8", "#F0A35E", "#B8500F", "#18202C")  # of moments, the later the darker
_LINES = ("--", "-", "-", (0, (5, 1)), (0, (1, 1)))
_CURVES = (
    ("no margin", Margin(1.0)),
    ("SphereFace, m1 = 1.35", Margin(1.0, m1=1.35)),
    ("ArcFace, m2 = 0.5", Margin(1.0, m2=0.5)),
    ("CosFace, m3 = 0.35", Margin(1.0, m3=0.35)),
    ("combined, 1 / 0.3 / 0.2", Margin(1.0, 1.0, 0.3, 0.2)),
)


def _rotation(down: float, right: float) -> NDArray[np.float64]:
    a, b = np.radians([down, right])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    turned: NDArray[np.float64] = about_x @ about_y
    return turned


def _facing(direction: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rotation about the vertical axis that brings a direction to the front."""
    return _rotation(0.0, float(np.degrees(np.arctan2(-direction[0], direction[2]))))


def _draw_ball(
    axes: Any, points: NDArray[np.floating], centres: NDArray[np.floating], labels: NDArray[np.int64], turn: Any
) -> None:
    """Draw a sphere seen from afar: what lies behind is faint."""
    axes.set_aspect("equal")
    axes.set_axis_off()
    around = np.linspace(0, 2 * np.pi, 200)
    axes.fill(np.cos(around), np.sin(around), facecolor="#F6F8FB", edgecolor=MUTED, linewidth=0.8)
    colours = np.array(COLOURS)
    for rows, of, size, front in (
        (points, labels, 7, False), (points, labels, 9, True), (centres, np.arange(len(centres)), 70, True),
    ):  # fmt: skip
        seen = rows @ turn.T
        shown = (seen[:, 2] > 0) == front
        axes.scatter(
            seen[shown, 0],
            seen[shown, 1],
            s=size,
            c=colours[of[shown] % 10],
            alpha=1.0 if front else _BEHIND,
            linewidths=0,
            zorder=2 if front else 1,
        )
    seen = centres @ turn.T
    # Every class has its number, so that no colour need be told from another; behind the sphere as an open ring.
    for k, (x, y, z) in enumerate(seen.tolist()):
        colour = COLOURS[k % 10]
        if z <= 0:
            axes.scatter(
                [x], [y], s=70, facecolors="#F6F8FBB0", edgecolors=colour, linewidths=0.7, linestyles="dotted", zorder=2
            )
        axes.text(
            x, y, str(k), color="white" if z > 0 else colour, fontsize=7, ha="center", va="center_baseline",
            weight="bold", alpha=1.0 if z > 0 else 0.75,
        )  # fmt: skip
    axes.set_xlim(-1.04, 1.04)
    axes.set_ylim(-1.04, 1.04)


def _accuracy(frame: Frame) -> str:
    return f"test {frame.test_accuracy * 100:.1f} %, {frame.within:.0f}° within, {frame.between:.0f}° between"


def _epoch(epoch: float) -> str:
    """Return the epoch; the first moments are hundredths of one apart."""
    return f"epoch {epoch:.{2 if 0 < epoch < 1 else 1}f}"


def draw_spheres(out: Path) -> Path:
    """Draw the end of every run into ``sphere.png``."""
    found = load(out / sphere.FILE)
    rows = -(-len(found.runs) // _COLUMNS)
    figure = canvas(3.1 * _COLUMNS, 3.3 * rows)
    for axes, run in zip(figure.subplots(rows, _COLUMNS, squeeze=False).flat, found.runs, strict=False):
        last = run.frames[-1]
        _draw_ball(axes, last.points, last.centres, found.labels, _rotation(*_TILT))
        axes.set_title(f"{run.title}\n{_accuracy(last)}", fontsize=9.5, color=INK)
    for axes in figure.axes[len(found.runs) :]:
        axes.set_axis_off()
    return save(figure, out / "sphere.png")


def draw_animation(out: Path, names: tuple[str, str] = ("softmax", "arcface")) -> Path:
    """Draw two runs side by side over the epochs into ``sphere.gif``."""
    from PIL import Image

    found = load(out / sphere.FILE)
    runs = [next(run for run in found.runs if run.name == name) for name in names]
    moments = np.arange((len(runs[0].frames) - 1) * _STEPS + 1) / _STEPS
    colours = palette(_BEHIND)
    pictures = []
    # Before training all pictures lie in one heap: it begins in front.
    start = _facing(runs[0].frames[0].points.mean(axis=0))
    for number, moment in enumerate([*moments.tolist(), *[float(moments[-1])] * _PAUSE]):
        figure = canvas(5.0, 2.8)
        turn = _rotation(_TILT[0], _TURN * number) @ start
        for axes, run in zip(figure.subplots(1, 2), runs, strict=True):
            epoch, points, centres, frame = _moment(run, moment)
            _draw_ball(axes, points, centres, found.labels, turn)
            axes.set_title(f"{run.title}, {_epoch(epoch)}\n{_accuracy(frame)}", fontsize=8, color=INK)
        figure.canvas.draw()
        rgb = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        pictures.append(Image.fromarray(np.ascontiguousarray(rgb)).quantize(palette=colours, dither=Image.Dither.NONE))
    pictures[0].save(
        out / "sphere.gif", save_all=True, append_images=pictures[1:], duration=1000 // _PICTURES_A_SECOND, loop=0,
        optimize=True,
    )  # fmt: skip
    return out / "sphere.gif"


def _moment(run: Recorded, at: float) -> tuple[float, Any, Any, Frame]:
    """Return the state between two recorded moments."""
    before = min(int(at), len(run.frames) - 1)
    after, part = min(before + 1, len(run.frames) - 1), at - before
    a, b = run.frames[before], run.frames[after]
    mixed = []
    for one, other in ((a.points, b.points), (a.centres, b.centres)):
        rows = (1 - part) * one + part * other
        mixed.append(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))
    return (1 - part) * a.epoch + part * b.epoch, mixed[0], mixed[1], a if part < 0.5 else b


def draw_angles(out: Path) -> Path:
    """Draw the angles with the own centre over training, the target logits, and the angles per loss."""
    found = load(out / sphere.FILE)
    figure = canvas(12.5, 7.0)
    grid = figure.subplots(2, 3)
    shown = [next(run for run in found.runs if run.name == name) for name in ("softmax", "normalised", "arcface")]
    peak = 100 * max(float(frame.own_angles.max()) for run in shown for frame in _moments(run))
    for axes, run in zip(grid[0], shown, strict=True):
        _draw_histories(axes, run)
        axes.set_ylim(0, 1.05 * peak)
    degrees = np.linspace(0, 180, 181)
    for k, (title, margin) in enumerate(_CURVES):
        line = _LINES[k]
        colour = MUTED if k == 0 else COLOURS[k - 1]
        grid[1, 0].plot(degrees, target_cosine(np.radians(degrees), margin), linestyle=line, label=title, color=colour)
    grid[1, 0].set_xlim(0, 180)
    grid[1, 0].set_xticks(range(0, 181, 30))
    grid[1, 0].set_ylim(-1.7, 1.35)  # room for the names above the curves
    grid[1, 0].set_yticks(np.arange(-1.5, 1.1, 0.5))
    grid[1, 0].legend(fontsize=8, frameon=False, loc="upper right", borderaxespad=0.1)
    style(grid[1, 0], "What the own class gets", "angle with the own centre, degrees", "target logit divided by s")
    _draw_angle_bars(grid[1, 1], found, "within", "Within a class, mean", "degrees")
    _draw_angle_bars(grid[1, 2], found, "between", "To the nearest other class, mean", "degrees")
    return save(figure, out / "angles.png")


def _moments(run: Recorded) -> list[Frame]:
    """Return the start, a sixth of an epoch, the first epoch, and the end."""
    epochs = [frame.epoch for frame in run.frames]
    chosen = (0, int(np.argmin(np.abs(np.array(epochs) - 0.16))), epochs.index(1.0), len(epochs) - 1)
    return [run.frames[place] for place in chosen]


def _draw_histories(axes: Any, run: Recorded) -> None:
    middles = (np.arange(len(run.frames[0].own_angles)) + 0.5) * 180 / len(run.frames[0].own_angles)
    for frame, colour in zip(_moments(run), _GROWING, strict=True):
        axes.plot(middles, frame.own_angles * 100, color=colour, label=_epoch(frame.epoch), linewidth=1.5)
    axes.set_xlim(0, 180)
    axes.set_xticks(range(0, 181, 30))
    axes.legend(fontsize=9, frameon=False)
    style(axes, run.title, "angle with the own centre, degrees", "per cent of the test pictures")


def _draw_angle_bars(axes: Any, found: Recording, what: str, title: str, x: str) -> None:
    names = [run.title.partition(",")[0] for run in found.runs]
    values = [float(getattr(run.frames[-1], what)) for run in found.runs]
    places = np.arange(len(names))
    axes.barh(places, values, color=ACCENT, height=0.62)
    for place, value in zip(places.tolist(), values, strict=True):
        axes.text(value, place, f" {value:.1f}", va="center", fontsize=8, color=INK)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, max(values) * 1.16)
    style(axes, title, x)
    axes.grid(visible=False, axis="y")


def draw_maps(out: Path) -> Path:
    """Draw the maps by t-SNE into ``maps.png``."""
    figure = canvas(8.4, 8.4)
    with np.load(out / tsne.FILE, allow_pickle=False) as found:
        for axes, (entry, title) in zip(figure.subplots(2, 2).flat, tsne.SHOWN.items(), strict=True):
            axes.scatter(*found[entry].T, s=5, c=np.array(COLOURS)[found[f"{entry}/labels"] % 10], linewidths=0)
            axes.margins(0.09)
            _name_classes(axes, found[entry], found[f"{entry}/labels"], _NAMES[entry.partition("-")[0]])
            axes.set_title(title, fontsize=10, loc="left", color=INK)
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_color("#D3DAE3")
    return save(figure, out / "maps.png")


def _name_classes(axes: Any, places: NDArray[np.floating], labels: NDArray[np.integer], names: tuple[str, ...]) -> None:
    """Write each class's name where it is densest, so that no colour need be told from another."""
    from matplotlib.patheffects import withStroke

    for k, name in enumerate(names):
        mine = places[labels == k]
        if not len(mine):
            continue
        apart = np.linalg.norm(mine[:, None] - mine[None], axis=2)
        x, y = mine[np.median(apart, axis=1).argmin()]
        halo = [withStroke(linewidth=3.5, foreground="white")]
        axes.text(
            x, y, name, color=COLOURS[k % 10], fontsize=10, weight="bold", ha="center", va="center", path_effects=halo
        )


_SWEPT: tuple[tuple[Callable[[Result], float], str, str, bool], ...] = (
    (lambda row: 100 - 100 * row.test_accuracy, "Pictures named wrongly", "per cent of the test pictures", True),
    (lambda row: 100 * row.pair_eer, "Equal error rate of pairs", "per cent", True),
    (lambda row: row.within, "Within a class, mean", "degrees", False),
    (lambda row: row.between, "To the nearest other class, mean", "degrees", False),
)
"""What the sweep shows: value, title, unit, and whether the axis is stretched."""


def draw_sweep(out: Path) -> Path:
    """Draw what the margin does into ``sweep.png``: medians, and every seed as a point.

    The mean of three seeds of which one broke down is nobody's result.
    """
    rows = kept(out / sweep.FILE)
    margins = sorted({row.m2 for row in rows})
    figure = canvas(12.5, 3.8)
    for axes, (read, title, y, log) in zip(figure.subplots(1, 4), _SWEPT, strict=True):
        least = _LEAST if log else 0.0
        values = [[max(least, read(row)) for row in rows if row.m2 == m2] for m2 in margins]
        axes.plot(margins, [float(np.median(each)) for each in values], color=ACCENT, linewidth=1.8, label="median")
        for number, (m2, each) in enumerate(zip(margins, values, strict=True)):
            axes.plot(
                [m2] * len(each), each, "o", color=INK, markersize=4, alpha=0.6, markeredgewidth=0,
                label="" if number else "single seeds",
            )  # fmt: skip
        if log:
            stretch(axes)
        style(axes, title, "m2, radians", y)
    figure.axes[0].legend(fontsize=9, frameon=False, loc="upper center")
    return save(figure, out / "sweep.png")
