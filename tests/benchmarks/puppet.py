"""A person before a camera who does as asked, made of pieces of a clip: real frames, in the order of the words.

Jumps between pieces, and the enlarged picture for coming closer, are not what a real person looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from facegui.faces.liveness_challenge import Action, ChallengeState, ChallengeView
from facegui.faces.types import Frame

__all__ = ["MOVES", "RATE", "Puppet"]

RATE = 12.5
_REACTION, _RAMP, _HOLD = 0.4, 0.5, 0.6
_ZOOM = {Action.CLOSER: 1.35, Action.FARTHER: 0.75}

MOVES: dict[str, tuple[int, dict[Action, tuple[int, int]]]] = {
    "d3": (
        290,
        {
            Action.LEFT: (286, 279), Action.RIGHT: (30, 26), Action.DOWN: (105, 141), Action.BLINK: (48, 48),
            Action.MOUTH: (297, 299),
        },
    ),
    "d12": (2, {Action.LEFT: (54, 48), Action.RIGHT: (75, 79), Action.BLINK: (54, 51), Action.MOUTH: (95, 94)}),
    "d9": (342, {Action.RIGHT: (323, 328), Action.UP: (434, 434), Action.BLINK: (290, 295), Action.MOUTH: (70, 70)}),
    "d6": (940, {Action.LEFT: (845, 864), Action.DOWN: (644, 644), Action.BLINK: (394, 394), Action.MOUTH: (968, 970)}),
}  # fmt: skip
"""For each clip: the frame of rest, and for each movement the frames at its beginning and at its peak."""


@dataclass
class Puppet:
    """Plays the clip.

    Parameters
    ----------
    clip : sequence of Frame
    rest : int
    moves : mapping
        As in `MOVES`.
    ask : callable
        Returns what is asked for now; None without a challenge.
    """

    clip: Sequence[Frame]
    rest: int
    moves: dict[Action, tuple[int, int]]
    ask: Callable[[], ChallengeView | None]
    shown: list[Action] = field(default_factory=list)

    @property
    def able(self) -> frozenset[Action]:
        """The movements that it can make."""
        return frozenset({*self.moves, *_ZOOM})

    def frames(self, seconds: float = 60.0, seed: int = 0, *, stop: bool = True) -> Iterator[Frame]:
        """Play so long, or with `stop` until the challenge ends."""
        rng = np.random.default_rng(seed)
        began, doing, done = 0.0, None, -1
        for number in range(round(seconds * RATE)):
            now = number / RATE
            view = self.ask()
            if stop and view is not None and view.state in (ChallengeState.PASSED, ChallengeState.FAILED):
                return
            if view is not None and view.state is ChallengeState.ASKED and view.done != done and doing is None:
                doing, began, done = view.action, now + _REACTION, view.done
                self.shown.append(doing)
            share = _share(now - began) if doing is not None else 0.0
            if doing is not None and now - began > 2 * _RAMP + _HOLD:
                doing, share = None, 0.0
            yield self._frame(doing, share, now, rng)

    def _frame(self, action: Action | None, share: float, now: float, rng: np.random.Generator) -> Frame:
        index, zoom = self.rest + int(rng.integers(-1, 2)), 1.0
        if action in _ZOOM:
            zoom = 1 + (_ZOOM[action] - 1) * share
        elif action in self.moves and share > 0:
            start, peak = self.moves[action]
            index = round(start + (peak - start) * share)
        pixels = self.clip[min(max(index, 0), len(self.clip) - 1)].pixels
        if zoom != 1:
            height, width = pixels.shape[:2]
            matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, zoom)
            pixels = cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        noisy = pixels.astype(np.int16) + rng.integers(-2, 3, pixels.shape, np.int16)
        return Frame(np.clip(noisy, 0, 255).astype(np.uint8), "puppet", time=now)


def _share(since: float) -> float:
    """How far a movement is: up, held, back."""
    if since < 0:
        return 0.0
    return float(np.clip(min(since / _RAMP, (2 * _RAMP + _HOLD - since) / _RAMP), 0, 1))
