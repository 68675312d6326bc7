"""Head pose from the five points."""

from __future__ import annotations

import numpy as np

from facegui.faces.types import Landmarks

__all__ = ["head_pose"]

# A mean head in millimetres, x to the right of the picture, y down, z towards the camera; origin between the
# eyes. Breadth and height follow the ArcFace template at 63 mm between the pupils (Dodgson, Variation and
# extrema of human interpupillary distance, 2004); the depths are rounded anthropometric means (Farkas,
# Anthropometry of the Head and Face, 1994). The tip of the nose lies where the detector marks it: the median pitch
# of CFP's frontal photos is then zero.
_HEAD = np.array([[-31.5, 0.0, 0.0], [31.5, 0.0, 0.0], [0.0, 41.7, 30.0], [-26.0, 73.0, 6.0], [26.0, 73.0, 6.0]])


def head_pose(landmarks: Landmarks) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees.

    The camera is taken as scaled orthographic: a linear fit of the five points to a mean head gives the first
    two rows of the rotation times the scale (DeMenthon and Davis, POS, IJCV 1995).

    Parameters
    ----------
    landmarks : Landmarks
        (5, 2) in pixels.

    Returns
    -------
    tuple of float
        Yaw (positive: turned to the person's own left), pitch (positive: looking up), roll (positive: tilted
        clockwise as seen in the picture).
    """
    points = landmarks.astype(np.float64)
    right_eye, left_eye = points[0], points[1]
    across = left_eye - right_eye
    roll = float(np.degrees(np.arctan2(across[1], across[0])))
    angle = np.radians(-roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    upright = (points - points.mean(0)) @ turn.T
    head = _HEAD - _HEAD.mean(0)
    camera, *_ = np.linalg.lstsq(head, upright, rcond=None)  # (3, 2)
    across_row, down_row = camera.T
    # Row x of a rotation by yaw about the vertical axis is (cos yaw, 0, sin yaw) times the scale.
    yaw = float(np.degrees(np.arctan2(across_row[2], np.hypot(across_row[0], across_row[1]))))
    pitch = float(np.degrees(np.arctan2(-down_row[2], max(np.hypot(down_row[0], down_row[1]), 1e-9))))
    return yaw, pitch, roll
