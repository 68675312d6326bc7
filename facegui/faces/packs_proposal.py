"""What a network wants to be done to the pixels before it sees them, and finding that out from labelled faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facegui.errors import KnownError
from facegui.faces.types import Image

__all__ = [
    "CANDIDATES", "Preprocessing", "Proposal", "Tried", "candidates", "choose", "disguises", "numbers", "some_of",
]  # fmt: skip

Floats = NDArray[np.float64]

COLOURS = ("RGB", "BGR")
_SCALINGS: tuple[tuple[float | tuple[float, ...], float | tuple[float, ...]], ...] = (
    (127.5, 1 / 127.5),  # InsightFace's ArcFace
    (127.5, 1 / 128),  # MobileFaceNet and its kin
    (0.0, 1 / 255),
    (0.0, 1.0),  # the scaling lies inside the network
    ((123.675, 116.28, 103.53), (1 / 58.395, 1 / 57.12, 1 / 57.375)),  # ImageNet's means and deviations
)
_NEAR = 0.01
"""Ways whose separation differs by less than this share are taken for the same, and the more usual one wins."""
_NEAR_GUESS = 0.1
"""The same for disguises. They tell the scaling, but not the order of the colours: on the bundled networks the wrong
order came out between 4 % better and 7 % worse, the wrong scaling 55 % worse or more where it was not nearly right."""
_CERTAIN = 2.0  # standard errors


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What is done to RGB pixels, 0..255: ``(pixel - mean) * scale`` per channel, then the colours in this order.

    Attributes
    ----------
    colour : str
        ``RGB`` or ``BGR``.
    mean, scale : tuple of float
        One number for each of red, green and blue, whatever `colour` says.
    """

    colour: str
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]

    def apply(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return crops, RGB (n, height, width, 3), as the network wants them, in the same layout."""
        mean, scale = np.array(self.mean, np.float32), np.array(self.scale, np.float32)
        made: NDArray[np.float32] = (crops.astype(np.float32) - mean) * scale
        return made[..., ::-1] if self.colour == "BGR" else made

    def __str__(self) -> str:
        if set(self.scale) == {1.0} and not any(self.mean):
            return f"{self.colour}, pixels as they are"
        mean = _in_words(self.mean)
        pixel = f"(pixel - {mean})" if any(self.mean) else "pixel"
        return f"{self.colour}, {pixel} / {_in_words([1 / scale if scale else np.inf for scale in self.scale])}"


def _in_words(values: Sequence[float]) -> str:
    shown = [f"{value:.6g}" for value in values]
    return shown[0] if len(set(shown)) == 1 else f"[{', '.join(shown)}]"


def numbers(text: str) -> tuple[float, float, float]:
    """Read a mean or a scale: one number or three with commas between; ``1/128`` will do as well.

    Raises
    ------
    KnownError
        It is something else.
    """
    try:
        values = [
            float(over) / float(under or 1) for over, _, under in (part.partition("/") for part in text.split(","))
        ]
    except (ValueError, ZeroDivisionError):
        values = []
    if len(values) not in (1, 3) or not np.isfinite(values).all():
        raise KnownError(
            f"{text!r} is not a mean or a scale.",
            "It takes one number, or three for red, green and blue.",
            "Write for example 127.5, 1/128 or 123.7,116.3,103.5.",
        )
    return _three(values[0] if len(values) == 1 else tuple(values))


def _three(values: float | tuple[float, ...]) -> tuple[float, float, float]:
    if isinstance(values, float):
        return (values, values, values)
    return (values[0], values[1], values[2])


CANDIDATES = tuple(
    Preprocessing(colour, _three(mean), _three(scale)) for mean, scale in _SCALINGS for colour in COLOURS
)
"""The usual ways, the most usual first."""


def candidates(
    colour: str | None, mean: tuple[float, float, float] | None, scale: tuple[float, float, float] | None, whole: bool
) -> tuple[Preprocessing, ...]:
    """Return the ways that fit what is already known.

    Parameters
    ----------
    colour : str or None
        ``RGB`` or ``BGR``; None where it is to be found.
    mean, scale : tuple of float or None
        Both None where they are to be found; one of them alone leaves the other at 0 or 1.
    whole : bool
        The network takes whole numbers (uint8), so that nothing is left to scale.
    """
    colours = COLOURS if colour is None else (colour,)
    if whole:
        return tuple(Preprocessing(each, _three(0.0), _three(1.0)) for each in colours)
    if mean is not None or scale is not None:
        return tuple(Preprocessing(each, mean or _three(0.0), scale or _three(1.0)) for each in colours)
    return tuple(way for way in CANDIDATES if way.colour in colours)


@dataclass(frozen=True, slots=True)
class Tried:
    """One way and how well it keeps people apart.

    Attributes
    ----------
    way : Preprocessing
    separation : float
        d': distance of the means of genuine and impostor similarities in units of their pooled standard deviation
        (Daugman, 2000); minus infinity where the network gave no numbers that can be compared.
    order : float
        Share of (genuine, impostor) couples of pairs in which the genuine one is more similar: 0.5 is chance.
    """

    way: Preprocessing
    separation: float
    order: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """The way to use, and how it was found.

    Attributes
    ----------
    way : Preprocessing
    tried : tuple of Tried
        Best first.
    clear : bool
        Whether every way that differs noticeably lies more than two standard errors (jackknife over people) below.
    """

    way: Preprocessing
    tried: tuple[Tried, ...]
    clear: bool


def choose(
    ways: Sequence[Preprocessing],
    embed: Callable[[Preprocessing], NDArray[np.float32]],
    people: NDArray[np.int64],
    *,
    known: bool = True,
) -> Proposal:
    """Try ways of preprocessing and choose the one that keeps people apart best.

    Parameters
    ----------
    ways : sequence of Preprocessing
        The more usual one first.
    embed : callable
        Gives the vectors, (n, d), that the network makes of the faces when they are prepared so.
    people : ndarray of int64, shape (n,)
        Who is on each face; at least two people, one of them with two faces.
    known : bool
        Whether these are different photos, and not disguises of one photo for each; if not, nothing is clear.
    """
    pairs = _Pairs(people)
    scores = [pairs.scores(embed(way)) for way in ways]
    tried = [Tried(way, pairs.separation(s), pairs.order(s)) for way, s in zip(ways, scores, strict=True)]
    best = max(range(len(ways)), key=lambda place: tried[place].separation)
    top = tried[best].separation
    near = _NEAR if known else _NEAR_GUESS
    alike = [place for place in range(len(ways)) if tried[place].separation >= top - near * abs(top)]
    best = alike[0]
    clear = (
        known
        and bool(np.isfinite(top))
        and all(pairs.certainly_better(scores[best], scores[place]) for place in range(len(ways)) if place not in alike)
    )
    return Proposal(ways[best], tuple(sorted(tried, key=lambda each: -each.separation)), clear)


class _Pairs:
    """All pairs of some faces."""

    def __init__(self, people: NDArray[np.int64]) -> None:
        self._left, self._right = np.triu_indices(len(people), 1)
        self._who = np.stack([people[self._left], people[self._right]])
        self._same = self._who[0] == self._who[1]
        self._people = np.unique(people)
        if not self._same.any() or self._same.all():
            raise ValueError("there are no two faces of one person, or only one person")

    def scores(self, vectors: NDArray[np.float32]) -> Floats:
        """Return the cosine of each pair; NaN where a vector is useless."""
        wide = vectors.astype(np.float64)
        with np.errstate(all="ignore"):
            unit = wide / np.linalg.norm(wide, axis=1, keepdims=True)
        found: Floats = np.einsum("ij,ij->i", unit[self._left], unit[self._right])
        return found

    def separation(self, scores: Floats, among: NDArray[np.bool_] | None = None) -> float:
        """Return d' of some of the pairs."""
        among = np.ones(len(scores), bool) if among is None else among
        genuine, impostor = scores[self._same & among], scores[~self._same & among]
        spread = (genuine.var() + impostor.var()) / 2 if len(genuine) and len(impostor) else np.nan
        if not np.isfinite(spread) or spread <= 0:
            return -np.inf
        return float((genuine.mean() - impostor.mean()) / np.sqrt(spread))

    def order(self, scores: Floats) -> float:
        """Return the area under the ROC curve (Mann-Whitney)."""
        genuine, impostor = np.sort(scores[self._same]), np.sort(scores[~self._same])
        if not np.isfinite(scores).all():
            return 0.5
        below = np.searchsorted(impostor, genuine, "left") + np.searchsorted(impostor, genuine, "right")
        return float(below.mean() / 2 / len(impostor))

    def certainly_better(self, one: Floats, other: Floats) -> bool:
        """Tell whether a difference of d' is larger than chance, by leaving out one person after the other."""
        whole = self.separation(one) - self.separation(other)
        if whole == np.inf:
            return True
        parts = []
        for person in self._people:
            rest = ~(self._who == person).any(axis=0)
            difference = self.separation(one, rest) - self.separation(other, rest)
            if np.isfinite(difference):
                parts.append(difference)
        if len(parts) < 3:
            return False
        count = len(parts)
        error = float(np.sqrt((count - 1) / count * np.sum((np.array(parts) - np.mean(parts)) ** 2)))
        return whole > _CERTAIN * error


def some_of(people: Sequence[str], count: int, each: int = 4) -> list[int]:
    """Choose faces to try the ways on: of many people, and at least two of each as far as there are.

    Parameters
    ----------
    people : sequence of str
        Who is on each face.
    count : int
        So many faces at most.
    each : int
        So many of one person at most.

    Returns
    -------
    list of int
        Places, rising.
    """
    places: dict[str, list[int]] = {}
    for place, person in enumerate(people):
        places.setdefault(person, []).append(place)
    chosen: list[int] = []
    for own in sorted(places.values(), key=lambda own: -min(len(own), 2)):
        take = own[: min(each, count - len(chosen))]
        if len(take) < 2 and len(own) > 1:
            break
        chosen += take
    return sorted(chosen)


def disguises(crop: Image) -> list[Image]:
    """Return a face and changed copies of it that a good network still takes for the same person.

    They stand in for other photos where there are none: mirrored, darker, brighter, blurred, and shifted by a turn.
    """
    size = crop.shape[0]
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), 6.0, 1.04)
    changed = (
        crop[:, ::-1],
        cv2.convertScaleAbs(crop, alpha=0.6),
        cv2.convertScaleAbs(crop, alpha=1.3, beta=15),
        cv2.GaussianBlur(crop, (0, 0), 1.5),
        cv2.warpAffine(crop, turn, (size, size), borderMode=cv2.BORDER_REPLICATE),
    )
    return [crop, *(np.ascontiguousarray(each, np.uint8) for each in changed)]
