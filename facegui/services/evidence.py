"""The evidence card of a decision: what is shown beside it, kept with it, and written into one file.

A card holds no names: they stand in the decision that it lies in, and go with the people. Its crops are pictures of the
faces that were compared, and private as such.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from facegui.errors import KnownError
from facegui.faces.types import Face, Image

if TYPE_CHECKING:
    from facegui.matching.decision import Rule
    from facegui.services.live_values import LiveTrack, LiveView
    from facegui.services.values import Comparison

__all__ = ["CARD_CROPS", "EvidenceCard", "Looks", "card_of", "photo_card_of"]

CARD_CROPS: Final = 5
"""So many of the best crops are kept on a card."""

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class EvidenceCard:
    """What a decision rests on.

    Attributes
    ----------
    scores : tuple of (float, float, float)
        Of each frame: seconds before the decision (0 or less), cosine, quality as its weight.
    threshold, unsure_low : float
        Cosines.
    crops : tuple of bytes
        PNG files: of a live decision those of the face before the camera, the best first; of photos that of the claim,
        where it is a photo too, and that of the probe.
    quality : str
        Quality of the newest face in words, or of both photos.
    liveness : tuple of (str, float, float, str)
        Of each cue that was measured: name, value, limit, how it speaks.
    movements : tuple of str
        Movements made as asked.
    verdict : str
        What the proof of life came to; empty where none was wanted.
    model, provider : str
        In words.
    frames : int
        Frames that count; 0 where photos were compared.
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


def photo_card_of(comparison: Comparison, rule: Rule) -> EvidenceCard:
    """Return the card of a decision on photos."""
    left, right = comparison.left, comparison.right
    faces = [face for face in (left, right) if face is not None]
    return EvidenceCard(
        ((0.0, round(comparison.similarity, 4), round(right.quality.score, 3)),), rule.threshold, rule.unsure_low,
        tuple(_png(face.crop) for face in faces), "; ".join(_quality(face) for face in faces), (), (), "",
        comparison.model.title, comparison.provider.active, 0,
    )  # fmt: skip


def _quality(face: Face | None) -> str:
    if face is None:
        return ""
    return ", ".join([f"{face.quality.score:.2f}", *(reason.value for reason in face.quality.reasons)])


def _png(crop: Image) -> bytes:
    done, data = cv2.imencode(".png", np.ascontiguousarray(crop[..., ::-1]))
    if not done:
        raise ValueError("the crop cannot be written")
    return bytes(data.tobytes())
