"""What the inspector says of a face that is to be enrolled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from facegui.faces.types import Face, Frame, QualityReason, Timings
from facegui.gui.widgets.photo_marks import quality_text
from facegui.matching.wording import EN_DASH

if TYPE_CHECKING:
    from facegui.services import Services

__all__ = ["Row", "face_rows", "photo_rows", "run_rows"]

Row = tuple[str, str] | tuple[str, str, str]


def _tr(text: str) -> str:
    return QCoreApplication.translate("Enroll", text)


def face_rows(face: Face | None) -> list[Row]:
    """Return quality and pose of a face; dashes while there is none."""
    names = (
        _tr("Quality"), _tr("Reasons"), _tr("Eyes apart"), _tr("Turned"), _tr("Tilted"), _tr("Brightness"),
        _tr("Sharpness"), _tr("Detector"), _tr("Eyes"), _tr("Mouth"),
    )  # fmt: skip
    if face is None:
        return [(name, EN_DASH) for name in names]
    quality = face.quality
    sideways = _tr("{0}° to their left") if quality.yaw > 0 else _tr("{0}° to their right")
    upright = _tr("{0}° up") if quality.pitch > 0 else _tr("{0}° down")
    values = (
        f"{quality.score:.2f}", quality_text(quality), _tr("{0} pixels").format(round(quality.eye_distance)),
        f"{sideways.format(abs(round(quality.yaw)))}, {upright.format(abs(round(quality.pitch)))}",
        _tr("{0}°").format(abs(round(quality.roll))), f"{quality.brightness:.2f}", f"{quality.sharpness:.2f}",
        f"{face.detection.score:.2f}", *_expression(face),
    )  # fmt: skip
    return list(zip(names, values, strict=True))


def _expression(face: Face) -> tuple[str, str]:
    """Return how far eyes and mouth are open; dashes where the landmark network was not asked or sees no face."""
    points = face.points
    if points is None:
        return EN_DASH, EN_DASH
    eyes = _tr("{0} and {1} open").format(f"{points.right_eye:.2f}", f"{points.left_eye:.2f}")
    shut = _tr("closed") if QualityReason.EYES_CLOSED in face.quality.reasons else eyes
    return shut, _tr("{0} open").format(f"{points.mouth:.2f}")


def photo_rows(frame: Frame | None, faces: int | None = None, timings: Timings | None = None) -> list[Row]:
    """Return size, faces and source of a photo, or for a camera how long the analysis took."""
    size = "{} × {}".format(*frame.original_size) if frame is not None else EN_DASH
    rows: list[Row] = [(_tr("Size"), size)]
    if timings is not None:
        rows.append((_tr("Analysed in"), _tr("{0} ms").format(round(timings.total))))
    else:
        rows.append((_tr("Faces"), EN_DASH if faces is None else str(faces)))
        taken = frame.taken if frame is not None else None
        rows.append((_tr("Taken"), EN_DASH if taken is None else f"{taken:%Y-%m-%d %H:%M}"))
    rows.append((_tr("Source"), frame.source if frame is not None else EN_DASH))
    return rows


def run_rows(services: Services) -> list[Row]:
    """Return the model in use and what it runs on."""
    report = services.provider
    rows: list[Row] = [(_tr("Model"), services.model.title)]
    if report is None:
        return [*rows, (_tr("Runs on"), _tr("not loaded yet"))]
    rows.append((_tr("Runs on"), f"{report.active}, {report.device}"))
    if report.warning:
        rows.append((_tr("Warning"), report.warning, "warning"))
    return rows
