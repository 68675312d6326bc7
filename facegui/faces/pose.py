"""Head pose from the five points."""

from __future__ import annotations

from cmath import phase, rect
from math import atan2, degrees, hypot

import numpy as np

from facegui.faces.align import as_complex
from facegui.faces.types import Landmarks

__all__ = ["head_pose"]

# A mean head in millimetres, x to the right of the picture, y down, z towards the camera; origin between the
# eyes. Breadth and height follow the ArcFace template at 63 mm between the pupils (Dodgson, Variation and
# extrema of human interpupillary distance, 2004); the depths are rounded anthropometric means (Farkas,
# Anthropometry of the Head and Face, 1994). The tip of the nose lies where the detector marks it: the median pitch
# of CFP's frontal photos is then zero.
_HEAD = np.array([[-31.5, 0.0, 0.0], [31.5, 0.0, 0.0], [0.0, 41.7, 30.0], [-26.0, 73.0, 6.0], [26.0, 73.0, 6.0]])
# Fits five points to the head in the least squares: (3, 5).
_FIT = np.linalg.pinv(_HEAD - _HEAD.mean(0)).tolist()


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
    points = as_complex(landmarks)
    roll = phase(points[1] - points[0])
    middle, back = sum(points) / len(points), rect(1.0, -roll)
    upright = [(point - middle) * back for point in points]
    # The real parts are the row across, the imaginary ones the row down.
    x, y, z = (sum(share * point for share, point in zip(row, upright, strict=True)) for row in _FIT)
    # Row x of a rotation by yaw about the vertical axis is (cos yaw, 0, sin yaw) times the scale.
    yaw = atan2(z.real, hypot(x.real, y.real))
    pitch = atan2(-z.imag, max(hypot(x.imag, y.imag), 1e-9))
    return degrees(yaw), degrees(pitch), degrees(roll)
