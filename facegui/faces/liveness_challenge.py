"""The active challenge: movements in a random order that no recording can know.

The head's pose, the eyes, the mouth and the size of the face are measured against the person's own rest. Each movement
is asked for only once the person rests, after a pause that cannot be foretold, must begin no sooner than anybody can
react, and must be done in time. Another movement, instead of the one asked for or in the pause before it, fails the
challenge, because that is what a recording of another session shows.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from random import Random
from typing import Any

import numpy as np

from facegui.faces.types import DenseLandmarks

__all__ = ["Action", "Challenge", "ChallengeLimits", "ChallengeState", "ChallengeView", "Signs", "draw"]


class Action(StrEnum):
    """A movement; left and right are the person's own."""

    LEFT = "turn left"
    RIGHT = "turn right"
    UP = "look up"
    DOWN = "look down"
    BLINK = "close the eyes"
    MOUTH = "open the mouth"
    CLOSER = "come closer"
    FARTHER = "move back"


_OF_THEMSELVES = frozenset({Action.BLINK, Action.MOUTH, Action.UP, Action.DOWN})
"""What people do unasked while they wait: they blink, speak and nod. It is no rest, but no wrong movement either."""


class ChallengeState(StrEnum):
    """How far a challenge is."""

    REST = "rest"
    """The person's rest is being measured, or they are to return to it."""
    ASKED = "asked"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Signs:
    """What is measured of a face in one frame.

    Attributes
    ----------
    seconds : float
    yaw, pitch : float
        Degrees, signs as in `facegui.faces.types.Quality`.
    eyes : float
        How far the eyes are open, mean of both, height over width.
    mouth : float
        How far the mouth is open, height over width.
    size : float
        Height of the face in pixels.
    """

    seconds: float
    yaw: float
    pitch: float
    eyes: float
    mouth: float
    size: float

    @classmethod
    def of(cls, dense: DenseLandmarks, seconds: float) -> Signs:
        """Return the signs of a face.

        The size is measured in three dimensions, so that a nod does not look like moving back.
        """
        forehead, chin = dense.points[10], dense.points[152]
        size = float(np.linalg.norm(forehead - chin))
        return cls(seconds, dense.yaw, dense.pitch, (dense.right_eye + dense.left_eye) / 2, dense.mouth, size)


@dataclass(frozen=True, slots=True)
class ChallengeLimits:
    """Numbers that steer the challenge; they stand in the manifest.

    Attributes
    ----------
    actions : int
        Movements in one challenge.
    turn, nod : float
        Degrees from rest that count as the movement.
    eyes : float
        Eyes closed to this share of their rest.
    eyes_seconds : float
        For so long; natural blinks are shorter.
    mouth : float
        How much wider than at rest the mouth must be open.
    closer, farther : float
        Size of the face over its rest.
    neutral : float
        A movement of less than this share of its limit is rest.
    rest_seconds : float
        How long the rest is measured at first.
    lowered : float
        Closed eyes count only while the head is lowered by less than this share of a nod: lids follow a lowered gaze.
    pause_least, pause_most : float
        How long the person must rest before the next movement is asked for: drawn anew each time.
    settle : float
        A turn of the head or a step that nobody asked for fails the challenge once the rest has lasted so long; until
        then a head that swings past its rest is coming to it.
    reaction : float
        Seconds before which nobody can have reacted.
    hold : float
        Seconds that a movement is held.
    step_seconds : float
        Time for one movement.
    rest_limit : float
        Time to come to rest.
    gap : float
        A face that is lost for so long fails the challenge: it may be another one afterwards.
    """

    actions: int
    turn: float
    nod: float
    eyes: float
    eyes_seconds: float
    mouth: float
    closer: float
    farther: float
    neutral: float
    rest_seconds: float
    lowered: float
    pause_least: float
    pause_most: float
    settle: float
    reaction: float
    hold: float
    step_seconds: float
    rest_limit: float
    gap: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> ChallengeLimits:
        """Read the limits from the manifest's ``[challenge]`` table; KeyError when one is missing."""
        numbers = {item.name: float(table[item.name]) for item in fields(cls)}
        return cls(**{**numbers, "actions": int(table["actions"])})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ChallengeView:
    """What the person is to do now.

    Attributes
    ----------
    state : ChallengeState
    action : Action or None
        The movement asked for; None at rest and after the end.
    done, total : int
        Movements done, and all.
    left : float
        Seconds left for this movement or rest.
    reason : str
        Why it failed; empty otherwise.
    measured : tuple of (str, float, float)
        For each movement done: its name, its value, its limit.
    """

    state: ChallengeState
    action: Action | None
    done: int
    total: int
    left: float
    reason: str = ""
    measured: tuple[tuple[str, float, float], ...] = ()


def draw(count: int, random: Random | None = None) -> tuple[Action, ...]:
    """Return movements in a random order, none twice; a turn of the head, which shows depth, is always among them.

    Each such order is as likely as any other; four movements have 1,320.
    """
    chance = random or secrets.SystemRandom()
    everything = list(Action)
    while True:
        chosen = chance.sample(everything, count)
        if Action.LEFT in chosen or Action.RIGHT in chosen:
            return tuple(chosen)


class Challenge:
    """One challenge; not for several threads at once.

    Parameters
    ----------
    limits : ChallengeLimits
    random : Random, optional
        The system's own generator by default, which cannot be foretold; tests pass another.
    """

    def __init__(self, limits: ChallengeLimits, random: Random | None = None) -> None:
        self._limits = limits
        self._random: Random = random or secrets.SystemRandom()
        self.actions = draw(limits.actions, self._random)
        self._rest: list[Signs] = []
        self._base: Signs | None = None
        self._begun: float | None = None
        self._last = 0.0
        self._asked: float | None = None
        self._quiet: float | None = None
        self._settled = False
        self._pause = 0.0
        self._since: dict[Action, float] = {}
        self._measured: list[tuple[str, float, float]] = []
        self._ended: ChallengeView | None = None

    def add(self, signs: Signs) -> ChallengeView:
        """Take the next frame and return what the person is to do."""
        if self._ended is not None:
            return self._ended
        if self._begun is None:
            self._begun = self._last = signs.seconds
        away, self._last = signs.seconds - self._last > self._limits.gap, signs.seconds
        if self._base is None:
            if away:  # nothing was asked yet: begin anew, as after the pause in which networks are loaded
                self._rest, self._begun = [], signs.seconds
            return self._measure_rest(signs)
        if away:
            return self._fail("The face was out of sight. Start again.")
        shares = self._shares(signs)
        return self._answer(signs.seconds, shares) if self._asked is not None else self._return(signs.seconds, shares)

    def lost(self, seconds: float) -> ChallengeView | None:
        """Say that no face is seen; return the view, or None before the first face."""
        if self._ended is not None or self._begun is None:
            return self._ended
        if seconds - self._last > self._limits.gap:
            return self._fail("The face was out of sight. Start again.")
        return self._view(ChallengeState.REST, self._limits.gap)

    def _measure_rest(self, signs: Signs) -> ChallengeView:
        limits = self._limits
        self._rest = [*(s for s in self._rest if signs.seconds - s.seconds <= limits.rest_seconds), signs]
        long = signs.seconds - self._rest[0].seconds >= 0.8 * limits.rest_seconds
        if long and len(self._rest) >= 3 and self._steady():
            middle = {f.name: float(np.median([getattr(s, f.name) for s in self._rest])) for f in fields(Signs)}
            self._base = Signs(**middle)
            self._begun, self._quiet, self._pause = signs.seconds, signs.seconds, self._draw_pause()
        elif self._begun is not None and signs.seconds - self._begun > limits.rest_limit:
            return self._fail("The head did not come to rest. Look at the camera and hold still, then start again.")
        return self._view(ChallengeState.REST, limits.rest_limit - (signs.seconds - (self._begun or 0.0)))

    def _steady(self) -> bool:
        limits = self._limits
        yaw, pitch = (np.ptp([getattr(s, name) for s in self._rest]) for name in ("yaw", "pitch"))
        return bool(yaw < limits.turn * limits.neutral and pitch < limits.nod * limits.neutral)

    def _shares(self, signs: Signs) -> dict[Action, float]:
        """Return how far each movement is done: 1 and more is done."""
        limits, base = self._limits, self._base
        assert base is not None
        yaw, pitch = signs.yaw - base.yaw, signs.pitch - base.pitch
        size = signs.size / max(base.size, 1e-6)
        closed = (1 - signs.eyes / max(base.eyes, 1e-6)) / (1 - limits.eyes)
        return {
            Action.LEFT: yaw / limits.turn,
            Action.RIGHT: -yaw / limits.turn,
            Action.UP: pitch / limits.nod,
            Action.DOWN: -pitch / limits.nod,
            Action.BLINK: closed if -pitch < limits.lowered * limits.nod else 0.0,
            Action.MOUTH: (signs.mouth - base.mouth) / limits.mouth,
            Action.CLOSER: (size - 1) / (limits.closer - 1),
            Action.FARTHER: (1 - size) / (1 - limits.farther),
        }

    def _return(self, now: float, shares: Mapping[Action, float]) -> ChallengeView:
        """Wait until the person rests, then ask for the next movement after a pause that cannot be foretold."""
        limits = self._limits
        # Eyes blink whenever they want to.
        moved: dict[Action, float] = {action: share for action, share in shares.items() if action is not Action.BLINK}
        telling = {action: share for action, share in moved.items() if action not in _OF_THEMSELVES}
        if self._quiet is not None and now - self._quiet >= limits.settle:
            self._settled = True
        if self._settled and (unasked := self._held(now, telling)) is not None:
            return self._fail(f"Nothing was asked for, but there was a movement: {unasked.value}.")
        if max(moved.values()) >= limits.neutral:
            self._quiet = None
        elif self._quiet is None:
            self._quiet = now
        assert self._begun is not None
        if self._quiet is not None and now - self._quiet >= self._pause:
            self._asked, self._settled = now, False
            self._since.clear()
            return self._view(ChallengeState.ASKED, limits.step_seconds)
        if now - self._begun > limits.rest_limit + self._pause:
            return self._fail("The head did not come back to rest in time.")
        return self._view(ChallengeState.REST, limits.rest_limit - (now - self._begun))

    def _held(self, now: float, shares: Mapping[Action, float]) -> Action | None:
        """Return a movement that is done in full and held, if there is one."""
        for action, share in shares.items():
            if share < 1:
                self._since.pop(action, None)
            elif now - self._since.setdefault(action, now) >= self._limits.hold:
                return action
        return None

    def _answer(self, now: float, shares: Mapping[Action, float]) -> ChallengeView:
        limits, wanted = self._limits, self.actions[len(self._measured)]
        assert self._asked is not None
        since = now - self._asked
        for action, share in shares.items():
            if share < 1:
                self._since.pop(action, None)
                continue
            held = now - self._since.setdefault(action, now)
            if held < (limits.eyes_seconds if action is Action.BLINK else limits.hold):
                continue
            if action is not wanted:
                if self._belongs(action, wanted):
                    continue
                return self._fail(f"Asked to {wanted.value}, but the movement was: {action.value}.")
            if self._since[action] - self._asked < limits.reaction:
                return self._fail("The movement began before it was asked for.")
            self._measured.append((wanted.value, round(share, 2), 1.0))
            if len(self._measured) == len(self.actions):
                self._ended = self._view(ChallengeState.PASSED, 0.0)
                return self._ended
            self._asked, self._quiet, self._begun, self._pause = None, None, now, self._draw_pause()
            self._since.clear()
            return self._view(ChallengeState.REST, limits.rest_limit)
        if since > limits.step_seconds:
            return self._fail(f"Asked to {wanted.value}, but nothing was seen in {limits.step_seconds:g} seconds.")
        return self._view(ChallengeState.ASKED, limits.step_seconds - since)

    @staticmethod
    def _belongs(action: Action, wanted: Action) -> bool:
        """Tell whether a movement comes along with the one asked for: lids follow a lowered gaze, for one."""
        along = {
            Action.DOWN: (Action.BLINK, Action.FARTHER, Action.CLOSER),
            Action.UP: (Action.MOUTH, Action.FARTHER, Action.CLOSER),
            Action.MOUTH: (Action.UP, Action.DOWN, Action.CLOSER),
            Action.CLOSER: (Action.DOWN, Action.UP),
            Action.FARTHER: (Action.DOWN, Action.UP),
            Action.LEFT: (Action.BLINK, Action.DOWN, Action.UP),
            Action.RIGHT: (Action.BLINK, Action.DOWN, Action.UP),
            Action.BLINK: (Action.DOWN, Action.UP),
        }
        return action is Action.BLINK or action in along[wanted]

    def _draw_pause(self) -> float:
        return self._random.uniform(self._limits.pause_least, self._limits.pause_most)

    def _view(self, state: ChallengeState, left: float) -> ChallengeView:
        action = self.actions[len(self._measured)] if state is ChallengeState.ASKED else None
        return ChallengeView(
            state, action, len(self._measured), len(self.actions), max(0.0, left), "", tuple(self._measured)
        )

    def _fail(self, reason: str) -> ChallengeView:
        self._ended = ChallengeView(
            ChallengeState.FAILED, None, len(self._measured), len(self.actions), 0.0, reason, tuple(self._measured)
        )
        return self._ended
