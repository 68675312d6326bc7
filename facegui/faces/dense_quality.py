"""What the landmark network adds to the quality of a face: a finer head pose, and hints at what disturbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import dist, hypot
from typing import Any

from facegui.faces.types import DenseLandmarks, Detection, Quality, QualityReason

__all__ = ["DenseQualityLimits", "points_apart", "with_dense"]


# Any of these makes the network doubt a face that nothing covers.
_EXPLAINS = frozenset(QualityReason) - {
    QualityReason.UNCLEAR, QualityReason.EYES_CLOSED, QualityReason.MOUTH_OPEN
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DenseQualityLimits:
    """Where what the landmark network says becomes a reason.

    Attributes
    ----------
    presence : float
        Below this probability of a face nothing of it is believed: half of the full profiles are there.
    turned : float
        Angle of the head away from the camera in degrees. The network draws turned heads less turned than the five
        points do, so this is less than the limit for those.
    eyes_closed : float
        Mean openness of the eyes.
    mouth_open : float
    covered_presence : float
        Below this probability of a face something hides a part of it, when nothing else is wrong.
    covered_apart : float
        The same beyond this distance between the five points and those of the network, in heights of the face.
    """

    presence: float
    turned: float
    eyes_closed: float
    mouth_open: float
    covered_presence: float
    covered_apart: float

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> DenseQualityLimits:
        """Read the limits from the manifest's ``[quality_dense]`` table; KeyError when one is missing."""
        return cls(**{item.name: float(table[item.name]) for item in fields(cls)})


def points_apart(dense: DenseLandmarks, detection: Detection) -> float:
    """Return the mean distance between the five points of the detector and those of the network, in face heights."""
    ours, theirs = dense.five.tolist(), detection.landmarks.tolist()
    rows = dense.points[:, 1]
    height = max(float(rows.max() - rows.min()), 1.0)
    return sum(dist(one, two) for one, two in zip(ours, theirs, strict=True)) / len(ours) / height


def with_dense(quality: Quality, dense: DenseLandmarks, detection: Detection, limits: DenseQualityLimits) -> Quality:
    """Return the quality with the pose and the reasons that the landmark network tells; the score stays.

    Parameters
    ----------
    quality : Quality
        From the five points.
    dense : DenseLandmarks
    detection : Detection
        The same face in the same picture.
    limits : DenseQualityLimits

    Returns
    -------
    Quality
        With the pose of the five points where the network does not see a face.
    """
    doubtful = dense.presence < limits.covered_presence or points_apart(dense, detection) > limits.covered_apart
    if dense.presence < limits.presence:
        return replace(quality, reasons=_explained(quality.reasons, doubtful))
    told = {
        QualityReason.TURNED: hypot(dense.yaw, dense.pitch) > limits.turned,
        QualityReason.EYES_CLOSED: (dense.right_eye + dense.left_eye) / 2 < limits.eyes_closed,
        QualityReason.MOUTH_OPEN: dense.mouth > limits.mouth_open,
    }
    reasons = [reason for reason in quality.reasons if told.get(reason, True)]
    reasons += [reason for reason, true in told.items() if true and reason not in reasons]
    explained = _explained(reasons, doubtful)
    return replace(quality, reasons=explained, yaw=dense.yaw, pitch=dense.pitch, roll=dense.roll)


def _explained(reasons: Sequence[QualityReason], doubtful: bool) -> tuple[QualityReason, ...]:
    """Return the reasons, with that the face is covered where the network doubts it and nothing else says why."""
    if not doubtful or _EXPLAINS.intersection(reasons):
        return tuple(reasons)
    return (QualityReason.COVERED, *(reason for reason in reasons if reason is not QualityReason.UNCLEAR))
