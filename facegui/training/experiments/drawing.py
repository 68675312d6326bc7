"""What all pictures of the experiments have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facegui.errors import KnownError

__all__ = ["ACCENT", "COLOURS", "INK", "MUTED", "canvas", "palette", "save", "stretch", "style"]

COLOURS = (
    "#2558C4", "#B8500F", "#1E7F4F", "#B3263E", "#7A4FB5", "#8A5A2B", "#B8338A", "#5B6573", "#7D7000", "#0B7C8F",
)  # fmt: skip
"""Of ten classes, those of the app's margin lab in the light theme."""

INK, MUTED, ACCENT, GRID = "#18202C", "#5B6573", "#2558C4", "#E3E6EA"
_DPI = 110


def canvas(width: float, height: float) -> Any:
    """Return an empty figure of so many inches, drawn without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    engine: Any = figure.get_layout_engine()
    engine.set(h_pad=0.08, w_pad=0.06)
    return figure


def style(axes: Any, title: str = "", x: str = "", y: str = "") -> None:
    """Give axes their look."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelsize=8.5)


def stretch(axes: Any) -> None:
    """Give the upright axis equal steps for equal ratios: a run that broke down errs ten times as often as others."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator([part * 10**power for power in (-1, 0, 1) for part in (1, 2, 5)]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def palette(behind: float) -> Any:
    """Return the colours of an animation: those of the classes, pale to full, and greys.

    A palette found for each picture by itself would give rare classes the colours of frequent ones.

    Parameters
    ----------
    behind : float
        Opacity of one point behind the sphere; up to five lie upon each other.
    """
    from matplotlib.colors import to_rgb
    from PIL import Image

    shares = np.array([*(behind * np.arange(1, 6)), 0.8, 1.0])[:, None]
    ramps = [1 - shares + shares * np.array(to_rgb(colour)) for colour in (*COLOURS, INK)]
    grounds = np.array([to_rgb(colour) for colour in ("#FFFFFF", "#F6F8FB", MUTED)])
    colours = np.round(np.concatenate([grounds, *ramps]) * 255).astype(np.uint8)
    result = Image.new("P", (1, 1))
    result.putpalette(colours.tobytes())
    return result


def save(figure: Any, file: Path) -> Path:
    """Write a figure.

    Raises
    ------
    KnownError
        It cannot be written.
    """
    try:
        figure.savefig(file)
    except OSError as error:
        raise KnownError(
            f"{file} was not written.", f"{error.strerror or error}.", "Choose a folder you may write."
        ) from error
    return file
