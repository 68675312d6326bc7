"""OpenCV, loaded at first use and kept from writing to the terminal."""

from __future__ import annotations

import os
from functools import cache

__all__ = ["quiet_opencv"]

_ENVIRONMENT = {
    # FFmpeg's log level as OpenCV passes it on; -8 is AV_LOG_QUIET.
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    # Seconds until a camera that sends nothing counts as lost; OpenCV's own default is 10.
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "3",
}


@cache
def quiet_opencv() -> None:
    """Load OpenCV without its log. Call it before `import cv2` is used for decoding or capture.

    What the user has set in the environment stays.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
