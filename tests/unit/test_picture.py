"""Pictures of no use are recognised and told: black, over-exposed, frozen."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sample_pictures import PICTURE

from facegui.faces.catalog import Catalog
from facegui.sources.camera import CameraFeed, FeedState
from facegui.sources.devices import VideoSource
from facegui.sources.picture import PictureFault, PictureLimits, PictureWatch

LIMITS = PictureLimits.from_table(Catalog().tables["picture"])
RNG = np.random.default_rng(0)


def noisy(pixels: np.ndarray) -> np.ndarray:
    """What a sensor makes of a scene: never twice the same."""
    return np.clip(pixels.astype(int) + RNG.integers(-2, 3, pixels.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "fault"),
    [
        (np.full_like(PICTURE, 5), PictureFault.BLACK),
        (np.full_like(PICTURE, 254), PictureFault.OVEREXPOSED),
        (PICTURE, None),
        (PICTURE // 4, None),
    ],
)
def test_a_moving_picture_is_judged_by_its_light(pixels: np.ndarray, fault: PictureFault | None) -> None:
    watch = PictureWatch(LIMITS)
    assert {watch.add(noisy(pixels), n / 10) for n in range(40)} == {fault}


def test_a_picture_that_does_not_change_to_the_last_bit_is_frozen_after_a_while() -> None:
    watch = PictureWatch(LIMITS)
    assert watch.add(PICTURE, 0.0) is None
    assert watch.add(PICTURE, LIMITS.frozen_seconds / 2) is None
    assert watch.add(PICTURE, LIMITS.frozen_seconds) is PictureFault.FROZEN
    assert watch.add(noisy(PICTURE), LIMITS.frozen_seconds + 0.1) is None


class Covered:
    """A camera whose cover is closed."""

    def read(self) -> tuple[bool, np.ndarray]:
        time.sleep(0.005)
        return True, noisy(np.zeros_like(PICTURE))

    def grab(self) -> bool:
        return True

    def get(self, prop: int, /) -> float:
        return 0.0

    def release(self) -> None: ...


def test_a_covered_camera_is_told_with_what_to_do() -> None:
    def opener(source: VideoSource, height: int) -> Covered:
        return Covered()

    with CameraFeed(0, opener=opener, picture=LIMITS) as feed:
        assert feed.wait(0, 10) is not None
        status = feed.status
    assert status.state is FeedState.LIVE
    assert status.fault is PictureFault.BLACK
    assert "cover" in status.warning
