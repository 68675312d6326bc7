from __future__ import annotations

import numpy as np
import pytest

from facegui.faces.pose import _HEAD, head_pose


def seen(yaw: float, pitch: float, roll: float, scale: float = 2.0) -> np.ndarray:
    """Project the mean head, turned, as a scaled orthographic camera sees it."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    points = (_HEAD @ (about_x @ about_y).T)[:, :2]
    turn = np.array([[np.cos(r), -np.sin(r)], [np.sin(r), np.cos(r)]])
    return (points @ turn.T * scale + [300, 200]).astype(np.float32)


@pytest.mark.parametrize("yaw", [-60, -25, 0, 25, 60])
def test_yaw_is_recovered(yaw: float) -> None:
    assert head_pose(seen(yaw, 0, 0))[0] == pytest.approx(yaw, abs=3)


@pytest.mark.parametrize("pitch", [-30, -10, 0, 10, 30])
def test_pitch_is_recovered(pitch: float) -> None:
    assert head_pose(seen(0, pitch, 0))[1] == pytest.approx(pitch, abs=3)


@pytest.mark.parametrize("roll", [-170, -45, 0, 20, 90])
def test_roll_is_recovered_at_any_size(roll: float) -> None:
    for scale in (0.2, 1.0, 9.0):
        yaw, pitch, measured = head_pose(seen(0, 0, roll, scale))
        assert measured == pytest.approx(roll, abs=0.5)
        assert abs(yaw) < 1
        assert abs(pitch) < 1


def test_a_nose_towards_the_persons_left_is_a_positive_yaw_and_up_a_positive_pitch() -> None:
    points = seen(0, 0, 0)
    left = points.copy()
    left[2, 0] += 20  # the person's left is the picture's right
    assert head_pose(left)[0] > 5
    up = points.copy()
    up[2, 1] -= 20
    assert head_pose(up)[1] > 5
