"""The evidence card as one HTML document, for the window and for a file."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from typing import Final

from facegui.gallery.records import DecisionRecord, Outcome
from facegui.matching.wording import format_similarity
from facegui.services.evidence import EvidenceCard

__all__ = ["PAPER", "SheetColours", "html_of"]

_WIDTH, _HEIGHT, _LOWEST = 480, 150, -0.2
_WORDS: Final = {Outcome.MATCH: "✓ Match", Outcome.NO_MATCH: "✕ No match", Outcome.UNSURE: "? Unsure"}


@dataclass(frozen=True, slots=True)
class SheetColours:
    """Colours of the document, each as HTML writes it."""

    background: str
    text: str
    muted: str
    plot: str
    band: str
    match: str
    no_match: str
    unsure: str


PAPER: Final = SheetColours(
    "#ffffff", "#1b1f24", "#5b6470", "#f3f5f8", "#f0dfb8", match="#00796b", no_match="#b3400f", unsure="#8a5a00"
)
"""For a file, which is read and printed anywhere."""


def html_of(card: EvidenceCard, decision: DecisionRecord, colours: SheetColours = PAPER) -> str:
    """Return one HTML document that needs nothing else: crops and plot lie inside."""
    word, colour = _WORDS[decision.outcome], getattr(colours, decision.outcome.name.lower())
    claim = decision.person_name or decision.reference or "another face"
    when = decision.time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if decision.time is not None else ""
    other = f", {format_similarity(decision.margin)} above the next person" if decision.margin is not None else ""
    rows = [
        ("Claim", claim), ("Decided", when), ("Camera" if card.frames else "Photo", decision.probe),
        ("Similarity", f"{format_similarity(decision.similarity)}{other}"),
        ("Threshold", f"{format_similarity(card.threshold)}{_rarity(decision.target_fmr)}"),
        ("Quality", card.quality), ("Model", card.model), ("Runs on", card.provider),
    ]  # fmt: skip
    if card.frames:
        rows.insert(5, ("Frames", f"{card.frames} counted"))
    if card.verdict:
        rows.append(("Proof of life", card.verdict))
    if card.movements:
        rows.append(("Movements made", ", ".join(card.movements)))
    rows += [(name, f"{value:.2f}, limit {limit:g} ({state})") for name, value, limit, state in card.liveness]
    cells = "".join(
        f'<tr><td style="color:{colours.muted};padding:2px 16px 2px 0">{escape(name)}</td><td>{escape(value)}</td></tr>'
        for name, value in rows
    )
    crops = " ".join(
        f'<img width="88" height="88" alt="face" src="data:image/png;base64,{base64.b64encode(crop).decode()}">'
        for crop in card.crops
    )
    plot = (
        f'<p><img width="{_WIDTH}" height="{_HEIGHT}" alt="scores over time" src="data:image/svg+xml;base64,'
        f'{base64.b64encode(_plot(card, colour, colours).encode()).decode()}"></p>'
        if card.frames
        else ""
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Evidence</title></head>'
        f'<body style="font-family:sans-serif;color:{colours.text};background:{colours.background};margin:24px">'
        f'<h2 style="color:{colour}">{escape(word)}</h2><p>{crops}</p>{plot}<table>{cells}</table></body></html>'
    )


def _rarity(rate: float) -> str:
    return f", reached by about 1 stranger in {round(1 / rate):,}" if 0 < rate < 1 else ""


def _plot(card: EvidenceCard, colour: str, colours: SheetColours) -> str:
    """Return the scores over time with threshold and unsure band, as SVG."""
    left, right, top, bottom = 34, _WIDTH - 10, 8, _HEIGHT - 22
    begin = min([seconds for seconds, _, _ in card.scores] + [-1.0])

    def x(seconds: float) -> float:
        return right - seconds / begin * (right - left)

    def y(score: float) -> float:
        return bottom - (min(1.0, max(_LOWEST, score)) - _LOWEST) / (1 - _LOWEST) * (bottom - top)

    high, low = y(card.threshold), y(card.unsure_low)
    text = f'font-family="sans-serif" font-size="11" fill="{colours.muted}"'
    points = " ".join(f"{x(seconds):.1f},{y(score):.1f}" for seconds, score, _ in card.scores)
    dots = "".join(
        f'<circle cx="{x(seconds):.1f}" cy="{y(score):.1f}" r="{1 + 2 * weight:.1f}" fill="{colour}"/>'
        for seconds, score, weight in card.scores
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" fill="{colours.plot}"/>'
        f'<rect x="{left}" y="{high:.1f}" width="{right - left}" height="{max(0.0, low - high):.1f}" '
        f'fill="{colours.band}"/>'
        f'<line x1="{left}" x2="{right}" y1="{high:.1f}" y2="{high:.1f}" stroke="{colours.muted}" '
        'stroke-dasharray="5 3"/>'
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>{dots}'
        f'<text x="2" y="{y(1) + 8:.0f}" {text}>1.0</text><text x="2" y="{high + 4:.0f}" {text}>'
        f'{card.threshold:.2f}</text><text x="2" y="{bottom:.0f}" {text}>\N{MINUS SIGN}{-_LOWEST}</text>'
        f'<text x="{left}" y="{_HEIGHT - 6}" {text}>{-begin:.1f} s before</text>'
        f'<text x="{right - 50}" y="{_HEIGHT - 6}" {text}>decision</text></svg>'
    )
