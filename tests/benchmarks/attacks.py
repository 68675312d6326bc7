"""Presentation attacks made of photos and videos: prints and screens before a camera.

They are pictures of attacks, not attacks: no paper, no screen and no lens was used. Geometry and sampling are right
(plane, perspective, the grid of a screen sampled by a camera's pixels), while paper texture, real lenses, real exposure
and rolling shutters are missing. Error rates on them say whether a cue sees what it is made for, and not how many
attackers would pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from facegui.faces.types import Frame

__all__ = ["ATTACKS", "Attack", "attack"]


@dataclass(frozen=True, slots=True)
class Attack:
    """How a picture is presented.

    Attributes
    ----------
    turn, nod : float
        How far the plane swings to the sides and up and down, degrees.
    border : bool
        Whether paper's or screen's edge is in the picture.
    screen : bool
        A screen with its grid, black level and bluish light; otherwise paper.
    glare : bool
        A lamp's reflection.
    bend : float
        Paper bent about its upright axis: half the angle it spans, degrees.
    moves : bool
        Whether the hand moves at all.
    """

    turn: float = 25.0
    nod: float = 8.0
    border: bool = True
    screen: bool = False
    glare: bool = False
    bend: float = 0.0
    moves: bool = True


ATTACKS = {
    "print held still": Attack(turn=0, nod=0, moves=False),
    "print waved": Attack(),
    "print waved, tight crop": Attack(border=False),
    "print bent": Attack(turn=12, bend=35.0),
    "screen, replay": Attack(turn=4, nod=3, screen=True),
    "screen, replay, tight crop": Attack(turn=4, nod=3, screen=True, border=False),
    "screen, replay, glare": Attack(turn=10, nod=5, screen=True, glare=True),
}

_FOCAL = 1.6
"""Focal length over the width of the picture, as webcams have it."""


def attack(frames: Iterator[Frame], how: Attack, *, seed: int = 0) -> Iterator[Frame]:
    """Show each frame as a print or on a screen before a camera of the same size."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, 4)
    for frame in frames:
        height, width = frame.pixels.shape[:2]
        shown = _screen(frame.pixels) if how.screen else _paper(frame.pixels)
        if how.border:
            shown = _edged(shown, how.screen)
        t = frame.time
        turn = how.turn * np.sin(1.1 * t + phase[0]) if how.moves else 0.0
        nod = how.nod * np.sin(0.7 * t + phase[1]) if how.moves else 0.0
        shift = (0.01 * np.sin(2.3 * t + phase[2]), 0.01 * np.cos(1.9 * t + phase[3])) if how.moves else (0.0, 0.0)
        if how.bend:
            shown = _bent(shown, how.bend, turn)
            turn = 0.0
        pixels = _seen(shown, (width, height), turn, nod, shift, 0.78 if how.border else 1.12)
        if how.glare:
            pixels = _glare(pixels, (0.5 + 0.15 * np.sin(t), 0.4))
        noise = rng.normal(0, 2.0, pixels.shape)
        yield Frame(np.clip(pixels.astype(np.float32) + noise, 0, 255).astype(np.uint8), frame.source, time=t)


def _paper(pixels: np.ndarray) -> np.ndarray:
    """Ink on paper: black is grey, colours are duller, fine detail is gone."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 0.8).astype(np.float32)
    grey = soft.mean(2, keepdims=True)
    return np.clip(28 + 0.82 * (0.75 * soft + 0.25 * grey), 0, 255).astype(np.uint8)


def _screen(pixels: np.ndarray) -> np.ndarray:
    """Three stripes of colour to a pixel of the screen, drawn four times finer than the camera sees."""
    factor = 4
    large = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    height, width = large.shape[:2]
    # A screen's pixel is 5.3 of these wide and high, so that its grid and the camera's beat.
    across = (np.arange(width) / 5.3) % 1
    down = ((np.arange(height) / 5.3) % 1 < 0.86).astype(np.float32)
    for channel in range(3):
        lit = ((across >= channel / 3 - 0.04) & (across < (channel + 1) / 3 + 0.04)).astype(np.float32)
        large[:, :, channel] *= (0.35 + 0.65 * lit)[None] * (0.4 + 0.6 * down)[:, None]
    return np.clip(14 + large * np.array([1.5, 1.55, 1.75]), 0, 255).astype(np.uint8)


def _edged(shown: np.ndarray, screen: bool) -> np.ndarray:
    rim = round(0.04 * shown.shape[1])
    return cv2.copyMakeBorder(shown, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(12,) * 3 if screen else (238,) * 3)


def _bent(shown: np.ndarray, half: float, turn: float) -> np.ndarray:
    """Bend the picture around an upright cylinder that is turned: seen from far away, before the plane's own pose."""
    height, width = shown.shape[:2]
    span = np.radians(half)
    out = (np.arange(width) / (width - 1) * 2 - 1) * np.sin(span)
    angle = np.clip(np.arcsin(np.clip(out, -1, 1)) + np.radians(turn), -span, span)
    across = ((angle / span + 1) / 2 * (width - 1)).astype(np.float32)
    columns = np.broadcast_to(across, (height, width))
    rows = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], (height, width))
    return cv2.remap(shown, np.ascontiguousarray(columns), np.ascontiguousarray(rows), cv2.INTER_LINEAR)


def _seen(
    shown: np.ndarray, size: tuple[int, int], turn: float, nod: float, shift: tuple[float, float], share: float
) -> np.ndarray:
    """Return what a camera sees of a plane that fills `share` of its picture."""
    height, width = shown.shape[:2]
    half = share / 2
    plane = np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])
    plane[:, 1] *= height / width
    a, b = np.radians(turn), np.radians(nod)
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    placed = plane @ (about_x @ about_y).T + np.array([*shift, _FOCAL])
    seen = placed[:, :2] / placed[:, 2:] * _FOCAL * size[0] + np.array(size) / 2
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    matrix = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    soft = cv2.GaussianBlur(shown, (0, 0), max(0.6, 0.3 * width / size[0] / share))
    wall = np.linspace(150, 110, size[1])[:, None, None] * np.ones((1, size[0], 3))
    room = np.ascontiguousarray(wall.astype(np.uint8))
    return cv2.warpPerspective(soft, matrix, size, dst=room, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)


def _glare(pixels: np.ndarray, place: tuple[float, float]) -> np.ndarray:
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    far = ((x / width - place[0]) / 0.06) ** 2 + ((y / height - place[1]) / 0.1) ** 2
    return np.clip(pixels + 320 * np.exp(-(far[..., None] ** 2)), 0, 255).astype(np.uint8)
