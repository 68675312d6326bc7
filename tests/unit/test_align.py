from __future__ import annotations

import cv2
import numpy as np
import pytest

from facegui.faces.align import ARCFACE_TEMPLATE, align, inside_share, similarity_transform


def moved(points: np.ndarray, angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    return (points @ np.array([[c, s], [-s, c]]) + shift).astype(np.float32)


@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.4, 3.0), (-2.5, 0.3), (np.pi, 7.0)])
def test_a_similarity_is_recovered_exactly(angle: float, scale: float) -> None:
    points = moved(ARCFACE_TEMPLATE, angle, scale, (40, -12))
    matrix = similarity_transform(points)
    back = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(back, ARCFACE_TEMPLATE, atol=1e-3)
    assert np.isclose(np.linalg.det(matrix[:, :2]), scale**-2)


def test_a_mirrored_face_is_never_flipped() -> None:
    mirrored = ARCFACE_TEMPLATE * [-1, 1] + [112, 0]
    assert np.linalg.det(similarity_transform(mirrored.astype(np.float32))[:, :2]) > 0


def test_points_that_coincide_are_refused() -> None:
    with pytest.raises(ValueError, match="same"):
        similarity_transform(np.zeros((5, 2), np.float32))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 4.0, 9.0])
def test_marks_at_the_points_land_on_the_template_at_every_scale(scale: float) -> None:
    points = moved(ARCFACE_TEMPLATE, 0.3, scale, (260, 200))
    side = int(140 * scale + 700)
    image = np.zeros((side, side, 3), np.uint8)
    radius = max(1.2, 1.6 * scale)
    for x, y in points:
        cv2.circle(image, (round(x * 16), round(y * 16)), round(radius * 16), (255, 255, 255), -1, cv2.LINE_AA, 4)
    crop = align(image, points)
    assert crop.shape == (112, 112, 3)
    assert crop.dtype == np.uint8
    assert crop.flags.c_contiguous
    luma = crop[..., 0].astype(float)
    for x, y in ARCFACE_TEMPLATE:
        left, top = round(float(x)) - 6, round(float(y)) - 6
        patch = luma[top : top + 13, left : left + 13]
        rows, columns = np.mgrid[top : top + 13, left : left + 13]
        center = (columns * patch).sum() / patch.sum(), (rows * patch).sum() / patch.sum()
        assert np.hypot(center[0] - x, center[1] - y) < 0.5


def test_a_large_face_is_averaged_not_skipped() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (1600, 1600, 1), np.uint8).repeat(3, 2)
    crop = align(noise, moved(ARCFACE_TEMPLATE, 0.0, 12.0, (100, 100)))
    assert crop.std() < 25  # sampled pixel by pixel it would stay near 74


def test_the_share_of_the_face_inside_the_picture_is_measured() -> None:
    assert inside_share((112, 112, 3), ARCFACE_TEMPLATE) == pytest.approx(1.0)
    assert inside_share((112, 56, 3), ARCFACE_TEMPLATE) == pytest.approx(0.5, abs=0.01)
    assert inside_share((112, 112, 3), ARCFACE_TEMPLATE - 500) == 0.0
