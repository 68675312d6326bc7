"""Icons in the formats that desktops ask for, drawn from ``assets/facegui.svg``: ``packaging/icons.py FOLDER``.

PNG in the sizes of the hicolor theme, and one .ico (Windows) and .icns (macOS) that holds several sizes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

DRAWING = Path(__file__).resolve().parent.parent / "assets" / "facegui.svg"
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)


def make_icons(folder: Path) -> dict[int, Path]:
    """Draw the icons into `folder`, which is made; return the PNG files by their side in pixels."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PIL import Image
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    folder.mkdir(parents=True, exist_ok=True)
    app = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
    renderer = QSvgRenderer(str(DRAWING))
    made = {}
    for side in SIZES:
        picture = QImage(side, side, QImage.Format.Format_ARGB32)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        renderer.render(painter)
        painter.end()
        made[side] = folder / f"facegui-{side}.png"
        if not picture.save(str(made[side])):
            raise OSError(f"{made[side]} cannot be written")
    del app
    largest = Image.open(made[SIZES[-1]])
    largest.save(folder / "facegui.ico", sizes=[(side, side) for side in SIZES if side <= 256])
    largest.save(folder / "facegui.icns")
    return made


if __name__ == "__main__":
    make_icons(Path(sys.argv[1]))
