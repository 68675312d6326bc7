"""A picture of an evaluation: distributions of the scores, ROC and DET, with intervals and numbers of pairs.

matplotlib is loaded when a picture is wanted, and draws without a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from facegui.errors import KnownError
from facegui.matching.discard import DiscardCurve
from facegui.matching.intervals import rule_of_three
from facegui.matching.metrics import Floats, without_failures
from facegui.matching.report import Report, thinned
from facegui.matching.report_page import page_of, write_page
from facegui.matching.wording import format_rate, format_share, format_similarity

__all__ = ["plot"]

# Colours that hold for the colour-blind (Okabe and Ito, 2008).
_GENUINE = "#007a5e"
_IMPOSTOR = "#c04a00"
_CURVE = "#2f4b6e"
_BAND = "#b8860b"
_MUTED = "#5b6573"
_GRID = "#e3e6ea"

_PANEL = (4.5, 4.9)  # inches
_DPI = 150
_BINS = 80
_SMALLEST_RATE = 1e-4
_POINTS = 2000


def plot(
    report: Report,
    file: Path,
    discard: DiscardCurve | None = None,
    model: str = "",
    problems: Mapping[str, str] | None = None,
) -> None:
    """Draw the report into a PNG (or SVG or PDF, by the suffix) file, with the error-versus-discard curve if given.

    With the suffix ``.html`` the file is a page with picture, figures, the worst pairs and the photos that could not
    be read (`problems`: photo and reason).

    Raises
    ------
    KnownError
        The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = 3 if discard is None else 4
    figure = Figure((panels * _PANEL[0], _PANEL[1]), dpi=_DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    scores, roc, det, *more = figure.subplots(1, panels)
    for axes in (scores, roc, det, *more):
        _style(axes)
    _draw_scores(scores, report)
    _draw_roc(roc, report)
    _draw_det(det, report)
    if discard is not None:
        _draw_discard(more[0], discard)
    figures = report.figures
    title = (
        f"{report.name or 'Pairs'}: {figures.genuine_pairs:,} same and {figures.impostor_pairs:,} different pairs "
        f"of {report.photos:,} photos"
    )
    if report.failed_pairs:
        title += f"; {report.failed_pairs:,} pairs with no face count as non-matches"
    figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    if file.suffix.lower() == ".html":
        picture = BytesIO()
        figure.savefig(picture, format="png")
        write_page(page_of(report, model, {"Scores, ROC and DET": picture.getvalue()}, problems or {}), file)
        return
    try:
        figure.savefig(file)
    except (OSError, ValueError) as error:
        raise KnownError(
            f"The picture {file.name} was not written.", f"{error}.", "Choose a PNG file in a folder you may write."
        ) from error


def _style(axes: Any) -> None:
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_MUTED)
    axes.tick_params(colors=_MUTED, labelsize=8.5)
    axes.title.set_fontsize(10)


def _label(axes: Any, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)


def _draw_scores(axes: Any, report: Report) -> None:
    genuine, impostor = without_failures(report.genuine), without_failures(report.impostor)
    every = np.concatenate([genuine, impostor])
    if not len(every):
        axes.text(0.5, 0.5, "no pair could be compared", transform=axes.transAxes, ha="center", color=_MUTED)
        _label(axes, "Scores", "similarity", "density")
        return
    bins = np.linspace(np.floor(every.min() * 10) / 10, np.ceil(every.max() * 10) / 10, _BINS)
    for values, colour, name in ((impostor, _IMPOSTOR, "different people"), (genuine, _GENUINE, "same person")):
        if not len(values):
            continue
        axes.hist(values, bins, density=True, color=colour, alpha=0.45, edgecolor="none")
        axes.hist(values, bins, density=True, color=colour, histtype="step", linewidth=1.3, label=name)
    at = min(report.at_thresholds, key=lambda a: abs(a.threshold - report.miss_threshold), default=None)
    label = f"best threshold {format_similarity(report.miss_threshold, 3)}"
    if at is not None:
        label = f"threshold {format_similarity(at.threshold, 3)} ({format_rate(at.target_fmr)})"
        axes.axvspan(at.unsure_low, at.threshold, color=_BAND, alpha=0.15, linewidth=0, label="unsure")
    axes.axvline(report.miss_threshold, color=_CURVE, linewidth=1.5, label=label)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.32)
    axes.legend(fontsize=8, loc="upper right", framealpha=0.92, edgecolor="none")
    _label(axes, "Scores", "similarity", "density")


def _draw_roc(axes: Any, report: Report) -> None:
    curve = thinned(report.roc(), _POINTS)
    axes.set_xscale("log")
    axes.step(np.maximum(curve.fmr, _SMALLEST_RATE / 10), curve.tar, where="post", color=_CURVE, linewidth=1.6)
    tars = [tar for tar in report.figures.tar if tar.fmr >= _SMALLEST_RATE]
    for tar in tars:
        colour = _CURVE if tar.supported else _MUTED
        axes.errorbar(
            tar.fmr, tar.tar.value,
            yerr=[[tar.tar.value - tar.tar.low], [tar.tar.high - tar.tar.value]],
            fmt="o", markersize=4.5, capsize=3, linewidth=1.1, color=colour,
            markerfacecolor=colour if tar.supported else "white",
        )  # fmt: skip
    axes.set_xlim(_SMALLEST_RATE / 1.6, 1)
    lowest = min([tar.tar.low for tar in tars], default=0.0)
    span = max(1.0 - lowest, 0.01)
    axes.set_ylim(lowest - 0.15 * span, 1 + 0.06 * span)
    _shade_unsupported(axes, report)
    _label(axes, f"ROC, AUC {report.figures.auc:.4f}", "false match rate (bars: 95 % intervals)", "true accept rate")


def _shade_unsupported(axes: Any, report: Report) -> None:
    limit = rule_of_three(report.identity_pairs)
    if limit <= _SMALLEST_RATE:
        return
    axes.axvspan(axes.get_xlim()[0], limit, color=_MUTED, alpha=0.10, linewidth=0)
    axes.text(
        0.02, 0.02, f"too few pairs\nbelow {format_rate(limit)}", transform=axes.transAxes, fontsize=8,
        color=_MUTED, va="bottom",
    )  # fmt: skip


def _probit(rates: Floats, smallest: float) -> Floats:
    normal = NormalDist()
    return np.array([normal.inv_cdf(rate) for rate in np.clip(rates, smallest, 1 - smallest).tolist()])


def _draw_det(axes: Any, report: Report) -> None:
    curve = thinned(report.roc(), _POINTS)
    figures = report.figures
    smallest = 0.3 / max(figures.genuine_pairs, figures.impostor_pairs)
    x, y = _probit(curve.fmr, smallest), _probit(curve.fnmr, smallest)
    axes.step(x, y, where="post", color=_CURVE, linewidth=1.6)
    known = [tick for tick in (1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5) if tick >= smallest]
    ticks = _probit(np.array(known), smallest)
    names = [f"{tick * 100:g} %" for tick in known]
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    low, high = _probit(np.array([smallest, 0.6]), smallest)
    axes.plot([low, high], [low, high], color=_MUTED, linewidth=0.8, linestyle=":")
    equal = figures.eer
    place = _probit(np.array([equal.value, equal.low, equal.high]), smallest)
    axes.plot([place[1], place[2]], [place[1], place[2]], color=_GENUINE, linewidth=3, alpha=0.5)
    axes.plot(place[0], place[0], "o", color=_GENUINE, markersize=5)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    interval = f"{equal.low * 100:.2f}–{format_share(equal.high)}"
    _label(axes, f"DET, EER {format_share(equal.value)} ({interval})", "false match rate", "false non-match rate")


def _draw_discard(axes: Any, curve: DiscardCurve) -> None:
    axes.plot(curve.shares * 100, curve.fnmr * 100, color=_CURVE, linewidth=1.6, label="lowest quality first")
    start = curve.points[0].at_random * 100
    axes.axhline(start, color=_MUTED, linewidth=1.0, linestyle="--", label="whatever the quality")
    axes.errorbar(
        [point.share * 100 for point in curve.points],
        [point.fnmr.value * 100 for point in curve.points],
        yerr=np.array([
            [(point.fnmr.value - point.fnmr.low) * 100, (point.fnmr.high - point.fnmr.value) * 100]
            for point in curve.points
        ]).T,
        fmt="o", markersize=4.5, capsize=3, linewidth=1.1, color=_CURVE,
    )  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, loc="upper right", framealpha=0.92, edgecolor="none")
    _label(
        axes, f"Error versus discard at {format_rate(curve.fmr)}", "photos left out, % (bars: 95 % intervals)",
        "same person missed, %",
    )  # fmt: skip
