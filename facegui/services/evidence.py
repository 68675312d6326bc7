"""The evidence card of a live decision: what is shown beside it, kept with it, and written into one file.

A card holds no names: they stand in the decision that it lies in, and go with the people. Its crops are pictures of the
face that was before the camera, and private as such.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from facegui.errors import KnownError
from facegui.faces.types import Face, Image
from facegui.gallery.records import DecisionRecord
from facegui.matching.wording import format_similarity

if TYPE_CHECKING:
    from facegui.matching.decision import Rule
    from facegui.services.live_values import LiveTrack, LiveView

__all__ = ["CARD_CROPS", "EvidenceCard", "Looks", "card_of", "html_of"]

CARD_CROPS: Final = 5
"""So many of the best crops are kept on a card."""

_VERSION: Final = 1
_WIDTH, _HEIGHT, _LOWEST = 480, 150, -0.2
_WORDS: Final = {"match": "✓ Match", "no_match": "✕ No match", "unsure": "? Unsure"}
_COLOURS: Final = {"match": "#00796b", "no_match": "#b3400f", "unsure": "#8a5a00"}


@dataclass(frozen=True, slots=True)
class EvidenceCard:
    """What a live decision rests on.

    Attributes
    ----------
    scores : tuple of (float, float, float)
        Of each frame: seconds before the decision (0 or less), cosine, quality as its weight.
    threshold, unsure_low : float
        Cosines.
    crops : tuple of bytes
        PNG files, the best first.
    quality : str
        Quality of the newest face in words.
    liveness : tuple of (str, float, float, str)
        Of each cue that was measured: name, value, limit, how it speaks.
    movements : tuple of str
        Movements made as asked.
    verdict : str
        What the proof of life came to; empty where none was wanted.
    model, provider : str
        In words.
    frames : int
        Frames that count.
    """

    scores: tuple[tuple[float, float, float], ...]
    threshold: float
    unsure_low: float
    crops: tuple[bytes, ...]
    quality: str
    liveness: tuple[tuple[str, float, float, str], ...]
    movements: tuple[str, ...]
    verdict: str
    model: str
    provider: str
    frames: int

    def to_bytes(self) -> bytes:
        """Return the card as a JSON document."""
        values = {name: getattr(self, name) for name in self.__slots__}
        values["crops"] = [base64.b64encode(crop).decode() for crop in self.crops]
        return json.dumps({"version": _VERSION, **values}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> EvidenceCard:
        """Read a card again.

        Raises
        ------
        KnownError
            It is damaged, or of a newer version.
        """
        try:
            values: dict[str, Any] = json.loads(data)
            if values.pop("version") != _VERSION:
                raise ValueError("another version")
            return cls(
                scores=tuple((float(s), float(c), float(w)) for s, c, w in values["scores"]),
                threshold=float(values["threshold"]), unsure_low=float(values["unsure_low"]),
                crops=tuple(base64.b64decode(crop, validate=True) for crop in values["crops"]),
                quality=str(values["quality"]),
                liveness=tuple((str(n), float(v), float(li), str(s)) for n, v, li, s in values["liveness"]),
                movements=tuple(map(str, values["movements"])), verdict=str(values["verdict"]),
                model=str(values["model"]), provider=str(values["provider"]), frames=int(values["frames"]),
            )  # fmt: skip
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise KnownError(
                "The evidence of this decision cannot be read.",
                "It is damaged, or a newer version of facegui wrote it.",
                "The decision itself is in the history as before.",
            ) from error


class Looks:
    """Keeps the crops of the face in front for as long as its frames count."""

    def __init__(self) -> None:
        self._track = -1
        self._seen: list[tuple[float, float, Image]] = []

    def add(self, view: LiveView) -> None:
        """Take the newest frame."""
        front = view.front
        if front is None or front.track.face is None:
            return
        if front.track.id != self._track:
            self._track, self._seen = front.track.id, []
        moments = {moment.seconds for moment in front.moments}
        self._seen = [look for look in self._seen if look[0] in moments]
        if view.seconds in moments:
            face = front.track.face
            self._seen.append((view.seconds, face.quality.score, face.crop))

    def best(self, count: int = CARD_CROPS) -> tuple[Image, ...]:
        """Return the crops of the best frames, the best first."""
        return tuple(crop for _, _, crop in sorted(self._seen, key=lambda look: -look[1])[:count])


def card_of(
    shown: LiveTrack, view: LiveView, rule: Rule, crops: Sequence[Image], model: str, provider: str
) -> EvidenceCard:
    """Return the card of a live decision.

    Parameters
    ----------
    shown : LiveTrack
    view : LiveView
        Of the frame that decided.
    rule : Rule
    crops : sequence of Image
        Those used, the best first.
    model, provider : str
        In words.
    """
    report = view.liveness
    challenge = report.challenge if report is not None else None
    return EvidenceCard(
        tuple(
            (round(moment.seconds - view.seconds, 3), round(moment.similarity, 4), round(moment.weight, 3))
            for moment in shown.moments
            if moment.similarity == moment.similarity
        ),
        rule.threshold,
        rule.unsure_low,
        tuple(_png(crop) for crop in crops),
        _quality(shown.track.face),
        tuple(
            (cue.kind.value, round(cue.value, 4), cue.limit, cue.state.value)
            for cue in (report.cues if report is not None else ())
            if cue.value == cue.value
        ),
        tuple(name for name, _, _ in challenge.measured) if challenge is not None else (),
        f"{report.verdict.value}: {report.reason}" if report is not None else "",
        model,
        provider,
        shown.fused.frames,
    )


def html_of(card: EvidenceCard, decision: DecisionRecord) -> str:
    """Return one HTML document that needs nothing else: crops and plot lie inside."""
    word, colour = _WORDS[decision.outcome.value], _COLOURS[decision.outcome.value]
    claim = decision.person_name or decision.reference or "another face"
    when = decision.time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if decision.time is not None else ""
    other = f", {format_similarity(decision.margin)} above the next person" if decision.margin is not None else ""
    rows = [
        ("Claim", claim), ("Decided", when), ("Camera", decision.probe),
        ("Similarity", f"{format_similarity(decision.similarity)}{other}"),
        ("Threshold", f"{format_similarity(card.threshold)}{_rarity(decision.target_fmr)}"),
        ("Frames", f"{card.frames} counted"), ("Quality", card.quality),
        ("Model", card.model), ("Runs on", card.provider),
    ]  # fmt: skip
    if card.verdict:
        rows.append(("Proof of life", card.verdict))
    if card.movements:
        rows.append(("Movements made", ", ".join(card.movements)))
    rows += [(name, f"{value:.2f}, limit {limit:g} ({state})") for name, value, limit, state in card.liveness]
    cells = "".join(
        f'<tr><td style="color:#5b6470;padding:2px 16px 2px 0">{escape(name)}</td><td>{escape(value)}</td></tr>'
        for name, value in rows
    )
    crops = " ".join(
        f'<img width="88" height="88" alt="face" src="data:image/png;base64,{base64.b64encode(crop).decode()}">'
        for crop in card.crops
    )
    plot = base64.b64encode(_plot(card, colour).encode()).decode()
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Evidence</title></head>'
        '<body style="font-family:sans-serif;color:#1b1f24;background:#ffffff;margin:24px">'
        f'<h2 style="color:{colour}">{escape(word)}</h2><p>{crops}</p>'
        f'<p><img width="{_WIDTH}" height="{_HEIGHT}" alt="scores over time" '
        f'src="data:image/svg+xml;base64,{plot}"></p><table>{cells}</table></body></html>'
    )


def _rarity(rate: float) -> str:
    return f", reached by about 1 stranger in {round(1 / rate):,}" if 0 < rate < 1 else ""


def _plot(card: EvidenceCard, colour: str) -> str:
    """Return the scores over time with threshold and unsure band, as SVG."""
    left, right, top, bottom = 34, _WIDTH - 10, 8, _HEIGHT - 22
    begin = min([seconds for seconds, _, _ in card.scores] + [-1.0])

    def x(seconds: float) -> float:
        return right - seconds / begin * (right - left)

    def y(score: float) -> float:
        return bottom - (min(1.0, max(_LOWEST, score)) - _LOWEST) / (1 - _LOWEST) * (bottom - top)

    high, low = y(card.threshold), y(card.unsure_low)
    text = 'font-family="sans-serif" font-size="11" fill="#5b6470"'
    points = " ".join(f"{x(seconds):.1f},{y(score):.1f}" for seconds, score, _ in card.scores)
    dots = "".join(
        f'<circle cx="{x(seconds):.1f}" cy="{y(score):.1f}" r="{1 + 2 * weight:.1f}" fill="{colour}"/>'
        for seconds, score, weight in card.scores
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" fill="#f3f5f8"/>'
        f'<rect x="{left}" y="{high:.1f}" width="{right - left}" height="{max(0.0, low - high):.1f}" fill="#f0dfb8"/>'
        f'<line x1="{left}" x2="{right}" y1="{high:.1f}" y2="{high:.1f}" stroke="#5b6470" stroke-dasharray="5 3"/>'
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>{dots}'
        f'<text x="2" y="{y(1) + 8:.0f}" {text}>1.0</text><text x="2" y="{high + 4:.0f}" {text}>'
        f'{card.threshold:.2f}</text><text x="2" y="{bottom:.0f}" {text}>{_LOWEST}</text>'
        f'<text x="{left}" y="{_HEIGHT - 6}" {text}>{-begin:.1f} s before</text>'
        f'<text x="{right - 50}" y="{_HEIGHT - 6}" {text}>decision</text></svg>'
    )


def _quality(face: Face | None) -> str:
    if face is None:
        return ""
    return ", ".join([f"{face.quality.score:.2f}", *(reason.value for reason in face.quality.reasons)])


def _png(crop: Image) -> bytes:
    done, data = cv2.imencode(".png", np.ascontiguousarray(crop[..., ::-1]))
    if not done:
        raise ValueError("the crop cannot be written")
    return bytes(data.tobytes())
